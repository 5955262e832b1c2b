//! What the engine takes from the world: time, ids, randomness, environment variables.

use std::path::PathBuf;
use std::sync::Arc;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// New ids: UUIDv7 in text form, so that sorting by id is sorting by time.
pub type Ids = Arc<dyn Fn() -> String + Send + Sync>;

/// Fills a buffer with randomness that cannot be guessed.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// An environment variable of the user, such as a provider's key. Never one that a project sets.
pub type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The world as an engine sees it. A test gives its own.
#[derive(Clone)]
pub struct Env {
    /// The time.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
    /// Randomness.
    pub random: Random,
    /// Environment variables.
    pub variable: Variables,
    /// The program that becomes the terminal host when it is started with `terminal-host` as its first argument.
    pub executable: PathBuf,
    /// What people call this machine.
    pub machine: String,
}

/// The name of this machine, without its domain.
fn machine() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    let short = name.split('.').next().unwrap_or_default().trim();
    if short.is_empty() { "This computer".to_owned() } else { short.to_owned() }
}

impl Env {
    /// The real world.
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place where the engine meets the real world"
    )]
    pub fn system() -> Env {
        Env {
            clock: Arc::new(|| {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
            }),
            ids: Arc::new(|| uuid::Uuid::now_v7().to_string()),
            random: Arc::new(|buffer| {
                if getrandom::fill(buffer).is_err() {
                    // Going on with a guessable boundary or token would be worse than ending.
                    std::process::abort();
                }
            }),
            variable: Arc::new(|name| std::env::var(name).ok().filter(|value| !value.is_empty())),
            // An empty path starts nothing, and the first terminal says so.
            executable: std::env::current_exe().unwrap_or_default(),
            machine: machine(),
        }
    }

    /// `bytes` random bytes in hexadecimal.
    pub fn random_hex(&self, bytes: usize) -> String {
        let mut buffer = vec![0; bytes];
        (self.random)(&mut buffer);
        hex::encode(buffer)
    }
}
