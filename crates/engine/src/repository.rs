//! A granted root as the check of a plan sees it.

use crate::roots::Root;
use plan::Repository;
use std::cell::OnceCell;
use std::sync::atomic::AtomicBool;

/// Files that are searched for a symbol which a plan expects elsewhere.
const SEARCHED: usize = 400;

/// A root with the list of its files, made once when it is first needed.
pub(crate) struct RootRepository<'a> {
    root: &'a Root,
    files: OnceCell<Vec<String>>,
}

impl<'a> RootRepository<'a> {
    pub(crate) fn new(root: &'a Root) -> RootRepository<'a> {
        RootRepository { root, files: OnceCell::new() }
    }

    fn files(&self) -> &[String] {
        self.files.get_or_init(|| match discovery::tree(self.root.path(), &AtomicBool::new(false)) {
            Ok(entries) => entries.into_iter().map(|entry| entry.path).collect(),
            Err(error) => {
                // Without the list there are no suggestions; the check itself asks for single paths.
                tracing::warn!(%error, "the files of a project cannot be listed");
                Vec::new()
            }
        })
    }

    fn outline(&self, path: &str) -> Option<Vec<String>> {
        let text = self.root.read(path).ok()?;
        let symbols = discovery::outline(path, &text);
        // No symbol at all means that the language is not understood, not that the file is empty.
        (!symbols.is_empty()).then(|| symbols.into_iter().map(|symbol| symbol.name).collect())
    }
}

impl Repository for RootRepository<'_> {
    fn entry(&self, path: &str) -> plan::Entry {
        self.root.entry(path)
    }

    fn symbols(&self, path: &str) -> Option<Vec<String>> {
        self.outline(path)
    }

    fn nearest(&self, path: &str) -> Option<String> {
        plan::nearest(path, self.files().iter().map(String::as_str)).map(str::to_owned)
    }

    fn defines(&self, symbol: &str) -> Option<String> {
        // Files whose text has the name at all are parsed; the first in order of path wins.
        self.files()
            .iter()
            .filter(|path| self.root.read(path).is_ok_and(|text| text.contains(symbol)))
            .take(SEARCHED)
            .find(|path| self.outline(path).is_some_and(|names| names.iter().any(|name| name == symbol)))
            .cloned()
    }
}
