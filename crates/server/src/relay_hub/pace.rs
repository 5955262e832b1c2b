//! How fast one socket may send.

use std::time::Duration;

/// Messages per second, and as many at once.
const MESSAGES: f64 = 200.0;
/// Bytes per second, and as many at once.
const BYTES: f64 = 2_000_000.0;

/// Two token buckets of one socket. What is over the limit is not dropped: the socket is told and not read from until
/// the wait is over, so that the sender is held back.
#[derive(Debug)]
pub(crate) struct Pace {
    messages: f64,
    bytes: f64,
    at_ms: i64,
}

impl Pace {
    pub fn new(now_ms: i64) -> Pace {
        Pace { messages: MESSAGES, bytes: BYTES, at_ms: now_ms }
    }

    /// Counts a message; how long to wait before the next one is read.
    pub fn count(&mut self, length: usize, now_ms: i64) -> Option<Duration> {
        let elapsed = (now_ms - self.at_ms).max(0) as f64 / 1_000.0;
        self.at_ms = now_ms;
        self.messages = (self.messages + elapsed * MESSAGES).min(MESSAGES) - 1.0;
        self.bytes = (self.bytes + elapsed * BYTES).min(BYTES) - length as f64;
        let short = (-self.messages / MESSAGES).max(-self.bytes / BYTES);
        (short > 0.0).then(|| Duration::from_secs_f64(short.min(5.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_each_is_free_and_then_it_waits() {
        let mut pace = Pace::new(0);
        assert!((0..200).all(|_| pace.count(100, 0).is_none()));
        let wait = pace.count(100, 0).unwrap();
        assert!(wait >= Duration::from_millis(5) && wait < Duration::from_millis(50), "{wait:?}");
        assert!(pace.count(100, 1_000).is_none());
        let mut pace = Pace::new(0);
        assert!(pace.count(2_000_000, 0).is_none());
        assert_eq!(pace.count(1_000_000, 0), Some(Duration::from_millis(500)));
    }
}
