use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::index::Index;
use crate::rank::query::Query;
use crate::rank::{self, Scored};
use crate::walk::{self, Found};
use crate::{Discovery, DiscoveryError, Ranked, Task, read, reason};

/// Entries of a list that are opened and parsed to be explained in full; the rest, which few read,
/// are explained by what the index knows.
const EXPLAINED: usize = 50;

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
    task: &Task,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
    stop: &AtomicBool,
) -> Result<Discovery, DiscoveryError> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(options.threads.unwrap_or(0))
        .build()
        .map_err(|error| DiscoveryError::Threads(error.to_string()))?;
    pool.install(|| {
        let found = walk::walk(root, options.threads, progress, stop)?;
        let reading = read::read_all(&found, options, progress, stop)?;
        progress(Progress::Ranking);
        let query = Query::new(task, &reading.index);
        let scored = rank::rank(&reading.index, &found, task, &query, options.max_file_bytes);
        if stop.load(Ordering::Relaxed) {
            return Err(DiscoveryError::Stopped);
        }
        let lister = Lister { found: &found, index: &reading.index, task, query: &query, options };
        let tests_limit = if options.include_tests { options.limit } else { 0 };
        let (sources, tests) = lister.both(&scored, options.limit, tests_limit);
        Ok(Discovery {
            sources,
            tests,
            scanned: reading.index.documents.len(),
            skipped: reading.skipped,
            bytes: reading.index.documents.iter().map(|document| document.bytes).sum(),
        })
    })
}

/// Turns scored files into the entries of the two lists.
struct Lister<'a> {
    found: &'a [Found],
    index: &'a Index,
    task: &'a Task,
    query: &'a Query,
    options: &'a Options,
}

impl Lister<'_> {
    fn both(&self, scored: &[Scored], sources: usize, tests: usize) -> (Vec<Ranked>, Vec<Ranked>) {
        let of = |test: bool, limit: usize| {
            scored.iter().filter(move |file| self.index.documents[file.document].test == test).take(limit)
        };
        let chosen: Vec<(usize, &Scored)> =
            (1..).zip(of(false, sources)).chain((1..).zip(of(true, tests))).collect();
        let ranked = chosen.par_iter().map(|(rank, file)| self.entry(*rank, file)).collect::<Vec<Ranked>>();
        ranked.into_iter().partition(|entry| !entry.test)
    }

    fn entry(&self, rank: usize, file: &Scored) -> Ranked {
        let document = &self.index.documents[file.document];
        let explained = rank <= EXPLAINED;
        let text =
            explained.then(|| rank::text(self.found, &document.path, self.options.max_file_bytes)).flatten();
        Ranked {
            path: document.path.clone(),
            score: file.score,
            rank,
            test: document.test,
            bytes: document.bytes,
            reasons: reason::reasons(self.index, file, self.task, self.query, text.as_deref()),
        }
    }
}
