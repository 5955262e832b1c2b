//! A database as years of work leave it.

use std::path::Path;
use store::approvals::{self, ApprovalRow};
use store::jobs::{self, JobRow, JobState};
use store::plans::{self, PlanRow};
use store::projects::{self, ProjectRow};
use store::task_steps::{self, NewText, Origin};
use store::{Db, Result, Store, sessions, texts};

/// Rows written in one transaction.
const AT_ONCE: usize = 250;

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    pub sessions: usize,
    pub jobs: usize,
    /// Bytes of one request before they are compressed.
    pub request: usize,
}

/// A source of numbers that gives the same ones each time.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }

    /// A word: few are frequent and most are rare, as in any text.
    pub fn word(&mut self) -> String {
        let most = [100, 2_000, 200_000][self.below(3)];
        let mut n = self.below(most) + most;
        let mut word = String::new();
        while n > 0 {
            word.push_str(["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe"][n % 12]);
            n /= 12;
        }
        word
    }

    pub fn text(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 16);
        while text.len() < bytes {
            text.push_str(&self.word());
            text.push(if self.below(9) == 0 { '\n' } else { ' ' });
        }
        text
    }
}

/// An id in the form and order in which they are made.
pub fn id(kind: u8, n: usize) -> String {
    format!("0190{n:04x}-0000-7000-8{kind:03x}-{n:012x}")
}

/// Fills an empty database, which `project` is a project of.
pub async fn fill(store: &Store, project: &Path, amount: Amount) -> Result<()> {
    let granted = ProjectRow { id: id(1, 0), path: project.display().to_string(), granted_at: 1, used_at: 1 };
    store.write(move |db| projects::grant(db, &granted)).await?;
    let mut dice = Dice(7);
    for from in (0..amount.sessions).step_by(AT_ONCE) {
        let tasks: Vec<String> = (0..AT_ONCE).map(|_| dice.text(600)).collect();
        let write = move |db: &Db<'_>| {
            for (n, task) in (from..).zip(&tasks) {
                session(db, n, task)?;
            }
            Ok(())
        };
        store.write(write).await?;
    }
    for from in (0..amount.jobs).step_by(AT_ONCE) {
        let made: Vec<(usize, String, String)> = (from..from + AT_ONCE)
            .map(|_| (dice.below(amount.sessions), dice.text(amount.request), dice.text(5_000)))
            .collect();
        let write = move |db: &Db<'_>| {
            for (n, (session, request, answer)) in (from..).zip(&made) {
                job(db, n, *session, request, answer)?;
            }
            Ok(())
        };
        store.write(write).await?;
    }
    Ok(())
}

fn session(db: &Db<'_>, n: usize, task: &str) -> Result<()> {
    let key = id(2, n);
    let now = n as i64 * 60_000;
    sessions::insert(db, &key, &id(1, 0), task, now)?;
    let longer = format!("{task} and some more");
    let new = NewText {
        session: &key,
        text: &longer,
        origin: Origin::Typed,
        made_by: "desktop",
        now: now + 10_000,
    };
    task_steps::save(db, &new)?;
    Ok(())
}

fn job(db: &Db<'_>, n: usize, session: usize, request: &str, answer: &str) -> Result<()> {
    let (job, session, now) = (id(3, n), id(2, session), n as i64 * 10_000);
    // One in five plans, as finding files and refining are jobs too.
    let plan = n.is_multiple_of(5).then(|| id(4, n));
    let row = JobRow {
        state: JobState::WaitingApproval,
        note: "Made a plan of 7 steps.".into(),
        plan_id: plan.clone(),
        ..JobRow::queued(
            job.clone(),
            session.clone(),
            if plan.is_some() { "plan" } else { "find" },
            "{}".into(),
            now,
        )
    };
    jobs::insert(db, &row)?;
    let asked = ApprovalRow {
        id: id(5, n),
        job_id: job.clone(),
        session_id: session.clone(),
        state: "waiting".into(),
        fingerprint: id(6, n),
        body_hash: texts::put(db, request.as_bytes())?,
        canonical_hash: texts::put(db, &request.as_bytes()[1..])?,
        manifest: "{\"parts\":[]}".repeat(100),
        created_at: now,
        by: None,
    };
    approvals::ask(db, &asked, None)?;
    approvals::answer(db, &asked.id, "approved", "desktop", now)?;
    if let Some(plan) = plan {
        let row = PlanRow {
            id: plan,
            session_id: session,
            job_id: job.clone(),
            state: "complete".into(),
            trouble: None,
            title: answer.lines().next().unwrap_or_default().into(),
            step_count: 7,
            errors: 0,
            warnings: 1,
            ending: Some("finished".into()),
            answer_hash: Some(texts::put(db, answer.as_bytes())?),
            findings: "[]".into(),
            provider: Some("sim".into()),
            model: Some("large".into()),
            usage: None,
            created_at: now,
        };
        plans::put(db, &row)?;
    }
    for name in ["prepare", "approve", "send", "check"] {
        jobs::begin_step(db, &job, name, now)?;
        jobs::end_step(db, &job, name, "{}", now)?;
    }
    jobs::transition(
        db,
        &job,
        &[JobState::WaitingApproval],
        JobState::Completed,
        "Made a plan of 7 steps.",
        now,
    )?;
    Ok(())
}
