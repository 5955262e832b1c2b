use std::io;
use std::path::PathBuf;

/// Why there is no answer at all. A file that cannot be read is not an error: it is listed in
/// [`Discovery::skipped`](crate::Discovery::skipped).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The root does not exist or cannot be opened.
    #[error("cannot open {}: {source}", root.display())]
    Root {
        /// The folder that was asked for.
        root: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The root is a file.
    #[error("{} is not a directory", root.display())]
    NotADirectory {
        /// What was given as root.
        root: PathBuf,
    },
    /// The caller set the stop flag.
    #[error("discovery was stopped")]
    Stopped,
    /// What was just indexed cannot be read back.
    #[error("the index was damaged while it was made; try again, and report it if it stays so")]
    Damaged,
    /// The worker threads could not be started.
    #[error("cannot start worker threads: {0}")]
    Threads(String),
}
