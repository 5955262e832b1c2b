//! A link: two bounded queues of messages. That is all a transport is.
//!
//! A host pumps messages between its socket and one end; the other end goes to [`crate::serve`] or
//! [`crate::connect`]. A full queue holds its writer back, so a slow reader slows its sender and nothing else.

use bytes::Bytes;
use tokio::sync::mpsc;

/// The largest message any link carries, in bytes. Larger results are streams.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// Messages that fit into one direction of a link before its writer waits.
pub const QUEUE: usize = 64;

/// One message of a transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A JSON frame.
    Text(String),
    /// Terminal bytes.
    Binary(Bytes),
}

impl Message {
    /// Its length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it has no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One end of a connection.
#[derive(Debug)]
pub struct Link {
    /// Messages to the other end.
    pub tx: mpsc::Sender<Message>,
    /// Messages from the other end; `None` once it is gone.
    pub rx: mpsc::Receiver<Message>,
}

impl Link {
    /// Two ends joined in memory.
    pub fn pair() -> (Link, Link) {
        let (here_tx, there_rx) = mpsc::channel(QUEUE);
        let (there_tx, here_rx) = mpsc::channel(QUEUE);
        (Link { tx: here_tx, rx: here_rx }, Link { tx: there_tx, rx: there_rx })
    }
}
