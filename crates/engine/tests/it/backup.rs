//! Backups and restores of a whole engine.

use crate::fixture::{Fixture, KEY, TASK, env, link, open};
use api::backup::{BackupClient, BackupContents, BackupEvent, BackupFile};
use api::search::{FindWords, HitKind, SearchClient};
use api::sessions::{GetSession, SaveTask, SessionsClient};
use engine::backup::{RestoreError, restore};
use engine::{DataDir, DataDirError, Engine};
use futures_util::StreamExt;
use rpc::{ApiError, Caller};
use std::path::Path;

async fn make(f: &Fixture, path: &Path) -> Result<BackupContents, ApiError> {
    let request = BackupFile { path: path.display().to_string() };
    let mut events = BackupClient(f.client.clone()).make(&request).await?;
    while let Some(event) = events.next().await {
        if let BackupEvent::Done { contents } = event? {
            return Ok(contents);
        }
    }
    panic!("the backup ended without a word");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_brings_everything_back_and_keeps_what_it_replaces() {
    let f = Fixture::start().await;
    let (job, _, plan) = f.plan(TASK).await;
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("a.backup");
    let made = make(&f, &file).await.unwrap();
    assert_eq!(made.parts[0].name, "engine.db");
    assert_eq!(make(&f, &file).await.unwrap_err().reason, "file_exists");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 1, "nothing else is left");
    let request = BackupFile { path: file.display().to_string() };
    assert_eq!(BackupClient(f.client.clone()).check(&request).await.unwrap(), made);
    let bytes = std::fs::read(&file).unwrap();
    assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "a key stands in the backup");

    // What comes after the backup is not in it, and not lost either.
    let sessions = SessionsClient(f.client.clone());
    let later = SaveTask {
        session: job.session.clone(),
        text: "Later words".into(),
        base_version: 1,
        base_text: None,
    };
    sessions.save_task(&later).await.unwrap();
    let dir = DataDir::resolve(f.home().to_str()).unwrap();
    assert!(matches!(dir.lock(), Err(DataDirError::Busy { .. })), "an engine runs");

    let fresh = tempfile::tempdir().unwrap();
    let new = DataDir::resolve(fresh.path().to_str()).unwrap();
    // A copy of the later state, as another machine would have it.
    let lock = new.lock().unwrap();
    store::backup::snapshot(&dir.database(), &new.database()).unwrap();
    let restored = restore(&lock, &file, "2026-11-28T00-00-00").await.unwrap();
    assert_eq!(restored.made_at.cast_unsigned(), made.made_at);
    assert!(restored.kept.unwrap().join("engine.db").exists());
    let engine = Engine::open(lock, env(&[])).await.unwrap();
    let client = link(&engine, Caller::owner("test"));
    let session = SessionsClient(client.clone()).get(&GetSession { session: job.session }).await.unwrap();
    assert_eq!(session.task, TASK);
    let find = FindWords { text: "retry connection".into(), project: None, limit: None };
    let hits = SearchClient(client.clone()).find(&find).await.unwrap().hits;
    assert!(hits.iter().any(|hit| hit.kind == HitKind::Task), "{hits:?}");
    let find = FindWords { text: plan.title.clone(), ..find };
    let hits = SearchClient(client).find(&find).await.unwrap().hits;
    assert!(hits.iter().any(|hit| hit.plan.as_ref() == Some(&plan.id)), "{hits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_or_newer_is_refused_and_nothing_is_changed() {
    let f = Fixture::start().await;
    f.session(TASK).await;
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("a.backup");
    make(&f, &file).await.unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let damaged = out.path().join("damaged.backup");
    std::fs::write(&damaged, &bytes).unwrap();
    let newer = out.path().join("newer.backup");
    std::fs::write(&newer, "plantocode-backup 9\n").unwrap();

    let home = tempfile::tempdir().unwrap();
    drop(open(home.path()).await);
    let dir = DataDir::resolve(home.path().to_str()).unwrap();
    let lock = loop {
        match dir.lock() {
            Ok(lock) => break lock,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    };
    let before = std::fs::read(dir.database()).unwrap();
    for (path, word) in [(&damaged, "damaged"), (&newer, "newer version")] {
        let refused = restore(&lock, path, "x").await.unwrap_err();
        assert!(matches!(refused, RestoreError::Backup { .. }));
        let text = refused.to_string();
        assert!(text.contains(word) && text.ends_with("Nothing was changed"), "{text}");
        let request = BackupFile { path: path.display().to_string() };
        assert_eq!(
            BackupClient(f.client.clone()).check(&request).await.unwrap_err().reason,
            "backup_damaged"
        );
    }
    assert_eq!(std::fs::read(dir.database()).unwrap(), before);
    let left: Vec<_> =
        std::fs::read_dir(&dir.data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("restor")), "{left:?}");
}
