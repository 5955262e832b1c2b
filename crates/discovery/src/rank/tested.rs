//! What the tests that speak of the task are tests of: `tests/test_retry.py` of `retry.py`, `StoreTest` of `Store`,
//! `tests/paginator/tests.py` of `paginator.py` or of the folder `paginator`.

use std::collections::HashMap;

use rayon::slice::ParallelSliceMut as _;

use super::Scored;
use crate::index::Document;
use crate::language::file_name;

/// Tests that are asked, best first; those behind speak of anything.
const TESTS: usize = 10;
/// Parent folders of a test that may bear the name of what it tests.
const FOLDERS: usize = 2;
/// The file that stands for a folder of the name.
const FOLDER: f64 = 0.8;
/// `retry_policy` is tested by `test_retry`, or `retry` by `test_retry_policy`.
const PART: f64 = 0.4;
/// Shorter names begin too many others.
const MIN_PART: usize = 4;
/// Names that every project has and that say nothing about what is tested.
const COMMON: &[&str] = &["", "test", "tests", "src", "java", "org", "index", "__init__", "mod", "models"];
/// Files that stand for their folder.
const INDEXES: &[&str] = &["__init__", "index", "mod"];

/// A test that speaks for a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tested {
    pub by: u32,
    pub strength: f64,
}

/// For each file that one of the best tests is a test of: how good that test is and how well the names agree.
///
/// `scored` is ordered, best first.
pub(crate) fn tested(scored: &[Scored], documents: &[Document]) -> HashMap<u32, Tested> {
    let mut best: HashMap<u32, Tested> = HashMap::new();
    let Some(top) = scored.first().map(|file| file.score) else { return best };
    let tests: Vec<&Scored> =
        scored.iter().filter(|file| documents[file.document].test).take(TESTS).collect();
    if tests.is_empty() {
        return best;
    }
    let stems = Stems::of(documents);
    for test in tests {
        let share = test.score / top;
        let mut say = |document: u32, agreement: f64| {
            let found = Tested { by: test.document as u32, strength: share * agreement };
            let place = best.entry(document).or_insert(found);
            if found.strength > place.strength {
                *place = found;
            }
        };
        for subject in subjects(&documents[test.document].path) {
            stems.named(&subject, &mut say);
        }
    }
    best
}

/// What a test may be a test of, in lower case: by its own name and by the folders it lies in.
fn subjects(path: &str) -> Vec<String> {
    let own = bare(stem(path));
    let folders = path.rsplit('/').skip(1).take(FOLDERS).map(|folder| bare(&folder.to_lowercase()));
    let mut subjects: Vec<String> =
        std::iter::once(own).chain(folders).filter(|subject| !COMMON.contains(&subject.as_str())).collect();
    subjects.sort_unstable();
    subjects.dedup();
    subjects
}

/// A name without what says that it is a test.
fn bare(name: &str) -> String {
    let name = name.strip_prefix("test_").unwrap_or(name);
    let ends = ["_tests", "_test", "_spec", ".test", ".spec", "-test", "-spec", "Tests", "Test", "IT"];
    let name = ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    name.to_lowercase()
}

/// The name of a file without its last extension.
fn stem(path: &str) -> &str {
    let name = file_name(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The files that are no tests, by the names under which they could be tested.
struct Stems {
    /// Stem in lower case and document, in order.
    files: Vec<(String, u32)>,
    /// The folder that a file stands for, and document, in order.
    folders: Vec<(String, u32)>,
}

impl Stems {
    fn of(documents: &[Document]) -> Self {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for (number, document) in (0..).zip(documents).filter(|(_, document)| !document.test) {
            let stem = stem(&document.path).to_lowercase();
            if INDEXES.contains(&stem.as_str()) {
                let folder = document.path.rsplit('/').nth(1).unwrap_or_default();
                folders.push((folder.to_lowercase(), number));
            }
            files.push((stem, number));
        }
        files.par_sort_unstable();
        folders.par_sort_unstable();
        Self { files, folders }
    }

    fn named(&self, subject: &str, say: &mut impl FnMut(u32, f64)) {
        let mut all = |list: &[(String, u32)], name: &str, agreement: f64| {
            let start = list.partition_point(|(stem, _)| stem.as_str() < name);
            let same = list[start..].iter().take_while(|(stem, _)| stem == name);
            same.for_each(|(_, document)| say(*document, agreement));
        };
        all(&self.files, subject, 1.0);
        all(&self.folders, subject, FOLDER);
        for (at, _) in subject.match_indices('_').filter(|(at, _)| *at >= MIN_PART) {
            all(&self.files, &subject[..at], PART);
        }
        if subject.len() >= MIN_PART {
            let longer = format!("{subject}_");
            let start = self.files.partition_point(|(stem, _)| *stem < longer);
            let begins = self.files[start..].iter().take_while(|(stem, _)| stem.starts_with(&longer));
            begins.for_each(|(_, document)| say(*document, PART));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Signals;
    use crate::language::{is_test, role};

    fn document(path: &str) -> Document {
        let (role, test) = (role(path), is_test(path));
        Document { path: path.into(), bytes: 0, role, test, lengths: Default::default() }
    }

    fn told(test: &str, source: &str) -> f64 {
        let documents = [document(source), document(test)];
        let scored = |document, score| Scored {
            document,
            score,
            signals: Signals::default(),
            place: None,
            commit: None,
            together: None,
            tested: None,
        };
        let found = tested(&[scored(1, 2.0), scored(0, 1.0)], &documents);
        found.get(&0).map_or(0.0, |tested| tested.strength)
    }

    #[test]
    fn a_test_speaks_for_what_it_is_named_after() {
        for (test, source, strength) in [
            ("tests/test_retry.py", "src/retry.py", 1.0),
            ("tests/paginator/tests.py", "django/core/paginator.py", 1.0),
            ("tests/forms_tests/tests/test_media.py", "forms/__init__.py", FOLDER),
            ("src/test/java/org/a/StoreTest.java", "src/main/java/org/a/Store.java", 1.0),
            ("src/retry.test.ts", "src/retry.ts", 1.0),
            ("http/client_test.go", "http/client.go", 1.0),
            ("tests/test_retry_policy.py", "src/retry.py", PART),
            ("tests/test_retry.py", "src/retry_policy.py", PART),
            ("tests/test_retry.py", "src/client.py", 0.0),
            ("tests/test_io.py", "src/io_loop.py", 0.0),
            ("tests/tests.py", "src/tests_of_faith.py", 0.0),
        ] {
            assert_eq!(told(test, source), strength, "{test} {source}");
        }
    }
}
