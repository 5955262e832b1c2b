//! Limits of one person, set on the machine.

use server_store::OwnLimits;

use super::Admin;
use crate::ServerError;
use crate::audit::Change;
use crate::config::Settings;
use crate::policy::{in_force, shown_limits};

impl Admin {
    /// The limits of a person: each by name, with what holds and whether it was set for this person. 0 is no limit.
    pub async fn limits(
        &self,
        login: &str,
        settings: &Settings,
    ) -> Result<[(&'static str, u64, bool); 5], ServerError> {
        let user = self.user(login).await?;
        let own = self.store.own_limits_of(&user.org_id, Some(&user.id)).await?.unwrap_or_default();
        let all = self.store.own_limits_of(&user.org_id, None).await?.unwrap_or_default();
        let holds = in_force(&[own, all], &settings.limits, &settings.budgets);
        let rate = holds.rate;
        Ok([
            ("requests per minute", rate.requests_per_minute.into(), own.requests_per_minute.is_some()),
            ("tokens per minute", rate.tokens_per_minute.into(), own.tokens_per_minute.is_some()),
            ("requests at the same time", rate.concurrent.into(), own.concurrent.is_some()),
            ("micro-dollars in a day", holds.day_microusd, own.day_microusd.is_some()),
            ("micro-dollars in a month", holds.month_microusd, own.month_microusd.is_some()),
        ])
    }

    /// Sets limits of a person; those that are `None` stay as they are, also where somebody else sets them at the same time, and are
    /// not named in the record. They act on running servers within a second.
    pub async fn set_limits(&self, login: &str, given: &OwnLimits) -> Result<(), ServerError> {
        let user = self.user(login).await?;
        let mut shown = shown_limits(given);
        if let Some(fields) = shown.as_object_mut() {
            fields.retain(|_, limit| !limit.is_null());
        }
        let to = Some(shown.to_string());
        self.record(Change { what: "limits.set", target: user.id.clone(), to }).await?;
        Ok(self.store.change_own_limits(&user.org_id, Some(&user.id), given, self.env.now_ms()).await?)
    }

    /// Takes the limits of a person away: the defaults hold again, on running servers within a second.
    pub async fn reset_limits(&self, login: &str) -> Result<(), ServerError> {
        let user = self.user(login).await?;
        self.record(Change { what: "limits.reset", target: user.id.clone(), to: None }).await?;
        Ok(self.store.reset_own_limits(&user.org_id, Some(&user.id)).await?)
    }
}
