//! What the durable path costs: CPU per byte with and without the screen emulator, and what is stored of a byte.
//!
//! `cargo run --release -p terminal --example throughput`
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement is read by a person"
)]

use std::time::Duration;
use terminal::{Client, Emulator, HostConfig, Size, Start, State};

/// Input of each measurement, in bytes.
const INPUT: usize = 64 << 20;

/// CPU time of a process, in seconds.
fn cpu(pid: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    let ticks: u32 = fields[11].parse::<u32>().unwrap() + fields[12].parse::<u32>().unwrap();
    f64::from(ticks) / 100.0
}

/// Lines as a build or a search prints them.
fn text() -> Vec<u8> {
    let words = [
        "compiling",
        "error:",
        "warning:",
        "crate",
        "src/main.rs",
        "finished",
        "unused",
        "import",
        "test",
        "ok",
    ];
    let mut bytes = Vec::new();
    let mut n: u64 = 1;
    while bytes.len() < INPUT {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = |shift: u32| words[(n >> shift) as usize % words.len()];
        let line =
            format!("{:>6} {} {} {} {}\r\n", (n >> 33) % 100_000, word(13), word(23), word(37), word(47));
        bytes.extend_from_slice(line.as_bytes());
    }
    bytes
}

/// The same with colours and cursor movements.
fn ansi() -> Vec<u8> {
    let mut bytes = Vec::new();
    for (n, line) in text().chunks(40).enumerate() {
        if bytes.len() >= INPUT {
            break;
        }
        let at = format!("\x1b[{};{}H\x1b[38;5;{}m", n % 24 + 1, n * 7 % 60 + 1, n * 13 % 256);
        bytes.extend_from_slice(at.as_bytes());
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\x1b[0m");
    }
    bytes
}

#[tokio::main]
async fn main() {
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let dir = std::env::temp_dir().join(format!("terminal-throughput-{}", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    // The host stands beside this example's folder.
    let host = std::env::current_exe().unwrap().parent().unwrap().with_file_name("terminal-host");
    let config = HostConfig::new(dir.join("host"), dir.join("terminals.db"), host);
    let client = Client::connect_or_start(&config).await.unwrap();
    let stream = tokio::net::UnixStream::connect(config.socket()).await.unwrap();
    let pid = stream.peer_cred().unwrap().pid().unwrap().to_string();
    drop(stream);
    println!("{profile} profile, {} MiB each", INPUT >> 20);
    let mut before = 0;
    for (name, bytes) in [("text", text()), ("ansi", ansi())] {
        let file = dir.join(name);
        std::fs::write(&file, &bytes).unwrap();
        let began = cpu("self");
        let mut emulator = Emulator::new(Size { cols: 80, rows: 24 }, 1000);
        for piece in bytes.chunks(32 * 1024) {
            emulator.feed(piece);
        }
        let emulation = cpu("self") - began;
        let began = cpu(&pid);
        let start = Start {
            id: format!("throughput-{name}"),
            command: Some(vec![
                "/bin/sh".into(),
                "-c".into(),
                format!("stty -opost -echo; exec cat {file:?}"),
            ]),
            cwd: "/".into(),
            env: terminal::own_environment(),
            size: Size { cols: 80, rows: 24 },
            title: name.into(),
            label: String::new(),
            scrollback: 1000,
        };
        let id = client.start(start).await.unwrap().id;
        let end = loop {
            let info = client.list().await.unwrap().into_iter().find(|info| info.id == id).unwrap();
            if info.state != State::Running {
                break info;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let whole = cpu(&pid) - began;
        assert_eq!(end.head, bytes.len() as u64);
        let on_disk: u64 = ["terminals.db", "terminals.db-wal"]
            .iter()
            .map(|name| std::fs::metadata(dir.join(name)).map_or(0, |meta| meta.len()))
            .sum();
        let megabytes = bytes.len() as f64 / 1e6;
        println!(
            "{name}: host {whole:.2} s CPU, {:.1} MB/s; emulator alone {emulation:.2} s; without it about {:.1} MB/s; \
             stored {:.3} per byte",
            megabytes / whole,
            megabytes / (whole - emulation).max(0.01),
            (on_disk - before) as f64 / bytes.len() as f64,
        );
        before = on_disk;
    }
    drop(client);
    std::fs::remove_dir_all(&dir).unwrap();
}
