//! Which files differ between two trees.

use gix_hash::ObjectId;
use gix_object::{Find as _, TreeRefIter};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

/// Deeper folders are not followed; git itself has no limit, and a hostile tree none either.
const MAX_DEPTH: usize = 64;
/// Decoded trees that are kept: neighbouring commits share most of theirs.
const KEPT: usize = 512;

/// Reads trees and remembers the last ones.
pub(super) struct Trees<'d> {
    database: &'d gix_odb::Handle,
    kept: HashMap<ObjectId, Rc<Vec<Entry>>>,
    buffer: Vec<u8>,
}

struct Entry {
    name: Vec<u8>,
    id: ObjectId,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tree,
    File,
    /// A link or a submodule: no file to read.
    Other,
}

/// More files changed than were asked for, or a tree could not be read.
pub(super) struct Unknown;

impl<'d> Trees<'d> {
    pub(super) fn new(database: &'d gix_odb::Handle) -> Self {
        Self { database, kept: HashMap::new(), buffer: Vec::new() }
    }

    /// Paths of files that were added, changed or removed between two trees, or `None` when there are more than `most`
    /// or a tree is missing.
    pub(super) fn changed(
        &mut self,
        before: Option<ObjectId>,
        after: ObjectId,
        most: usize,
    ) -> Option<Vec<String>> {
        let mut paths = Vec::new();
        self.compare(before, Some(after), &mut Vec::new(), 0, &mut |path| {
            paths.push(path);
            if paths.len() > most { Err(Unknown) } else { Ok(()) }
        })
        .ok()?;
        Some(paths)
    }

    fn compare(
        &mut self,
        before: Option<ObjectId>,
        after: Option<ObjectId>,
        prefix: &mut Vec<u8>,
        depth: usize,
        tell: &mut dyn FnMut(String) -> Result<(), Unknown>,
    ) -> Result<(), Unknown> {
        if before == after || depth > MAX_DEPTH {
            return Ok(());
        }
        let (before, after) = (self.read(before)?, self.read(after)?);
        let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => a.name.cmp(&b.name),
            };
            let a = if order == Ordering::Greater { None } else { old.next() };
            let b = if order == Ordering::Less { None } else { new.next() };
            if a.map(|entry| (entry.id, entry.kind)) == b.map(|entry| (entry.id, entry.kind)) {
                continue;
            }
            let Some(name) = a.or(b).map(|entry| &entry.name) else { continue };
            let length = prefix.len();
            prefix.extend_from_slice(name);
            let is = |entry: Option<&Entry>, kind: Kind| entry.is_some_and(|entry| entry.kind == kind);
            if is(a, Kind::File) || is(b, Kind::File) {
                tell(String::from_utf8_lossy(prefix).into_owned())?;
            }
            let tree =
                |entry: Option<&Entry>| entry.filter(|entry| entry.kind == Kind::Tree).map(|entry| entry.id);
            prefix.push(b'/');
            self.compare(tree(a), tree(b), prefix, depth + 1, tell)?;
            prefix.truncate(length);
        }
    }

    /// The entries of a tree by name; none for no tree.
    fn read(&mut self, id: Option<ObjectId>) -> Result<Rc<Vec<Entry>>, Unknown> {
        let Some(id) = id else { return Ok(Rc::default()) };
        if let Some(entries) = self.kept.get(&id) {
            return Ok(Rc::clone(entries));
        }
        let found = self.database.try_find(&id, &mut self.buffer).ok().flatten().ok_or(Unknown)?;
        if found.kind != gix_object::Kind::Tree {
            return Err(Unknown);
        }
        let mut entries = Vec::new();
        for entry in TreeRefIter::from_bytes(found.data, gix_hash::Kind::Sha1) {
            let entry = entry.map_err(|_| Unknown)?;
            let kind = if entry.mode.is_tree() {
                Kind::Tree
            } else if entry.mode.is_blob() {
                Kind::File
            } else {
                Kind::Other
            };
            entries.push(Entry { name: entry.filename.to_vec(), id: entry.oid.to_owned(), kind });
        }
        // Git sorts folders as if their names ended with a slash; plain order lets a file that became a folder meet.
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        if self.kept.len() >= KEPT {
            self.kept.clear();
        }
        let entries = Rc::new(entries);
        self.kept.insert(id, Rc::clone(&entries));
        Ok(entries)
    }
}
