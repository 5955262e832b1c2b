//! Serves a router to programs of the same person on the same machine.
//!
//! What it is for: a WebSocket host on 127.0.0.1 with the user interface ([`web`]), and a Unix socket for the
//! command line ([`socket`]). Both are guarded as `docs/threat-model.md` says: the first by `Host`, `Origin`
//! and tokens that no other page can learn, the second by the kernel's word on who connects.
//!
//! What it does not know: any method, the engine, storage.
//!
//! Start reading at [`web::serve`], then [`tickets`].

pub mod socket;
pub mod tickets;
pub mod web;

/// Why a host cannot serve or a client cannot connect.
#[derive(Debug, thiserror::Error)]
pub enum LoopbackError {
    /// The address or socket path cannot be listened on.
    #[error("cannot listen on {at}: {source}")]
    Listen {
        /// The address or path.
        at: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file or folder that must belong to this user alone cannot be made so.
    #[error("cannot keep {at} private: {source}")]
    Private {
        /// The path.
        at: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Nothing answers at the socket.
    #[error("no engine answers at {at}: {source}")]
    Connect {
        /// The path.
        at: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The other end of the socket belongs to another user.
    #[error("the socket {at} belongs to another user")]
    Stranger {
        /// The path.
        at: String,
    },
}
