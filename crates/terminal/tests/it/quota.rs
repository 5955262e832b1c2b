//! The log does not grow for ever.

use crate::{House, ended, info, sh, until};
use terminal::{Info, Quota, TerminalError};

/// What the database takes on disk, in bytes.
fn on_disk(house: &House) -> u64 {
    ["terminals.db", "terminals.db-wal"]
        .iter()
        .map(|name| std::fs::metadata(house.path(name)).map_or(0, |meta| meta.len()))
        .sum()
}

/// Output that is still kept, in bytes.
fn kept_of(list: &[Info]) -> u64 {
    list.iter().map(|info| info.head - info.log_start).sum()
}

#[tokio::test]
async fn the_oldest_output_goes_and_the_file_stays_near_the_quota() {
    let mut house = House::new();
    let quota = Quota { per_terminal: 2 << 20, total: 5 << 20 };
    house.config.quota = quota;
    let client = house.client().await;
    // Bytes that do not compress: 6 MiB in a terminal of 2 MiB.
    let script = "stty raw -echo; head -c 6291456 /dev/urandom";
    let started = client.start(sh("noise0", script)).await.unwrap();
    ended(&client, &started.id).await;
    // The last pruning may follow the end.
    until("the last pruning", || async {
        let now = info(&client, &started.id).await;
        client.history(&now.id, now.epoch, now.log_start, now.head).await.is_ok()
            && now.head - now.log_start <= quota.per_terminal
    })
    .await;
    let info = info(&client, &started.id).await;
    assert_eq!(info.head, 6 << 20);
    let kept = info.head - info.log_start;
    assert!(kept <= quota.per_terminal && kept > quota.per_terminal / 2, "{kept} bytes kept");
    let gone = client.history(&info.id, info.epoch, 0, 100).await;
    assert!(matches!(gone, Err(TerminalError::Invalid(_))), "{gone:?}");
    assert_eq!(crate::log(&client, &info).await.len() as u64, kept);

    for n in 1..4 {
        let started = client.start(sh(&format!("noise{n}"), script)).await.unwrap();
        ended(&client, &started.id).await;
    }
    until("the last pruning", || async { kept_of(&client.list().await.unwrap()) <= quota.total }).await;
    let list = client.list().await.unwrap();
    assert!(kept_of(&list) > quota.total / 2, "{} bytes kept", kept_of(&list));
    // The first to end is the first to go.
    assert_eq!(list.last().unwrap().head, list.last().unwrap().log_start);
    // The write-ahead log is cut when the file is checkpointed; with it, 10 % and its own bound.
    assert!(on_disk(&house) < quota.total * 11 / 10 + (8 << 20), "{} bytes", on_disk(&house));
    for info in &list {
        client.forget(&info.id).await.unwrap();
    }
    drop(client);
    until("the host's end", || async { !house.config.socket().exists() }).await;
    until("a small file", || async { on_disk(&house) < 3 << 20 }).await;
}

#[tokio::test]
async fn text_is_stored_compressed() {
    let house = House::new();
    let client = house.client().await;
    let started = client.start(sh("text0", "seq 1 500000")).await.unwrap();
    let end = ended(&client, &started.id).await;
    assert_eq!(info(&client, &started.id).await.log_start, 0);
    assert!(end.head > 3_000_000);
    // Sorted numbers compress well; one raw row per read would not.
    assert!(on_disk(&house) < end.head * 2 / 3 + (4 << 20));
}
