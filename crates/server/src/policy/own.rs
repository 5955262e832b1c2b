//! Limits that administrators have set, for one person or for each person of an organisation, before the configuration's.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Value, json};
use server_store::{OwnLimits, OwnLimitsRow};

use crate::config::{Budgets, Limits, Rate};

/// All of them, in memory: known on the node that changes one at once, on others within a second. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own(Arc<RwLock<Arc<Table>>>);

/// A state of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table(HashMap<(String, Option<String>), OwnLimits>);

/// What holds for a person; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InForce {
    pub rate: Rate,
    /// For a day of UTC.
    pub day_microusd: u64,
    /// For a month of UTC.
    pub month_microusd: u64,
}

impl Table {
    pub fn new(rows: Vec<OwnLimitsRow>) -> Self {
        Self(rows.into_iter().map(|row| ((row.org_id, row.user_id), row.limits)).collect())
    }

    /// Whether anybody has a budget for a day, and for a month.
    pub fn budgets(&self) -> (bool, bool) {
        let any = |of: fn(&OwnLimits) -> Option<u64>| {
            self.0.values().any(|own| of(own).is_some_and(|most| most > 0))
        };
        (any(|own| own.day_microusd), any(|own| own.month_microusd))
    }
}

impl Own {
    /// What there is.
    pub fn table(&self) -> Arc<Table> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another state in its place.
    pub fn put(&self, table: Table) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }

    /// What holds for a person of an organisation.
    pub fn of(&self, (org_id, user_id): (&str, &str), limits: &Limits, budgets: &Budgets) -> InForce {
        let table = self.table();
        if table.0.is_empty() {
            return in_force(&[], limits, budgets);
        }
        let find = |user_id: Option<&str>| {
            table.0.get(&(org_id.to_owned(), user_id.map(str::to_owned))).copied().unwrap_or_default()
        };
        in_force(&[find(Some(user_id)), find(None)], limits, budgets)
    }
}

/// What holds: of each limit the first that was set, or that of the configuration.
pub(crate) fn in_force(set: &[OwnLimits], limits: &Limits, budgets: &Budgets) -> InForce {
    let rate = |of: fn(&OwnLimits) -> Option<u32>, default| set.iter().find_map(of).unwrap_or(default);
    let money = |of: fn(&OwnLimits) -> Option<u64>, default| set.iter().find_map(of).unwrap_or(default);
    InForce {
        rate: Rate {
            requests_per_minute: rate(|own| own.requests_per_minute, limits.requests_per_minute),
            tokens_per_minute: rate(|own| own.tokens_per_minute, limits.tokens_per_minute),
            concurrent: rate(|own| own.concurrent, limits.concurrent),
        },
        day_microusd: money(|own| own.day_microusd, budgets.user_day_microusd),
        month_microusd: money(|own| own.month_microusd, budgets.user_month_microusd),
    }
}

/// Limits that were set, as they are shown and recorded.
pub(crate) fn shown_limits(own: &OwnLimits) -> Value {
    json!({
        "requests_per_minute": own.requests_per_minute, "tokens_per_minute": own.tokens_per_minute,
        "concurrent": own.concurrent, "day_microusd": own.day_microusd, "month_microusd": own.month_microusd,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_own_limits_come_before_the_organisations_and_those_before_the_configurations() {
        let limits = Limits {
            requests_per_minute: 100,
            tokens_per_minute: 1_000,
            concurrent: 10,
            ..Limits::default()
        };
        let budgets = Budgets { user_day_microusd: 5, user_month_microusd: 50, ..Budgets::default() };
        let own = Own::default();
        let of = |user: &str| own.of(("org", user), &limits, &budgets);
        assert_eq!(of("ada"), in_force(&[], &limits, &budgets));
        let row = |user: Option<&str>, limits| OwnLimitsRow {
            org_id: "org".into(),
            user_id: user.map(str::to_owned),
            limits,
        };
        own.put(Table::new(vec![
            row(
                Some("ada"),
                OwnLimits { requests_per_minute: Some(1), concurrent: Some(0), ..OwnLimits::default() },
            ),
            row(
                None,
                OwnLimits { requests_per_minute: Some(2), day_microusd: Some(0), ..OwnLimits::default() },
            ),
        ]));
        let rate = |requests_per_minute, concurrent| Rate {
            requests_per_minute,
            tokens_per_minute: 1_000,
            concurrent,
        };
        assert_eq!(of("ada"), InForce { rate: rate(1, 0), day_microusd: 0, month_microusd: 50 });
        assert_eq!(of("bob"), InForce { rate: rate(2, 10), day_microusd: 0, month_microusd: 50 });
        assert_eq!(own.of(("other", "ada"), &limits, &budgets), in_force(&[], &limits, &budgets));
        assert_eq!(own.table().budgets(), (false, false), "0 is no budget");
    }
}
