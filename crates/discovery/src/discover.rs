use std::path::Path;
use std::sync::atomic::AtomicBool;

use crate::{Discovery, DiscoveryError, Task, walk};

/// What a caller may choose.
#[derive(Debug, Clone)]
pub struct Options {
    /// At most this many files per list.
    pub limit: usize,
    /// Whether tests are listed (they are indexed in any case).
    pub include_tests: bool,
    /// Larger files are skipped.
    pub max_file_bytes: u64,
    /// Worker threads; `None` means one per core. The result does not depend on it.
    pub threads: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self { limit: 20, include_tests: true, max_file_bytes: 1 << 20, threads: None }
    }
}

/// What a discovery is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Listing the tree.
    Walking {
        /// Files seen so far.
        files: usize,
    },
    /// Reading and indexing.
    Reading {
        /// Files read.
        done: usize,
        /// Files to read.
        total: usize,
    },
    /// Scoring and explaining.
    Ranking,
}

/// Finds the files below `root` that `task` concerns.
///
/// `progress` is called from worker threads. Setting `stop` ends the work soon, with
/// [`DiscoveryError::Stopped`].
///
/// # Errors
/// When the root cannot be walked at all, or when stopped. A file that cannot be read is listed in
/// [`Discovery::skipped`] instead.
pub fn discover(
    root: &Path,
    _task: &Task,
    _options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
    stop: &AtomicBool,
) -> Result<Discovery, DiscoveryError> {
    let entries = walk::walk(root, progress, stop)?;
    Ok(Discovery { scanned: entries.len(), ..Discovery::default() })
}
