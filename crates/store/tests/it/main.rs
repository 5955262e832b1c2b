//! The database as the engine uses it: real files, two connections, rules that hold.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use store::approvals::ApprovalRow;
use store::jobs::{JobRow, JobState};
use store::plans::PlanRow;
use store::{Store, StoreError, approvals, audit, jobs, plans, projects, sessions, settings, texts, usage};

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

#[tokio::test]
async fn what_was_committed_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("engine.db");
    let store = Store::open(&path).unwrap();
    let row = projects::ProjectRow { id: "p".into(), path: "/x".into(), granted_at: 1, used_at: 1 };
    let again = projects::ProjectRow { id: "q".into(), used_at: 2, ..row.clone() };
    store.write(move |db| projects::grant(db, &row)).await.unwrap();
    let same = store.write(move |db| projects::grant(db, &again)).await.unwrap();
    assert_eq!((same.id.as_str(), same.used_at), ("p", 2), "granting a path twice gives the first project");
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.read(projects::list).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_failed_change_changes_nothing() {
    let (_dir, store) = open();
    let failed: Result<(), StoreError> = store
        .write(|db| {
            settings::put(db, "a", "1")?;
            Err(StoreError::Closed)
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(store.read(|db| settings::get(db, "a")).await.unwrap(), None);
    let panicked: Result<(), StoreError> = store.write(|_| panic!("a defect")).await;
    assert!(matches!(panicked, Err(StoreError::Closed)));
    store.write(|db| settings::put(db, "a", "2")).await.expect("the writer goes on after a panic");
}

#[tokio::test]
async fn a_read_is_of_one_moment_and_changes_nothing() {
    let (_dir, store) = open();
    store.write(|db| settings::put(db, "a", "0").and_then(|()| settings::put(db, "b", "0"))).await.unwrap();
    let (read_one, wait) = std::sync::mpsc::channel();
    let (written, go_on) = std::sync::mpsc::channel();
    let both = store.read(move |db| {
        let first = settings::get(db, "a")?;
        read_one.send(()).unwrap();
        go_on.recv().unwrap();
        Ok((first, settings::get(db, "b")?))
    });
    let write = async {
        tokio::task::spawn_blocking(move || wait.recv().unwrap()).await.unwrap();
        store
            .write(|db| settings::put(db, "a", "1").and_then(|()| settings::put(db, "b", "1")))
            .await
            .unwrap();
        written.send(()).unwrap();
    };
    let (both, ()) = tokio::join!(both, write);
    assert_eq!(both.unwrap(), (Some("0".into()), Some("0".into())));
    assert_eq!(store.read(|db| settings::get(db, "b")).await.unwrap().as_deref(), Some("1"));
    assert!(store.read(|db| settings::put(db, "a", "2")).await.is_err());
    assert_eq!(store.read(|db| settings::get(db, "a")).await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn a_final_state_is_final() {
    let (_dir, store) = open();
    with_session(&store).await;
    for state in [JobState::Completed, JobState::Failed, JobState::Canceled] {
        let id = format!("{state:?}");
        let row = job(&id, JobState::Running);
        store.write(move |db| jobs::insert(db, &row)).await.unwrap();
        let (ended, later) = store
            .write(move |db| {
                let ended = jobs::transition(db, &id, &[JobState::Running], state, "end", 2)?;
                let all = [JobState::Running, JobState::Completed, JobState::Failed, JobState::Canceled];
                Ok((ended, jobs::transition(db, &id, &all, JobState::Queued, "again", 3)?))
            })
            .await
            .unwrap();
        assert!(ended && !later, "{state:?}");
    }
}

#[tokio::test]
async fn no_order_of_transitions_leaves_a_final_state() {
    const ALL: [JobState; 8] = [
        JobState::Queued,
        JobState::Running,
        JobState::WaitingApproval,
        JobState::WaitingNetwork,
        JobState::Paused,
        JobState::Completed,
        JobState::Failed,
        JobState::Canceled,
    ];
    let (_dir, store) = open();
    with_session(&store).await;
    store
        .write(|db| {
            let mut chance = testkit::Mutator::new(5);
            let mut ended = 0;
            for n in 0..300 {
                let id = format!("job {n}");
                jobs::insert(db, &job(&id, JobState::Queued))?;
                for step in 0..12 {
                    let before = jobs::get(db, &id)?.unwrap().state;
                    let from: Vec<JobState> = ALL.into_iter().filter(|_| chance.below(2) == 0).collect();
                    let to = ALL[chance.below(ALL.len())];
                    let moved = jobs::transition(db, &id, &from, to, "moved", step)?;
                    let after = jobs::get(db, &id)?.unwrap().state;
                    assert_eq!(
                        moved,
                        from.contains(&before) && !before.is_final(),
                        "{before:?} {from:?} {to:?}"
                    );
                    assert_eq!(after, if moved { to } else { before });
                    ended += usize::from(moved && to.is_final());
                }
            }
            assert!(ended > 100, "hardly any ended");
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn the_first_output_of_a_step_stays() {
    let (_dir, store) = open();
    with_session(&store).await;
    store.write(|db| jobs::insert(db, &job("j", JobState::Running))).await.unwrap();
    let begun = |db: &store::Db<'_>| jobs::begin_step(db, "j", "send", 1);
    assert!(!store.write(begun).await.unwrap());
    assert!(store.write(begun).await.unwrap(), "the second begin says that there was a first");
    store.write(|db| jobs::end_step(db, "j", "send", "first", 2)).await.unwrap();
    store.write(|db| jobs::end_step(db, "j", "send", "second", 3)).await.unwrap();
    let steps = store.read(|db| jobs::steps(db, "j")).await.unwrap();
    assert_eq!(steps[0].output.as_deref(), Some("first"));
}

#[tokio::test]
async fn a_new_question_supersedes_the_old_one() {
    let (_dir, store) = open();
    with_session(&store).await;
    store.write(|db| jobs::insert(db, &job("j", JobState::Running))).await.unwrap();
    for id in ["a", "b"] {
        let row = ApprovalRow {
            id: id.into(),
            job_id: "j".into(),
            session_id: "s".into(),
            state: "waiting".into(),
            fingerprint: "f".into(),
            body_hash: "h".into(),
            canonical_hash: "c".into(),
            manifest: "{}".into(),
            created_at: 1,
            by: None,
        };
        let replaces = (id == "b").then_some("a");
        let late = row.clone();
        assert!(store.write(move |db| approvals::ask(db, &row, replaces)).await.unwrap());
        // The job rests only now.
        store
            .write(|db| jobs::transition(db, "j", &[JobState::Running], JobState::WaitingApproval, "", 1))
            .await
            .unwrap();
        let late = ApprovalRow { id: "late".into(), ..late };
        let replaced = Some("not the one it waits for");
        assert!(!store.write(move |db| approvals::ask(db, &late, replaced)).await.unwrap());
    }
    let answer = |id: &'static str| store.write(move |db| approvals::answer(db, id, "approved", "me", 2));
    assert!(!answer("a").await.unwrap(), "the old one cannot be approved any more");
    assert!(answer("b").await.unwrap());
    assert!(!answer("b").await.unwrap(), "an answer is final");
    let waiting = store.read(|db| jobs::get(db, "j")).await.unwrap().unwrap();
    assert_eq!(waiting.approval_id.as_deref(), Some("b"));
}

#[tokio::test]
async fn answers_are_collected_and_settled_once() {
    let (_dir, store) = open();
    with_session(&store).await;
    store.write(|db| jobs::insert(db, &job("j", JobState::Running))).await.unwrap();
    let row = PlanRow {
        id: "plan".into(),
        session_id: "s".into(),
        job_id: "j".into(),
        state: "streaming".into(),
        trouble: None,
        title: String::new(),
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
    };
    let (collected, settled) = store
        .write(move |db| {
            plans::put(db, &row)?;
            plans::append_answer(db, "plan", "<plan>é")?;
            plans::append_answer(db, "plan", "</plan>")?;
            let collected = plans::answer(db, &row)?;
            let hash = plans::settle_answer(db, &row)?;
            let row = PlanRow { answer_hash: Some(hash), ..row };
            plans::put(db, &row)?;
            Ok((collected, plans::answer(db, &row)?))
        })
        .await
        .unwrap();
    assert_eq!((collected.as_str(), settled.as_str()), ("<plan>é</plan>", "<plan>é</plan>"));
    store.write(|db| sessions::delete(db, "s")).await.unwrap();
    assert!(store.read(|db| plans::get(db, "plan")).await.unwrap().is_none(), "a plan goes with its session");
}

#[tokio::test]
async fn a_text_is_stored_once_under_its_hash() {
    let (_dir, store) = open();
    let text = "fn main() {}\n".repeat(1000);
    let plain = text.clone().into_bytes();
    let (first, second, back) = store
        .write(move |db| {
            Ok((texts::put(db, &plain)?, texts::put(db, &plain)?, texts::get(db, &texts::put(db, &plain)?)?))
        })
        .await
        .unwrap();
    assert_eq!(first, second);
    assert_eq!(back.unwrap(), text.into_bytes());
    assert_eq!(store.read(|db| texts::get(db, "unknown")).await.unwrap(), None);
}

#[tokio::test]
async fn the_audit_chain_shows_every_edit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("engine.db");
    let store = Store::open(&path).unwrap();
    for n in 0..5 {
        store
            .write(move |db| audit::append(db, "j", "a", "intent", format!("{{\"n\":{n}}}").as_bytes(), n))
            .await
            .unwrap();
    }
    assert_eq!(store.read(audit::verify).await.unwrap(), audit::Verdict::Whole { records: 5 });
    let edits = [
        ("UPDATE audit SET record = x'7b7d' WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("UPDATE audit SET seq = 9 WHERE seq = 1", 1),
    ];
    for (edit, at) in edits {
        rusqlite::Connection::open(&path).unwrap().execute(edit, []).unwrap();
        assert_eq!(store.read(audit::verify).await.unwrap(), audit::Verdict::Broken { at }, "{edit}");
    }
}

#[tokio::test]
async fn usage_is_summed_by_model() {
    let (_dir, store) = open();
    for (model, cost) in [("a", 5), ("b", 7), ("a", 6)] {
        let row = usage::UsageRow {
            model: model.into(),
            cost: Some(cost),
            input_tokens: 10,
            ..usage::UsageRow::default()
        };
        store.write(move |db| usage::insert(db, &row, 100)).await.unwrap();
    }
    let sums = store.read(|db| usage::since(db, 100)).await.unwrap();
    assert_eq!(
        sums.iter().map(|s| (s.model.as_str(), s.cost, s.requests)).collect::<Vec<_>>(),
        [("a", 11, 2), ("b", 7, 1)]
    );
    assert!(store.read(|db| usage::since(db, 101)).await.unwrap().is_empty());
}

#[tokio::test]
async fn texts_go_with_the_last_thing_that_needs_them() {
    let (_dir, store) = open();
    with_session(&store).await;
    store.write(|db| jobs::insert(db, &job("j", JobState::WaitingApproval))).await.unwrap();
    let hash = store.write(|db| texts::put(db, b"a request with a secret in it")).await.unwrap();
    let row = ApprovalRow {
        id: "a".into(),
        job_id: "j".into(),
        session_id: "s".into(),
        state: "waiting".into(),
        fingerprint: "f".into(),
        body_hash: hash.clone(),
        canonical_hash: hash.clone(),
        manifest: "{}".into(),
        created_at: 1,
        by: None,
    };
    store.write(move |db| approvals::ask(db, &row, None)).await.unwrap();
    let kept = hash.clone();
    assert!(store.read(move |db| texts::get(db, &kept)).await.unwrap().is_some());
    store.write(|db| sessions::delete(db, "s")).await.unwrap();
    assert_eq!(store.read(move |db| texts::get(db, &hash)).await.unwrap(), None);
}

#[tokio::test]
async fn an_unknown_price_is_not_nothing() {
    let (_dir, store) = open();
    let row = usage::UsageRow { model: "m".into(), ..usage::UsageRow::default() };
    store.write(move |db| usage::insert(db, &row, 1)).await.unwrap();
    let sums = store.read(|db| usage::since(db, 0)).await.unwrap();
    assert_eq!((sums[0].cost, sums[0].unpriced), (0, 1));
}

#[tokio::test]
async fn money_set_aside_counts_until_it_is_given_back() {
    use store::permissions;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("engine.db")).unwrap();
    store
        .write(|db| {
            sessions::insert(db, "s", "p", "task", 1)?;
            let permission = permissions::PermissionRow {
                id: "1".into(),
                session_id: "s".into(),
                door: "direct".into(),
                destinations: "[]".into(),
                under: String::new(),
                cap: 100,
                spent: 0,
                created_at: 1,
                created_by: "me".into(),
                expires_at: 50,
                ended_at: None,
                ended_why: None,
                web: false,
            };
            permissions::insert(db, &permission)?;
            permissions::hold(db, "a", "s", Some("1"), 60, 2)?;
            permissions::hold(db, "b", "s", None, 5, 2)?;
            assert_eq!(
                (permissions::held_by_permission(db, "1")?, permissions::held(db, Some("s"))?),
                (60, 65)
            );
            permissions::release(db, "a", 40)?;
            assert_eq!(
                (permissions::held_by_permission(db, "1")?, permissions::get(db, "1")?.unwrap().spent),
                (0, 40)
            );
            assert_eq!(permissions::holding(db, "s", 49)?.len(), 1);
            assert!(permissions::holding(db, "s", -400_000)?.is_empty(), "it was given in a time to come");
            let brief = permissions::PermissionRow { id: "2".into(), expires_at: 20, ..permission };
            permissions::insert(db, &brief)?;
            assert_eq!(permissions::holding(db, "s", 19)?.len(), 2);
            assert_eq!(permissions::holding(db, "s", 20)?.len(), 1, "its time is over");
            assert_eq!(permissions::holding(db, "s", 19)?.len(), 1, "and does not come back");
            assert!(permissions::end(db, "1", "revoked", 3)? && !permissions::end(db, "1", "again", 4)?);
            assert!(permissions::holding(db, "s", 10)?.is_empty());
            assert_eq!(permissions::get(db, "1")?.unwrap().ended_why.as_deref(), Some("revoked"));
            // "b" belongs to no approval that is still open.
            assert_eq!((permissions::release_ended(db)?, permissions::held(db, None)?), (1, 0));
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn usage_is_summed_by_what_one_asks_for() {
    use store::usage::{Group, UsageRow, grouped, insert, spent};
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("engine.db")).unwrap();
    let day = 86_400_000;
    store
        .write(move |db| {
            for (session, model, cost, at) in
                [("s", "m", Some(5), 10), ("s", "n", Some(7), day + 1), ("t", "m", None, day + 2)]
            {
                let row = UsageRow {
                    session_id: session.into(),
                    job_id: format!("job of {session}"),
                    provider: "p".into(),
                    model: model.into(),
                    input_tokens: 3,
                    cost,
                    ..UsageRow::default()
                };
                insert(db, &row, at)?;
            }
            let keys = |group| -> store::Result<Vec<(String, u64, u64)>> {
                Ok(grouped(db, 0, group)?.into_iter().map(|g| (g.key, g.cost, g.unpriced)).collect())
            };
            assert_eq!(keys(Group::Day)?, [("1970-01-01".into(), 5, 0), ("1970-01-02".into(), 7, 1)]);
            assert_eq!(keys(Group::Session)?, [("s".into(), 12, 0), ("t".into(), 0, 1)]);
            assert_eq!(keys(Group::Model)?, [("p/n".into(), 7, 0), ("p/m".into(), 5, 1)]);
            assert_eq!((spent(db, Some("s"), 0)?, spent(db, None, day)?), (12, 7));
            Ok(())
        })
        .await
        .unwrap();
}
