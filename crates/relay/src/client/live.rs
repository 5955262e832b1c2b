//! A confirmed session with its `rpc::Link`, and the terminal streams in it.

use super::Command;
use crate::bytes::Key;
use crate::session::Session;
use bytes::Bytes;
use rpc::{Link, Message};
use std::collections::{HashMap, VecDeque};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Calls of a phone that may wait for the engine. A phone that sends more at once loses its session.
const WAITING_CALLS: usize = 256;
/// Streams that a session may have at once.
pub(crate) const MAX_STREAMS: usize = 32;

/// How far a stream is.
pub(crate) enum StreamState {
    /// The hub was asked for an alias; what came meanwhile waits.
    Asked { pending: VecDeque<Bytes>, bytes: usize },
    /// It flows.
    Open { alias: String },
    /// Something was dropped: nothing more is sent until the phone attaches again, as another stream.
    Lagged,
}

pub(crate) struct Stream {
    pub state: StreamState,
    /// The call that attached has ended; the alias is closed behind the last record.
    pub ending: bool,
    /// The offset behind the last byte, and whether the phone was told.
    pub head: u64,
    pub head_told: bool,
}

/// A session that is served.
pub(crate) struct Live {
    pub session: Session,
    pub streams: HashMap<u32, Stream>,
    to_engine: mpsc::Sender<Message>,
    tasks: [AbortHandle; 2],
}

impl Live {
    /// Begins to serve a session: the link is for the engine.
    pub fn new(peer: Key, session: Session, commands: &mpsc::Sender<Command>) -> (Live, Link) {
        let (to_engine, mut inbox) = mpsc::channel::<Message>(WAITING_CALLS);
        // The engine's end holds one message only: what waits here is dropped when the session is revoked.
        let (in_tx, in_rx) = mpsc::channel(1);
        let (out_tx, mut out_rx) = mpsc::channel(rpc::link::QUEUE);
        let inward = tokio::spawn(async move {
            while let Some(message) = inbox.recv().await {
                if in_tx.send(message).await.is_err() {
                    return;
                }
            }
        });
        let (id, commands) = (session.id(), commands.clone());
        let outward = tokio::spawn(async move {
            while let Some(message) = out_rx.recv().await {
                if commands.send(Command::Out { peer, session: id, message }).await.is_err() {
                    return;
                }
            }
            // Nobody is left to be told when the link has ended as a whole.
            let _ended = commands.send(Command::Closed { peer, session: id }).await;
        });
        let tasks = [inward.abort_handle(), outward.abort_handle()];
        let live = Live { session, streams: HashMap::new(), to_engine, tasks };
        (live, Link { tx: out_tx, rx: in_rx })
    }

    /// Hands a frame to the engine. Fails when it does not keep up.
    pub fn deliver(&self, text: String) -> bool {
        self.to_engine.try_send(Message::Text(text)).is_ok()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
