//! Keeping house: the texts of old requests are forgotten, and the database gives their room back.
//!
//! Small pieces, each a transaction of its own, so that a person who types does not wait behind them.

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

/// Keeps house as long as the engine lives.
pub(crate) async fn keep(inner: Weak<Inner>) {
    let mut wait = FIRST;
    loop {
        tokio::time::sleep(wait).await;
        wait = EVERY;
        let Some(inner) = inner.upgrade() else { return };
        match inner.clean().await {
            Ok(cleaned) if cleaned.requests > 0 => {
                tracing::info!(cleaned.requests, cleaned.bytes, "old requests were forgotten");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "keeping house failed; it is tried again later"),
        }
    }
}

impl Inner {
    /// Forgets what is kept no longer, and gives free room back.
    pub(crate) async fn clean(self: &Arc<Inner>) -> store::Result<Cleaned> {
        // A copy of the database is being made: it must not change under it more than it has to.
        let _one = self.backing_up.lock().await;
        let mut cleaned = Cleaned::default();
        let days = self.store.read(crate::settings::keep_requests_days).await?;
        if days > 0 {
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
        let then = self.now().saturating_sub(crate::keys::KEPT_MS);
        self.store.write(move |db| store::keyed_calls::forget_before(db, then)).await?;
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
