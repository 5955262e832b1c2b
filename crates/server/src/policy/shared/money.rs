//! The budgets of all nodes together: what is set aside, in the same step as the rates.

use super::PREFIX;
use crate::policy::budgets::Purse;

/// What a request may cost at most, and where it would come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Money {
    pub microusd: u64,
    pub purses: Vec<Limit>,
}

/// A budget, as far as this node knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub purse: Purse,
    pub budget_microusd: i64,
    /// What all nodes have settled, as the database said last.
    pub settled_microusd: i64,
    /// Its names in Redis: what was spent and set aside, and until when whoever set it aside is thought alive.
    pub account: String,
    pub held: String,
}

impl Limit {
    /// The budget of a purse of this name, in the day or month that began then.
    pub fn new(
        (purse, name): (Purse, &str),
        begins_ms: i64,
        (budget_microusd, settled_microusd): (i64, i64),
    ) -> Self {
        let account = format!("{PREFIX}:money:{}:{name}:{begins_ms}", purse.name());
        let held = format!("{account}:held");
        Self { purse, budget_microusd, settled_microusd, account, held }
    }
}
