//! Where a host lives and what it may keep.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// How much of the terminals' output is kept, in bytes as stored (compressed). The oldest output goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Of one terminal.
    pub per_terminal: u64,
    /// Of all together.
    pub total: u64,
}

impl Default for Quota {
    fn default() -> Quota {
        Quota { per_terminal: 64 << 20, total: 1 << 30 }
    }
}

/// A host: the same values give the same host, to clients and to the host itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostConfig {
    /// Holds socket, token and lock. Made with mode 0700; refused when it belongs to someone else or is looser. Its
    /// path must leave room for a socket name within 107 bytes.
    pub directory: PathBuf,
    /// The log's database, `terminals.db`.
    pub database: PathBuf,
    /// The program that becomes the host when it is started with `terminal-host` as its first argument.
    pub executable: PathBuf,
    /// With no terminal running and no client, the host ends after this time.
    pub idle: Duration,
    /// How much output is kept.
    pub quota: Quota,
    /// Whether programs inside a terminal may connect to the host. This keeps honest programs apart; it is no
    /// boundary against one that wants to get around it.
    pub allow_descendants: bool,
}

impl HostConfig {
    /// The usual values: 30 s, 64 MiB per terminal, 1 GiB in all, no connections from inside.
    pub fn new(directory: PathBuf, database: PathBuf, executable: PathBuf) -> HostConfig {
        HostConfig {
            directory,
            database,
            executable,
            idle: Duration::from_secs(30),
            quota: Quota::default(),
            allow_descendants: false,
        }
    }

    /// The socket's path.
    pub fn socket(&self) -> PathBuf {
        self.directory.join("terminal.sock")
    }

    pub(crate) fn token(&self) -> PathBuf {
        self.directory.join("terminal.token")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.directory.join("terminal.lock")
    }

    /// The arguments after which [`HostConfig::from_arguments`] returns the same.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["terminal-host".into()];
        let mut pair = |name: &str, value: OsString| arguments.extend([name.into(), value]);
        pair("--dir", self.directory.clone().into());
        pair("--database", self.database.clone().into());
        pair("--idle-ms", self.idle.as_millis().to_string().into());
        pair("--quota", self.quota.per_terminal.to_string().into());
        pair("--quota-total", self.quota.total.to_string().into());
        pair("--allow-descendants", u8::from(self.allow_descendants).to_string().into());
        arguments
    }

    /// Reads what follows `terminal-host` on a command line; none when it is not understood.
    pub(crate) fn from_arguments(mut arguments: impl Iterator<Item = OsString>) -> Option<HostConfig> {
        let mut config = HostConfig::new(PathBuf::new(), PathBuf::new(), PathBuf::new());
        while let Some(name) = arguments.next() {
            let value = arguments.next()?;
            let number = || value.to_str()?.parse::<u64>().ok();
            match name.to_str()? {
                "--dir" => config.directory = value.into(),
                "--database" => config.database = value.into(),
                "--idle-ms" => config.idle = Duration::from_millis(number()?),
                "--quota" => config.quota.per_terminal = number()?,
                "--quota-total" => config.quota.total = number()?,
                "--allow-descendants" => config.allow_descendants = number()? != 0,
                _ => return None,
            }
        }
        let complete = config.directory.is_absolute() && config.database.is_absolute();
        complete.then_some(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_carry_every_value() {
        let mut config = HostConfig::new("/a/b".into(), "/c/terminals.db".into(), PathBuf::new());
        config.idle = Duration::from_millis(1234);
        config.quota = Quota { per_terminal: 5, total: 6 };
        config.allow_descendants = true;
        let arguments = config.arguments();
        assert_eq!(arguments[0], "terminal-host");
        assert_eq!(HostConfig::from_arguments(arguments.into_iter().skip(1)), Some(config));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let read = |text: &str| HostConfig::from_arguments(text.split_whitespace().map(OsString::from));
        assert_eq!(read("--dir /a"), None);
        assert_eq!(read("--dir a --database /b"), None);
        assert_eq!(read("--dir /a --database /b --quota"), None);
        assert_eq!(read("--dir /a --database /b --what 1"), None);
        assert!(read("--dir /a --database /b").is_some());
    }
}
