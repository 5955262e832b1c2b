//! The suite of every link, over the sealed one: a hub with a real socket, a desktop that serves the suite's router, and a
//! phone's end made of the library's own session.

use crate::conformance::{self, Joined, Way};
use crate::hub::{Hub, PHONE, Phone, Said, config, online, peer};
use crate::keys;
use relay::client::{DeviceLink, Event};
use relay::envelope::FromHub;
use relay::record::StreamMessage;
use relay::session::MAX_API_BYTES;
use rpc::{ApiError, Caller, ErrorCode, Frame, Link, Message, RequestId, Router};
use std::sync::Arc;

struct Sealed;

impl Way for Sealed {
    const LARGEST: usize = MAX_API_BYTES;

    /// Cut means that the session is over: the phone has gone, and the hub has lost what was under way. That a session
    /// outlives its sockets is tested beside this.
    async fn open(router: Arc<Router>, caller: Caller) -> Joined {
        let (hub, inbox) = Hub::start().await;
        let (desktop, mut events) = DeviceLink::start(config(&hub, vec![peer(Some(PHONE))])).unwrap();
        online(&desktop).await;
        let serving = tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let Event::Session { link, .. } = event {
                    let (router, caller) = (Arc::clone(&router), caller.clone());
                    tokio::spawn(rpc::serve_within(router, caller, link, MAX_API_BYTES));
                }
            }
        });
        let phone = Phone::begin(hub.clone(), inbox, &keys(3), 9).await;
        let (link, there) = Link::pair();
        let pumping = tokio::spawn(pump(phone, there));
        let cut = Box::new(move || {
            pumping.abort();
            hub.tell(&FromHub::Gap {});
        });
        Joined { link, cut, held: Box::new((desktop, serving)) }
    }
}

/// Moves messages between a phone and its link, as the phone's own link does.
async fn pump(mut phone: Phone, link: Link) {
    let Link { tx, mut rx } = link;
    loop {
        let message = tokio::select! {
            out = rx.recv() => match out {
                None => return,
                Some(Message::Text(text)) => {
                    phone.say(&text);
                    continue;
                }
                // Records go from desktops to phones, never the other way.
                Some(Message::Binary(_)) => continue,
            },
            said = phone.listen() => said,
        };
        let message = match message {
            Said::Api(text) => Message::Text(text),
            Said::Record(stream, record) => {
                let (kind, epoch, offset) = (record.kind, record.epoch, record.offset);
                let bytes = &record.bytes;
                Message::Binary(StreamMessage { stream, kind, epoch, offset, bytes }.to_bytes().into())
            }
            Said::Lagging(stream) => {
                let error = ApiError::new(ErrorCode::Unavailable, "lagging", "Attach again.");
                let end = Frame::End { id: RequestId::Number(stream.into()), error: Some(error) };
                end.to_message().unwrap()
            }
            Said::Head(..) => continue,
            // The session is over.
            Said::Unknown => return,
        };
        if tx.send(message).await.is_err() {
            return;
        }
    }
}

conformance::over!(Sealed);
