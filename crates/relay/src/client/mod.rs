//! The desktop's end of the device link: one socket to the hub, a session with each paired phone, an `rpc::Link` for
//! each session.
//!
//! [`DeviceLink::start`] returns at once; a task dials, registers, resumes and dials again by itself. Everything it
//! knows is owned by that task (`core`); the handle talks to it by commands. A socket that writes slowly is known
//! only to its lanes (`lanes`).

mod core;
mod incoming;
mod lanes;
mod live;
mod outbox;
mod pairing;
mod run;
mod socket;
mod streams;

pub use lanes::{CONTROL_BYTES, DATA_BYTES};
pub use pairing::{Pairing, PairingAnswers, PairingEvent};
pub use socket::SUBPROTOCOL;

use crate::bytes::Key;
use crate::envelope::DeviceKind;
use crate::keys::{DeviceKeys, PublicKeys};
use crate::{Clock, Random, RelayError};
use futures_util::future::BoxFuture;
use rpc::{Link, Scopes};
use secrecy::SecretString;
use std::fmt;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Gives an access token that is valid now, or says in words why there is none. Asked before each dial and before a
/// token's authority ends.
pub type TokenSupplier = Arc<dyn Fn() -> BoxFuture<'static, Result<SecretString, String>> + Send + Sync>;

/// What a desktop needs to be on the device link.
#[derive(Clone)]
pub struct DeviceLinkConfig {
    /// The server, an origin without a slash at its end. Without TLS only on this machine.
    pub origin: String,
    /// This device as the server knows it.
    pub device: String,
    /// What people call it.
    pub name: String,
    /// Its keys.
    pub keys: DeviceKeys,
    /// The paired phones: the engine's own list, never the server's.
    pub peers: Vec<Peer>,
    /// Access tokens.
    pub token: TokenSupplier,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
}

impl fmt::Debug for DeviceLinkConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceLinkConfig")
            .field("origin", &self.origin)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

/// A paired phone. Its link key names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its keys.
    pub keys: PublicKeys,
    /// What people call it.
    pub name: String,
    /// As the server knows it; not known before its first session, see [`Event::Recognised`].
    pub device: Option<String>,
    /// What it may do.
    pub scopes: Scopes,
}

/// What the engine is told.
#[derive(Debug)]
pub enum Event {
    /// A phone has a session: serve this link with its scopes. When it ends, so does the session, and the other way
    /// round.
    Session {
        /// Whose it is.
        peer: Peer,
        /// The phone is at the other end.
        link: Link,
    },
    /// A peer has proved that it is this device of the server: remember it.
    Recognised {
        /// The peer's link key.
        peer: Key,
        /// Its device id.
        device: String,
    },
    /// Another device of the account came or went. This is the server's word, not the device's.
    Presence {
        /// The device.
        device: String,
        /// What people call it.
        name: String,
        /// What it is.
        kind: DeviceKind,
        /// Whether it is there.
        online: bool,
    },
}

/// How the link stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It has ended.
    Off,
    /// It dials.
    Connecting,
    /// It is registered.
    Online,
    /// It waits before it dials again; why, in words.
    Waiting(String),
    /// The server has removed this device. It does not dial before [`DeviceLink::redial_now`].
    Revoked,
}

pub(crate) enum Command {
    /// A message of the engine for a phone.
    Out {
        peer: Key,
        session: crate::sealing::SessionId,
        message: rpc::Message,
    },
    /// The engine has closed its end.
    Closed {
        peer: Key,
        session: crate::sealing::SessionId,
    },
    Admit {
        peer: Peer,
        done: oneshot::Sender<()>,
    },
    Revoke {
        peer: Key,
        done: oneshot::Sender<bool>,
    },
    Pair {
        done: oneshot::Sender<Result<Pairing, RelayError>>,
    },
    /// From a pairing: an envelope for the hub.
    Mailbox(crate::envelope::ToHub),
    /// From a pairing: it has ended.
    Unpair {
        mailbox: String,
    },
    Redial,
}

/// A desktop on the device link. Dropping it ends the link and its sessions.
#[derive(Debug)]
pub struct DeviceLink {
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<LinkState>,
    task: tokio::task::JoinHandle<()>,
}

impl DeviceLink {
    /// Begins. Must be called inside a Tokio runtime. The events must be read: the link waits for its reader.
    ///
    /// # Errors
    /// [`RelayError::Refused`] for an address that is not dialled.
    pub fn start(config: DeviceLinkConfig) -> Result<(DeviceLink, mpsc::Receiver<Event>), RelayError> {
        socket::server(&config.origin)?;
        let (commands, inbox) = mpsc::channel(256);
        let (events, told) = mpsc::channel(256);
        let (state_tx, state) = watch::channel(LinkState::Connecting);
        let core = core::Core::new(Arc::new(config), commands.clone(), events);
        let task = tokio::spawn(run::run(core, inbox, state_tx));
        Ok((DeviceLink { commands, state, task }, told))
    }

    /// How the link stands, now and later.
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }

    /// Adds a paired phone or changes one. Its sessions end first: what it may do is settled when a session begins.
    ///
    /// # Errors
    /// [`RelayError::Ended`].
    pub async fn admit(&self, peer: Peer) -> Result<(), RelayError> {
        self.ask(|done| Command::Admit { peer, done }).await
    }

    /// Forgets a paired phone. When this returns its sessions have ended: no call of it begins and nothing more is
    /// sent to it. Whether there was one. The engine tells the server besides, which closes the phone's socket.
    ///
    /// # Errors
    /// [`RelayError::Ended`].
    pub async fn revoke(&self, peer: Key) -> Result<bool, RelayError> {
        self.ask(|done| Command::Revoke { peer, done }).await
    }

    /// Opens a mailbox for a new phone. One at a time: an earlier pairing ends.
    ///
    /// # Errors
    /// [`RelayError::Unreachable`] while the link is not online, [`RelayError::Ended`].
    pub async fn pair(&self) -> Result<Pairing, RelayError> {
        self.ask(|done| Command::Pair { done }).await?
    }

    /// Dials now instead of when the wait is over: the network came back, the machine woke, someone signed in.
    pub async fn redial_now(&self) {
        // An ended link has nothing to dial.
        let _ended = self.commands.send(Command::Redial).await;
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, RelayError> {
        let (done, answer) = oneshot::channel();
        self.commands.send(command(done)).await.map_err(|_| RelayError::Ended)?;
        answer.await.map_err(|_| RelayError::Ended)
    }
}

impl Drop for DeviceLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}
