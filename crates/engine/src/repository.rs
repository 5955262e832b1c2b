//! A granted root as the check of a plan sees it.

use crate::roots::Root;
use plan::{Language, Repository, Symbol};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Files that are read in search of a symbol which a plan expects elsewhere.
const SEARCHED: usize = 2_000;
/// Manifests of one language that are read.
const MANIFESTS: usize = 500;

/// A root with what was learnt about it, so that checking a growing plan again and again asks the file system once.
/// Made anew for each answer: the repository may change between two.
pub(crate) struct RootRepository {
    root: Root,
    files: OnceLock<Vec<String>>,
    /// Paths by themselves in lower case, and names of files and folders without endings.
    lower: OnceLock<HashMap<String, String>>,
    modules: OnceLock<HashSet<String>>,
    packages: Mutex<HashMap<Language, Option<BTreeSet<String>>>>,
    definitions: Mutex<HashMap<String, Option<String>>>,
    texts: Mutex<HashMap<String, Known>>,
}

/// What is known of a file.
#[derive(Clone)]
struct Known {
    entry: plan::Entry,
    hash: Option<String>,
    symbols: Option<Vec<Symbol>>,
}

fn locked<T>(table: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RootRepository {
    pub(crate) fn new(root: Root) -> RootRepository {
        RootRepository {
            root,
            files: OnceLock::new(),
            lower: OnceLock::new(),
            modules: OnceLock::new(),
            packages: Mutex::default(),
            definitions: Mutex::default(),
            texts: Mutex::default(),
        }
    }

    /// Every file of the root, as discovery walks it.
    pub(crate) fn files(&self) -> &[String] {
        self.files.get_or_init(|| match discovery::tree(self.root.path(), &AtomicBool::new(false)) {
            Ok(entries) => entries.into_iter().map(|entry| entry.path).collect(),
            Err(error) => {
                // Without the list there are no suggestions; the check itself asks for single paths.
                tracing::warn!(%error, "the files of a project cannot be listed");
                Vec::new()
            }
        })
    }

    fn known(&self, path: &str) -> Known {
        if let Some(known) = locked(&self.texts).get(path) {
            return known.clone();
        }
        let known = match self.root.read(path) {
            Ok(text) => Known {
                entry: plan::Entry::File { lines: u32::try_from(text.lines().count()).unwrap_or(u32::MAX) },
                hash: Some(hex::encode(Sha256::digest(text.as_bytes()))),
                symbols: outline(path, &text),
            },
            Err(_) => Known { entry: self.root.entry(path), hash: None, symbols: None },
        };
        locked(&self.texts).insert(path.to_owned(), known.clone());
        known
    }

    fn search(&self, symbol: &str) -> Option<String> {
        // Only files whose text has the name at all are parsed; the first in order of path wins.
        self.files()
            .iter()
            .take(SEARCHED)
            .filter_map(|path| Some((path, self.root.read(path).ok()?)))
            .filter(|(_, text)| text.contains(symbol))
            .find(|(path, text)| {
                outline(path, text).is_some_and(|found| found.iter().any(|s| s.name == symbol))
            })
            .map(|(path, _)| path.clone())
    }
}

fn outline(path: &str, text: &str) -> Option<Vec<Symbol>> {
    let symbols = discovery::outline(path, text);
    // No symbol at all means that the language is not understood, not that the file is empty.
    let symbol = |s: discovery::Symbol| Symbol { name: s.name, first: s.start_line, last: s.end_line };
    (!symbols.is_empty()).then(|| symbols.into_iter().map(symbol).collect())
}

impl Repository for RootRepository {
    fn entry(&self, path: &str) -> plan::Entry {
        self.known(path).entry
    }

    fn symbols(&self, path: &str) -> Option<Vec<Symbol>> {
        self.known(path).symbols
    }

    fn hash(&self, path: &str) -> Option<String> {
        self.known(path).hash
    }

    fn nearest(&self, path: &str) -> Option<String> {
        plan::nearest(path, self.files().iter().map(String::as_str)).map(str::to_owned)
    }

    fn other_case(&self, path: &str) -> Option<String> {
        let lower =
            self.lower.get_or_init(|| self.files().iter().map(|f| (f.to_lowercase(), f.clone())).collect());
        lower.get(&path.to_lowercase()).filter(|other| *other != path).cloned()
    }

    fn packages(&self, language: Language) -> Option<BTreeSet<String>> {
        let mut table = locked(&self.packages);
        let find = || {
            let manifests = self.files().iter().filter(|path| Language::of_manifest(path) == Some(language));
            let read = manifests.take(MANIFESTS).filter_map(|path| Some((path, self.root.read(path).ok()?)));
            // `None` without a manifest: then nothing is known to be missing from it.
            read.map(|(path, text)| plan::declared(path, &text)).reduce(|mut all, more| {
                all.extend(more);
                all
            })
        };
        table.entry(language).or_insert_with(find).clone()
    }

    fn is_module(&self, name: &str) -> bool {
        let modules = self.modules.get_or_init(|| {
            let parts = self.files().iter().flat_map(|path| path.split('/'));
            parts.map(|part| part.split('.').next().unwrap_or(part).to_owned()).collect()
        });
        modules.contains(name)
    }

    fn defines(&self, symbol: &str) -> Option<String> {
        if let Some(found) = locked(&self.definitions).get(symbol) {
            return found.clone();
        }
        let found = self.search(symbol);
        locked(&self.definitions).insert(symbol.to_owned(), found.clone());
        found
    }
}

#[cfg(test)]
mod measured;
