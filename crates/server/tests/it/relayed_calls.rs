//! The suite of every link through the real relay: a desktop's own client at one end, a phone at the other, and what they say
//! sealed in between.

use futures_util::StreamExt as _;
use relay::acceptor::Acceptor;
use relay::bytes::Sealed;
use relay::client::{DeviceLink, DeviceLinkConfig, Event, LinkState, Peer};
use relay::envelope::{FromHub, ToHub};
use relay::ptc1::Frame;
use relay::record::StreamMessage;
use relay::sealing::{BoxHead, BoxKind};
use relay::session::{Control, MAX_API_BYTES, Names, Opening, Plain, Session};
use rpc::{Caller, Link, Message, Router, Scopes};
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::Arc;
use tokio_tungstenite::tungstenite;

use crate::conformance::{self, Joined, Way};
use crate::devices::{Wire, desktop, phone, random, register};
use crate::support::World;

struct ThroughTheRelay;

impl Way for ThroughTheRelay {
    const LARGEST: usize = MAX_API_BYTES;

    /// Cut means that the phone's socket is gone. Its session is not, at the desktop: it could come back.
    async fn open(router: Arc<Router>, caller: Caller) -> Joined {
        let world = World::new().await;
        let tokens = world.sign_in("ada").await;
        let laptop = desktop(&world, &tokens).await;
        let pocket = phone(&world, &laptop).await;
        let access = tokens.access.clone();
        let peer = Peer {
            keys: pocket.keys.public(),
            name: "Pocket".into(),
            device: Some(pocket.id.clone()),
            scopes: Scopes::all(),
        };
        let config = DeviceLinkConfig {
            origin: world.url.clone(),
            device: laptop.id.clone(),
            name: "Laptop".into(),
            keys: laptop.keys.clone(),
            peers: vec![peer],
            token: Arc::new(move || {
                let access = SecretString::from(access.clone());
                Box::pin(async move { Ok(access) })
            }),
            clock: Arc::new(|| 0),
            random: random(),
        };
        let (link, mut events) = DeviceLink::start(config).unwrap();
        let mut state = link.state();
        state.wait_for(|state| *state == LinkState::Online).await.unwrap();
        let serving = tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let Event::Session { link, .. } = event {
                    let (router, caller) = (Arc::clone(&router), caller.clone());
                    tokio::spawn(rpc::serve_within(router, caller, link, MAX_API_BYTES));
                }
            }
        });
        let wire = register(&world, &pocket, &tokens, None).await.wire;
        let names = Names { phone: pocket.id.clone(), desktop: laptop.id.clone() };
        let (opening, first) =
            Opening::begin(&pocket.keys, names, &laptop.keys.public().noise, &random()).unwrap();
        let mut end = End { wire, to: laptop.id.clone(), seq: 0 };
        end.carry(first).await;
        let session = end.session(opening).await;
        let (here, there) = Link::pair();
        let pumping = tokio::spawn(pump(end, session, there));
        Joined { link: here, cut: Box::new(move || pumping.abort()), held: Box::new((world, link, serving)) }
    }
}

/// A phone's socket.
struct End {
    wire: Wire,
    to: String,
    seq: u64,
}

impl End {
    async fn carry(&mut self, sealed: Vec<u8>) {
        self.seq += 1;
        let (to, seq, sealed) = (self.to.clone(), self.seq, Sealed::new(sealed));
        self.wire.tell(&ToHub::Sealed { to, seq, sealed, queue: false }).await;
    }

    /// The box in an envelope of the hub, acknowledged.
    async fn boxed(&mut self, text: &str) -> Option<Vec<u8>> {
        let FromHub::Sealed { n, sealed, .. } = FromHub::parse(text).unwrap() else { return None };
        self.wire.tell(&ToHub::Ack { up_to: n }).await;
        Some(sealed.as_bytes().to_vec())
    }

    /// The session that the desktop's answer begins.
    async fn session(&mut self, opening: Opening) -> Session {
        loop {
            let Some(tungstenite::Message::Text(text)) = self.wire.message().await else { continue };
            let Some(sealed) = self.boxed(&text).await else { continue };
            let head = BoxHead::parse(&sealed).unwrap().0;
            if head.kind == BoxKind::Second && head.session == opening.id() {
                return opening.finish(&sealed, 0).unwrap();
            }
        }
    }
}

/// Moves messages between the phone's socket and its link.
async fn pump(mut end: End, mut session: Session, link: Link) {
    let Link { tx, mut rx } = link;
    let mut streams: HashMap<String, (u32, Acceptor)> = HashMap::new();
    loop {
        let came = tokio::select! {
            out = rx.recv() => {
                match out {
                    None => return,
                    Some(Message::Text(text)) => {
                        for sealed in session.seal(&Plain::Api(text), 0).unwrap() {
                            end.carry(sealed).await;
                        }
                    }
                    Some(Message::Binary(_)) => {}
                }
                continue;
            }
            came = end.wire.0.next() => came,
        };
        let said = match came {
            Some(Ok(tungstenite::Message::Text(text))) => {
                let Some(sealed) = end.boxed(&text).await else { continue };
                match session.open(&sealed).unwrap() {
                    Some(Plain::Api(text)) => Message::Text(text),
                    Some(Plain::Control(Control::Alias { stream, alias, epoch, offset })) => {
                        streams.insert(alias, (stream, Acceptor::new(epoch.parse().unwrap(), offset)));
                        continue;
                    }
                    _ => continue,
                }
            }
            Some(Ok(tungstenite::Message::Binary(bytes))) => {
                let frame = Frame::parse(&bytes).unwrap();
                let (stream, acceptor) = streams.get_mut(frame.session).unwrap();
                let record = session.records().open(*stream, frame.payload).unwrap();
                let Some(record) = acceptor.take(record).unwrap() else { continue };
                let (kind, epoch, offset, bytes) = (record.kind, record.epoch, record.offset, &record.bytes);
                Message::Binary(
                    StreamMessage { stream: *stream, kind, epoch, offset, bytes }.to_bytes().into(),
                )
            }
            Some(Ok(_)) => continue,
            Some(Err(_)) | None => {
                // The other end may have gone first.
                let _gone = end.wire.0.close(None).await;
                return;
            }
        };
        if tx.send(said).await.is_err() {
            return;
        }
    }
}

// The others depend on what a session does when it is over, which is tested with the session.
conformance::over!(ThroughTheRelay:
    a_call_answers_or_fails_with_its_reason
    every_error_code_arrives_as_it_was
    a_caller_without_the_scope_is_refused_before_decoding
    what_is_not_known_is_tolerated
    calls_at_once_are_answered_each_with_its_own
    a_stream_is_held_back_by_credit_and_stopped_by_dropping
    a_feed_goes_as_far_as_was_consumed
    a_call_has_exactly_one_end_however_often_it_is_canceled
    what_is_large_arrives_and_what_is_too_large_fails_alone
    a_lost_link_fails_open_and_later_calls
    a_call_with_a_key_takes_effect_once_also_on_another_link
);
