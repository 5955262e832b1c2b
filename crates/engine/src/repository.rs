//! A granted root as the check of a plan sees it.

use crate::roots::Root;
use plan::Repository;
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Files that are read in search of a symbol which a plan expects elsewhere.
const SEARCHED: usize = 2_000;

/// A root with what was learnt about it, so that checking a growing plan again and again asks the file system once.
/// Made anew for each answer: the repository may change between two.
pub(crate) struct RootRepository {
    root: Root,
    files: OnceLock<Vec<String>>,
    definitions: Mutex<HashMap<String, Option<String>>>,
}

impl RootRepository {
    pub(crate) fn new(root: Root) -> RootRepository {
        RootRepository { root, files: OnceLock::new(), definitions: Mutex::default() }
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

    fn search(&self, symbol: &str) -> Option<String> {
        // Only files whose text has the name at all are parsed; the first in order of path wins.
        self.files()
            .iter()
            .take(SEARCHED)
            .filter(|path| self.root.read(path).is_ok_and(|text| text.contains(symbol)))
            .find(|path| self.outline(path).is_some_and(|names| names.iter().any(|name| name == symbol)))
            .cloned()
    }
}

impl Repository for RootRepository {
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
        let known = |table: &Mutex<HashMap<String, Option<String>>>| {
            table.lock().unwrap_or_else(PoisonError::into_inner).get(symbol).cloned()
        };
        if let Some(found) = known(&self.definitions) {
            return found;
        }
        let found = self.search(symbol);
        let mut table = self.definitions.lock().unwrap_or_else(PoisonError::into_inner);
        table.insert(symbol.to_owned(), found.clone());
        found
    }
}
