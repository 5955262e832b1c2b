//! `GET /ws/pairing`: a phone that is nobody yet and a desktop exchange handshake messages through a mailbox, whose name
//! follows from a secret that only the two know.

use super::lanes::Lanes;
use crate::error::ApiError;
use crate::state::{State, address};
use actix_web::http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::AggregatedMessage;
use futures_util::StreamExt;
use relay::bytes::Sealed;
use relay::envelope::{FromHub, FromMailbox, MAX_ENVELOPE_BYTES, ToMailbox};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The subprotocol of the mailbox socket.
const PROTOCOL: &str = "plantocode.pairing.v1";
/// How long a mailbox is open.
const LIFETIME: Duration = Duration::from_secs(120);
/// The messages of a pairing and some more; whoever sends further ones is not pairing.
const MESSAGES: u32 = 32;
/// Mailboxes that may be open at once.
const MANY: usize = 1_000;

/// The open mailboxes. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mailboxes {
    open: Arc<Mutex<HashMap<String, Mailbox>>>,
}

#[derive(Debug)]
struct Mailbox {
    /// The desktop that opened it.
    owner: String,
    desktop: Arc<Lanes>,
    phone: Option<Arc<Lanes>>,
    until_ms: i64,
}

impl Mailboxes {
    fn open_ones(&self) -> MutexGuard<'_, HashMap<String, Mailbox>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a mailbox for a desktop. Not when its name is taken: nobody can know the name by chance.
    pub fn open(&self, name: &str, owner: &str, desktop: Arc<Lanes>, now_ms: i64) -> bool {
        let is_name = name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
        let mut open = self.open_ones();
        // A desktop pairs one device at a time; whoever opens many keeps nobody else from pairing.
        open.retain(|_, mailbox| mailbox.until_ms > now_ms && mailbox.owner != owner);
        if !is_name || open.contains_key(name) || open.len() >= MANY {
            return false;
        }
        let until_ms = now_ms + LIFETIME.as_millis() as i64;
        open.insert(name.to_owned(), Mailbox { owner: owner.to_owned(), desktop, phone: None, until_ms });
        true
    }

    /// Passes a desktop's message to the phone that is there.
    pub fn to_phone(&self, name: &str, owner: &str, body: Sealed) -> bool {
        let open = self.open_ones();
        let phone = open.get(name).filter(|mailbox| mailbox.owner == owner).and_then(|m| m.phone.as_ref());
        phone.map(|phone| phone.control(FromMailbox::Pairing { body }.to_text())).is_some()
    }

    /// Closes a mailbox of a desktop.
    pub fn close(&self, name: &str, owner: &str) {
        let mut open = self.open_ones();
        if open.get(name).is_some_and(|mailbox| mailbox.owner == owner)
            && let Some(phone) = open.remove(name).and_then(|mailbox| mailbox.phone)
        {
            phone.control(FromMailbox::PairingClosed { reason: "closed".into() }.to_text());
            phone.close("the pairing has ended");
        }
    }

    /// Closes every mailbox of a desktop's socket that has ended.
    pub fn close_all(&self, desktop: &Arc<Lanes>) {
        let names: Vec<(String, String)> = self
            .open_ones()
            .iter()
            .filter(|(_, mailbox)| Arc::ptr_eq(&mailbox.desktop, desktop))
            .map(|(name, mailbox)| (name.clone(), mailbox.owner.clone()))
            .collect();
        for (name, owner) in names {
            self.close(&name, &owner);
        }
    }

    /// Lets the first phone in. Says when the mailbox ends.
    fn join(&self, name: &str, phone: &Arc<Lanes>, now_ms: i64) -> Result<i64, &'static str> {
        let mut open = self.open_ones();
        let mailbox = open.get_mut(name).filter(|mailbox| mailbox.until_ms > now_ms).ok_or("expired")?;
        if mailbox.phone.is_some() {
            return Err("taken");
        }
        mailbox.phone = Some(Arc::clone(phone));
        Ok(mailbox.until_ms)
    }

    fn to_desktop(&self, name: &str, body: Sealed) -> bool {
        let open = self.open_ones();
        let text = FromHub::Pairing { mailbox: name.to_owned(), body }.to_text();
        open.get(name).map(|mailbox| mailbox.desktop.control(text)).is_some()
    }

    /// The phone has gone, or took too long: nobody else can take its place.
    fn end(&self, name: &str, phone: &Arc<Lanes>, reason: &'static str) {
        let mut open = self.open_ones();
        let of_phone =
            |mailbox: &Mailbox| mailbox.phone.as_ref().is_some_and(|there| Arc::ptr_eq(there, phone));
        if open.get(name).is_some_and(of_phone)
            && let Some(mailbox) = open.remove(name)
        {
            let (mailbox_name, reason) = (name.to_owned(), reason.to_owned());
            mailbox.desktop.control(FromHub::PairingClosed { mailbox: mailbox_name, reason }.to_text());
        }
    }
}

/// `GET /ws/pairing`
pub(crate) async fn pairing(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Payload,
) -> Result<HttpResponse, actix_web::Error> {
    super::device_link_ws::same_origin(&state, &request)?;
    // Neither tells whether a mailbox exists: the name is as long as a key.
    let permit = state.pairing_tries.acquire(&address(&request), state.env.now_ms());
    permit.map(drop).map_err(|wait| {
        ApiError::rate_limited(wait, "too many tries to pair; wait a little, then try again")
    })?;
    if !super::device_link_ws::offers(&request, PROTOCOL) {
        return Err(ApiError::invalid("this endpoint speaks the subprotocol plantocode.pairing.v1").into());
    }
    let (mut response, session, messages) = actix_ws::handle(&request, body)?;
    response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    let lanes = Arc::new(Lanes::default());
    actix_web::rt::spawn(super::device_link_ws::write(session, Arc::clone(&lanes)));
    actix_web::rt::spawn(async move {
        let reason = converse(&state, messages, &lanes).await;
        lanes.control(FromMailbox::PairingClosed { reason: reason.into() }.to_text());
        lanes.close("the pairing has ended");
    });
    Ok(response)
}

/// Passes messages on until either side ends it; why it ended.
async fn converse(
    state: &web::Data<State>,
    messages: actix_ws::MessageStream,
    lanes: &Arc<Lanes>,
) -> &'static str {
    let mut messages = messages.max_frame_size(MAX_ENVELOPE_BYTES).aggregate_continuations();
    let mut next = async || loop {
        match messages.next().await {
            Some(Ok(AggregatedMessage::Text(text))) => return ToMailbox::parse(&text).ok(),
            Some(Ok(AggregatedMessage::Ping(_) | AggregatedMessage::Pong(_))) => {}
            _ => return None,
        }
    };
    let first = tokio::time::timeout(Duration::from_secs(10), next()).await;
    let Ok(Some(ToMailbox::PairingJoin { mailbox })) = first else { return "invalid" };
    let until_ms = match state.mailboxes.join(&mailbox, lanes, state.env.now_ms()) {
        Ok(until_ms) => until_ms,
        Err(reason) => return reason,
    };
    let left = Duration::from_millis((until_ms - state.env.now_ms()).max(0).unsigned_abs());
    let talk = async {
        for _ in 0..MESSAGES {
            match next().await {
                Some(ToMailbox::Pairing { body }) => {
                    if !state.mailboxes.to_desktop(&mailbox, body) {
                        return "closed";
                    }
                }
                Some(ToMailbox::Unknown) => {}
                _ => return "left",
            }
        }
        "invalid"
    };
    let reason = tokio::time::timeout(left, talk).await.unwrap_or("expired");
    state.mailboxes.end(&mailbox, lanes, reason);
    reason
}
