//! What the host takes from the world: time and randomness.

use std::sync::Arc;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Fills a buffer with randomness that cannot be guessed.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The world as a host sees it. A test gives its own.
#[derive(Clone)]
pub struct Env {
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
}

impl Env {
    /// The real world.
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place where the terminal host meets the real world"
    )]
    pub fn system() -> Env {
        Env {
            clock: Arc::new(|| {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
            }),
            random: Arc::new(|buffer| {
                if getrandom::fill(buffer).is_err() {
                    // Going on with a guessable token would be worse than ending.
                    std::process::abort();
                }
            }),
        }
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    /// A random number that fits SQLite's integers and is not 0.
    pub(crate) fn epoch(&self) -> u64 {
        let mut bytes = [0; 8];
        (self.random)(&mut bytes);
        (u64::from_le_bytes(bytes) >> 1).max(1)
    }

    pub(crate) fn token(&self) -> String {
        let mut bytes = [0; 32];
        (self.random)(&mut bytes);
        hex::encode(bytes)
    }
}
