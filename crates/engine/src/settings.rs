//! What the engine keeps to, whatever client asks: for now the budgets.

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
        let budgets = self.inner.store.read(budgets).await.map_err(database)?;
        Ok(Settings { day_budget: budgets.day, session_budget: budgets.session })
    }

    async fn set(&self, caller: &Caller, request: Settings) -> Result<Settings, ApiError> {
        let budgets = Budgets { day: request.day_budget, session: request.session_budget };
        let json = serde_json::to_string(&budgets).map_err(|e| ApiError::internal(e.to_string()))?;
        self.inner.store.write(move |db| store::settings::put(db, BUDGETS, &json)).await.map_err(database)?;
        self.inner.bus.tell(Topic::Settings, "", None);
        self.get(caller, Empty {}).await
    }
}
