//! Keeping house: the texts of old requests are forgotten, and the database gives their room back.
//!
//! Small pieces, each a transaction of its own, so that a person who types does not wait behind them.
//!
//! What is old is so by the machine's clock, which may be wrong: set forth by months, it would make everything old at once.
//! So of a long time between two looks at it only a part counts ([`clock`]).

mod clock;

use crate::Inner;
use api::system::Cleaned;
use clock::Clock;
pub(crate) use clock::{DAY_MS, Span};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long an engine runs before it keeps house for the first time, and from then on.
const FIRST: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// How many requests are forgotten in one transaction.
const REQUESTS: u32 = 50;

/// How many pages are given back in one transaction.
const PAGES: u32 = 500;

/// Where the looks at the clock are kept, over restarts.
const CLOCK: &str = "clock_seen";

/// Who wants that old requests are forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// A person, now.
    Person,
    /// The engine, every few hours.
    Itself,
}

/// Keeps house as long as the engine lives.
pub(crate) async fn keep(inner: Weak<Inner>) {
    let mut wait = FIRST;
    loop {
        tokio::time::sleep(wait).await;
        wait = EVERY;
        let Some(inner) = inner.upgrade() else { return };
        match inner.clean(Wish::Itself).await {
            Ok(cleaned) if cleaned.requests > 0 => {
                tracing::info!(cleaned.requests, cleaned.bytes, "old requests were forgotten");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "keeping house failed; it is tried again later"),
        }
    }
}

impl Inner {
    /// Looks at the clock, and notes it.
    async fn look_at_clock(&self) -> store::Result<Clock> {
        let now = self.now();
        let look = move |db: &store::Db<'_>| {
            let before = store::settings::get(db, CLOCK)?.as_deref().and_then(Clock::read);
            let believed = clock::believed(crate::settings::keep_requests_days(db)?);
            let seen = Clock::look(before, now, believed);
            store::settings::put(db, CLOCK, &seen.written())?;
            Ok(seen)
        };
        self.store.write(look).await
    }

    /// The time for which old requests are kept longer than the settings say, because the clock may have been wrong.
    pub(crate) async fn doubtful_time(&self) -> store::Result<Vec<Span>> {
        let look = |db: &store::Db<'_>| {
            let seen = store::settings::get(db, CLOCK)?.as_deref().and_then(Clock::read);
            let days = crate::settings::keep_requests_days(db)?;
            let kept = i64::from(days).saturating_mul(DAY_MS);
            Ok(seen.filter(|_| days > 0).map(|clock| clock.doubtful(clock.before(kept))).unwrap_or_default())
        };
        self.store.read(look).await
    }

    /// Forgets what is kept no longer, and gives free room back.
    pub(crate) async fn clean(self: &Arc<Inner>, wish: Wish) -> store::Result<Cleaned> {
        // A copy of the database is being made: it must not change under it more than it has to.
        let _one = self.backing_up.lock().await;
        let mut cleaned = Cleaned::default();
        let clock = self.look_at_clock().await?;
        let days = self.store.read(crate::settings::keep_requests_days).await?;
        if days > 0 {
            let kept = i64::from(days).saturating_mul(DAY_MS);
            let before = match wish {
                // Who wants it now has seen what the clock says.
                Wish::Person => self.now().saturating_sub(kept),
                Wish::Itself => clock.before(kept),
            };
            loop {
                let forget = move |db: &store::Db<'_>| store::keeping::forget_requests(db, before, REQUESTS);
                let forgotten = self.store.write(forget).await?;
                cleaned.requests += forgotten;
                if forgotten < u64::from(REQUESTS) {
                    break;
                }
            }
        }
        // As each call with a key does, by the clock as it is.
        let now = self.now();
        self.store.write(move |db| store::keyed_calls::forget_old(db, now, crate::keys::KEPT_MS)).await?;
        let page = self.store.read(store::keeping::page_size).await?;
        loop {
            let given = self.store.write(|db| store::keeping::give_back(db, PAGES)).await?;
            cleaned.bytes += given * page;
            if given < u64::from(PAGES) {
                return Ok(cleaned);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataDir, Engine, Env};
    use std::sync::atomic::{AtomicI64, Ordering};
    use store::approvals::{self, ApprovalRow};
    use store::jobs::{JobRow, JobState};

    const BEGAN: i64 = 1_700_000_000_000;

    /// An engine with a request whose job ended when it began, and its clock.
    async fn engine(home: &std::path::Path) -> (Engine, Arc<AtomicI64>) {
        let clock = Arc::new(AtomicI64::new(BEGAN));
        let read = Arc::clone(&clock);
        let env = Env { clock: Arc::new(move || read.load(Ordering::SeqCst)), ..Env::system() };
        let dir = DataDir::resolve(home.to_str()).unwrap();
        let engine = Engine::open(dir.lock().unwrap(), env).await.unwrap();
        let fill = |db: &store::Db<'_>| {
            store::sessions::insert(db, "s", "p", "Add a retry", BEGAN)?;
            let job = JobRow::queued("j".into(), "s".into(), "plan", "{}".into(), BEGAN);
            store::jobs::insert(db, &JobRow { state: JobState::Completed, ..job })?;
            let row = ApprovalRow {
                id: "a".into(),
                job_id: "j".into(),
                session_id: "s".into(),
                state: "waiting".into(),
                fingerprint: "f".into(),
                body_hash: store::texts::put(db, b"a body")?,
                canonical_hash: store::texts::put(db, b"a request")?,
                manifest: "{}".into(),
                created_at: BEGAN,
                by: None,
            };
            approvals::ask(db, &row, None).map(drop)
        };
        engine.inner.store.write(fill).await.unwrap();
        (engine, clock)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_clock_that_is_set_forth_by_months_makes_nothing_be_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let (engine, clock) = engine(home.path()).await;
        let at = |days: i64, wish: Wish| {
            clock.store(BEGAN + days * DAY_MS, Ordering::SeqCst);
            let inner = Arc::clone(&engine.inner);
            async move { inner.clean(wish).await.unwrap().requests }
        };
        for day in [0, 2, 4, 200, 201, 250, 5] {
            assert_eq!(at(day, Wish::Itself).await, 0, "day {day}");
        }
        let kept = engine.inner.store.read(|db| approvals::get(db, "a")).await.unwrap().unwrap();
        assert!(!kept.body_hash.is_empty());
        // The same time, gone by in fact: the program is opened once a fortnight.
        for day in (6..=90).step_by(14) {
            assert_eq!(at(day, Wish::Itself).await, 0, "day {day}");
        }
        assert_eq!(at(91, Wish::Itself).await, 1);
        let gone = engine.inner.store.read(|db| approvals::get(db, "a")).await.unwrap().unwrap();
        assert!(gone.body_hash.is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_person_who_wants_the_room_has_it() {
        let home = tempfile::tempdir().unwrap();
        let (engine, clock) = engine(home.path()).await;
        assert_eq!(engine.inner.clean(Wish::Itself).await.unwrap().requests, 0);
        assert!(engine.inner.doubtful_time().await.unwrap().is_empty());
        clock.store(BEGAN + 200 * DAY_MS, Ordering::SeqCst);
        assert_eq!(engine.inner.clean(Wish::Itself).await.unwrap().requests, 0);
        let doubtful = Span { from: BEGAN + 30 * DAY_MS, to: BEGAN + 200 * DAY_MS };
        assert_eq!(engine.inner.doubtful_time().await.unwrap(), [doubtful]);
        assert_eq!(engine.inner.clean(Wish::Person).await.unwrap().requests, 1);
    }
}
