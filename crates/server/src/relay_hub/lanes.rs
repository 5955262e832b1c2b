//! What waits to be written to one socket: two lanes, counted in bytes.

use bytes::Bytes;
use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Envelopes that may wait for a receiver, in bytes. One that is this far behind is closed: it resumes.
const CONTROL_BYTES: usize = 4 << 20;
/// Terminal frames that may wait for a receiver, in bytes.
const DATA_BYTES: usize = 512 << 10;

/// What the writer of a socket does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Write an envelope.
    Text(String),
    /// Write a PTC1 frame.
    Frame(Bytes),
    /// Write nothing more and close, saying why.
    Close(&'static str),
}

/// Whether a frame found room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It will be written.
    Taken,
    /// It was dropped, and it is the first of its alias since one was last written: tell its producer.
    FirstDropped,
    /// It was dropped.
    Dropped,
}

/// The queue of one socket. Control goes before data; control is never dropped, data is dropped in whole frames.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    control: VecDeque<String>,
    control_bytes: usize,
    data: VecDeque<(String, Bytes)>,
    data_bytes: usize,
    /// Aliases that have lost a frame and had none written since.
    lagging: HashSet<String>,
    closing: Option<&'static str>,
}

impl Lanes {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an envelope. A receiver that lets them pile up is closed.
    pub fn control(&self, text: String) {
        let mut state = self.state();
        if state.closing.is_some() {
            return;
        }
        state.control_bytes += text.len();
        state.control.push_back(text);
        if state.control_bytes > CONTROL_BYTES {
            state.control.clear();
            state.closing = Some("it reads too slowly");
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Queues a terminal frame, if there is room.
    pub fn data(&self, alias: &str, frame: Bytes) -> Offered {
        let mut state = self.state();
        if state.closing.is_some() {
            return Offered::Dropped;
        }
        if state.data_bytes + frame.len() > DATA_BYTES {
            let first = state.lagging.insert(alias.to_owned());
            return if first { Offered::FirstDropped } else { Offered::Dropped };
        }
        state.data_bytes += frame.len();
        state.data.push_back((alias.to_owned(), frame));
        drop(state);
        self.changed.notify_one();
        Offered::Taken
    }

    /// Forgets the frames of an alias that has ended.
    pub fn forget(&self, alias: &str) {
        let mut state = self.state();
        let mut freed = 0;
        state.data.retain(|(of, frame)| {
            let stays = of != alias;
            freed += if stays { 0 } else { frame.len() };
            stays
        });
        state.data_bytes -= freed;
        state.lagging.remove(alias);
    }

    /// Ends the socket after what is queued as control.
    pub fn close(&self, reason: &'static str) {
        let mut state = self.state();
        state.closing.get_or_insert(reason);
        state.data.clear();
        state.data_bytes = 0;
        drop(state);
        self.changed.notify_one();
    }

    /// Waits for something to do. For one writer.
    pub async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.changed.notified().await;
        }
    }

    fn take(&self) -> Option<Next> {
        let mut state = self.state();
        if let Some(text) = state.control.pop_front() {
            state.control_bytes -= text.len();
            return Some(Next::Text(text));
        }
        if let Some(reason) = state.closing {
            return Some(Next::Close(reason));
        }
        let (alias, frame) = state.data.pop_front()?;
        state.data_bytes -= frame.len();
        state.lagging.remove(&alias);
        Some(Next::Frame(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_goes_first_and_data_is_dropped_whole() {
        let lanes = Lanes::default();
        let frame = Bytes::from(vec![0; 300 << 10]);
        assert_eq!(lanes.data("a", frame.clone()), Offered::Taken);
        assert_eq!(lanes.data("a", frame.clone()), Offered::FirstDropped);
        assert_eq!(lanes.data("a", frame.clone()), Offered::Dropped);
        lanes.control("hello".into());
        assert!(matches!(lanes.take(), Some(Next::Text(text)) if text == "hello"));
        assert!(matches!(lanes.take(), Some(Next::Frame(_))));
        assert!(lanes.take().is_none());
        assert_eq!(lanes.data("a", frame.clone()), Offered::Taken, "there is room again");
        assert_eq!(lanes.data("a", frame.clone()), Offered::FirstDropped, "and its producer is told again");
        lanes.forget("a");
        assert_eq!(lanes.data("b", frame), Offered::Taken);
    }

    #[test]
    fn who_does_not_read_is_closed_and_holds_little() {
        let lanes = Lanes::default();
        for _ in 0..100 {
            lanes.control("x".repeat(64 << 10));
        }
        assert!(matches!(lanes.take(), Some(Next::Close(_))));
        assert_eq!(lanes.data("a", Bytes::from_static(b"x")), Offered::Dropped);
    }

    #[tokio::test]
    async fn closing_lets_control_out_first() {
        let lanes = Lanes::default();
        lanes.control("bye".into());
        lanes.close("done");
        lanes.control("late".into());
        assert!(matches!(lanes.next().await, Next::Text(text) if text == "bye"));
        assert!(matches!(lanes.next().await, Next::Close("done")));
    }
}
