//! From a reference to the files of the repository, by paths alone.

use super::{Family, Import, family, names};

/// How many files of one name, or of one folder, are looked at.
const MAX_CANDIDATES: usize = 1024;
/// How many files a reference to a whole folder gives.
const MAX_FILES: usize = 20;

/// All paths of a repository, ready for look-ups by path, by name and by folder.
#[derive(Debug)]
pub(crate) struct Resolver<'p> {
    /// Sorted by bytes; an index into it is an answer.
    paths: &'p [&'p str],
    /// Indices of `paths` by file name.
    by_name: Vec<u32>,
    /// All folders by their last name, then by path.
    folders: Vec<&'p str>,
}

impl<'p> Resolver<'p> {
    /// Prepares look-ups in a sorted list of paths.
    pub fn new(paths: &'p [&'p str]) -> Self {
        let mut by_name: Vec<u32> = (0..paths.len() as u32).collect();
        by_name.sort_unstable_by_key(|&at| (split(paths[at as usize]).1, at));
        let mut folders: Vec<&str> = Vec::new();
        let mut previous = "";
        for path in paths {
            let mut folder = split(path).0;
            // Parents that the path before already had are known.
            while !folder.is_empty() && !is_within(previous, folder) {
                folders.push(folder);
                folder = split(folder).0;
            }
            previous = path;
        }
        folders.sort_unstable_by_key(|folder| (split(folder).1, *folder));
        folders.dedup();
        Self { paths, by_name, folders }
    }

    /// The files that an import of `from` refers to: none if it is another project's, one as a
    /// rule, a few if it names a folder.
    pub fn resolve(&self, from: &str, import: &Import) -> Vec<u32> {
        let mut found = match family(from) {
            Some(family) => self.by_family(family, from, &import.reference),
            None => Vec::new(),
        };
        found.retain(|&at| self.paths[at as usize] != from);
        found.dedup();
        found
    }

    fn by_family(&self, family: Family, from: &str, reference: &str) -> Vec<u32> {
        match family {
            Family::Python => names::python(self, from, reference).into_iter().collect(),
            Family::Script => names::script(self, from, reference).into_iter().collect(),
            Family::Rust => names::rust(self, from, reference).into_iter().collect(),
            Family::Go => names::go(self, from, reference),
            Family::Jvm => names::jvm(self, from, reference),
            Family::C => names::c(self, from, reference).into_iter().collect(),
            Family::CSharp => names::c_sharp(self, from, reference),
            Family::Ruby => names::ruby(self, from, reference).into_iter().collect(),
            Family::Php => names::php(self, from, reference).into_iter().collect(),
            Family::Swift => self
                .folder(from, &format!("Sources/{reference}"))
                .map_or_else(Vec::new, |folder| self.files(folder, &["swift"])),
            Family::Shell => self.relative_or_suffix(from, reference).into_iter().collect(),
            Family::Html | Family::Css => names::markup(self, from, reference).into_iter().collect(),
        }
    }

    /// The file at exactly this path.
    pub(super) fn exact(&self, path: &str) -> Option<u32> {
        self.paths.binary_search(&path).ok().map(|at| at as u32)
    }

    /// The file whose path ends with `suffix`: the only one, or the one nearest to `from`.
    pub(super) fn suffix(&self, from: &str, suffix: &str) -> Option<u32> {
        self.suffix_if(from, suffix, &|_| true)
    }

    /// Like [`Self::suffix`], among the files whose folder before the suffix is accepted.
    pub(super) fn suffix_if(&self, from: &str, suffix: &str, accept: &dyn Fn(&str) -> bool) -> Option<u32> {
        let name = split(suffix).1;
        let name_of = |at: u32| split(self.paths[at as usize]).1;
        let start = self.by_name.partition_point(|&at| name_of(at) < name);
        let same = self.by_name[start..].iter().copied().take_while(|&at| name_of(at) == name);
        let fitting = same.take(MAX_CANDIDATES).filter_map(|at| {
            let path = self.paths[at as usize];
            let before = before_suffix(path, suffix)?;
            (path != from && accept(before)).then_some((path, at))
        });
        nearest(from, fitting)
    }

    /// The folder whose path ends with `suffix`: the only one, or the one nearest to `from`.
    pub(super) fn folder(&self, from: &str, suffix: &str) -> Option<&'p str> {
        let name = split(suffix).1;
        let start = self.folders.partition_point(|folder| split(folder).1 < name);
        let same = self.folders[start..].iter().take_while(|folder| split(folder).1 == name);
        let fitting = same
            .take(MAX_CANDIDATES)
            .filter(|folder| before_suffix(folder, suffix).is_some())
            .map(|folder| (*folder, *folder));
        nearest(from, fitting)
    }

    /// The files directly in a folder that have one of these extensions.
    pub(super) fn files(&self, folder: &str, extensions: &[&str]) -> Vec<u32> {
        let inside = |path: &'p str| path.strip_prefix(folder)?.strip_prefix('/');
        // `a/` sorts after `a-b/`, so the first path of a folder is found with its slash.
        let key = |path: &str| path.bytes().cmp(folder.bytes().chain([b'/'])).is_lt();
        let start = self.paths.partition_point(|path| key(path));
        self.paths[start..]
            .iter()
            .zip(start as u32..)
            .take(MAX_CANDIDATES)
            .map_while(|(path, at)| inside(path).map(|rest| (rest, at)))
            .filter(|(rest, _)| !rest.contains('/'))
            .filter(|(rest, _)| extensions.contains(&crate::language::extension(rest)))
            .map(|(_, at)| at)
            .take(MAX_FILES)
            .collect()
    }

    /// The path of an answer.
    pub(super) fn path(&self, at: u32) -> &'p str {
        self.paths.get(at as usize).copied().unwrap_or_default()
    }

    /// Relative to the folder of `from`, or else anywhere.
    pub(super) fn relative_or_suffix(&self, from: &str, path: &str) -> Option<u32> {
        join(split(from).0, path)
            .and_then(|path| self.exact(&path))
            .or_else(|| self.suffix(from, path.trim_start_matches("./").trim_start_matches("../")))
    }
}

/// Folder and name.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The folders from that of `path` up to the root, which is `""`.
pub(super) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(split(path).0), |folder| (!folder.is_empty()).then(|| split(folder).0))
}

/// `folder/path` with `.` and `..` taken out; nothing if it leaves the repository.
pub(super) fn join(folder: &str, path: &str) -> Option<String> {
    let mut joined = String::with_capacity(folder.len() + path.len() + 1);
    joined.push_str(folder);
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if joined.is_empty() => return None,
            ".." => joined.truncate(split(&joined).0.len()),
            part => {
                if !joined.is_empty() {
                    joined.push('/');
                }
                joined.push_str(part);
            }
        }
    }
    Some(joined)
}

fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The folder before a suffix of whole names.
fn before_suffix<'t>(path: &'t str, suffix: &str) -> Option<&'t str> {
    let before = path.strip_suffix(suffix)?;
    if before.is_empty() { Some(before) } else { before.strip_suffix('/') }
}

/// The candidate that shares the most folders with `from`; nothing if two do.
fn nearest<'a, T: Copy>(from: &str, candidates: impl Iterator<Item = (&'a str, T)>) -> Option<T> {
    let mut best: Option<(usize, T)> = None;
    let mut tied = false;
    for (path, value) in candidates {
        let pairs = split(from).0.split('/').zip(path.split('/'));
        let shared = pairs.take_while(|(left, right)| left == right).count();
        match best {
            Some((most, _)) if shared < most => {}
            Some((most, _)) if shared == most => tied = true,
            _ => (best, tied) = (Some((shared, value)), false),
        }
    }
    best.filter(|_| !tied).map(|(_, value)| value)
}
