//! Granted roots: the only way to a file.
//!
//! A path, whoever proposes it, is first checked as text and then opened relative to the root's handle, so that no
//! symbolic link leads out. What may not be read is told with the reason.

use crate::error::{database, no_project};
use crate::{Engine, Inner};
use api::ProjectId;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use plan::path::PathProblem;
use rpc::{ApiError, ErrorCode};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest file that is read whole.
pub(crate) const MAX_FILE_BYTES: u64 = 1 << 20;

/// An open root.
pub(crate) struct Root {
    dir: Dir,
    path: PathBuf,
}

/// Why a file of a root cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{0}")]
    Path(#[from] PathProblem),
    #[error("there is no such file")]
    Missing,
    #[error("it leads out of the project")]
    Outside,
    #[error("it is not a file")]
    NotAFile,
    #[error("it is larger than 1 MiB")]
    TooLarge,
    #[error("it is not UTF-8 text")]
    NotText,
    #[error("{0}")]
    Io(std::io::Error),
}

/// The size and time of change of what stands at a path; `None` where nothing does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(Option<(u64, Option<std::time::SystemTime>)>);

impl Root {
    /// Opens the folder itself.
    pub(crate) fn open(path: &Path) -> std::io::Result<Root> {
        Ok(Root { dir: Dir::open_ambient_dir(path, ambient_authority())?, path: path.to_owned() })
    }

    /// The folder, for walking it. Every file found must still be opened through [`Root::read`].
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The text of a file.
    pub(crate) fn read(&self, path: &str) -> Result<String, ReadError> {
        plan::path::check(path)?;
        let file = self.dir.open(path).map_err(kind)?;
        let meta = file.metadata().map_err(ReadError::Io)?;
        if !meta.is_file() {
            return Err(ReadError::NotAFile);
        }
        if meta.len() > MAX_FILE_BYTES {
            return Err(ReadError::TooLarge);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
        // The file may grow while it is read.
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(ReadError::Io)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(ReadError::TooLarge);
        }
        String::from_utf8(bytes).map_err(|_| ReadError::NotText)
    }

    /// A folder of the root, made where it is missing. No symbolic link is followed.
    fn folder(&self, folder: &str) -> std::io::Result<Dir> {
        let mut dir = self.dir.try_clone()?;
        for name in folder.split('/') {
            match dir.create_dir(name) {
                Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(e),
                _ => {}
            }
            // A link of the project could lead into its sources.
            if dir.symlink_metadata(name)?.is_symlink() {
                return Err(std::io::Error::other(format!("{name} in it is a symbolic link")));
            }
            dir = dir.open_dir(name)?;
        }
        Ok(dir)
    }

    /// Writes a text to the first of these names in `folder` that is free; its path. No file is ever replaced.
    fn write_fresh(
        folder: &str,
        dir: &Dir,
        mut names: impl Iterator<Item = String>,
        text: &str,
    ) -> std::io::Result<String> {
        use std::io::Write;
        let mut fresh = cap_std::fs::OpenOptions::new();
        fresh.write(true).create_new(true);
        names
            .find_map(|name| match dir.open_with(&name, &fresh) {
                Ok(mut file) => Some(file.write_all(text.as_bytes()).map(|()| format!("{folder}/{name}"))),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => None,
                Err(e) => Some(Err(e)),
            })
            .unwrap_or_else(|| {
                Err(std::io::Error::other("the folder is full; delete what is no longer needed"))
            })
    }

    /// Writes a text to the first free `folder/N.md`, from 1; the path. The folder is made, and git is told to leave it
    /// alone. No link is followed out of the root, and no file is ever replaced.
    pub(crate) fn write_numbered(&self, folder: &str, text: &str, most: u32) -> std::io::Result<String> {
        let dir = self.folder(folder)?;
        // One that is there says what the person wants.
        match Root::write_fresh(folder, &dir, std::iter::once(".gitignore".to_owned()), "*\n") {
            Err(e) if dir.symlink_metadata(".gitignore").is_err() => return Err(e),
            _ => {}
        }
        Root::write_fresh(folder, &dir, (1..=most).map(|number| format!("{number}.md")), text)
    }

    /// Writes a text to `folder/name.md`, or `name-2.md` and so on where that stands already; the path.
    pub(crate) fn write_named(&self, folder: &str, name: &str, text: &str) -> std::io::Result<String> {
        let dir = self.folder(folder)?;
        let names = std::iter::once(format!("{name}.md")).chain((2..1000).map(|n| format!("{name}-{n}.md")));
        Root::write_fresh(folder, &dir, names, text)
    }

    /// Names of at most `most` entries of a folder, in order; none where there is no such folder.
    pub(crate) fn names(&self, folder: &str, most: usize) -> Vec<String> {
        let Ok(dir) = self.dir.open_dir(folder) else { return Vec::new() };
        let Ok(entries) = dir.entries() else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.take(most).collect();
        names.sort();
        names
    }

    /// Whether a symbolic link stands at a path.
    pub(crate) fn is_link(&self, path: &str) -> bool {
        self.dir.symlink_metadata(path).is_ok_and(|found| found.is_symlink())
    }

    /// Tells one state of what stands at a path from another, without reading it.
    pub(crate) fn stamp(&self, path: &str) -> Stamp {
        let found = self.dir.metadata(path).or_else(|_| self.dir.symlink_metadata(path));
        let Ok(found) = found else { return Stamp(None) };
        Stamp(Some((found.len(), found.modified().ok().map(cap_std::time::SystemTime::into_std))))
    }

    /// What stands at a path.
    pub(crate) fn entry(&self, path: &str) -> plan::Entry {
        match self.dir.metadata(path) {
            Ok(meta) if meta.is_dir() => plan::Entry::Folder,
            Ok(_) => match self.read(path) {
                Ok(text) => {
                    plan::Entry::File { lines: u32::try_from(text.lines().count()).unwrap_or(u32::MAX) }
                }
                // It exists, and its lines do not matter: nothing is known that could contradict them.
                Err(ReadError::TooLarge | ReadError::NotText) => plan::Entry::File { lines: u32::MAX },
                Err(_) => plan::Entry::Refused,
            },
            Err(e) => match kind(e) {
                ReadError::Missing => plan::Entry::Missing,
                _ => plan::Entry::Refused,
            },
        }
    }
}

fn kind(e: std::io::Error) -> ReadError {
    match e.kind() {
        // A component that is a file, or a folder that is not there: nothing stands at the path.
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => ReadError::Missing,
        // cap-std's answer to a path that leaves the folder.
        std::io::ErrorKind::PermissionDenied if e.raw_os_error().is_none() => ReadError::Outside,
        _ => ReadError::Io(e),
    }
}

impl Inner {
    /// Opens the root of a granted project.
    pub(crate) async fn root(&self, project: &str) -> Result<Root, ApiError> {
        let id = project.to_owned();
        let row = self.store.read(move |db| store::projects::get(db, &id)).await.map_err(database)?;
        let row = row.ok_or_else(|| no_project(project))?;
        Root::open(Path::new(&row.path)).map_err(|e| {
            let message =
                format!("The folder {} cannot be opened: {e}. Everything stored about it is kept.", row.path);
            ApiError::new(ErrorCode::Unavailable, "root_missing", message)
        })
    }
}

impl Engine {
    /// Grants a folder from a host of this machine, as `projects.grant` does.
    ///
    /// # Errors
    /// As `projects.grant`.
    pub async fn grant(&self, path: &Path) -> Result<ProjectId, ApiError> {
        crate::projects::grant(&self.inner, path).await.map(|project| project.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_get_numbers_and_never_leave_the_root() {
        let inside = tempfile::tempdir().unwrap();
        let root = Root::open(inside.path()).unwrap();
        assert_eq!(root.write_numbered("a/b", "one", 10).unwrap(), "a/b/1.md");
        assert_eq!(root.write_numbered("a/b", "two", 10).unwrap(), "a/b/2.md");
        assert_eq!(std::fs::read_to_string(inside.path().join("a/b/1.md")).unwrap(), "one");
        assert_eq!(std::fs::read_to_string(inside.path().join("a/b/.gitignore")).unwrap(), "*\n");
        assert!(root.write_numbered("a/b", "three", 2).is_err(), "the folder is full");
        #[cfg(unix)]
        {
            let outside = tempfile::tempdir().unwrap();
            std::os::unix::fs::symlink(outside.path(), inside.path().join("out")).unwrap();
            std::os::unix::fs::symlink("a", inside.path().join("within")).unwrap();
            assert!(
                root.write_numbered("within", "x", 10).is_err(),
                "a link is not followed, wherever it leads"
            );
            assert!(root.write_numbered("out", "x", 10).is_err());
            assert!(root.write_numbered("out/deep", "x", 10).is_err());
            assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn nothing_outside_a_root_is_read() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "secret").unwrap();
        let inside = tempfile::tempdir().unwrap();
        std::fs::create_dir(inside.path().join("sub")).unwrap();
        std::fs::write(inside.path().join("sub/a.txt"), "one\ntwo\n").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(outside.path().join("secret"), inside.path().join("link")).unwrap();
            symlink(outside.path(), inside.path().join("folder")).unwrap();
            symlink("sub/a.txt", inside.path().join("within")).unwrap();
            symlink("loop", inside.path().join("loop")).unwrap();
        }
        let root = Root::open(inside.path()).unwrap();
        assert_eq!(root.read("sub/a.txt").unwrap(), "one\ntwo\n");
        assert_eq!(root.entry("sub/a.txt"), plan::Entry::File { lines: 2 });
        assert_eq!(root.entry("sub"), plan::Entry::Folder);
        assert_eq!(root.entry("sub/none"), plan::Entry::Missing);
        assert_eq!(root.entry("sub/a.txt/x"), plan::Entry::Missing);
        #[cfg(unix)]
        {
            assert_eq!(root.read("within").unwrap(), "one\ntwo\n", "a link that stays inside is a file");
            for path in ["link", "folder/secret", "loop"] {
                assert!(root.read(path).is_err(), "{path}");
                assert_eq!(root.entry(path), plan::Entry::Refused, "{path}");
            }
        }
        let absolute = outside.path().join("secret");
        for path in ["../secret", absolute.to_str().unwrap(), "sub/../../secret", "sub"] {
            assert!(root.read(path).is_err(), "{path}");
        }
    }
}
