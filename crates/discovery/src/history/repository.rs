//! Where a repository keeps its objects, and which commit is checked out. Nothing else of it is read.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use gix_hash::ObjectId;

/// Small files of a repository are smaller than this; `packed-refs` of a large one is read in whole.
const MAX_SMALL: u64 = 64 << 10;
const MAX_PACKED_REFS: u64 = 64 << 20;
/// A branch may name a branch; so many in a row are a circle.
const MAX_REFS: usize = 5;
/// Folders of objects that are looked into, beside the repository's own.
const MAX_ALTERNATES: usize = 16;

/// Why there is no history. `Display` gives a phrase for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoHistory {
    /// There is no `.git` at the root.
    #[error("no git repository at the root")]
    NoRepository,
    /// `.git` is a file that names a folder which does not name it back: it could be anybody's.
    #[error("the .git file points at a folder that does not belong to this working tree")]
    ForeignGitDir,
    /// Nothing was committed yet.
    #[error("no commit yet")]
    NoCommit,
    /// Another object format or reference format than we read.
    #[error("the repository uses a format that is not supported")]
    Format,
    /// Damaged, or not permitted.
    #[error("the repository cannot be read")]
    Unreadable,
}

pub(super) struct Repository {
    pub head: ObjectId,
    /// Commits whose parents were left out of a shallow clone.
    pub shallow: HashSet<ObjectId>,
    /// The folder of the object database.
    pub objects: PathBuf,
}

pub(super) fn open(root: &Path) -> Result<Repository, NoHistory> {
    let git = git_dir(root)?;
    // A linked working tree shares objects and branches with the main one.
    let common = match small(&git.join("commondir")) {
        Some(text) => git.join(text.trim()),
        None => git.clone(),
    };
    let head = head(&git, &common)?;
    let shallow = read(&common.join("shallow"), MAX_PACKED_REFS).unwrap_or_default();
    let shallow =
        shallow.lines().filter_map(|line| ObjectId::from_hex(line.trim().as_bytes()).ok()).collect();
    let objects = common.join("objects");
    if !can_follow_alternates(&objects) {
        return Err(NoHistory::Unreadable);
    }
    Ok(Repository { head, shallow, objects })
}

/// Whether the files that name further folders of objects are small files, and few: who opens the object database reads
/// them whole, and a pipe or a device would hold it up.
fn can_follow_alternates(objects: &Path) -> bool {
    let mut folders = vec![objects.to_owned()];
    let mut at = 0;
    while let Some(folder) = folders.get(at).cloned() {
        let list = folder.join("info/alternates");
        if std::fs::symlink_metadata(&list).is_ok() {
            let Some(text) = small(&list) else { return false };
            // A quoted name is one with signs that no folder of ours has; it is not worth the reading.
            if text.lines().any(|line| line.starts_with('"')) {
                return false;
            }
            let names = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            folders.extend(names.map(|name| folder.join(name)));
        }
        if folders.len() > 1 + MAX_ALTERNATES {
            return false;
        }
        at += 1;
    }
    true
}

/// The folder behind `.git`. A file there is believed only if the folder it names belongs to this working tree.
fn git_dir(root: &Path) -> Result<PathBuf, NoHistory> {
    let dot = root.join(".git");
    let kind = std::fs::symlink_metadata(&dot).map_err(|_| NoHistory::NoRepository)?.file_type();
    if kind.is_dir() {
        return Ok(dot);
    }
    if !kind.is_file() {
        return Err(NoHistory::ForeignGitDir);
    }
    let text = small(&dot).ok_or(NoHistory::Unreadable)?;
    let named = text.trim().strip_prefix("gitdir:").ok_or(NoHistory::Unreadable)?.trim();
    let target = root.join(named).canonicalize().map_err(|_| NoHistory::Unreadable)?;
    let own = dot.canonicalize().map_err(|_| NoHistory::Unreadable)?;
    if is_worktree_of(&target, &own) || is_submodule(&target, root) {
        Ok(target)
    } else {
        Err(NoHistory::ForeignGitDir)
    }
}

/// `git worktree` writes the way back into the folder it makes.
fn is_worktree_of(target: &Path, dot: &Path) -> bool {
    let back = small(&target.join("gitdir")).and_then(|text| target.join(text.trim()).canonicalize().ok());
    back.is_some_and(|back| back == *dot)
}

/// A submodule's folder is `.git/modules/…` of a repository that the submodule lies in.
fn is_submodule(target: &Path, root: &Path) -> bool {
    let Ok(root) = root.canonicalize() else { return false };
    root.ancestors().skip(1).any(|above| target.starts_with(above.join(".git/modules")))
}

fn head(git: &Path, common: &Path) -> Result<ObjectId, NoHistory> {
    let mut text = small(&git.join("HEAD")).ok_or(NoHistory::Unreadable)?;
    for _ in 0..MAX_REFS {
        let Some(name) = text.trim().strip_prefix("ref:").map(str::trim) else {
            return ObjectId::from_hex(text.trim().as_bytes())
                .ok()
                .filter(|id| id.kind() == gix_hash::Kind::Sha1)
                .ok_or(NoHistory::Format);
        };
        // With another way to keep branches, `HEAD` names one that cannot exist.
        if name == "refs/heads/.invalid" {
            return Err(NoHistory::Format);
        }
        if !name.starts_with("refs/") || name.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(NoHistory::Unreadable);
        }
        let loose = small(&git.join(name)).or_else(|| small(&common.join(name)));
        text = loose.or_else(|| packed(common, name)).ok_or(NoHistory::NoCommit)?;
    }
    Err(NoHistory::Unreadable)
}

fn packed(common: &Path, name: &str) -> Option<String> {
    let text = read(&common.join("packed-refs"), MAX_PACKED_REFS)?;
    let found =
        text.lines().find_map(|line| line.split_once(' ').filter(|(_, reference)| *reference == name));
    found.map(|(id, _)| id.to_owned())
}

fn small(path: &Path) -> Option<String> {
    read(path, MAX_SMALL)
}

/// The text of a regular file, if it is there, is one, and is not larger than `most`.
fn read(path: &Path, most: u64) -> Option<String> {
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(most + 1).read_to_string(&mut text).ok()?;
    (text.len() as u64 <= most).then_some(text)
}
