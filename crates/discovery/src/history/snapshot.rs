//! The files of one commit, for comparing a working tree with it.

use super::{Parsed, cached, parse, repository};
use crate::NoHistory;
use gix_hash::ObjectId;
use gix_object::{Find as _, TreeRefIter};
use std::collections::BTreeMap;
use std::path::Path;

/// Deeper folders are not followed; a hostile tree has no limit.
const MAX_DEPTH: usize = 64;
/// A commit with more files is not compared.
const MAX_FILES: usize = 1_000_000;
/// Larger contents are not given as text.
const MAX_TEXT: usize = 1 << 20;

/// The files of a commit. Read straight from the object database, as all history here.
pub struct Snapshot {
    database: gix_odb::Handle,
    commit: String,
    files: BTreeMap<String, ObjectId>,
}

impl Snapshot {
    /// Opens the commit with this full id, or the one that `HEAD` names.
    ///
    /// # Errors
    /// [`NoHistory`]; an id that is none, or names no commit here, is [`NoHistory::NoCommit`].
    pub fn open(root: &Path, commit: Option<&str>) -> Result<Snapshot, NoHistory> {
        let repository = repository::open(root)?;
        let id = match commit {
            Some(hex) => ObjectId::from_hex(hex.as_bytes()).map_err(|_| NoHistory::NoCommit)?,
            None => repository.head,
        };
        let database = cached(&repository.objects)?;
        let mut buffer = Vec::new();
        let Parsed { tree, .. } = parse(&database, &id, &mut buffer).ok_or(NoHistory::NoCommit)?;
        let mut snapshot = Snapshot { database, commit: id.to_string(), files: BTreeMap::new() };
        snapshot.collect(tree, "", 0)?;
        Ok(snapshot)
    }

    fn collect(&mut self, tree: ObjectId, prefix: &str, depth: usize) -> Result<(), NoHistory> {
        if depth > MAX_DEPTH || self.files.len() > MAX_FILES {
            return Err(NoHistory::Unreadable);
        }
        let mut buffer = Vec::new();
        let found = self.database.try_find(&tree, &mut buffer).ok().flatten().ok_or(NoHistory::Unreadable)?;
        if found.kind != gix_object::Kind::Tree {
            return Err(NoHistory::Unreadable);
        }
        let mut folders = Vec::new();
        for entry in TreeRefIter::from_bytes(found.data, gix_hash::Kind::Sha1) {
            let entry = entry.map_err(|_| NoHistory::Unreadable)?;
            // A name that is not UTF-8 cannot be named by a plan either.
            let Ok(name) = std::str::from_utf8(entry.filename) else { continue };
            let path = format!("{prefix}{name}");
            if entry.mode.is_tree() {
                folders.push((entry.oid.to_owned(), format!("{path}/")));
            } else if entry.mode.is_blob() {
                self.files.insert(path, entry.oid.to_owned());
            }
        }
        for (id, path) in folders {
            self.collect(id, &path, depth + 1)?;
        }
        Ok(())
    }

    /// The commit's id in hexadecimal.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// The paths of its files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Whether the commit has the file.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Whether the file at `path` has exactly this content in the commit.
    pub fn is(&self, path: &str, content: &[u8]) -> bool {
        let hash = gix_object::compute_hash(gix_hash::Kind::Sha1, gix_object::Kind::Blob, content).ok();
        hash.is_some() && self.files.get(path).copied() == hash
    }

    /// The text of a file; `None` where there is none, or it is too large or not UTF-8.
    pub fn text(&self, path: &str) -> Option<String> {
        let id = self.files.get(path)?;
        let mut buffer = Vec::new();
        let found = self.database.try_find(id, &mut buffer).ok().flatten()?;
        (found.data.len() <= MAX_TEXT).then(|| String::from_utf8(found.data.to_vec()).ok()).flatten()
    }
}
