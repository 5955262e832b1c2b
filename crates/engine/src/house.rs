//! Keeping house: the texts of old requests are forgotten, and the database gives their room back.
//!
//! Small pieces, each a transaction of its own, so that a person who types does not wait behind them.
//!
//! What is old is so by the machine's clock, which may be wrong: set forth by months, it would make everything old at once.
//! So nothing is forgotten by itself before the clock has gone on steadily for some days ([`Steady`]).

use crate::Inner;
use api::system::Cleaned;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long an engine runs before it keeps house for the first time, and from then on.
const FIRST: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// How many requests are forgotten in one transaction.
const REQUESTS: u32 = 50;

/// How many pages are given back in one transaction.
const PAGES: u32 = 500;

const DAY_MS: i64 = 86_400_000;

/// The longest time between two looks at the clock that is not taken for a leap of it, in milliseconds: a machine may have
/// been switched off for a week.
const LEAP_MS: i64 = 7 * DAY_MS;

/// How far the clock may be set back without that being a leap: it is put right by seconds all the time.
const SET_BACK_MS: i64 = 5 * 60 * 1000;

/// How long the clock must have gone on without a leap before it is believed.
const STEADY_MS: i64 = 3 * DAY_MS;

/// Where the looks at the clock are kept, over restarts.
const CLOCK: &str = "clock_seen";

/// What is known of the machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Steady {
    /// When it was looked at last, by itself.
    seen_at: i64,
    /// Since when it has made no leap.
    since: i64,
}

impl Steady {
    /// After another look.
    fn look(before: Option<Steady>, now: i64) -> Steady {
        let goes_on =
            |before: &Steady| (before.seen_at - SET_BACK_MS..=before.seen_at + LEAP_MS).contains(&now);
        let since = before.filter(goes_on).map_or(now, |before| before.since);
        Steady { seen_at: now, since }
    }

    fn is_believed(self) -> bool {
        self.seen_at - self.since >= STEADY_MS
    }

    fn read(text: &str) -> Option<Steady> {
        let (seen_at, since) = text.split_once(' ')?;
        Some(Steady { seen_at: seen_at.parse().ok()?, since: since.parse().ok()? })
    }

    fn written(self) -> String {
        format!("{} {}", self.seen_at, self.since)
    }
}

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
    /// Looks at the clock; whether it is believed.
    async fn clock_is_believed(&self) -> store::Result<bool> {
        let now = self.now();
        let look = move |db: &store::Db<'_>| {
            let before = store::settings::get(db, CLOCK)?.as_deref().and_then(Steady::read);
            let seen = Steady::look(before, now);
            store::settings::put(db, CLOCK, &seen.written())?;
            Ok(seen.is_believed())
        };
        self.store.write(look).await
    }

    /// Forgets what is kept no longer, and gives free room back.
    pub(crate) async fn clean(self: &Arc<Inner>, wish: Wish) -> store::Result<Cleaned> {
        // A copy of the database is being made: it must not change under it more than it has to.
        let _one = self.backing_up.lock().await;
        let mut cleaned = Cleaned::default();
        let believed = self.clock_is_believed().await? || wish == Wish::Person;
        if !believed {
            tracing::debug!("nothing is forgotten yet: the clock has not gone on steadily for long enough");
        }
        let days = self.store.read(crate::settings::keep_requests_days).await?;
        if days > 0 && believed {
            let before = self.now().saturating_sub(i64::from(days).saturating_mul(DAY_MS));
            loop {
                let forget = move |db: &store::Db<'_>| store::keeping::forget_requests(db, before, REQUESTS);
                let forgotten = self.store.write(forget).await?;
                cleaned.requests += forgotten;
                if forgotten < u64::from(REQUESTS) {
                    break;
                }
            }
        }
        if believed {
            let then = self.now().saturating_sub(crate::keys::KEPT_MS);
            self.store.write(move |db| store::keyed_calls::forget_before(db, then)).await?;
        }
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

    #[test]
    fn a_leap_of_the_clock_begins_its_time_anew() {
        let mut seen = None;
        let mut look = |day: i64| {
            seen = Some(Steady::look(seen, BEGAN + day * DAY_MS));
            assert_eq!(Steady::read(&seen.unwrap().written()), seen);
            seen.unwrap().is_believed()
        };
        // Also after a week without the machine.
        assert_eq!([0, 1, 3, 10, 17].map(&mut look), [false, false, true, true, true]);
        // Months ahead, back again, and ahead for good.
        assert_eq!(
            [107, 108, 17, 18, 300, 302, 303].map(&mut look),
            [false, false, false, false, false, false, true]
        );
        assert_eq!(Steady::read("no clock"), None);
    }

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
        for day in [0, 2, 4, 200, 201, 5] {
            assert_eq!(at(day, Wish::Itself).await, 0, "day {day}");
        }
        let kept = engine.inner.store.read(|db| approvals::get(db, "a")).await.unwrap().unwrap();
        assert!(!kept.body_hash.is_empty());
        // The same time, reached day by day.
        for day in 6..=90 {
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
        clock.store(BEGAN + 200 * DAY_MS, Ordering::SeqCst);
        assert_eq!(engine.inner.clean(Wish::Itself).await.unwrap().requests, 0);
        assert_eq!(engine.inner.clean(Wish::Person).await.unwrap().requests, 1);
    }
}
