//! Reads files of a project, and nothing outside it.

use crate::{Content, LeftOut};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// The folder of a project. What is read through it lies in it, whatever links its tree contains.
///
/// It guards against a tree as it is found. It does not guard against somebody who may write to the project and
/// changes it between two looks at the same file.
#[derive(Clone, Debug)]
pub struct Root {
    folder: PathBuf,
}

impl Root {
    /// The project in `folder`.
    ///
    /// # Errors
    /// When the folder does not exist.
    pub fn open(folder: &Path) -> io::Result<Root> {
        Ok(Root { folder: folder.canonicalize()? })
    }

    /// The content of the file at `path` (relative, separated by `/`), or why it cannot be shown. More than
    /// `limit` bytes are not read.
    #[must_use]
    pub fn read(&self, path: &str, limit: u64) -> Content {
        match self.text(path, limit) {
            Ok(text) => Content::Text(text),
            Err(why) => Content::Missing(why),
        }
    }

    fn text(&self, path: &str, limit: u64) -> Result<String, LeftOut> {
        let relative = Path::new(path);
        if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(LeftOut::Outside);
        }
        let unreadable = |error: io::Error| match error.kind() {
            // The walk shows bytes of a name that are not UTF-8 as `\xNN`, and such a name opens nothing.
            io::ErrorKind::NotFound if path.contains("\\x") => {
                LeftOut::Unreadable("its name is not valid UTF-8".to_owned())
            }
            kind => LeftOut::Unreadable(kind.to_string()),
        };
        let location = self.folder.join(relative).canonicalize().map_err(unreadable)?;
        if !location.starts_with(&self.folder) {
            return Err(LeftOut::Outside);
        }
        // Opening a pipe would wait for somebody to write to it.
        if !std::fs::metadata(&location).map_err(unreadable)?.is_file() {
            return Err(LeftOut::NotAFile);
        }
        let mut bytes = Vec::new();
        let file = std::fs::File::open(&location).map_err(unreadable)?;
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > limit {
            return Err(LeftOut::TooLarge { limit });
        }
        if bytes.contains(&0) {
            return Err(LeftOut::Binary);
        }
        String::from_utf8(bytes).map_err(|_| LeftOut::NotUtf8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_byte_for_byte_or_said_to_be_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
        write("good.txt", "\u{feff}a\r\nü".as_bytes());
        write("latin1.txt", b"caf\xe9\n");
        write("nul.bin", b"a\0b");
        std::fs::create_dir(dir.path().join("folder")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        let read = |path: &str| root.read(path, 10);
        assert_eq!(read("good.txt"), Content::Text("\u{feff}a\r\nü".to_owned()));
        assert_eq!(root.read("good.txt", 7), Content::Missing(LeftOut::TooLarge { limit: 7 }));
        assert_eq!(read("latin1.txt"), Content::Missing(LeftOut::NotUtf8));
        assert_eq!(read("nul.bin"), Content::Missing(LeftOut::Binary));
        assert_eq!(read("folder"), Content::Missing(LeftOut::NotAFile));
        assert_eq!(read("../x"), Content::Missing(LeftOut::Outside));
        assert_eq!(read("/etc/passwd"), Content::Missing(LeftOut::Outside));
        assert!(matches!(read("missing"), Content::Missing(LeftOut::Unreadable(_))));
        let Content::Missing(name) = read("caf\\xe9.txt") else { panic!("there is no such file") };
        assert_eq!(name.to_string(), "unreadable: its name is not valid UTF-8");
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_out() {
        use std::os::unix::fs::symlink;
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "x").unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("in"), "in").unwrap();
        symlink(outside.path().join("secret"), dir.path().join("file")).unwrap();
        symlink(outside.path(), dir.path().join("folder")).unwrap();
        symlink("in", dir.path().join("near")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        assert_eq!(root.read("file", 10), Content::Missing(LeftOut::Outside));
        assert_eq!(root.read("folder/secret", 10), Content::Missing(LeftOut::Outside));
        assert_eq!(root.read("near", 10), Content::Text("in".to_owned()));
    }
}
