//! What the device link knows: peers, their sessions, what is not confirmed. No socket, no waiting: each method
//! takes one thing that happened and puts what follows into the lanes.

use super::lanes::Lanes;
use super::live::Live;
use super::outbox::Outbox;
use super::pairing::{self, MailboxEvent, Route};
use super::{Command, DeviceLinkConfig, Event, Pairing, Peer};
use crate::RelayError;
use crate::bytes::Key;
use crate::envelope::{FromHub, Resume, ToHub};
use crate::sealing::{BoxHead, BoxKind, SessionId};
use crate::session::{Plain, Session};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;

/// References are above every number of a box, because an error of the hub names either.
const FIRST_REFERENCE: u64 = 1 << 48;

/// A peer with what it has under way.
pub(super) struct Known {
    pub peer: Peer,
    /// Answered and not confirmed: does not disturb the live one.
    pub pending: Option<Session>,
    pub live: Option<Live>,
}

impl Known {
    fn new(peer: Peer) -> Known {
        Known { peer, pending: None, live: None }
    }
}

/// What the socket's loop has to do after an envelope.
pub(crate) enum Next {
    Go,
    /// Dial again within this many milliseconds.
    Leave(u64),
    Revoked,
}

pub(crate) struct Core {
    pub(super) config: Arc<DeviceLinkConfig>,
    pub(super) commands: mpsc::Sender<Command>,
    events: mpsc::Sender<Event>,
    pub(super) known: Vec<Known>,
    outbox: Outbox,
    /// The lanes of the present socket.
    pub(super) lanes: Option<Arc<Lanes>>,
    account: String,
    resume_token: Option<String>,
    pub(super) received: u64,
    pub(super) acknowledged: u64,
    pub(super) unacknowledged_bytes: usize,
    pairing: Option<Route>,
    /// Aliases that the hub was asked for.
    pub(super) asked: HashMap<u64, (Key, u32)>,
    pub(super) references: u64,
}

impl Core {
    pub fn new(
        config: Arc<DeviceLinkConfig>,
        commands: mpsc::Sender<Command>,
        events: mpsc::Sender<Event>,
    ) -> Core {
        let known = config.peers.iter().cloned().map(Known::new).collect();
        Core {
            config,
            commands,
            events,
            known,
            outbox: Outbox::default(),
            lanes: None,
            account: String::new(),
            resume_token: None,
            received: 0,
            acknowledged: 0,
            unacknowledged_bytes: 0,
            pairing: None,
            asked: HashMap::new(),
            references: FIRST_REFERENCE,
        }
    }

    pub fn config(&self) -> Arc<DeviceLinkConfig> {
        Arc::clone(&self.config)
    }

    pub(super) fn now(&self) -> i64 {
        (self.config.clock)()
    }

    /// Where to go on from on the next socket.
    pub fn resume(&self) -> Option<Resume> {
        self.resume_token.clone().map(|token| Resume { token, received: self.received })
    }

    /// A socket is registered: what the hub lacks is sent again.
    pub fn online(&mut self, account: String, token: String, resumed: bool, received: u64) -> Arc<Lanes> {
        self.account = account;
        self.resume_token = Some(token);
        if resumed {
            self.outbox.confirm(received);
        } else {
            self.outbox.renumber();
            self.received = 0;
        }
        self.acknowledged = self.received;
        let lanes = Arc::new(Lanes::default());
        for envelope in self.outbox.unconfirmed() {
            lanes.control(envelope.to_text());
        }
        self.lanes = Some(Arc::clone(&lanes));
        lanes
    }

    /// The socket is gone, and with it every alias and whatever was on its way under one.
    pub fn offline(&mut self) {
        if let Some(lanes) = self.lanes.take() {
            lanes.close();
        }
        self.asked.clear();
        for i in 0..self.known.len() {
            self.lag_all(i);
        }
        self.end_pairing("offline");
    }

    /// Sends an envelope, if there is a socket.
    pub(super) fn hub(&self, envelope: &ToHub) {
        if let Some(lanes) = &self.lanes {
            lanes.control(envelope.to_text());
        }
    }

    /// Sends a box to a device. False when too much is kept for the hub already.
    pub(super) fn post(&mut self, to: &str, sealed: Vec<u8>) -> bool {
        let added = self.outbox.add(to, sealed);
        if let Some(envelope) = &added {
            self.hub(envelope);
        }
        added.is_some()
    }

    /// Says something inside a live session.
    pub(super) fn say(&mut self, i: usize, plain: &Plain) {
        let now = self.now();
        let known = &mut self.known[i];
        let (Some(live), Some(device)) = (&mut known.live, known.peer.device.clone()) else { return };
        let posted = match live.session.seal(plain, now) {
            Ok(boxes) => boxes.into_iter().all(|sealed| self.post(&device, sealed)),
            Err(error) => {
                tracing::warn!(%error, "a message for a phone could not be sealed");
                false
            }
        };
        if !posted {
            self.lose_session(i);
        }
    }

    /// Ends a session that its phone takes to be alive, and tells it to begin another: it would wait for ever.
    pub(super) fn lose_session(&mut self, i: usize) {
        let known = &self.known[i];
        let (Some(live), Some(device)) = (&known.live, known.peer.device.clone()) else { return };
        let head = BoxHead { kind: BoxKind::Unknown, session: live.session.id(), seq: 0 };
        self.end_session(i);
        self.unknown(&device, &head);
    }

    /// Ends a session; its link ends with it, and nothing of it stays in the lanes.
    pub(super) fn end_session(&mut self, i: usize) {
        let Some(live) = self.known[i].live.take() else { return };
        let peer = self.known[i].peer.keys.link;
        self.asked.retain(|_, (of, _)| *of != peer);
        if let Some(lanes) = &self.lanes {
            lanes.drop_records(|key| key.peer == peer);
            for alias in live.streams.values().filter_map(|stream| stream.alias()) {
                lanes.control(ToHub::CloseStream { alias: alias.to_owned() }.to_text());
            }
        }
    }

    /// Takes an envelope of the hub.
    pub fn envelope(&mut self, envelope: FromHub) -> Next {
        match envelope {
            FromHub::Sealed { from, n, sealed } => self.sealed(&from, n, sealed.as_bytes()),
            FromHub::Received { up_to } => self.outbox.confirm(up_to),
            FromHub::Stream { alias, reference } => self.alias(alias, reference),
            FromHub::StreamClosed { alias } | FromHub::Lagging { alias } => self.alias_lost(&alias),
            FromHub::Presence { device, name, kind, online } => {
                self.tell(Event::Presence { device, name, kind, online });
            }
            FromHub::Gap {} => self.begin_anew(),
            FromHub::Goaway { after_ms, reason } => {
                tracing::info!(reason, "the hub asks to dial again");
                return Next::Leave(after_ms);
            }
            FromHub::Revoked {} => return Next::Revoked,
            FromHub::Error { code, message, reference, .. } => {
                tracing::debug!(code, message, "the hub refused something");
                if let Some(reference) = reference {
                    self.refused(reference);
                }
            }
            FromHub::PairingOpened { mailbox } => self.mailbox(&mailbox, MailboxEvent::Opened),
            FromHub::Pairing { mailbox, body } => self.mailbox(&mailbox, MailboxEvent::Message(body)),
            FromHub::PairingClosed { mailbox, reason } => {
                let why = if reason == "expired" { "expired" } else { "left" };
                self.mailbox(&mailbox, MailboxEvent::Closed(why));
            }
            FromHub::Heartbeat {}
            | FromHub::Reauthorized { .. }
            | FromHub::Challenge { .. }
            | FromHub::Registered { .. }
            | FromHub::Unknown => {}
        }
        Next::Go
    }

    /// The hub has lost boxes. A session sees by its numbers that one is missing, but only when another follows; so that
    /// no call waits for ever, each phone is told to begin again.
    fn begin_anew(&mut self) {
        tracing::info!("the hub has lost boxes; sessions begin anew");
        for i in 0..self.known.len() {
            self.lose_session(i);
        }
    }

    /// The hub did not take a box, or gives no alias.
    fn refused(&mut self, reference: u64) {
        if let Some((peer, stream)) = self.asked.remove(&reference) {
            if let Some(i) = self.index(&peer) {
                self.lag(i, stream);
            }
        } else if let Some(device) = self.outbox.receiver(reference).map(str::to_owned) {
            // The box had its number: without it the session cannot go on.
            let of = |known: &Known| known.peer.device.as_deref() == Some(device.as_str());
            if let Some(i) = self.known.iter().position(of) {
                self.lose_session(i);
            }
        }
    }

    /// Takes a command; true asks to dial now.
    pub fn command(&mut self, command: Command) -> bool {
        match command {
            Command::Out { peer, session, message } => {
                if let Some(i) = self.live(&peer, &session) {
                    self.outgoing(i, message);
                }
            }
            Command::Closed { peer, session } => {
                if let Some(i) = self.live(&peer, &session) {
                    self.lose_session(i);
                }
            }
            Command::Admit { peer, done } => {
                // With other rights it may be connected all the same.
                if let Some(i) = self.index(&peer.keys.link) {
                    self.lose_session(i);
                }
                self.forget(&peer.keys.link);
                self.known.push(Known::new(peer));
                // The caller may have stopped waiting; the peer is admitted all the same.
                let _gone = done.send(());
            }
            Command::Revoke { peer, done } => {
                let was = self.forget(&peer);
                let _gone = done.send(was);
            }
            Command::Pair { done } => {
                let _gone = done.send(self.pair());
            }
            Command::Mailbox(envelope) => self.hub(&envelope),
            Command::Unpair { mailbox } => {
                if self.pairing.as_ref().is_some_and(|route| route.mailbox == mailbox) {
                    self.pairing = None;
                }
                self.hub(&ToHub::PairingClose { mailbox });
            }
            Command::Redial => return true,
        }
        false
    }

    /// Acknowledges what was received.
    pub fn acknowledge(&mut self) {
        if self.acknowledged < self.received {
            self.acknowledged = self.received;
            self.unacknowledged_bytes = 0;
            self.hub(&ToHub::Ack { up_to: self.received });
        }
    }

    fn index(&self, peer: &Key) -> Option<usize> {
        self.known.iter().position(|known| known.peer.keys.link == *peer)
    }

    fn live(&self, peer: &Key, session: &SessionId) -> Option<usize> {
        let i = self.index(peer)?;
        self.known[i].live.as_ref().is_some_and(|live| live.session.id() == *session).then_some(i)
    }

    fn forget(&mut self, peer: &Key) -> bool {
        let Some(i) = self.index(peer) else { return false };
        self.end_session(i);
        self.known.remove(i);
        true
    }

    pub(super) fn tell(&self, event: Event) -> bool {
        let told = self.events.try_send(event).is_ok();
        if !told {
            tracing::warn!("nobody reads the events of the device link");
        }
        told
    }

    fn pair(&mut self) -> Result<Pairing, RelayError> {
        if self.lanes.is_none() {
            return Err(RelayError::Unreachable("the device link is not online".into()));
        }
        self.end_pairing("closed");
        let (pairing, route) = pairing::begin(&self.config, &self.account, &self.commands);
        self.pairing = Some(route);
        Ok(pairing)
    }

    fn mailbox(&mut self, mailbox: &str, event: MailboxEvent) {
        if let Some(route) = self.pairing.as_ref().filter(|route| route.mailbox == mailbox)
            && route.to.try_send(event).is_err()
        {
            // It has ended, or the phone sends more than a pairing has messages.
            self.pairing = None;
        }
    }

    fn end_pairing(&mut self, why: &'static str) {
        if let Some(route) = self.pairing.take() {
            let _ended = route.to.try_send(MailboxEvent::Closed(why));
        }
    }
}
