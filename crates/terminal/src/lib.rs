//! Terminals that outlive the program that opened them.
//!
//! What it is for: a host process of its own holds every pseudo-terminal, keeps a durable compressed log of its
//! output and a screen emulator beside it, and serves any number of viewers over a Unix socket. A viewer that comes
//! back continues at a byte offset or gets a synthesised screen; a hole is always said.
//!
//! What it does not know: sessions, projects, agents, the contract of the engine. A terminal carries an opaque label.
//!
//! Start reading at [`wire`] (what the two ends say to each other), then [`Client`], then [`host::run`]. Output is
//! addressed by `(terminal, epoch, offset)`: the offset is the position in the raw byte stream of the pseudo-terminal.

mod client;
mod config;
mod emulator;
mod env;
pub mod host;
mod log;
pub mod wire;

pub use client::{Attachment, Client, Notices, Record, own_environment};
pub use config::{HostConfig, Quota};
pub use emulator::Emulator;
pub use env::{Clock, Env, Random};
pub use wire::{Attach, Attention, Info, PasteOutcome, PasteRule, RecordKind, Refusal, Size, Start, State};

/// Why something about a terminal did not happen.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Nobody answers at the socket. Start a host, or try again.
    #[error("no terminal host answers at {at}: {source}")]
    Unreachable {
        /// The socket's path.
        at: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// One end does not trust the other: another user, a loose directory, a wrong token, a program inside a terminal.
    #[error("the terminal host and its client do not trust each other: {0}")]
    Refused(String),
    /// The host went away during the call. Terminals that it held are lost; their logs are not. Connect anew.
    #[error("the terminal host has gone away; connect again")]
    Gone,
    /// No such terminal, or it has ended and the call needs a running one.
    #[error("there is no such terminal, or it is not running: {0}")]
    NotFound(String),
    /// Input must be numbered without holes, per viewer.
    #[error("the next input of this viewer must have number {expected}; nothing was applied")]
    Sequence {
        /// The number that would be applied.
        expected: u64,
    },
    /// The program does not read what was typed. Nothing of this call was kept.
    #[error("the program in the terminal does not read its input; nothing of this was kept, try again later")]
    Full,
    /// The request breaks a bound or a rule.
    #[error("{0}")]
    Invalid(String),
    /// The system or the disk refused.
    #[error("{what}")]
    Failed {
        /// What was tried, in words.
        what: String,
        /// What the system said.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl TerminalError {
    pub(crate) fn failed(
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> TerminalError {
        TerminalError::Failed { what: what.into(), source: Some(source.into()) }
    }
}

impl From<rusqlite::Error> for TerminalError {
    fn from(source: rusqlite::Error) -> TerminalError {
        TerminalError::failed("the terminals' log refused", source)
    }
}

/// The result of anything about a terminal.
pub type Result<T> = std::result::Result<T, TerminalError>;

/// Locks, also after a panic elsewhere: what these locks guard is consistent between any two statements.
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
