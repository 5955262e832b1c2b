//! How much one person may do: a token bucket and a count of what is under way, in memory.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What limits by address count: an IPv4 address, or the /64 that whoever has one IPv6 address has all of. Anything else
/// counts as it is.
pub(crate) fn network(address: &str) -> Cow<'_, str> {
    match address.parse() {
        Ok(IpAddr::V6(address)) => {
            let network = Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX));
            Cow::Owned(format!("{network}/64"))
        }
        _ => Cow::Borrowed(address),
    }
}

/// A limiter over keys such as user ids or addresses. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Limiter {
    per_minute: f64,
    concurrent: u32,
    entries: Arc<Mutex<HashMap<String, Entry>>>,
}

#[derive(Debug)]
struct Entry {
    tokens: f64,
    at_ms: i64,
    running: u32,
}

/// Leave to run; given back by [`Permit::release`] or on drop.
#[derive(Debug)]
pub(crate) struct Permit {
    key: String,
    released: AtomicBool,
    entries: Arc<Mutex<HashMap<String, Entry>>>,
}

/// Entries are swept when there are more than this.
const MANY: usize = 10_000;

impl Limiter {
    /// At most `per_minute` in a minute (they may come all at once) and `concurrent` at the same time.
    pub fn new(per_minute: u32, concurrent: u32) -> Self {
        Self { per_minute: f64::from(per_minute), concurrent, entries: Arc::default() }
    }

    /// Leave to run now, or how long to wait. Taking and counting are one step, so no race admits one too many. A key that
    /// is an address counts as its [`network`].
    pub fn acquire(&self, key: &str, now_ms: i64) -> Result<Permit, Duration> {
        let key = &*network(key);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() > MANY {
            entries.retain(|_, entry| entry.running > 0 || now_ms - entry.at_ms < 60_000);
        }
        let fresh = Entry { tokens: self.per_minute, at_ms: now_ms, running: 0 };
        let entry = entries.entry(key.to_owned()).or_insert(fresh);
        let elapsed = (now_ms - entry.at_ms).max(0) as f64;
        entry.tokens = (entry.tokens + elapsed * self.per_minute / 60_000.0).min(self.per_minute);
        entry.at_ms = now_ms;
        if entry.running >= self.concurrent {
            return Err(Duration::from_secs(1));
        }
        if entry.tokens < 1.0 {
            let wait_ms = (1.0 - entry.tokens) * 60_000.0 / self.per_minute.max(f64::MIN_POSITIVE);
            return Err(Duration::from_millis(wait_ms.min(60_000.0).ceil() as u64));
        }
        entry.tokens -= 1.0;
        entry.running += 1;
        Ok(Permit {
            key: key.to_owned(),
            released: AtomicBool::new(false),
            entries: Arc::clone(&self.entries),
        })
    }
}

impl Permit {
    /// Gives it back: before the client learns that its request is over, so that its next one is not refused.
    pub fn release(&self) {
        if self.released.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(&self.key) {
            entry.running = entry.running.saturating_sub(1);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_allowed_number_is_admitted_and_again_after_the_window() {
        let limiter = Limiter::new(5, 100);
        for start in [0, 60_000] {
            let admitted = std::thread::scope(|scope| {
                let tasks: Vec<_> =
                    (0..20).map(|_| scope.spawn(|| limiter.acquire("ada", start).is_ok())).collect();
                tasks.into_iter().filter_map(|task| task.join().ok()).filter(|ok| *ok).count()
            });
            assert_eq!(admitted, 5);
        }
        assert!(limiter.acquire("bob", 60_000).is_ok(), "others are not affected");
    }

    #[test]
    fn a_network_of_addresses_is_one_client() {
        for (address, counted) in [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("::1", "::/64"),
            ("203.0.113.9", "203.0.113.9"),
            ("unknown", "unknown"),
            ("ada", "ada"),
        ] {
            assert_eq!(network(address), counted);
        }
        let limiter = Limiter::new(1, 10);
        assert!(limiter.acquire("2001:db8::1", 0).is_ok() && limiter.acquire("2001:db8::2", 0).is_err());
    }

    #[test]
    fn the_wait_that_is_named_is_enough_and_needed() {
        let limiter = Limiter::new(1, 100);
        drop(limiter.acquire("ada", 0).unwrap());
        let wait = limiter.acquire("ada", 0).unwrap_err().as_millis() as i64;
        assert!(limiter.acquire("ada", wait - 1).is_err());
        assert!(limiter.acquire("ada", wait).is_ok());
    }

    #[test]
    fn what_runs_is_counted_until_it_ends() {
        let limiter = Limiter::new(100, 2);
        let (one, _two) = (limiter.acquire("ada", 0).unwrap(), limiter.acquire("ada", 0).unwrap());
        assert!(limiter.acquire("ada", 0).is_err());
        drop(one);
        assert!(limiter.acquire("ada", 0).is_ok());
    }
}
