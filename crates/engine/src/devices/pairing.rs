//! A device is paired: offered, met, and accepted by a person who types what it shows.

use super::{granted, stored};
use crate::Inner;
use crate::error::database;
use api::devices::{ConfirmPairing, Device, PairEvent};
use api::events::Topic;
use futures_util::StreamExt;
use qrcodegen::{QrCode, QrCodeEcc};
use relay::client::{Pairing, PairingAnswers, PairingEvent, Peer};
use rpc::{ApiError, ErrorCode, ItemStream};
use std::sync::{Arc, PoisonError};
use store::devices::DeviceRow;
use tokio::sync::{broadcast, mpsc};

/// How often the digits may be typed in all, as the relay counts.
const TRIES: u32 = 3;

/// The one pairing that is under way.
#[derive(Clone)]
pub(super) struct UnderWay {
    id: String,
    answers: PairingAnswers,
    outcomes: broadcast::Sender<Outcome>,
}

/// What came of typed digits.
#[derive(Clone)]
enum Outcome {
    Wrong { left: u32 },
    Paired(Box<Device>),
    Ended(&'static str),
}

impl Inner {
    fn pairing(&self) -> std::sync::MutexGuard<'_, Option<UnderWay>> {
        self.devices.pairing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a pairing is under way.
    pub(super) fn pairs_now(&self) -> bool {
        self.pairing().is_some()
    }
}

pub(super) async fn pair(inner: &Arc<Inner>) -> Result<ItemStream<PairEvent>, ApiError> {
    let (pairing, server) = inner.open_pairing().await?;
    let id = inner.env.random_hex(16);
    let under_way =
        UnderWay { id: id.clone(), answers: pairing.answers.clone(), outcomes: broadcast::Sender::new(8) };
    // A pairing that was under way ends with this one's beginning: the relay has closed its mailbox.
    *inner.pairing() = Some(under_way.clone());
    let (events, receiver) = mpsc::channel(8);
    tokio::spawn(follow(Arc::clone(inner), pairing, under_way, server, events));
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|event| (event, receiver))
    });
    Ok(stream.boxed())
}

/// Follows a pairing to its end, or until nobody follows its events any more.
async fn follow(
    inner: Arc<Inner>,
    mut pairing: Pairing,
    under_way: UnderWay,
    server: String,
    events: mpsc::Sender<Result<PairEvent, ApiError>>,
) {
    loop {
        let event = tokio::select! {
            // What has happened counts before the end of the page that showed it.
            biased;
            event = pairing.events.recv() => event.unwrap_or(PairingEvent::Ended("closed")),
            () = events.closed() => PairingEvent::Ended("closed"),
        };
        let (outcome, told, last) = translate(&inner, &under_way.id, &server, event).await;
        if let Some(outcome) = outcome {
            // Nobody may be waiting for an answer to digits.
            drop(under_way.outcomes.send(outcome));
        }
        if let Some(told) = told {
            drop(events.send(told).await);
        }
        if last {
            break;
        }
    }
    {
        let mut current = inner.pairing();
        if current.as_ref().is_some_and(|current| current.id == under_way.id) {
            *current = None;
        }
    }
    drop(pairing);
    inner.refresh_link().await;
}

type Told = Option<Result<PairEvent, ApiError>>;

/// What an event of the relay means to whoever waits for digits and to whoever follows; and whether it is the last.
async fn translate(
    inner: &Arc<Inner>,
    id: &str,
    server: &str,
    event: PairingEvent,
) -> (Option<Outcome>, Told, bool) {
    match event {
        PairingEvent::Offered { qr, words, expires_in_ms } => {
            let offered = PairEvent::Offered {
                pairing: id.to_owned(),
                code: code(&qr),
                url: qr,
                words: words.split(' ').map(str::to_owned).collect(),
                expires_at: inner.now().max(0).cast_unsigned() + expires_in_ms,
            };
            (None, Some(Ok(offered)), false)
        }
        PairingEvent::Arrived { name, fingerprint } => {
            (None, Some(Ok(PairEvent::Arrived { name, fingerprint, tries: TRIES })), false)
        }
        PairingEvent::WrongDigits { left } => (Some(Outcome::Wrong { left: left.into() }), None, false),
        PairingEvent::Accepted(peer) => match keep(inner, server, &peer).await {
            Ok(device) => {
                let told = PairEvent::Paired { device: device.clone() };
                (Some(Outcome::Paired(Box::new(device))), Some(Ok(told)), true)
            }
            Err(error) => {
                // It stands in no list, so no session of it is served; the link forgets it too.
                inner.end_device(&peer.keys).await;
                (Some(Outcome::Ended("not_kept")), Some(Err(error)), true)
            }
        },
        PairingEvent::Ended(why) => (Some(Outcome::Ended(why)), Some(Err(ended(why))), true),
    }
}

async fn keep(inner: &Arc<Inner>, server: &str, peer: &Peer) -> Result<Device, ApiError> {
    let row = DeviceRow {
        id: inner.new_id(),
        server: server.to_owned(),
        relay_id: peer.device.clone(),
        name: peer.name.clone(),
        noise_key: peer.keys.noise.to_base64(),
        link_key: peer.keys.link.to_base64(),
        scopes: stored(peer.scopes),
        paired_at: inner.now(),
        seen_at: None,
    };
    let kept = row.clone();
    inner.store.write(move |db| store::devices::insert(db, &kept)).await.map_err(database)?;
    inner.bus.tell(Topic::Device, &row.id, None);
    Ok(inner.device_view(row))
}

pub(super) async fn confirm(inner: &Arc<Inner>, request: &ConfirmPairing) -> Result<Device, ApiError> {
    let under_way = inner.pairing().clone().filter(|under_way| under_way.id == request.pairing);
    let Some(under_way) = under_way else {
        let message = "This pairing has ended. Begin a new one.";
        return Err(ApiError::not_found("no_pairing", message));
    };
    let mut outcomes = under_way.outcomes.subscribe();
    under_way.answers.confirm(&request.digits, granted(&request.scopes)).await;
    match outcomes.recv().await {
        Ok(Outcome::Paired(device)) => Ok(*device),
        Ok(Outcome::Wrong { left }) => {
            let message = match left {
                0 => "Those are not the digits that the device shows. The pairing has ended; nothing was granted."
                    .to_owned(),
                left => format!("Those are not the digits that the device shows. {left} tries are left."),
            };
            Err(ApiError::new(ErrorCode::Forbidden, "wrong_digits", message).with("left", left))
        }
        Ok(Outcome::Ended(why)) => Err(ended(why)),
        Err(_) => Err(ended("closed")),
    }
}

fn ended(why: &str) -> ApiError {
    let message = match why {
        "expired" => "Nobody came, or nobody typed the digits, within two minutes. Begin a new pairing.",
        "digits" => "The digits were wrong three times. Nothing was granted; begin a new pairing.",
        "left" => "The device has gone. Nothing was granted; begin a new pairing.",
        "forged" => {
            "What came was not from the device that read this code. Nothing was granted; begin a new pairing."
        }
        "offline" => "The connection to the server was lost. Nothing was granted; begin a new pairing.",
        "not_kept" => "The device could not be stored, so nothing was granted. Begin a new pairing.",
        _ => "The pairing has ended. Nothing was granted.",
    };
    ApiError::new(ErrorCode::Canceled, "pairing_ended", message).with("why", why)
}

/// The squares of a QR code, row by row, `1` for dark.
fn code(text: &str) -> Vec<String> {
    // An address of this length fits into a code of any level of correction; without one the words remain.
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else { return Vec::new() };
    let size = code.size();
    let square = |x, y| if code.get_module(x, y) { '1' } else { '0' };
    (0..size).map(|y| (0..size).map(|x| square(x, y)).collect()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_code_is_square() {
        let code =
            super::code("https://plantocode.example/phone#v1.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbb");
        assert!(code.len() >= 29 && code.iter().all(|row| row.len() == code.len()));
        assert!(code[0].starts_with("1111111") && code.iter().any(|row| row.contains('0')));
    }
}
