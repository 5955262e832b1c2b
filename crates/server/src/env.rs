//! The one place that reads clock, ids and randomness.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::ServerError;

/// Clock, ids and randomness of a server. Tests shift its clock.
#[derive(Clone, Debug, Default)]
pub struct Env {
    offset_ms: Arc<AtomicI64>,
}

impl Env {
    /// The machine's own.
    pub fn system() -> Self {
        Self::default()
    }

    /// Milliseconds since 1970.
    #[allow(clippy::disallowed_methods, reason = "this is the server's source of time")]
    pub fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX) + self.offset_ms.load(Ordering::Relaxed)
    }

    /// Moves the clock of this environment and of all its clones.
    pub fn advance(&self, by_ms: i64) {
        self.offset_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// A new id, ordered by time.
    #[allow(clippy::disallowed_methods, reason = "this is the server's source of ids")]
    pub fn id(&self) -> String {
        uuid::Uuid::now_v7().to_string()
    }

    /// Random bytes from the operating system.
    #[allow(clippy::disallowed_methods, reason = "this is the server's source of randomness")]
    pub fn random<const N: usize>(&self) -> Result<[u8; N], ServerError> {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).map_err(|error| ServerError::Setup(format!("no randomness: {error}")))?;
        Ok(bytes)
    }

    /// A random token of 256 bits, as text for URLs and headers.
    pub fn token(&self) -> Result<String, ServerError> {
        use base64::Engine as _;
        Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.random::<32>()?))
    }
}
