use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::history::{self, History, NoHistory};
use crate::imports::Resolver;
use crate::index::Index;
use crate::index::bytes::Corrupt;
use crate::index::cache::{Cache, IndexStatus};
use crate::rank::query::Query;
use crate::rank::{self, Scored};
use crate::read::{Known, Reading};
use crate::walk::{self, Found};
use crate::{Discovery, DiscoveryError, Ranked, Reason, Task, read, reason};

/// Entries of a list that are explained in full unless the caller says otherwise.
const EXPLAINED: usize = 50;

/// Files for which it is told that another one imports them.
const LEADERS: usize = 10;

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
    /// Whether git's history counts.
    pub history: bool,
    /// Entries of each list that are opened and parsed to be explained in full; the rest, which few
    /// read, are explained by what the index knows. With 0 no entry carries a reason.
    pub explained: usize,
    /// A directory where the index is kept from one search to the next; `None` keeps nothing.
    pub cache: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limit: 20,
            include_tests: true,
            max_file_bytes: 1 << 20,
            threads: None,
            history: true,
            explained: EXPLAINED,
            cache: None,
        }
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
        let cache = options.cache.as_deref().and_then(|directory| Cache::of(directory, root).ok());
        let (found, known) = rayon::join(
            || walk::walk(root, options.threads, progress, stop),
            || Known::load(cache.as_ref(), options),
        );
        let found = found?;
        let ask =
            |cache: Option<&Cache>, known| ask(root, &found, cache, known, task, options, progress, stop);
        match ask(cache.as_ref(), known) {
            // What was kept is damaged: it is thrown away, and everything is read anew.
            Err(Trouble::Corrupt) => {
                if let Some(cache) = &cache {
                    let _ = cache.clear();
                }
                ask(None, Known::default()).map_err(|trouble| match trouble {
                    Trouble::Corrupt => DiscoveryError::Damaged,
                    Trouble::Other(error) => error,
                })
            }
            Err(Trouble::Other(error)) => Err(error),
            Ok(discovery) => Ok(discovery),
        }
    })
}

enum Trouble {
    Corrupt,
    Other(DiscoveryError),
}

impl From<Corrupt> for Trouble {
    fn from(_: Corrupt) -> Self {
        Self::Corrupt
    }
}

impl From<DiscoveryError> for Trouble {
    fn from(error: DiscoveryError) -> Self {
        Self::Other(error)
    }
}

#[allow(clippy::too_many_arguments, reason = "one step of a search and all it works with")]
fn ask(
    root: &Path,
    found: &[Found],
    cache: Option<&Cache>,
    known: Known,
    task: &Task,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
    stop: &AtomicBool,
) -> Result<Discovery, Trouble> {
    let (reading, past) = rayon::join(
        || read::read_all(found, known, options, cache, progress, stop),
        || past(root, cache, options, stop),
    );
    let Reading { mut index, skipped, read, not_kept } = reading?;
    let (history, no_history) = match past {
        Ok(history) => (history, None),
        Err(why) => (History::default(), Some(why)),
    };
    progress(Progress::Ranking);
    let query = Query::new(task, &mut index)?;
    let scored = rank::rank(&index, found, task, &query, &history, options.max_file_bytes);
    if stop.load(Ordering::Relaxed) {
        return Err(DiscoveryError::Stopped.into());
    }
    let lister = Lister { found, index: &index, task, query: &query, history: &history, options };
    let tests_limit = if options.include_tests { options.limit } else { 0 };
    let (sources, tests) = lister.both(&scored, options.limit, tests_limit);
    Ok(Discovery {
        sources,
        tests,
        scanned: index.documents.len(),
        read,
        commits: history.commits.len(),
        no_history,
        not_kept,
        skipped,
        bytes: index.documents.iter().map(|document| document.bytes).sum(),
    })
}

/// The history, from the cache as far as that knows it.
fn past(
    root: &Path,
    cache: Option<&Cache>,
    options: &Options,
    stop: &AtomicBool,
) -> Result<History, NoHistory> {
    if !options.history {
        return Ok(History::default());
    }
    let known = cache.map(Cache::history).unwrap_or_default();
    let head = history::head(root)?;
    if known.commits.first().is_some_and(|commit| commit.id == head) {
        return Ok(known);
    }
    let history = history::read(root, &known, stop)?;
    if let Some(cache) = cache.filter(|_| !stop.load(Ordering::Relaxed)) {
        // Without it the next search reads the history again, and nothing else changes.
        let _ = cache.keep_history(&history);
    }
    Ok(history)
}

/// What is kept of the project at `root` below a cache directory; `None` if nothing is.
#[must_use]
pub fn index_status(cache: &Path, root: &Path) -> Option<IndexStatus> {
    Cache::of(cache, root).ok()?.status()
}

/// Removes what is kept of the project at `root`; how many bytes that freed.
///
/// # Errors
/// When the root cannot be resolved or the files cannot be removed.
pub fn clear_index(cache: &Path, root: &Path) -> std::io::Result<u64> {
    Cache::of(cache, root)?.clear()
}

/// Turns scored files into the entries of the two lists.
struct Lister<'a> {
    found: &'a [Found],
    index: &'a Index,
    task: &'a Task,
    query: &'a Query,
    history: &'a History,
    options: &'a Options,
}

impl Lister<'_> {
    fn both(&self, scored: &[Scored], sources: usize, tests: usize) -> (Vec<Ranked>, Vec<Ranked>) {
        let of = |test: bool, limit: usize| {
            scored.iter().filter(move |file| self.index.documents[file.document].test == test).take(limit)
        };
        let chosen: Vec<(usize, &Scored)> =
            (1..).zip(of(false, sources)).chain((1..).zip(of(true, tests))).collect();
        // Only reasons ask it.
        let known = if self.options.explained == 0 { &[][..] } else { &self.index.documents };
        let paths: Vec<&str> = known.iter().map(|document| document.path.as_str()).collect();
        let resolver = Resolver::new(&paths);
        let leaders: Vec<u32> = of(false, LEADERS).map(|file| file.document as u32).collect();
        let ranked = chosen
            .par_iter()
            .map(|(rank, file)| self.entry(*rank, file, &resolver, &leaders))
            .collect::<Vec<Ranked>>();
        ranked.into_iter().partition(|entry| !entry.test)
    }

    fn entry(&self, rank: usize, file: &Scored, resolver: &Resolver<'_>, leaders: &[u32]) -> Ranked {
        let document = &self.index.documents[file.document];
        let reasons = if self.options.explained == 0 {
            Vec::new()
        } else {
            self.reasons(rank, file, resolver, leaders)
        };
        Ranked {
            path: document.path.clone(),
            score: file.score,
            rank,
            test: document.test,
            bytes: document.bytes,
            signals: file.signals,
            reasons,
        }
    }

    fn reasons(&self, rank: usize, file: &Scored, resolver: &Resolver<'_>, leaders: &[u32]) -> Vec<Reason> {
        let document = &self.index.documents[file.document];
        let text = (rank <= self.options.explained)
            .then(|| rank::text(self.found, &document.path, self.options.max_file_bytes))
            .flatten();
        let mut reasons =
            reason::reasons(self.index, file, self.task, self.query, self.history, text.as_deref());
        let better = if document.test { leaders } else { &leaders[..leaders.len().min(rank - 1)] };
        if let Some(text) = text.filter(|_| !better.is_empty()) {
            reasons.extend(reason::imported(&document.path, &text, resolver, better, &self.index.documents));
        }
        reasons
    }
}
