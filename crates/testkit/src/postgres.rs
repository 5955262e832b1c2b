use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A PostgreSQL of this test's own: temporary directory, free port, stopped on drop.
#[derive(Debug)]
pub struct Postgres {
    server: Child,
    port: u16,
    binaries: PathBuf,
    // Removed after the server has stopped.
    _directory: TempDir,
}

const USER: &str = "plantocode";

impl Postgres {
    /// Starts a server; panics with a clear sentence when PostgreSQL is not installed.
    pub fn start() -> Self {
        let binaries = binaries();
        let owner = owner();
        let directory = TempDir::new().expect("a temporary directory can be made");
        let data = directory.path().join("data");
        if let Some((user, group)) = owner {
            #[cfg(unix)]
            std::os::unix::fs::chown(directory.path(), Some(user), Some(group))
                .expect("root can give a directory away");
            #[cfg(not(unix))]
            let _ = (user, group);
        }
        let mut initdb = command(&binaries, "initdb", owner, directory.path());
        initdb
            .args(["--username", USER, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(&data);
        let output = initdb.output().expect("initdb can be started");
        assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a port is free").port();
        let mut postgres = command(&binaries, "postgres", owner, directory.path());
        postgres.arg("-D").arg(&data).arg("-k").arg(directory.path()).args(["-p", &port.to_string()]);
        postgres.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=60"]);
        let log = std::fs::File::create(directory.path().join("log")).expect("a log file can be made");
        postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let server = postgres.spawn().expect("postgres can be started");
        let mut this = Self { server, port, binaries, _directory: directory };
        this.wait_until_ready();
        this
    }

    /// Connection URL of the database that exists from the beginning.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Makes a new, empty database and returns its connection URL.
    pub fn database(&self, name: &str) -> String {
        let output = self.client("createdb").arg(name).output().expect("createdb can be started");
        assert!(output.status.success(), "createdb failed: {}", String::from_utf8_lossy(&output.stderr));
        self.url_of(name)
    }

    /// The whole content of a database as SQL text, for searching.
    pub fn dump(&self, name: &str) -> String {
        let output = self.client("pg_dump").arg(name).output().expect("pg_dump can be started");
        assert!(output.status.success(), "pg_dump failed: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs SQL statements.
    pub fn execute(&self, name: &str, sql: &str) {
        let mut psql = self.client("psql");
        let output = psql
            .args(["-v", "ON_ERROR_STOP=1", "-q", "-c", sql, name])
            .output()
            .expect("psql can be started");
        assert!(output.status.success(), "psql failed: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// What a query answers: one line for each row, columns separated by `|`.
    pub fn query(&self, name: &str, sql: &str) -> String {
        let output =
            self.client("psql").args(["-A", "-t", "-c", sql, name]).output().expect("psql can be started");
        assert!(output.status.success(), "psql failed: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn url_of(&self, name: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{name}", self.port)
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", USER]);
        command
    }

    fn wait_until_ready(&mut self) {
        let start = Instant::now();
        loop {
            if let Ok(Some(status)) = self.server.try_wait() {
                let log = std::fs::read_to_string(self._directory.path().join("log")).unwrap_or_default();
                panic!("postgres ended at once ({status}):\n{log}");
            }
            let ready =
                self.client("pg_isready").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
            if ready {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "postgres does not become ready");
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT: disconnects its clients and stops in order, so that no shared memory is left behind.
        let _ = Command::new("kill").args(["-INT", &self.server.id().to_string()]).status();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) {
            if matches!(self.server.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The newest installation of the system's packages, otherwise whatever is on the path.
fn binaries() -> PathBuf {
    let packaged = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut candidates: Vec<PathBuf> = packaged.map(|entry| entry.path().join("bin")).collect();
    candidates.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    candidates.splice(0..0, std::env::split_paths(&path).collect::<Vec<_>>().into_iter().rev());
    let complete = |directory: &&PathBuf| {
        ["initdb", "postgres", "pg_isready", "createdb", "pg_dump", "psql"]
            .iter()
            .all(|name| directory.join(name).exists())
    };
    candidates.iter().rev().find(complete).cloned().unwrap_or_else(|| {
        panic!(
            "PostgreSQL is not installed: `initdb` and `postgres` are needed (package `postgresql` on Debian)"
        )
    })
}

/// PostgreSQL refuses to run as root: there it runs as the user its package made.
fn owner() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    match (id(&["-u", "postgres"]), id(&["-g", "postgres"])) {
        (Some(user), Some(group)) => Some((user, group)),
        _ => panic!("PostgreSQL does not run as root and there is no user `postgres` to run it as"),
    }
}

fn command(binaries: &Path, program: &str, owner: Option<(u32, u32)>, directory: &Path) -> Command {
    let mut command = Command::new(binaries.join(program));
    command.current_dir(directory);
    #[cfg(unix)]
    if let Some((user, group)) = owner {
        use std::os::unix::process::CommandExt as _;
        command.uid(user).gid(group);
    }
    #[cfg(not(unix))]
    let _ = owner;
    command
}
