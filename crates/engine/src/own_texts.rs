//! Texts that a project may have of its own, in place of built-in ones: as files that count once a person trusts them.

use crate::roots::Root;
use rpc::{ApiError, ErrorCode};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The longest such text, in bytes.
pub(crate) const MAX_BYTES: usize = 64 << 10;
/// Files that are looked at.
const MOST_FILES: usize = 100;

pub(crate) fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// What a project may use under one name.
#[derive(Clone, Copy, Default)]
pub(crate) struct Texts<'a> {
    /// A person's own text.
    pub own: Option<&'a str>,
    /// The project's file.
    pub file: Option<&'a str>,
    /// The hash of the file that is trusted.
    pub trusted: Option<&'a str>,
    /// What is built in.
    pub built_in: Option<&'a str>,
}

impl<'a> Texts<'a> {
    /// The one that is used: a person's own, else a file that is trusted as it is, else what is built in.
    fn used(self) -> Option<&'a str> {
        let file = self.file.filter(|text| self.trusted == Some(&hash(text)));
        self.own.or(file).or(self.built_in)
    }

    /// Refuses to put a text in the place of another one than its writer saw; an empty `base` is that of no text.
    pub(crate) fn check_base(self, base: Option<&str>) -> Result<(), ApiError> {
        let Some(base) = base else { return Ok(()) };
        let now = self.used().map(hash).unwrap_or_default();
        if base.eq_ignore_ascii_case(&now) {
            return Ok(());
        }
        let message = "Another text is used by now than the one that this was made from. Nothing was stored; look at what is \
                       used, then store again.";
        Err(ApiError::new(ErrorCode::Conflict, "text_changed", message))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_the_text_that_is_used() {
        let built_in = Texts { built_in: Some("built in"), ..Texts::default() };
        let with_file = Texts { file: Some("file"), ..built_in };
        let trusted = hash("file");
        let trusting = Texts { trusted: Some(&trusted), ..with_file };
        let own = Texts { own: Some("own"), ..trusting };
        for (texts, used) in
            [(built_in, "built in"), (with_file, "built in"), (trusting, "file"), (own, "own")]
        {
            for other in ["built in", "file", "own"] {
                assert_eq!(texts.check_base(Some(&hash(other))).is_ok(), other == used, "{other} for {used}");
            }
            assert!(texts.check_base(None).is_ok());
            assert!(texts.check_base(Some("")).is_err());
        }
        assert!(Texts::default().check_base(Some("")).is_ok());
        assert!(Texts::default().check_base(Some(&trusted)).is_err());
    }
}
