//! What the recent past says: commit messages and the files that each commit changed.
//!
//! Git's files are data here. Objects are read straight from the object database, starting at `HEAD`; no
//! configuration, attribute, hook, replacement or graft is looked at, no program is started and nothing is fetched. What
//! cannot be read (a shallow boundary, a missing object, a damaged pack) ends that part of the past and nothing else.

mod changes;
mod repository;
mod snapshot;

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use gix_hash::ObjectId;
use gix_object::Find as _;
use gix_odb::store::init::Options;
use gix_pack::cache::lru::MemoryCappedHashmap;
use rayon::prelude::*;

pub use repository::NoHistory;
use repository::Repository;
pub use snapshot::Snapshot;

/// Commits that are read, newest first.
const MAX_COMMITS: usize = 2_000;
/// A commit that changes more files says nothing about any of them: an import, a licence change, a reformatting.
const MAX_CHANGED: usize = 40;
/// Much of a message is enough to know its words.
const MAX_MESSAGE: usize = 4 << 10;
/// A larger object is none that we read; what claims to be one is damage or an attack.
const MAX_OBJECT: usize = 32 << 20;
/// Memory for unpacked objects, per thread.
const CACHE: usize = 24 << 20;
/// Commits whose changes one thread finds at a time: they share most of their trees.
const RUN: usize = 250;

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    pub id: [u8; 20],
    pub message: String,
    /// Paths of changed files below the root, empty for merges and for commits that change too many.
    pub paths: Vec<String>,
}

/// The commits reachable from `HEAD`, newest first.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct History {
    pub commits: Vec<Commit>,
}

/// A commit whose changes are not known yet.
struct Found {
    id: ObjectId,
    tree: ObjectId,
    /// The tree to compare with; `None` for a merge, whose changes its parents tell.
    parent: Option<Parent>,
    message: String,
}

enum Parent {
    /// The first commit: everything in it is new.
    Nothing,
    Tree(ObjectId),
}

/// Reads the past of the repository at `root`. What `known` has is not computed again.
pub(crate) fn read(root: &Path, known: &History, stop: &AtomicBool) -> Result<History, NoHistory> {
    let repository = repository::open(root)?;
    let found = walk(&repository, stop)?;
    let known: HashMap<[u8; 20], &Commit> = known.commits.iter().map(|commit| (commit.id, commit)).collect();
    let commits = found
        .par_chunks(RUN)
        .map(|run| {
            let database = cached(&repository.objects)?;
            let mut trees = changes::Trees::new(&database);
            let commits = run.iter().map(|found| match known.get(&bytes(&found.id)) {
                Some(commit) => (*commit).clone(),
                None => commit(found, &mut trees, stop),
            });
            Ok(commits.collect())
        })
        .collect::<Result<Vec<Vec<Commit>>, NoHistory>>()?;
    Ok(History { commits: commits.into_iter().flatten().collect() })
}

/// The commit that `HEAD` names, for telling whether a history read earlier still holds.
pub(crate) fn head(root: &Path) -> Result<[u8; 20], NoHistory> {
    repository::open(root).map(|repository| bytes(&repository.head))
}

fn bytes(id: &ObjectId) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&id.as_bytes()[..20]);
    bytes
}

/// The object database, for one thread.
fn cached(objects: &Path) -> Result<gix_odb::Handle, NoHistory> {
    let options = Options { alloc_limit_bytes: Some(MAX_OBJECT), ..Options::default() };
    let mut database =
        gix_odb::at_opts(objects, gix_hash::Kind::Sha1, None, options).map_err(|_| NoHistory::Unreadable)?;
    database.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(CACHE)));
    Ok(database)
}

/// A commit in the queue: newest first, equal times by id.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Queued {
    seconds: i64,
    id: ObjectId,
}

/// The newest commits that can be reached from `HEAD`.
fn walk(repository: &Repository, stop: &AtomicBool) -> Result<Vec<Found>, NoHistory> {
    let database = cached(&repository.objects)?;
    let mut trees: HashMap<ObjectId, ObjectId> = HashMap::new();
    let mut queue = BinaryHeap::new();
    let mut seen = HashSet::new();
    let mut buffer = Vec::new();
    let mut parsed: HashMap<ObjectId, Parsed> = HashMap::new();
    let head = parse(&database, &repository.head, &mut buffer).ok_or(NoHistory::Unreadable)?;
    queue.push(Queued { seconds: head.seconds, id: repository.head });
    seen.insert(repository.head);
    parsed.insert(repository.head, head);
    let mut found = Vec::new();
    while let Some(Queued { id, .. }) = queue.pop() {
        if found.len() == MAX_COMMITS || stop.load(Ordering::Relaxed) {
            break;
        }
        let Some(commit) = parsed.remove(&id) else { continue };
        let parents = if repository.shallow.contains(&id) { &[][..] } else { &commit.parents[..] };
        for parent in parents {
            if let Some(known) = parse_once(&database, parent, &mut buffer, &mut seen) {
                trees.insert(*parent, known.tree);
                queue.push(Queued { seconds: known.seconds, id: *parent });
                parsed.insert(*parent, known);
            }
        }
        let parent = match (parents, commit.parents.len()) {
            ([], 0) => Some(Parent::Nothing),
            ([one], _) => trees.get(one).map(|tree| Parent::Tree(*tree)),
            _ => None,
        };
        found.push(Found { id, tree: commit.tree, parent, message: commit.message });
    }
    Ok(found)
}

struct Parsed {
    tree: ObjectId,
    parents: Vec<ObjectId>,
    seconds: i64,
    message: String,
}

fn parse_once(
    database: &gix_odb::Handle,
    id: &ObjectId,
    buffer: &mut Vec<u8>,
    seen: &mut HashSet<ObjectId>,
) -> Option<Parsed> {
    if seen.insert(*id) { parse(database, id, buffer) } else { None }
}

fn parse(database: &gix_odb::Handle, id: &ObjectId, buffer: &mut Vec<u8>) -> Option<Parsed> {
    let data = database.try_find(id, buffer).ok()??;
    if data.kind != gix_object::Kind::Commit {
        return None;
    }
    let commit = gix_object::CommitRef::from_bytes(data.data, gix_hash::Kind::Sha1).ok()?;
    let text = &commit.message[..commit.message.len().min(MAX_MESSAGE)];
    Some(Parsed {
        tree: commit.tree(),
        parents: commit.parents().collect(),
        seconds: commit.time().map(|time| time.seconds).unwrap_or_default(),
        message: String::from_utf8_lossy(text).trim().to_owned(),
    })
}

fn commit(found: &Found, trees: &mut changes::Trees<'_>, stop: &AtomicBool) -> Commit {
    let paths = match &found.parent {
        Some(parent) if !stop.load(Ordering::Relaxed) => {
            let before = match parent {
                Parent::Nothing => None,
                Parent::Tree(tree) => Some(*tree),
            };
            trees.changed(before, found.tree, MAX_CHANGED).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    Commit { id: bytes(&found.id), message: found.message.clone(), paths }
}
