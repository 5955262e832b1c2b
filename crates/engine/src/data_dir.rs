//! Where an engine keeps its files, and the lock that makes it the only one there.
//!
//! `PLANTOCODE_HOME` puts everything below one folder; otherwise the system's own places are used. All folders
//! are readable by their user only.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The version of the layout. A directory with a higher one was made by a newer program.
const FORMAT: u32 = 1;

/// The folders of one engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDir {
    /// What cannot be made again: the database.
    pub data: PathBuf,
    /// What belongs to this machine and run: lock, socket, tokens, logs.
    pub state: PathBuf,
    /// What the user edits.
    pub config: PathBuf,
    /// What can be made again.
    pub cache: PathBuf,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// The system names no home folder.
    #[error("there is no home folder; set PLANTOCODE_HOME to a folder of your own")]
    NoHome,
    /// A folder or file in it cannot be made or read.
    #[error("{path} cannot be used: {source}")]
    Unusable {
        /// What.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A newer program has used it.
    #[error("{path} was made by a newer version of this program; nothing was changed")]
    Newer {
        /// What.
        path: String,
    },
    /// Another engine uses it now.
    #[error("another engine uses {path} now")]
    Busy {
        /// What.
        path: String,
    },
}

impl DataDir {
    /// The folders for this user; `home` is the value of `PLANTOCODE_HOME`, if set.
    ///
    /// # Errors
    /// [`DataDirError::NoHome`].
    pub fn resolve(home: Option<&str>) -> Result<DataDir, DataDirError> {
        if let Some(home) = home {
            let home = Path::new(home);
            let below = |name: &str| home.join(name);
            return Ok(DataDir {
                data: below("data"),
                state: below("state"),
                config: below("config"),
                cache: below("cache"),
            });
        }
        let dirs = directories::ProjectDirs::from("", "", "plantocode").ok_or(DataDirError::NoHome)?;
        Ok(DataDir {
            data: dirs.data_local_dir().to_owned(),
            state: dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).join("state"),
            config: dirs.config_local_dir().to_owned(),
            cache: dirs.cache_dir().to_owned(),
        })
    }

    /// The engine's database.
    pub fn database(&self) -> PathBuf {
        self.data.join("engine.db")
    }

    /// The logs of terminals, which the terminal host owns.
    pub fn terminal_log(&self) -> PathBuf {
        self.data.join("terminals.db")
    }

    /// How the terminal host of this directory is reached, or started by `executable`.
    pub(crate) fn terminal_host(&self, executable: PathBuf) -> terminal::HostConfig {
        terminal::HostConfig::new(self.state.join("terminals"), self.terminal_log(), executable)
    }

    /// The Unix socket of the engine that runs here.
    pub fn socket(&self) -> PathBuf {
        self.state.join("engine.sock")
    }

    /// Makes the folders and takes the lock.
    ///
    /// # Errors
    /// [`DataDirError::Busy`] when another engine runs here; other variants when the folders cannot be used.
    pub fn lock(&self) -> Result<DataDirLock, DataDirError> {
        for folder in [&self.data, &self.state, &self.config, &self.cache] {
            private_folder(folder).map_err(|source| unusable(folder, source))?;
        }
        let path = self.state.join("engine.lock");
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let file = options.open(&path).map_err(|source| unusable(&path, source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataDirError::Busy { path: self.data.display().to_string() });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(&path, source)),
        }
        self.check_format()?;
        Ok(DataDirLock { _file: file, dir: self.clone() })
    }

    fn check_format(&self) -> Result<(), DataDirError> {
        let path = self.data.join("format");
        match std::fs::read_to_string(&path) {
            Ok(text) if text.trim().parse::<u32>().is_ok_and(|format| format <= FORMAT) => Ok(()),
            Ok(_) => Err(DataDirError::Newer { path: self.data.display().to_string() }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                std::fs::write(&path, format!("{FORMAT}\n")).map_err(|source| unusable(&path, source))
            }
            Err(source) => Err(unusable(&path, source)),
        }
    }
}

fn unusable(path: &Path, source: io::Error) -> DataDirError {
    DataDirError::Unusable { path: path.display().to_string(), source }
}

pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Writes a file that only this user can read, replacing what stood there.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    let fresh = path.with_extension("new");
    match std::fs::remove_file(&fresh) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut options = OpenOptions::new();
    // `create_new` neither follows a link nor opens a file that someone else has prepared.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)
}

/// The right to be the engine of a data directory; given up when dropped, also when the process dies.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
    dir: DataDir,
}

impl DataDirLock {
    /// The directory that is locked.
    pub fn dir(&self) -> &DataDir {
        &self.dir
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_engine_per_directory_and_none_for_newer_data() {
        let home = tempfile::tempdir().unwrap();
        let dir = DataDir::resolve(home.path().to_str()).unwrap();
        let lock = dir.lock().unwrap();
        assert!(matches!(dir.lock(), Err(DataDirError::Busy { .. })));
        drop(lock);
        drop(dir.lock().unwrap());
        std::fs::write(dir.data.join("format"), "2\n").unwrap();
        assert!(matches!(dir.lock(), Err(DataDirError::Newer { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_read() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let dir = DataDir::resolve(home.path().to_str()).unwrap();
        let _lock = dir.lock().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir.data), 0o700);
        let file = dir.state.join("secret");
        write_private(&file, "one").unwrap();
        write_private(&file, "two").unwrap();
        assert_eq!((mode(&file), std::fs::read_to_string(&file).unwrap().as_str()), (0o600, "two"));
    }
}
