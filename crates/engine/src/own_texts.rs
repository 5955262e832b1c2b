//! Texts that a project may have of its own, in place of built-in ones: as files that count once a person trusts them.

use crate::roots::Root;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The longest such text, in bytes.
pub(crate) const MAX_BYTES: usize = 64 << 10;
/// Files that are looked at.
const MOST_FILES: usize = 100;

pub(crate) fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

/// The project's file of this name. A link is none: it could lead to a file that whoever lists these may not see.
pub(crate) fn named(root: &Root, folder: &str, name: &str) -> Option<String> {
    let path = format!("{folder}/{name}.md");
    if root.is_link(&path) {
        return None;
    }
    root.read(&path).ok().filter(|text| text.len() <= MAX_BYTES)
}

/// The project's files in a folder that could be such texts, by name.
pub(crate) fn files(root: &Root, folder: &str) -> BTreeMap<String, String> {
    let names = root.names(folder, MOST_FILES);
    names
        .into_iter()
        .filter_map(|file| {
            let name = file.strip_suffix(".md").filter(|name| is_name(name))?.to_owned();
            Some((name.clone(), named(root, folder, &name)?))
        })
        .collect()
}
