use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A Redis of this test's own: temporary directory, free port, nothing kept on disk, stopped on drop.
#[derive(Debug)]
pub struct Redis {
    server: Child,
    port: u16,
    directory: TempDir,
}

impl Redis {
    /// Starts a server; panics with a clear sentence when Redis is not installed.
    pub fn start() -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a port is free").port();
        let mut this = Self { server: serve(&directory, port), port, directory };
        this.wait_until_ready();
        this
    }

    /// Connection URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it at once. What it knew is lost.
    pub fn kill(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }

    /// Starts it again at the same address, empty.
    pub fn restart(&mut self) {
        self.kill();
        self.server = serve(&self.directory, self.port);
        self.wait_until_ready();
    }

    /// Lets it hang without closing its connections, or lets it go on.
    pub fn hang(&self, hanging: bool) {
        let signal = if hanging { "-STOP" } else { "-CONT" };
        let sent = Command::new("kill").args([signal, &self.server.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "a signal can be sent");
    }

    /// Runs a command and returns what `redis-cli` prints.
    pub fn command(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(words)
            .output()
            .expect("redis-cli is installed (package redis-tools)");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn wait_until_ready(&mut self) {
        let start = Instant::now();
        loop {
            if let Ok(Some(status)) = self.server.try_wait() {
                panic!("redis-server ended at once ({status})");
            }
            let ping = Command::new("redis-cli").args(["-p", &self.port.to_string(), "ping"]).output();
            if ping.expect("redis-cli is installed (package redis-tools)").stdout.starts_with(b"PONG") {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "redis-server does not become ready");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn serve(directory: &TempDir, port: u16) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .arg("--dir")
        .arg(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed (package redis-server)")
}
