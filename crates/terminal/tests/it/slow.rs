//! A viewer that does not keep up: others and the program notice nothing, and it is brought back.

use crate::{DEADLINE, House, ended, from_start, info, next, range, sh, until};
use std::time::Duration;
use terminal::{Attach, Emulator, RecordKind, State};

/// Resident memory of a process, in KiB.
fn resident(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_viewer_that_never_reads_holds_up_nobody_and_is_brought_back() {
    let house = House::new();
    let client = house.client().await;
    let pid = house.host_pid().await;
    let script = "read x; seq 1 2000000; echo all; read y";
    let started = client.start(sh("never", script)).await.unwrap();
    // On connections of their own: one takes nothing from its attachment, one does not even read its socket.
    let idle = terminal::Client::connect(&house.config).await.unwrap();
    let mut sleeper = idle.attach(Attach { window: 64 * 1024, ..from_start(&started) }).await.unwrap();
    let deaf = deaf_viewer(&house, &started.id);
    let mut quick = client.attach(from_start(&started)).await.unwrap();
    let before = resident(pid);
    client.input(&started.id, "me", 1, "\n").await.unwrap();
    let mut have = 0;
    let mut screen = Emulator::new(started.size, 1000);
    while !screen.text().contains("all\n") {
        let record = next(&mut quick).await.unwrap();
        match record.kind {
            RecordKind::Data => {
                assert_eq!(record.offset, have);
                have += record.bytes.len() as u64;
            }
            RecordKind::Snapshot { .. } => have = record.offset,
            RecordKind::Gap { to } => assert!(to > have && record.offset == have),
            _ => {}
        }
        if matches!(record.kind, RecordKind::Data | RecordKind::Snapshot { .. }) {
            screen.feed(&record.bytes);
        }
    }
    let grown = resident(pid).saturating_sub(before);
    assert!(grown < 24 * 1024, "the host grew by {grown} KiB");

    // The sleeper wakes: what it was sent is a little; then a gap, the screen as it is, and nothing twice.
    let mut at = 0;
    let gap = loop {
        let record = tokio::time::timeout(DEADLINE, sleeper.next()).await.unwrap().unwrap().unwrap();
        sleeper.consume(record.bytes.len()).await.unwrap();
        match record.kind {
            RecordKind::Data => {
                assert_eq!(record.offset, at);
                at += record.bytes.len() as u64;
            }
            RecordKind::Gap { to } => break (record.offset, to),
            _ => {}
        }
    };
    assert_eq!(gap.0, at);
    assert!(at <= 64 * 1024, "{at} bytes beyond the window");
    let snapshot = next(&mut sleeper).await.unwrap();
    assert!(matches!(snapshot.kind, RecordKind::Snapshot { .. }) && snapshot.offset == gap.1);
    let mut copy = Emulator::new(started.size, 1000);
    copy.feed(&snapshot.bytes);
    assert!(copy.text().contains("2000000\nall\n"), "{}", copy.text());

    // The skipped range can be had, byte for byte.
    // The terminal echoes the line end that was typed.
    let mut want = b"\r\n".to_vec();
    want.extend((1..=2_000_000).flat_map(|n: u32| format!("{n}\r\n").into_bytes()));
    let from = usize::try_from(gap.0).unwrap();
    let some = gap.0..(gap.0 + 3_000_000);
    let end = usize::try_from(some.end).unwrap();
    let fetched = range(&client, &started, some.start, some.end).await;
    assert!(fetched == want[from..end]);
    client.close(&started.id).await.unwrap();
    ended(&client, &started.id).await;
    drop(deaf);
}

/// Speaks the protocol by hand, attaches, and then never reads.
fn deaf_viewer(house: &House, terminal: &str) -> std::os::unix::net::UnixStream {
    use std::io::Write as _;
    use terminal::wire::frame::encode;
    use terminal::wire::{Call, ToHost};
    let token = std::fs::read_to_string(house.config.directory.join("terminal.token")).unwrap();
    let mut stream = std::os::unix::net::UnixStream::connect(house.config.socket()).unwrap();
    let attach =
        Attach { terminal: terminal.to_owned(), epoch: None, have: 0, window: 4 << 20, scrollback: true };
    let hello = ToHost::Hello { version: terminal::wire::VERSION, token };
    stream.write_all(&encode(&hello, b"").unwrap()).unwrap();
    for attachment in 1..=4 {
        let call = Call::Attach { attachment, attach: attach.clone() };
        stream.write_all(&encode(&ToHost::Call { id: attachment.into(), call }, b"").unwrap()).unwrap();
        stream.write_all(&encode(&ToHost::Credit { attachment, bytes: u64::MAX }, b"").unwrap()).unwrap();
    }
    stream
}

#[tokio::test]
async fn many_tiny_records_do_not_use_a_window_up() {
    const BYTES: u64 = 600;
    let house = House::new();
    let client = house.client().await;
    let started = client.start(sh("tiny0", "stty raw -echo; printf ready; exec cat")).await.unwrap();
    let before = "ready".len() as u64;
    until("raw mode", || async { info(&client, &started.id).await.head == before }).await;
    // A resize after each byte: records of one byte and of none.
    for n in 1..=BYTES {
        client.input(&started.id, "me", n, "x").await.unwrap();
        let at = before + n;
        until("the echo", || async {
            !client.history(&started.id, started.epoch, at - 1, at).await.unwrap().is_empty()
        })
        .await;
        let cols = 80 + u16::try_from(n % 2).unwrap();
        client.resize(&started.id, terminal::Size { cols, rows: 24 }).await.unwrap();
    }
    // This viewer reports what it has shown in larger pieces than there is output.
    let mut view = client.attach(Attach { window: 64 * 1024, ..from_start(&started) }).await.unwrap();
    let (mut at, mut records) = (0, 0);
    while at < before + BYTES {
        let record = tokio::time::timeout(DEADLINE, view.next()).await.unwrap().unwrap().unwrap();
        assert!(matches!(record.kind, RecordKind::Data | RecordKind::Resize { .. }), "{record:?}");
        at += record.bytes.len() as u64;
        records += 1;
    }
    assert!(records > 1024, "{records} records are no test");
    client.close(&started.id).await.unwrap();
    ended(&client, &started.id).await;
}

#[tokio::test]
async fn nothing_is_busy_after_the_end() {
    let house = House::new();
    let client = house.client().await;
    let pid = house.host_pid().await;
    // One program that ended, one that closed its terminal and lives on.
    let over = client.start(sh("over0", "seq 1 1000")).await.unwrap();
    let mut view = client.attach(from_start(&over)).await.unwrap();
    while next(&mut view).await.is_some() {}
    let quiet = client.start(sh("quiet", "exec sleep 1000 < /dev/null > /dev/null 2>&1")).await.unwrap();
    ended(&client, &over.id).await;
    until("some quiet", || async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = ticks(pid);
        tokio::time::sleep(Duration::from_secs(1)).await;
        // A spinning reader would take the whole second: 100 ticks.
        ticks(pid) - before <= 5
    })
    .await;
    client.close(&quiet.id).await.unwrap();
    let state = ended(&client, &quiet.id).await.state;
    assert!(matches!(state, State::Exited { .. }), "{state:?}");
}

/// CPU time that a process has used, in hundredths of a second.
fn ticks(pid: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
