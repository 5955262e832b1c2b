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

/// The project's files in a folder that could be such texts, by name.
pub(crate) fn files(root: &Root, folder: &str) -> BTreeMap<String, String> {
    let names = root.names(folder, MOST_FILES);
    names
        .into_iter()
        .filter_map(|file| {
            let name = file.strip_suffix(".md").filter(|name| is_name(name))?.to_owned();
            let text = root.read(&format!("{folder}/{file}")).ok().filter(|text| text.len() <= MAX_BYTES)?;
            Some((name, text))
        })
        .collect()
}
