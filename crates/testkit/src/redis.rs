use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A Redis of this test's own: temporary directory, free port, nothing kept on disk, stopped on drop.
#[derive(Debug)]
pub struct Redis {
    server: Child,
    port: u16,
    directory: TempDir,
    /// Certificate and key are in its directory, and it wants [`Redis::PASSWORD`].
    tls: bool,
}

impl Redis {
    /// What a server with TLS wants to be told.
    pub const PASSWORD: &str = "a-password-of-a-test";

    /// Starts a server; panics with a clear sentence when Redis is not installed.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts a server that speaks TLS alone, with this certificate and key (PEM), and wants a password.
    pub fn start_tls(certificate: &str, key: &str) -> Self {
        Self::start_with(Some((certificate, key)))
    }

    fn start_with(tls: Option<(&str, &str)>) -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a port is free").port();
        if let Some((certificate, key)) = tls {
            std::fs::write(directory.path().join("cert.pem"), certificate).expect("a file can be written");
            std::fs::write(directory.path().join("key.pem"), key).expect("a file can be written");
        }
        let tls = tls.is_some();
        let mut this = Self { server: serve(&directory, port, tls), port, directory, tls };
        this.wait_until_ready();
        this
    }

    /// Connection URL.
    pub fn url(&self) -> String {
        match self.tls {
            false => format!("redis://127.0.0.1:{}", self.port),
            true => format!("rediss://:{}@127.0.0.1:{}", Self::PASSWORD, self.port),
        }
    }

    /// Ends it at once. What it knew is lost.
    pub fn kill(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }

    /// Starts it again at the same address, empty.
    pub fn restart(&mut self) {
        self.kill();
        self.server = serve(&self.directory, self.port, self.tls);
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
        let output = self.client(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn client(&self, words: &[&str]) -> Output {
        let mut client = Command::new("redis-cli");
        client.args(["-p", &self.port.to_string()]);
        if self.tls {
            client.args(["--tls", "--insecure", "--no-auth-warning", "-a", Self::PASSWORD]);
        }
        client.args(words).output().expect("redis-cli is installed (package redis-tools)")
    }

    fn wait_until_ready(&mut self) {
        let start = Instant::now();
        loop {
            if let Ok(Some(status)) = self.server.try_wait() {
                panic!("redis-server ended at once ({status})");
            }
            if self.client(&["ping"]).stdout.starts_with(b"PONG") {
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

fn serve(directory: &TempDir, port: u16, tls: bool) -> Child {
    let mut server = Command::new("redis-server");
    server.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]).arg(directory.path());
    match tls {
        false => server.args(["--port", &port.to_string()]),
        true => server
            .args(["--port", "0", "--tls-port", &port.to_string(), "--tls-auth-clients", "no"])
            .args(["--requirepass", Redis::PASSWORD, "--tls-cert-file"])
            .arg(directory.path().join("cert.pem"))
            .arg("--tls-key-file")
            .arg(directory.path().join("key.pem")),
    };
    server
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed (package redis-server)")
}
