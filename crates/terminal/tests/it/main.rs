//! Real hosts, real pseudo-terminals, real programs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

mod attach;
mod fuzz;
mod house;
mod input;
mod lifetime;
mod quota;
mod screen;
mod slow;

use std::path::Path;
use std::time::{Duration, Instant};
use terminal::{Attach, Attachment, Client, HostConfig, Info, Record, RecordKind, Size, Start, State};

/// Longer than anything takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A directory with a host of its own, which ends soon after the test.
pub(crate) struct House {
    dir: tempfile::TempDir,
    pub config: HostConfig,
}

impl House {
    pub(crate) fn new() -> House {
        let dir = tempfile::tempdir().unwrap();
        let mut config = HostConfig::new(
            dir.path().join("host"),
            dir.path().join("terminals.db"),
            env!("CARGO_BIN_EXE_terminal-host").into(),
        );
        config.idle = Duration::from_millis(500);
        House { dir, config }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect_or_start(&self.config).await.unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// The process that answers at the socket.
    pub(crate) async fn host_pid(&self) -> i32 {
        let stream = tokio::net::UnixStream::connect(self.config.socket()).await.unwrap();
        stream.peer_cred().unwrap().pid().unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // What a failed test left running would keep the host, and the host its directory.
        let socket = self.config.socket();
        for pid in processes_with(&self.config.directory) {
            if socket.exists() {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
        }
    }
}

/// Hosts that were started for this directory.
fn processes_with(directory: &Path) -> Vec<rustix::process::Pid> {
    let needle = directory.display().to_string();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            words.get(1) == Some(&&b"terminal-host"[..]) && words.contains(&needle.as_bytes())
        })
        .filter_map(rustix::process::Pid::from_raw)
        .collect()
}

pub(crate) const SIZE: Size = Size { cols: 80, rows: 24 };

/// A start of `sh -c script`.
pub(crate) fn sh(id: &str, script: &str) -> Start {
    Start {
        id: format!("00000000-{id}"),
        command: Some(vec!["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()]),
        cwd: "/".to_owned(),
        env: terminal::own_environment(),
        size: SIZE,
        title: id.to_owned(),
        label: "{}".to_owned(),
        scrollback: 1000,
    }
}

pub(crate) fn from_start(info: &Info) -> Attach {
    Attach { terminal: info.id.clone(), epoch: Some(info.epoch), have: 0, window: 1 << 20, scrollback: true }
}

/// Waits for something that will come.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < DEADLINE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn info(client: &Client, id: &str) -> Info {
    client.list().await.unwrap().into_iter().find(|info| info.id == id).unwrap()
}

pub(crate) async fn ended(client: &Client, id: &str) -> Info {
    until("the end of a terminal", || async { info(client, id).await.state != State::Running }).await;
    info(client, id).await
}

/// The next record, consumed.
pub(crate) async fn next(attachment: &mut Attachment) -> Option<Record> {
    let record = tokio::time::timeout(DEADLINE, attachment.next()).await.unwrap().unwrap()?;
    attachment.consume(record.bytes.len()).await.unwrap();
    Some(record)
}

/// The whole log, by `history`.
pub(crate) async fn log(client: &Client, info: &Info) -> Vec<u8> {
    range(client, info, info.log_start, info.head).await
}

pub(crate) async fn range(client: &Client, info: &Info, from: u64, to: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while from + (bytes.len() as u64) < to {
        let more = client.history(&info.id, info.epoch, from + bytes.len() as u64, to).await.unwrap();
        assert!(!more.is_empty(), "the log has a hole at {}", from + bytes.len() as u64);
        bytes.extend_from_slice(&more);
    }
    bytes
}

/// Reads data until `needle` is seen, and returns everything.
pub(crate) async fn read_until(attachment: &mut Attachment, needle: &str) -> Vec<u8> {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(needle) {
        let record = next(attachment).await.unwrap_or_else(|| panic!("ended before {needle:?}"));
        if record.kind == RecordKind::Data {
            seen.extend_from_slice(&record.bytes);
        }
    }
    seen
}

/// A generator of test numbers.
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }
}
