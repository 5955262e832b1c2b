//! The data directory: `master.key`, `config.toml`, and by default `server.db`.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::ServerError;
use crate::env::Env;
use crate::vault::MasterKey;

/// Environment variable that holds the master key instead of the file, 64 hex digits.
const MASTER_KEY_VARIABLE: &str = "PLANTOCODE_MASTER_KEY";

/// A master key that is not used yet.
const NEXT_MASTER_KEY: &str = "master.key.next";

/// Makes the directory, readable by its owner alone.
pub(crate) fn create(data: &Path) -> Result<(), ServerError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data).map_err(|error| ServerError::Setup(format!("{}: {error}", data.display())))
}

/// The master key from environment or file. `Some(path)` if it has just been made.
pub(crate) fn master_key(data: &Path, env: &Env) -> Result<(MasterKey, Option<PathBuf>), ServerError> {
    if let Ok(text) = std::env::var(MASTER_KEY_VARIABLE) {
        let key = MasterKey::from_hex(text.trim());
        return Ok((key.ok_or_else(|| broken(MASTER_KEY_VARIABLE))?, None));
    }
    let path = data.join("master.key");
    match fs::read_to_string(&path) {
        Ok(text) => {
            let key = MasterKey::from_hex(text.trim());
            Ok((key.ok_or_else(|| broken(&path.display().to_string()))?, None))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let bytes = env.random::<32>()?;
            write_new(&path, hex::encode(bytes).as_bytes())?;
            Ok((MasterKey::new(bytes), Some(path)))
        }
        Err(error) => Err(ServerError::Setup(format!("{}: {error}", path.display()))),
    }
}

/// A new master key beside the old one, in a file that is not used yet.
pub(crate) fn next_master_key(data: &Path, env: &Env) -> Result<MasterKey, ServerError> {
    if std::env::var_os(MASTER_KEY_VARIABLE).is_some() {
        let message =
            format!("the master key comes from {MASTER_KEY_VARIABLE}, so there is no file to change");
        return Err(ServerError::Config(message));
    }
    let path = data.join(NEXT_MASTER_KEY);
    if path.exists() {
        // What an earlier change that did not come to its end has left. Nothing is sealed under it, or the old key would not
        // have opened everything.
        fs::remove_file(&path).map_err(|error| ServerError::Setup(format!("{}: {error}", path.display())))?;
    }
    let bytes = env.random::<32>()?;
    write_new(&path, hex::encode(bytes).as_bytes())?;
    Ok(MasterKey::new(bytes))
}

/// Puts the new master key in the place of the old one, which is kept under another name. The place of the old one.
pub(crate) fn use_next_master_key(data: &Path, now_ms: i64) -> Result<PathBuf, ServerError> {
    let (current, old) = (data.join("master.key"), data.join(format!("master.key.until-{now_ms}")));
    let rename = || {
        fs::rename(&current, &old)?;
        fs::rename(data.join(NEXT_MASTER_KEY), &current)
    };
    rename().map_err(|error: std::io::Error| {
        let place = data.display();
        ServerError::Setup(format!(
            "everything is sealed under {place}/{NEXT_MASTER_KEY} now, and it could not be renamed to master.key ({error}): \
             rename it by hand"
        ))
    })?;
    Ok(old)
}

fn broken(place: &str) -> ServerError {
    ServerError::Config(format!("{place} must hold 64 hex digits"))
}

/// Writes a file that only its owner can read; refuses to replace one or to follow a link.
fn write_new(path: &Path, content: &[u8]) -> Result<(), ServerError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || {
        let mut file = options.open(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(|error: std::io::Error| ServerError::Setup(format!("{}: {error}", path.display())))
}

/// Writes the commented configuration if there is none.
pub(crate) fn write_config(data: &Path) -> Result<(), ServerError> {
    let path = data.join("config.toml");
    if path.exists() {
        return Ok(());
    }
    write_new(&path, crate::config::EXAMPLE.as_bytes())
}
