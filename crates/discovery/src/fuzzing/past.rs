//! The past of a repository: as it is kept, and as it is read from `.git`.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use crate::history::{self, History};
use crate::index::bytes::Bytes;
use crate::index::cache::Cache;

use super::resealed;

/// The first byte says what the rest is: a history as it is kept, or something in a repository's `.git`.
pub fn history(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else { return };
    let place = tempfile::tempdir().expect("a folder can be made");
    match kind % 9 {
        0 => kept_history(place.path(), rest),
        kind => past(place.path(), kind, rest),
    }
}

/// A kept history is read as none or as one that comes back when it is kept again.
fn kept_history(place: &Path, data: &[u8]) {
    let cache = Cache::of(&place.join("cache"), place).expect("the folder is there");
    cache.keep_history(&History::default()).expect("a history can be kept");
    let index = fs::read_dir(place.join("cache/index")).expect("it was made");
    let project = index.filter_map(Result::ok).next().expect("the project has a folder").path();
    for bytes in [data, &resealed(data)] {
        fs::write(project.join("past"), bytes).expect("it can be written");
        let history = cache.history();
        cache.keep_history(&history).expect("a history can be kept");
        assert_eq!(cache.history(), history);
    }
}

const HEAD: &str = "11111111111111111111111111111111111111a1";
const PARENT: &str = "11111111111111111111111111111111111111a2";
const TREE: &str = "22222222222222222222222222222222222222b1";
const OLD_TREE: &str = "22222222222222222222222222222222222222b2";
const BLOB: &[u8; 20] = &[3; 20];

/// A small repository in which one thing is what the bytes say gives a history within its bounds, or says why not.
fn past(root: &Path, kind: u8, data: &[u8]) {
    let git = root.join(".git");
    let write = |path: &str, bytes: &[u8]| {
        let path = git.join(path);
        fs::create_dir_all(path.parent().expect("it lies in .git")).expect("a folder can be made");
        fs::write(path, bytes).expect("it can be written");
    };
    if kind == 1 {
        fs::write(&git, data).expect("it can be written");
    } else {
        let entry = |mode: &str, name: &str| [mode.as_bytes(), b" ", name.as_bytes(), b"\0", BLOB].concat();
        write("HEAD", if kind == 2 { data } else { HEAD.as_bytes() });
        write("packed-refs", if kind == 3 { data } else { b"" });
        write("shallow", if kind == 4 { data } else { b"" });
        let who = "A <a@b> 1600000000 +0000";
        let commit = |tree: &str, parent: &str| {
            format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\nSay something\n").into_bytes()
        };
        let newest = commit(TREE, &format!("parent {PARENT}\n"));
        write(&object(HEAD), &loose("commit", if kind == 5 { data } else { &newest }));
        write(&object(PARENT), &loose("commit", &commit(OLD_TREE, "")));
        write(&object(OLD_TREE), &loose("tree", &entry("100644", "a.rs")));
        let tree = [entry("100644", "a.rs"), entry("100644", "b.rs")].concat();
        write(&object(TREE), &loose("tree", if kind == 6 { data } else { &tree }));
        match kind {
            3 => write("HEAD", b"ref: refs/heads/main"),
            7 => write(&object(HEAD), data),
            8 => pack(&write, data),
            _ => {}
        }
    }
    if let Ok(history) = history::read(root, &History::default(), &AtomicBool::new(false)) {
        assert!(history.commits.len() <= 2_000);
        for commit in history.commits {
            assert!(commit.paths.len() <= 40 && commit.message.len() <= 3 * (4 << 10), "{commit:?}");
        }
    }
}

/// The id that `HEAD` names, the length of the index (4 bytes, low part first), the index of the pack, the pack.
fn pack(write: &dyn Fn(&str, &[u8]), data: &[u8]) {
    let mut bytes = Bytes(data);
    let (Ok(head), Ok(length)) = (bytes.take(20), bytes.take(4)) else { return };
    let length = length.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
    let (index, pack) = bytes.0.split_at(length.min(bytes.0.len()));
    let head: String = head.iter().map(|byte| format!("{byte:02x}")).collect();
    write("HEAD", head.as_bytes());
    let name = "objects/pack/pack-4444444444444444444444444444444444444444";
    write(&format!("{name}.idx"), index);
    write(&format!("{name}.pack"), pack);
}

fn object(id: &str) -> String {
    format!("objects/{}/{}", &id[..2], &id[2..])
}

/// A loose object: its header and its bytes, as a zlib stream (RFC 1950) of blocks that are stored as they are (RFC 1951).
fn loose(kind: &str, data: &[u8]) -> Vec<u8> {
    let body = [format!("{kind} {}\0", data.len()).as_bytes(), data].concat();
    let mut out = vec![0x78, 0x01];
    let mut blocks = body.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    let (a, b) = body.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (a + b) % 65521)
    });
    out.extend_from_slice(&(b << 16 | a).to_be_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_repository_is_one() {
        let place = tempfile::tempdir().unwrap();
        past(place.path(), 9, b"");
        let history = history::read(place.path(), &History::default(), &AtomicBool::new(false)).unwrap();
        let paths: Vec<&[String]> = history.commits.iter().map(|commit| commit.paths.as_slice()).collect();
        assert_eq!(paths, [["b.rs".to_owned()], ["a.rs".to_owned()]]);
    }
}
