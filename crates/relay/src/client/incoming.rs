//! Boxes from phones: the beginning of sessions, and what is said inside them.

use super::Event;
use super::core::Core;
use super::live::Live;
use crate::RelayError;
use crate::sealing::{BoxHead, BoxKind};
use crate::session::{Names, Plain, Session, respond};

/// A received box is acknowledged after so many…
const ACK_BOXES: u64 = 16;
/// …or after so many bytes, so that the hub's buffer does not fill; and with every heartbeat.
const ACK_BYTES: usize = 128 * 1024;

impl Core {
    pub(super) fn sealed(&mut self, from: &str, n: u64, sealed: &[u8]) {
        // The hub sends again what was not acknowledged on the last socket.
        if n <= self.received {
            return;
        }
        self.received = n;
        self.unacknowledged_bytes += sealed.len();
        if n - self.acknowledged >= ACK_BOXES || self.unacknowledged_bytes >= ACK_BYTES {
            self.acknowledge();
        }
        let Ok((head, _)) = BoxHead::parse(sealed) else {
            tracing::debug!(from, "a box of another form was dropped");
            return;
        };
        match head.kind {
            BoxKind::First => self.first(from, &head, sealed),
            BoxKind::Transport => self.transport(from, &head, sealed),
            // Those are for phones.
            BoxKind::Second | BoxKind::Unknown => {}
        }
    }

    /// A phone begins a session. Those that are this device by name are tried first.
    fn first(&mut self, from: &str, head: &BoxHead, sealed: &[u8]) {
        let of = |live: &Live| live.session.id() == head.session;
        if self.known.iter().any(|known| known.live.as_ref().is_some_and(of)) {
            tracing::debug!(from, "the beginning of a session that lives was repeated");
            return;
        }
        let mut candidates: Vec<usize> = (0..self.known.len()).collect();
        candidates.sort_by_key(|i| self.known[*i].peer.device.as_deref() != Some(from));
        for i in candidates {
            let names = Names { phone: from.to_owned(), desktop: self.config.device.clone() };
            let (config, now) = (self.config(), self.now());
            let noise = self.known[i].peer.keys.noise;
            let Ok((session, second)) = respond(&config.keys, names, &noise, sealed, &config.random, now)
            else {
                continue;
            };
            // The last one asked for counts, but only until it is confirmed does it wait beside the live one.
            self.known[i].pending = Some(session);
            self.post(from, second);
            return;
        }
        tracing::debug!(from, "a device that is not paired asked for a session");
    }

    fn transport(&mut self, from: &str, head: &BoxHead, sealed: &[u8]) {
        let of = |session: &Session| session.id() == head.session;
        let pending = self.known.iter().position(|known| known.pending.as_ref().is_some_and(of));
        if let Some(i) = pending {
            return self.confirm(i, from, sealed);
        }
        let live =
            self.known.iter().position(|known| known.live.as_ref().is_some_and(|live| of(&live.session)));
        let Some(i) = live else { return self.unknown(from, head) };
        let Some(live) = &mut self.known[i].live else { return };
        match live.session.open(sealed) {
            Ok(Some(Plain::Api(text))) => {
                if !live.deliver(text) {
                    tracing::warn!(from, "a phone calls faster than it is answered; its session ends");
                    self.end_session(i);
                    self.unknown(from, head);
                }
            }
            // Phones say nothing about the link.
            Ok(Some(Plain::Control(_)) | None) => {}
            Err(RelayError::Broken(why)) => {
                tracing::info!(from, why, "a session is broken");
                self.end_session(i);
                self.unknown(from, head);
            }
            Err(error) => tracing::debug!(from, %error, "a box was dropped"),
        }
    }

    /// The first transport box of a pending session: if it opens, the phone is there, and this session counts.
    fn confirm(&mut self, i: usize, from: &str, sealed: &[u8]) {
        let Some(mut session) = self.known[i].pending.take() else { return };
        let opened = match session.open(sealed) {
            Ok(opened) => opened,
            Err(error) => {
                tracing::debug!(from, %error, "a box was dropped");
                self.known[i].pending = Some(session);
                return;
            }
        };
        self.end_session(i);
        let known = &mut self.known[i];
        let key = known.peer.keys.link;
        let recognised = known.peer.device.as_deref() != Some(from);
        known.peer.device = Some(from.to_owned());
        let (live, link) = Live::new(key, session, &self.commands);
        if let Some(Plain::Api(text)) = opened {
            live.deliver(text);
        }
        let peer = known.peer.clone();
        known.live = Some(live);
        if recognised {
            self.tell(Event::Recognised { peer: key, device: from.to_owned() });
        }
        if !self.tell(Event::Session { peer, link }) {
            self.lose_session(i);
        }
    }

    /// Tells a phone that its session is not known here, so that it begins another.
    pub(super) fn unknown(&mut self, from: &str, head: &BoxHead) {
        let head = BoxHead { kind: BoxKind::Unknown, session: head.session, seq: 0 };
        self.post(from, head.with(&[]));
    }
}
