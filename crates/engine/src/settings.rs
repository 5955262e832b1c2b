//! What the engine keeps to, whatever client asks: budgets, and how long things are kept.

use crate::Engine;
use crate::error::database;
use crate::wire::Budgets;
use api::Empty;
use api::events::Topic;
use api::settings::{Settings, SettingsService};
use rpc::{ApiError, Caller};
use store::{Db, StoreError};

/// Where the budgets are kept.
const BUDGETS: &str = "budgets";

/// Where it is kept for how many days requests are kept.
const KEEP_REQUESTS: &str = "keep_requests_days";

/// How long requests are kept when nothing is set, in days.
const KEEP_REQUESTS_DAYS: u32 = 90;

/// For how many days requests are kept; 0 for ever.
pub(crate) fn keep_requests_days(db: &Db<'_>) -> store::Result<u32> {
    let set = store::settings::get(db, KEEP_REQUESTS)?;
    // What cannot be read must not lead to anything being forgotten.
    Ok(set.map_or(KEEP_REQUESTS_DAYS, |days| days.parse().unwrap_or(0)))
}

/// The budgets that are set.
pub(crate) fn budgets(db: &Db<'_>) -> store::Result<Budgets> {
    match store::settings::get(db, BUDGETS)? {
        None => Ok(Budgets::default()),
        // A budget that cannot be read must not count as none.
        Some(json) => serde_json::from_str(&json).map_err(|e| StoreError::Text(e.into())),
    }
}

impl SettingsService for Engine {
    async fn get(&self, _: &Caller, _: Empty) -> Result<Settings, ApiError> {
        let read = |db: &Db<'_>| Ok((budgets(db)?, store::settings::get(db, KEEP_REQUESTS)?));
        let (budgets, keep) = self.inner.store.read(read).await.map_err(database)?;
        Ok(Settings {
            day_budget: budgets.day,
            session_budget: budgets.session,
            keep_requests_days: keep.and_then(|days| days.parse().ok()),
        })
    }

    async fn set(&self, caller: &Caller, request: Settings) -> Result<Settings, ApiError> {
        let budgets = Budgets { day: request.day_budget, session: request.session_budget };
        let json = serde_json::to_string(&budgets).map_err(|e| ApiError::internal(e.to_string()))?;
        let write = move |db: &Db<'_>| {
            store::settings::put(db, BUDGETS, &json)?;
            match request.keep_requests_days {
                Some(days) => store::settings::put(db, KEEP_REQUESTS, &days.to_string()),
                None => store::settings::remove(db, KEEP_REQUESTS),
            }
        };
        self.inner.store.write(write).await.map_err(database)?;
        self.inner.bus.tell(Topic::Settings, "", None);
        self.get(caller, Empty {}).await
    }
}
