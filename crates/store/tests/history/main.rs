//! The history of tasks, and which texts outlive what.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use store::approvals::{self, ApprovalRow};
use store::jobs::{JobRow, JobState};
use store::task_steps::{self, NewText, Origin, StepRow, Way};
use store::{Db, Result, Store, jobs, sessions, texts};

async fn open() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("engine.db")).unwrap();
    store.write(|db| sessions::insert(db, "s", "p", "one", 0)).await.unwrap();
    (dir, store)
}

fn typed(db: &Db<'_>, text: &str, made_by: &str, now: i64) -> Result<()> {
    assert!(task_steps::save(db, &NewText { session: "s", text, origin: Origin::Typed, made_by, now })?);
    Ok(())
}

fn task(db: &Db<'_>) -> Result<(String, u32)> {
    let session = sessions::get(db, "s")?.unwrap();
    Ok((session.task, session.task_version))
}

fn walk(db: &Db<'_>, way: Way) -> Result<String> {
    assert!(task_steps::walk(db, "s", way, "b", 1_000_000)?, "{way:?}");
    Ok(task(db)?.0)
}

#[tokio::test]
async fn undo_and_redo_walk_over_whole_steps() {
    let (_dir, store) = open().await;
    store
        .write(|db| {
            // Typing without a pause is one step, whatever it saves on the way.
            for (at, text) in ["one t", "one tw", "one two"].iter().enumerate() {
                typed(db, text, "a", 1_000 * at as i64)?;
            }
            typed(db, "one two three", "a", 30_000)?;
            typed(db, "one two three four", "other device", 30_001)?;
            assert_eq!(task(db)?, ("one two three four".into(), 6));
            assert!(!task_steps::walk(db, "s", Way::Redo, "b", 1)?, "nothing was taken back");
            for text in ["one two three", "one two", "one"] {
                assert_eq!(walk(db, Way::Undo)?, text);
            }
            assert!(!task_steps::walk(db, "s", Way::Undo, "b", 1)?, "the beginning is reached");
            for text in ["one two", "one two three"] {
                assert_eq!(walk(db, Way::Redo)?, text);
            }
            // Back and forth again, and then another way: what was ahead is no longer done again.
            assert_eq!(walk(db, Way::Undo)?, "one two");
            assert_eq!(walk(db, Way::Redo)?, "one two three");
            typed(db, "one two tree", "a", 2_000_000)?;
            assert!(!task_steps::walk(db, "s", Way::Redo, "b", 1)?);
            assert_eq!(walk(db, Way::Undo)?, "one two three");
            // Nothing was lost: every step can be read and made the present one.
            let steps = task_steps::list(db, "s", None, 100)?;
            let four = steps.iter().find(|step| step.made_by == "other device").unwrap();
            assert_eq!(task_steps::text(db, four)?.as_deref(), Some("one two three four"));
            assert_eq!(walk(db, Way::To(four.number))?, "one two three four");
            assert_eq!(walk(db, Way::Undo)?, "one two three");
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn any_walk_leads_where_an_editor_would() {
    for seed in 0..60 {
        let (_dir, store) = open().await;
        store
            .write(move |db| {
                let mut chance = testkit::Mutator::new(seed);
                // An editor's own stacks.
                let (mut present, mut done, mut undone) = ("one".to_owned(), Vec::new(), Vec::new());
                for n in 0..60_i64 {
                    match chance.below(5) {
                        0 | 1 => {
                            let text = format!("text {n}");
                            typed(db, &text, "a", 100_000 * (n + 1))?;
                            done.push(std::mem::replace(&mut present, text));
                            undone.clear();
                        }
                        2 | 3 => {
                            let moved = task_steps::walk(db, "s", Way::Undo, "a", 100_000 * (n + 1))?;
                            assert_eq!(moved, !done.is_empty(), "seed {seed}, {n}");
                            if let Some(text) = done.pop() {
                                undone.push(std::mem::replace(&mut present, text));
                            }
                        }
                        _ => {
                            let moved = task_steps::walk(db, "s", Way::Redo, "a", 100_000 * (n + 1))?;
                            assert_eq!(moved, !undone.is_empty(), "seed {seed}, {n}");
                            if let Some(text) = undone.pop() {
                                done.push(std::mem::replace(&mut present, text));
                            }
                        }
                    }
                    assert_eq!(task(db)?.0, present, "seed {seed}, {n}");
                }
                Ok(())
            })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn old_steps_are_forgotten_with_their_texts() {
    let (_dir, store) = open().await;
    store
        .write(|db| {
            for n in 0..1_100_i64 {
                typed(db, &format!("text {n}"), "a", 100_000 * n)?;
            }
            let steps = task_steps::list(db, "s", None, 5_000)?;
            assert_eq!(steps.len(), 1_000);
            let kept = |step: &StepRow| Ok::<_, store::StoreError>(task_steps::text(db, step)?.is_some());
            assert!(steps[1..].iter().all(|step| kept(step).unwrap()));
            let count: i64 = counted(db)?;
            assert_eq!(count, 999, "one for each step but the present one");
            for _ in 0..999 {
                walk(db, Way::Undo)?;
            }
            assert!(!task_steps::walk(db, "s", Way::Undo, "b", 1)?, "what is forgotten leads nowhere");
            Ok(())
        })
        .await
        .unwrap();
}

fn counted(db: &Db<'_>) -> Result<i64> {
    texts::count(db)
}

fn asked(db: &Db<'_>, id: &str, job: &str, body: &str, replaces: Option<&str>) -> Result<()> {
    let row = ApprovalRow {
        id: id.into(),
        job_id: job.into(),
        session_id: "s".into(),
        state: "waiting".into(),
        fingerprint: "f".into(),
        body_hash: texts::put(db, body.as_bytes())?,
        canonical_hash: texts::put(db, format!("canonical {body}").as_bytes())?,
        manifest: "{}".into(),
        created_at: 1,
        by: None,
    };
    assert!(approvals::ask(db, &row, replaces)?);
    Ok(())
}

#[tokio::test]
async fn a_text_lives_as_long_as_something_holds_it() {
    let (_dir, store) = open().await;
    store
        .write(|db| {
            for id in ["j1", "j2"] {
                let row = JobRow::queued(id.into(), "s".into(), "plan", "{}".into(), 1);
                jobs::insert(db, &JobRow { state: JobState::WaitingApproval, ..row })?;
            }
            asked(db, "a1", "j1", "shared", None)?;
            asked(db, "a2", "j2", "shared", None)?;
            asked(db, "a3", "j1", "alone", Some("a1"))?;
            assert_eq!(counted(db)?, 4, "the other job still holds what the first one asked");
            asked(db, "a4", "j1", "last", Some("a3"))?;
            assert_eq!(counted(db)?, 4, "what was superseded is gone");
            asked(db, "a5", "j2", "last", Some("a2"))?;
            assert_eq!(counted(db)?, 2);
            // A task whose words are those of a request.
            typed(db, "last", "a", 10)?;
            typed(db, "later", "a", 100_000)?;
            sessions::insert(db, "t", "p", "last", 1)?;
            task_steps::save(
                db,
                &NewText { session: "t", text: "x", origin: Origin::Typed, made_by: "a", now: 9 },
            )?;
            assert!(sessions::delete(db, "s")?);
            assert_eq!(counted(db)?, 1, "the other session's history holds the same words");
            assert!(sessions::delete(db, "t")?);
            assert_eq!(counted(db)?, 0);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn lists_come_in_pages_without_gaps_or_doubles() {
    let (_dir, store) = open().await;
    store
        .write(|db| {
            for n in 0..57 {
                // Many with one time of change.
                sessions::insert(db, &format!("s{n:02}"), ["p", "q"][n % 2], "task", (n / 10) as i64)?;
                let row =
                    JobRow::queued(format!("j{n:02}"), format!("s{:02}", n % 3), "plan", "{}".into(), 1);
                jobs::insert(db, &row)?;
            }
            for project in [None, Some("q")] {
                let whole = sessions::list(db, project, None, 1_000)?;
                let mut paged = Vec::new();
                while paged.len() < whole.len() {
                    let last =
                        paged.last().map(|head: &sessions::SessionHead| (head.updated_at, head.id.clone()));
                    let after = last.as_ref().map(|(at, id)| (*at, id.as_str()));
                    let page = sessions::list(db, project, after, 10)?;
                    assert!(!page.is_empty());
                    paged.extend(page);
                }
                assert_eq!(paged, whole);
            }
            let whole = jobs::list(db, Some("s01"), None, 1_000)?;
            let first = jobs::list(db, Some("s01"), None, 5)?;
            let rest = jobs::list(db, Some("s01"), Some(&first[4].id), 1_000)?;
            assert_eq!([first, rest].concat(), whole);
            assert_eq!(whole.len(), 19);
            Ok(())
        })
        .await
        .unwrap();
}
