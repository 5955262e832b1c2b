//! Searching, and copies of a database that is in use.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::jobs::{JobRow, JobState};
use store::plans::PlanRow;
use store::task_steps::{NewText, Origin};
use store::{Store, StoreError, backup, jobs, plans, search, sessions, settings, task_steps};

fn open() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("engine.db")).unwrap();
    (dir, store)
}

async fn with_session(store: &Store) {
    store.write(|db| sessions::insert(db, "s", "p", "Add a retry", 1)).await.unwrap();
}

fn job(id: &str, state: JobState) -> JobRow {
    JobRow { state, ..JobRow::queued(id.into(), "s".into(), "plan", "{}".into(), 1) }
}

fn plan(id: &str, title: &str) -> PlanRow {
    PlanRow {
        id: id.into(),
        session_id: "s".into(),
        job_id: "j".into(),
        state: "streaming".into(),
        trouble: None,
        title: title.into(),
        step_count: 0,
        errors: 0,
        warnings: 0,
        ending: None,
        answer_hash: None,
        findings: "[]".into(),
        provider: None,
        model: None,
        usage: None,
        created_at: 1,
    }
}

#[tokio::test]
async fn tasks_and_plans_are_found_as_they_are_now() {
    let (_dir, store) = open();
    with_session(&store).await;
    store
        .write(|db| {
            let found = |text: &str| -> store::Result<Vec<(String, String)>> {
                let hits = search::find(db, text, None, 10)?;
                Ok(hits.into_iter().map(|hit| (hit.kind, hit.owner)).collect())
            };
            let task = ("task".to_owned(), "s".to_owned());
            assert_eq!(found("retry add")?, std::slice::from_ref(&task));
            assert_eq!(found("ret")?, std::slice::from_ref(&task), "the last word may be a beginning");
            assert!(found("ret add")?.is_empty());
            let text = "Größe \"AND\" a-b * NEAR(x";
            task_steps::save(
                db,
                &NewText { session: "s", text, origin: Origin::Typed, made_by: "a", now: 2 },
            )?;
            assert!(found("retry")?.is_empty(), "an old text is not found");
            assert_eq!((found("große")?.len(), found("GRÖ")?.len()), (1, 1), "marks on letters do not count");
            for text in ["\"AND\"", "a-b", "NEAR(x", "AND", "* AND", "x) OR ("] {
                found(text)?;
            }
            assert_eq!(found("\"and\" near(x")?, std::slice::from_ref(&task));
            jobs::insert(db, &job("j", JobState::Running))?;
            plans::put(db, &plan("p", "Socket budget"))?;
            assert!(found("socket")?.is_empty(), "what still arrives is not searched");
            plans::append_answer(db, "p", "<plan>zebra</plan>")?;
            let hash = plans::settle_answer(db, &plan("p", ""))?;
            plans::put(db, &PlanRow { answer_hash: Some(hash), ..plan("p", "Socket budget") })?;
            assert_eq!(found("zebra socket")?, [("plan".to_owned(), "p".to_owned())]);
            let hit = search::find(db, "zebra", Some("p"), 10)?.remove(0);
            assert_eq!(hit.snippet, "<plan>\u{1}zebra\u{2}</plan>");
            assert!(search::find(db, "zebra", Some("other"), 10)?.is_empty());
            sessions::delete(db, "s")?;
            assert!(found("zebra")?.is_empty() && found("and")?.is_empty());
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_while_others_write_is_of_one_moment() {
    let (dir, store) = open();
    with_session(&store).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writing = {
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut at = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                at += 1;
                // Two values that are always equal: a copy between two moments would have different ones.
                let write = move |db: &store::Db<'_>| {
                    settings::put(db, "one", &at.to_string())?;
                    let long = "word ".repeat(2000);
                    sessions::insert(db, &format!("session {at}"), "p", &long, i64::from(at))?;
                    settings::put(db, "two", &at.to_string())
                };
                store.write(write).await.unwrap();
            }
            at
        })
    };
    let mut last = 0;
    for round in 0..5 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let (from, to) = (dir.path().join("engine.db"), dir.path().join(format!("copy {round}.db")));
        let copy = to.clone();
        let schema = tokio::task::spawn_blocking(move || backup::snapshot(&from, &copy)).await.unwrap();
        assert_eq!(schema.unwrap(), backup::newest_schema());
        let examined = backup::examine(&to).unwrap();
        assert_eq!(examined.problems, Vec::<String>::new());
        let copied = Store::open(&to).unwrap();
        let (one, two, found) = copied
            .read(|db| {
                Ok((settings::get(db, "one")?, settings::get(db, "two")?, search::find(db, "word", None, 5)?))
            })
            .await
            .unwrap();
        assert_eq!(one, two);
        let at: u32 = one.map_or(0, |at| at.parse().unwrap());
        assert!(at >= last && found.len() == at.min(5) as usize, "{at}: {}", found.len());
        last = at;
    }
    stop.store(true, Ordering::Relaxed);
    assert!(writing.await.unwrap() >= last && last > 0, "nothing was written meanwhile");
}

#[test]
fn a_damaged_database_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("engine.db");
    drop(Store::open(&path).unwrap());
    backup::settle(&path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xee);
    std::fs::write(&path, bytes).unwrap();
    let seen = backup::examine(&path);
    assert!(seen.as_ref().map_or(true, |examined| !examined.problems.is_empty()), "{seen:?}");
    assert!(matches!(backup::examine(&dir.path().join("none.db")), Err(StoreError::Sqlite(_))));
}
