//! Coming and going: every byte once, at its offset.

use crate::{Dice, House, ended, from_start, log, next, sh, until};
use sha2::{Digest, Sha256};
use terminal::{Attach, Emulator, RecordKind, Size};

/// The bytes of `seq 1 LAST` as a terminal shows them.
fn seq(last: u32) -> Vec<u8> {
    (1..=last).flat_map(|n| format!("{n}\r\n").into_bytes()).collect()
}

#[tokio::test]
async fn reconnects_at_random_offsets_repeat_and_miss_nothing() {
    let house = House::new();
    let client = house.client().await;
    let script =
        "n=0; while [ $n -lt 150 ]; do seq $((n*2000+1)) $((n*2000+2000)); n=$((n+1)); sleep 0.02; done";
    let started = client.start(sh("again", script)).await.unwrap();
    let want = seq(300_000);
    let mut dice = Dice(5);
    let mut have = 0;
    let mut got = Vec::new();
    let mut reconnects = 0;
    let mut ended_at = None;
    while ended_at.is_none() {
        let attach = Attach { have, ..from_start(&started) };
        let mut attachment = client.attach(attach).await.unwrap();
        reconnects += 1;
        for _ in 0..=dice.below(3) {
            let Some(record) = next(&mut attachment).await else { break };
            match record.kind {
                RecordKind::Data => {
                    assert_eq!(record.offset, have, "no byte twice, none missing");
                    // Cut the link inside a record: only a part of it was seen.
                    let seen = usize::try_from(1 + dice.below(record.bytes.len() as u64)).unwrap();
                    got.extend_from_slice(&record.bytes[..seen]);
                    have += seen as u64;
                    if seen < record.bytes.len() {
                        break;
                    }
                }
                RecordKind::Gap { to } => {
                    assert_eq!(record.offset, have);
                    got.extend_from_slice(&crate::range(&client, &started, have, to).await);
                    have = to;
                }
                RecordKind::Snapshot { .. } => assert_eq!(record.offset, have),
                RecordKind::Resize { .. } => {}
                RecordKind::Exit => {
                    assert_eq!(record.offset, have);
                    ended_at = Some(have);
                }
            }
        }
    }
    assert!(reconnects >= 200, "{reconnects} reconnects");
    assert_eq!(ended_at, Some(want.len() as u64));
    assert_eq!(Sha256::digest(&got), Sha256::digest(&want));
    let info = ended(&client, &started.id).await;
    assert_eq!(Sha256::digest(log(&client, &info).await), Sha256::digest(&want));
}

#[tokio::test]
async fn a_stranger_to_the_run_gets_a_snapshot_and_the_tail_from_it() {
    let house = House::new();
    let client = house.client().await;
    let started = client.start(sh("strange", "seq 1 5000; read x; seq 5001 6000; read x")).await.unwrap();
    let head = seq(5000).len() as u64;
    until("the first half", || async { crate::info(&client, &started.id).await.head == head }).await;
    for epoch in [None, Some(started.epoch ^ 1)] {
        let attach = Attach { epoch, have: 17, ..from_start(&started) };
        let mut attachment = client.attach(attach).await.unwrap();
        let first = next(&mut attachment).await.unwrap();
        assert_eq!(first.kind, RecordKind::Snapshot { size: started.size });
        assert_eq!((first.offset, first.epoch), (head, started.epoch));
    }
    // A viewer at the head gets nothing but what comes.
    let mut current = client.attach(Attach { have: head, ..from_start(&started) }).await.unwrap();
    client.input(&started.id, "me", 1, "\n").await.unwrap();
    let first = next(&mut current).await.unwrap();
    assert_eq!((first.kind, first.offset), (RecordKind::Data, head));
    client.close(&started.id).await.unwrap();
    ended(&client, &started.id).await;
}

#[tokio::test]
async fn a_replay_changes_the_width_at_the_right_byte() {
    let house = House::new();
    let client = house.client().await;
    let line = "x".repeat(70);
    let script = format!("echo {line}; read a; echo {line}; read b; echo {line}; read c");
    let started = client.start(sh("width", &script)).await.unwrap();
    let mut live = client.attach(from_start(&started)).await.unwrap();
    let mut screen = Emulator::new(started.size, 1000);
    let mut marks = Vec::new();
    for (n, cols) in [40, 60, 30].into_iter().enumerate() {
        crate::read_until(&mut live, "xx\r\n").await;
        client.resize(&started.id, Size { cols, rows: 20 }).await.unwrap();
        client.input(&started.id, "me", n as u64 + 1, "\n").await.unwrap();
    }
    let info = ended(&client, &started.id).await;
    let mut replay = client.attach(from_start(&info)).await.unwrap();
    while let Some(record) = next(&mut replay).await {
        match record.kind {
            RecordKind::Resize { size } => {
                marks.push((record.offset, size.cols));
                screen.resize(size);
            }
            _ => screen.feed(&record.bytes),
        }
    }
    assert_eq!(marks.iter().map(|(_, cols)| *cols).collect::<Vec<_>>(), [80, 40, 60, 30]);
    assert!(marks.is_sorted());
    let snapshot = Attach { epoch: None, ..from_start(&info) };
    let mut stranger = client.attach(snapshot).await.unwrap();
    let record = next(&mut stranger).await.unwrap();
    assert_eq!(record.kind, RecordKind::Snapshot { size: Size { cols: 30, rows: 20 } });
    let mut copy = Emulator::new(Size { cols: 30, rows: 20 }, 1000);
    copy.feed(&record.bytes);
    assert_eq!(copy.describe(1000), screen.describe(1000));
    assert_eq!(next(&mut stranger).await.unwrap().kind, RecordKind::Exit);
}

#[tokio::test]
async fn characters_cut_by_a_read_arrive_whole() {
    let house = House::new();
    let client = house.client().await;
    let script = "for b in 342 224 202 360 237 221 215 346 274 242; do printf \"\\\\$b\"; sleep 0.03; done";
    let started = client.start(sh("utf8", script)).await.unwrap();
    let info = ended(&client, &started.id).await;
    assert_eq!(String::from_utf8(log(&client, &info).await).unwrap(), "│👍漢");
}
