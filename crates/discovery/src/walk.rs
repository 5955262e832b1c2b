//! Lists the files of a tree, in one order everywhere.
//!
//! What must hold: nothing outside the root is listed, whatever links the tree contains; ignore
//! files narrow the list and do nothing else; `.git` is never entered.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

use ignore::{WalkBuilder, WalkState};
use rayon::slice::ParallelSliceMut as _;

use crate::{DiscoveryError, Progress};

/// How many files are seen between two progress calls.
const PROGRESS_STEP: usize = 512;

/// One file of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the root, separated by `/`, valid Unicode (other bytes appear as `\xNN`).
    pub path: String,
    /// The size of the file.
    pub bytes: u64,
}

/// A file on its way to the index: how it is shown and how it is opened.
#[derive(Debug)]
pub(crate) struct Found {
    pub entry: Entry,
    pub location: PathBuf,
    pub stamp: Stamp,
    /// Another file is shown under the same path.
    pub ambiguous: bool,
}

/// By what a changed file is told from an unchanged one. Times are nanoseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub bytes: u64,
    pub modified: u64,
    /// When the file's entry changed, which no program can set; 0 where there is no such time.
    pub changed: u64,
    pub inode: u64,
}

impl Stamp {
    fn of(data: &std::fs::Metadata) -> Self {
        let since = |time: std::time::SystemTime| {
            time.duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)
        };
        let stamp =
            Self { bytes: data.len(), modified: data.modified().map_or(0, since), changed: 0, inode: 0 };
        #[cfg(unix)]
        let stamp = {
            use std::os::unix::fs::MetadataExt as _;
            let changed = data.ctime().unsigned_abs() * 1_000_000_000 + data.ctime_nsec().unsigned_abs();
            Self { changed, inode: data.ino(), ..stamp }
        };
        stamp
    }
}

/// All files that a discovery would look at, ordered by path: for a tree view.
///
/// Ignored and hidden files are left out; binary, generated and vendored ones are not.
///
/// # Errors
/// When the root cannot be walked, or when `stop` was set.
pub fn tree(root: &Path, stop: &AtomicBool) -> Result<Vec<Entry>, DiscoveryError> {
    Ok(walk(root, None, &|_| {}, stop)?.into_iter().map(|found| found.entry).collect())
}

/// Walks in parallel and sorts by path bytes.
pub(crate) fn walk(
    root: &Path,
    threads: Option<usize>,
    progress: &(dyn Fn(Progress) + Sync),
    stop: &AtomicBool,
) -> Result<Vec<Found>, DiscoveryError> {
    check_root(root)?;
    let (sender, receiver) = std::sync::mpsc::channel();
    let walker = WalkBuilder::new(root)
        .require_git(false)
        .parents(is_inside_repository(root))
        .follow_links(false)
        .threads(threads.unwrap_or(0)) // 0 lets the walker choose
        .filter_entry({
            let (sender, root) = (sender.clone(), root.to_owned());
            move |entry| {
                let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
                let endless = is_folder && has_endless_ignore_file(entry.path());
                if endless {
                    // Whoever is gone by then need not be told.
                    let _ = sender.send(unreadable(entry.path().to_owned(), &root));
                }
                !endless && !entry.file_name().eq_ignore_ascii_case(".git")
            }
        })
        .build_parallel();
    let seen = AtomicUsize::new(0);
    let seen = &seen;
    walker.run(|| {
        let sender = sender.clone();
        Box::new(move |result| {
            if stop.load(Ordering::Relaxed) {
                return WalkState::Quit;
            }
            let entry = match result {
                Ok(entry) => entry,
                Err(error) => return tell(error, root, &sender),
            };
            if entry.file_type().is_some_and(|kind| kind.is_file()) {
                let stamp = entry.metadata().map_or_else(|_| Stamp::default(), |data| Stamp::of(&data));
                let bytes = stamp.bytes;
                let location = entry.into_path();
                let path = shown(location.strip_prefix(root).unwrap_or(&location));
                let files = seen.fetch_add(1, Ordering::Relaxed) + 1;
                if files.is_multiple_of(PROGRESS_STEP) {
                    progress(Progress::Walking { files });
                }
                // The receiver outlives the walk; a failed send could only mean it is gone.
                if sender
                    .send(Found { entry: Entry { path, bytes }, location, stamp, ambiguous: false })
                    .is_err()
                {
                    return WalkState::Quit;
                }
            }
            WalkState::Continue
        })
    });
    drop(sender);
    let mut found: Vec<Found> = receiver.into_iter().collect();
    if stop.load(Ordering::Relaxed) {
        return Err(DiscoveryError::Stopped);
    }
    progress(Progress::Walking { files: found.len() });
    // Two names may look alike once escaped; what is on disk breaks the tie.
    found.par_sort_unstable_by(|a, b| (&a.entry.path, &a.location).cmp(&(&b.entry.path, &b.location)));
    for place in 1..found.len() {
        if found[place - 1].entry.path == found[place].entry.path {
            (found[place - 1].ambiguous, found[place].ambiguous) = (true, true);
        }
    }
    Ok(found)
}

/// Passes on what the walk cannot enter as something that cannot be read, so that it is told.
fn tell(error: ignore::Error, root: &Path, sender: &Sender<Found>) -> WalkState {
    let mut error = &error;
    loop {
        error = match error {
            ignore::Error::WithPath { path, .. } => {
                let told = sender.send(unreadable(path.clone(), root));
                return if told.is_ok() { WalkState::Continue } else { WalkState::Quit };
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => err,
            _ => return WalkState::Continue,
        };
    }
}

/// A folder in the place of a file: reading it fails, and why is told.
fn unreadable(location: PathBuf, root: &Path) -> Found {
    let path = shown(location.strip_prefix(root).unwrap_or(&location));
    Found { entry: Entry { path, bytes: 0 }, location, stamp: Stamp::default(), ambiguous: false }
}

/// Whether an ignore file of this folder is a pipe or a device, or a link to one.
fn has_endless_ignore_file(folder: &Path) -> bool {
    [".gitignore", ".ignore", ".git/info/exclude"]
        .iter()
        .any(|name| std::fs::metadata(folder.join(name)).is_ok_and(|data| !data.is_file() && !data.is_dir()))
}

/// Whether ignore files above the root count: only when the root is a folder within a repository.
/// Otherwise the place of a clone would decide what is found in it.
fn is_inside_repository(root: &Path) -> bool {
    let Ok(root) = root.canonicalize() else { return false };
    !root.join(".git").exists() && root.ancestors().skip(1).any(|folder| folder.join(".git").exists())
}

fn check_root(root: &Path) -> Result<(), DiscoveryError> {
    let data = std::fs::metadata(root)
        .map_err(|source| DiscoveryError::Root { root: root.to_path_buf(), source })?;
    if !data.is_dir() {
        return Err(DiscoveryError::NotADirectory { root: root.to_path_buf() });
    }
    // The walk opens those of the folders above, too, whether or not they count.
    let above = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    if let Some(folder) = above.ancestors().find(|folder| has_endless_ignore_file(folder)) {
        let why = format!("an ignore file in {} is a pipe or a device", folder.display());
        return Err(DiscoveryError::Root { root: root.to_path_buf(), source: std::io::Error::other(why) });
    }
    std::fs::read_dir(root)
        .map(|_| ())
        .map_err(|source| DiscoveryError::Root { root: root.to_path_buf(), source })
}

/// A relative path as it is shown: `/` between parts, bytes that are not UTF-8 as `\xNN`.
fn shown(relative: &Path) -> String {
    let mut out = String::new();
    for part in relative.components() {
        if !out.is_empty() {
            out.push('/');
        }
        for chunk in part.as_os_str().as_encoded_bytes().utf8_chunks() {
            out.push_str(chunk.valid());
            for byte in chunk.invalid() {
                out.push_str(&format!("\\x{byte:02x}"));
            }
        }
    }
    out
}
