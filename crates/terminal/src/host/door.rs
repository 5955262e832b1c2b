//! Who may come in: a directory of our own, one host per directory, a token, and a look at the other end.

use super::process;
use crate::{Env, HostConfig, Result, TerminalError};
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

const NO_FOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits() as i32;

/// The host's place in the file system. Socket and token go when it is dropped; the lock goes with the process.
pub(super) struct Door {
    socket: PathBuf,
    token_file: PathBuf,
    token: String,
    _lock: File,
}

impl Door {
    /// Takes the directory, makes a new token.
    pub(super) fn open(config: &HostConfig, env: &Env) -> Result<Door> {
        check_directory(&config.directory)?;
        let failed = |what: &'static str| move |e| TerminalError::failed(what, e);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(NO_FOLLOW)
            .open(config.lock())
            .map_err(failed("the terminal host's lock cannot be opened"))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(TerminalError::Refused("another terminal host serves this directory".to_owned()));
        }
        // Whoever has the lock owns what stands here; a host that was killed left it.
        for leftover in [config.token(), config.socket()] {
            match std::fs::remove_file(&leftover) {
                Err(e) if e.kind() != ErrorKind::NotFound => {
                    return Err(TerminalError::failed("a dead terminal host's file cannot be removed", e));
                }
                _ => {}
            }
        }
        let token = env.token();
        OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .custom_flags(NO_FOLLOW)
            .open(config.token())
            .and_then(|mut file| file.write_all(token.as_bytes()))
            .map_err(failed("the terminal host's token cannot be written"))?;
        // SQLite gives its other files the mode of the first.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&config.database)
            .map_err(failed("the terminals' log cannot be opened"))?;
        Ok(Door { socket: config.socket(), token_file: config.token(), token, _lock: lock })
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn listen(&self) -> Result<UnixListener> {
        UnixListener::bind(&self.socket)
            .map_err(|e| TerminalError::failed("the terminal host's socket cannot be opened", e))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        for file in [&self.socket, &self.token_file] {
            if let Err(error) = std::fs::remove_file(file) {
                tracing::debug!(%error, "a file of the terminal host was removed by someone else");
            }
        }
    }
}

/// Makes the directory, or refuses one that others could reach into.
fn check_directory(directory: &Path) -> Result<()> {
    if let Err(e) = DirBuilder::new().recursive(true).mode(0o700).create(directory) {
        return Err(TerminalError::failed("the terminal host's directory cannot be made", e));
    }
    is_private(directory)
}

/// Whether a directory is a real one, ours, and closed to others.
pub(crate) fn is_private(directory: &Path) -> Result<()> {
    let refused = |why: &str| Err(TerminalError::Refused(format!("the terminal host's directory {why}")));
    let Ok(meta) = std::fs::symlink_metadata(directory) else { return refused("cannot be looked at") };
    if !meta.is_dir() {
        return refused("is not a directory");
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return refused("belongs to someone else");
    }
    if meta.mode() & 0o077 != 0 {
        return refused("is open to others; it needs mode 0700");
    }
    Ok(())
}

/// Reads the token, as a client.
pub(crate) fn read_token(path: &Path) -> std::io::Result<String> {
    let file = OpenOptions::new().read(true).custom_flags(NO_FOLLOW).open(path)?;
    let meta = file.metadata()?;
    if meta.uid() != rustix::process::geteuid().as_raw() || meta.mode() & 0o077 != 0 {
        return Err(std::io::Error::new(ErrorKind::PermissionDenied, "the token is not ours alone"));
    }
    let mut token = String::new();
    file.take(256).read_to_string(&mut token)?;
    Ok(token)
}

/// Whether the process at the other end runs as the same user.
pub(crate) fn is_own(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw())
}

/// Whether the process at the other end runs inside one of the terminals whose programs are `children`: by descent,
/// or by session, which a program keeps when its parent ends.
pub(super) fn is_inside(stream: &UnixStream, children: &[i32]) -> bool {
    let Some(mut pid) = stream.peer_cred().ok().and_then(|peer| peer.pid()) else { return false };
    // A chain of parents is short; the bound keeps a changing one from holding us.
    for _ in 0..64 {
        let Some(process) = process::look(pid) else { return false };
        if children.contains(&pid) || children.contains(&process.session) {
            return true;
        }
        pid = process.parent;
    }
    false
}

/// Compares without telling by its time where two tokens differ.
pub(super) fn is_token(given: &str, token: &str) -> bool {
    given.len() == token.len() && given.bytes().zip(token.bytes()).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
}
