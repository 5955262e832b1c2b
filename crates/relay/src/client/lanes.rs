//! What waits to be written to the socket: control first, terminal records behind it and within bounds.

use crate::bytes::Key;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Message;

/// The most bytes of records that wait for one receiver.
pub const DATA_BYTES: usize = 256 * 1024;
/// The most bytes of envelopes that wait; beyond it the socket is given up and the rest resumed on the next.
pub const CONTROL_BYTES: usize = 8 * 1024 * 1024;

/// Whose record it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StreamKey {
    /// The peer's link key.
    pub peer: Key,
    /// The stream.
    pub stream: u32,
}

enum Item {
    Record(Vec<u8>),
    /// An envelope that must not overtake the records before it.
    After(String),
}

#[derive(Default)]
struct Inner {
    control: VecDeque<String>,
    control_bytes: usize,
    data: VecDeque<(StreamKey, Item)>,
    waiting: HashMap<Key, usize>,
    closed: bool,
}

/// The lanes of one socket.
#[derive(Default)]
pub(crate) struct Lanes {
    inner: Mutex<Inner>,
    wake: Notify,
}

impl Lanes {
    fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        // Nothing panics while it holds the lock, and if it did the queues would still be whole.
        let result = change(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_one();
        result
    }

    /// Adds an envelope.
    pub fn control(&self, text: String) {
        self.with(|inner| {
            inner.control_bytes += text.len();
            inner.control.push_back(text);
            inner.closed |= inner.control_bytes > CONTROL_BYTES;
        });
    }

    /// Adds records of a stream, all or none: none when they are too many for this receiver.
    pub fn records(&self, key: StreamKey, frames: Vec<Vec<u8>>) -> bool {
        let bytes: usize = frames.iter().map(Vec::len).sum();
        self.with(|inner| {
            let waiting = inner.waiting.entry(key.peer).or_default();
            // A single snapshot may be longer than the bound: it goes when nothing else waits.
            if *waiting > 0 && *waiting + bytes > DATA_BYTES {
                return false;
            }
            *waiting += bytes;
            inner.data.extend(frames.into_iter().map(|frame| (key, Item::Record(frame))));
            true
        })
    }

    /// Adds an envelope behind the records of its stream.
    pub fn after(&self, key: StreamKey, text: String) {
        self.with(|inner| inner.data.push_back((key, Item::After(text))));
    }

    /// Forgets what waits of the streams that `gone` names.
    pub fn drop_records(&self, gone: impl Fn(&StreamKey) -> bool) {
        self.with(|inner| {
            let Inner { data, waiting, .. } = inner;
            data.retain(|(key, item)| match item {
                Item::Record(frame) if gone(key) => {
                    if let Some(bytes) = waiting.get_mut(&key.peer) {
                        *bytes = bytes.saturating_sub(frame.len());
                    }
                    false
                }
                _ => true,
            });
        });
    }

    /// Ends the lanes: [`Lanes::next`] returns `None`.
    pub fn close(&self) {
        self.with(|inner| inner.closed = true);
    }

    /// The next message to write.
    pub async fn next(&self) -> Option<Message> {
        loop {
            let notified = self.wake.notified();
            let ready = {
                let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
                if inner.closed {
                    return None;
                }
                inner.pop()
            };
            if ready.is_some() {
                return ready;
            }
            notified.await;
        }
    }
}

impl Inner {
    fn pop(&mut self) -> Option<Message> {
        if let Some(text) = self.control.pop_front() {
            self.control_bytes -= text.len();
            return Some(Message::text(text));
        }
        let (key, item) = self.data.pop_front()?;
        match item {
            Item::After(text) => Some(Message::text(text)),
            Item::Record(frame) => {
                if let Some(bytes) = self.waiting.get_mut(&key.peer) {
                    *bytes = bytes.saturating_sub(frame.len());
                }
                Some(Message::binary(frame))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: StreamKey = StreamKey { peer: Key([1; 32]), stream: 1 };

    #[tokio::test]
    async fn control_overtakes_records_and_records_keep_their_order() {
        let lanes = Lanes::default();
        assert!(lanes.records(KEY, vec![vec![1], vec![2]]));
        lanes.after(KEY, "after".into());
        lanes.control("control".into());
        assert_eq!(lanes.next().await, Some(Message::text("control")));
        assert_eq!(lanes.next().await, Some(Message::binary(vec![1])));
        assert_eq!(lanes.next().await, Some(Message::binary(vec![2])));
        assert_eq!(lanes.next().await, Some(Message::text("after")));
        lanes.close();
        assert_eq!(lanes.next().await, None);
    }

    #[test]
    fn a_slow_receiver_costs_only_itself_and_within_bounds() {
        let lanes = Lanes::default();
        let other = StreamKey { peer: Key([2; 32]), stream: 1 };
        assert!(lanes.records(KEY, vec![vec![0; DATA_BYTES]]));
        assert!(!lanes.records(KEY, vec![vec![0; 1]]));
        assert!(lanes.records(other, vec![vec![0; 1]]));
        lanes.drop_records(|key| *key == KEY);
        assert!(lanes.records(KEY, vec![vec![0; 2 * DATA_BYTES]]), "one long snapshot alone");
        assert!(!lanes.records(KEY, vec![vec![0; 1]]));
    }
}
