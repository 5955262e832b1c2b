use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A keyring of this test's own: GNOME's, unlocked, on a private message bus. Both end when this is dropped.
#[derive(Debug)]
pub struct Keyring {
    bus: Child,
    daemon: Child,
    address: String,
    _directory: TempDir,
}

/// How long the keyring may take to be there.
const PATIENCE: Duration = Duration::from_secs(20);

impl Keyring {
    /// Starts it; panics with a clear sentence when it is not installed.
    pub fn start() -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let mut bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address=1"])
            .arg(format!("--address=unix:path={}", directory.path().join("bus").display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon can be started: install the package dbus");
        let mut address = String::new();
        let out = bus.stdout.take().expect("its output is a pipe");
        BufReader::new(out).read_line(&mut address).expect("the bus says its address");
        let address = address.trim().to_owned();
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .arg(format!("--control-directory={}", directory.path().join("control").display()))
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .env("HOME", directory.path())
            .env("XDG_DATA_HOME", directory.path().join("data"))
            .env("XDG_RUNTIME_DIR", directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon can be started: install the package gnome-keyring");
        let mut password = daemon.stdin.take().expect("its input is a pipe");
        password.write_all(b"the password of a test").expect("the keyring takes its password");
        drop(password);
        let this = Self { bus, daemon, address, _directory: directory };
        let begun = Instant::now();
        while !this.is_there() {
            assert!(begun.elapsed() < PATIENCE, "the keyring never came to the bus");
            std::thread::sleep(Duration::from_millis(20));
        }
        this
    }

    /// What a program needs in its environment to find it.
    pub fn variable(&self) -> (&'static str, &str) {
        ("DBUS_SESSION_BUS_ADDRESS", &self.address)
    }

    fn is_there(&self) -> bool {
        let asked = Command::new("dbus-send")
            .args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
            .args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"])
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .output()
            .expect("dbus-send can be started: install the package dbus");
        String::from_utf8_lossy(&asked.stdout).contains("true")
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        for child in [&mut self.daemon, &mut self.bus] {
            drop(child.kill());
            drop(child.wait());
        }
    }
}
