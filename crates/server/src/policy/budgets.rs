//! Money: what people, organisations and tokens may spend in a day, in a month, or at all.
//!
//! What was settled is read from the database each second, so that every node knows what all have spent; what this node has
//! reserved, and settled since it last read, is added in memory. Where there is a Redis, what all nodes have reserved is in it
//! (`shared/money.rs`).

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use server_store::{Spent, Store, StoreError};

use super::shared::{Limit, Money};
use super::{InForce, Shared, lock};
use crate::config;
use crate::identity::Principal;

/// Whose money, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Purse {
    UserDay,
    UserMonth,
    OrgDay,
    OrgMonth,
    Token,
}

impl Purse {
    const ALL: [Self; 5] = [Self::UserDay, Self::UserMonth, Self::OrgDay, Self::OrgMonth, Self::Token];

    /// Its name in Redis.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserDay => "person-day",
            Self::UserMonth => "person-month",
            Self::OrgDay => "organisation-day",
            Self::OrgMonth => "organisation-month",
            Self::Token => "token",
        }
    }

    /// Whose it is, and for how long, in words for people.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::UserDay => ("person", "for today"),
            Self::UserMonth => ("person", "for this month"),
            Self::OrgDay => ("organisation", "for today"),
            Self::OrgMonth => ("organisation", "for this month"),
            Self::Token => ("token", "in all"),
        }
    }
}

type Key = (Purse, String);

/// Why a request may not spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Spent {
        whose: &'static str,
        period: &'static str,
        left_microusd: i64,
    },
    /// There is a budget and no price.
    NoPrice,
}

/// The budgets of a node. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Budgets {
    config: config::Budgets,
    books: Shared<Books>,
}

#[derive(Debug, Default)]
struct Books {
    /// What all nodes have settled, as the database said last.
    settled: HashMap<Key, i64>,
    /// What this node has reserved, or settled since then.
    here: HashMap<Key, i64>,
    /// Settled here, with the reading before which it was stored: to be forgotten once a later one has seen it.
    fresh: Vec<(u64, Key, i64)>,
    reading: u64,
    /// The reading that `settled` is of.
    seen: u64,
    /// When the day and the month began that `settled` is of.
    began: (i64, i64),
}

/// Money set aside for a request. Dropped without a word, it was not spent.
#[derive(Debug)]
pub(crate) struct Reserved {
    budgets: Budgets,
    keys: Vec<Key>,
    /// Reserved at first, spent at last.
    held: i64,
    /// The same, for all nodes.
    money: Money,
}

impl Budgets {
    pub fn new(config: config::Budgets) -> Self {
        Self { config, books: Arc::default() }
    }

    /// Sets the most that a request may cost aside, in every purse it would come from or in none; `None` where it would
    /// come from none.
    pub fn reserve(
        &self,
        who: &Principal,
        person: &InForce,
        most_microusd: Option<u64>,
    ) -> Result<Option<Reserved>, Refusal> {
        let purses: Vec<(Key, i64)> =
            Purse::ALL.into_iter().filter_map(|purse| self.purse(purse, who, person)).collect();
        if purses.is_empty() {
            return Ok(None);
        }
        let amount = amount(most_microusd.ok_or(Refusal::NoPrice)?);
        let mut books = lock(&self.books);
        for (key, budget) in &purses {
            let left = budget - books.spent(key);
            if left < amount {
                let (whose, period) = key.0.words();
                return Err(Refusal::Spent { whose, period, left_microusd: left });
            }
        }
        let limits = purses.iter().map(|(key, budget)| books.limit(key, *budget)).collect();
        let money = Money { microusd: amount.unsigned_abs(), purses: limits };
        let keys: Vec<Key> = purses.into_iter().map(|(key, _)| key).collect();
        keys.iter().for_each(|key| *books.here.entry(key.clone()).or_default() += amount);
        Ok(Some(Reserved { budgets: self.clone(), keys, held: amount, money }))
    }

    /// The purse and what it holds at first; `None` where there is no limit.
    fn purse(&self, purse: Purse, who: &Principal, person: &InForce) -> Option<(Key, i64)> {
        let config = &self.config;
        let (name, budget) = match purse {
            Purse::UserDay => (&who.user_id, person.day_microusd),
            Purse::UserMonth => (&who.user_id, person.month_microusd),
            Purse::OrgDay => (&who.org_id, config.org_day_microusd),
            Purse::OrgMonth => (&who.org_id, config.org_month_microusd),
            Purse::Token => {
                let grant = who.grant.as_ref()?;
                return Some(((purse, grant.id.clone()), grant.budget_microusd?));
            }
        };
        (budget > 0).then(|| ((purse, name.clone()), i64::try_from(budget).unwrap_or(i64::MAX)))
    }

    /// Reads what all nodes have settled in this day and month, by the calendar of UTC; `own` says whether anybody has a budget
    /// of their own for a day, and for a month.
    pub async fn reload(&self, store: &Store, now_ms: i64, own: (bool, bool)) -> Result<(), StoreError> {
        let config = &self.config;
        let reading = {
            let mut books = lock(&self.books);
            books.reading += 1;
            books.reading
        };
        let (day_ms, month_ms) = starts(now_ms);
        // Where nothing is limited nothing is read.
        let (daily, monthly) = (
            own.0 || config.user_day_microusd > 0 || config.org_day_microusd > 0,
            own.1 || config.user_month_microusd > 0 || config.org_month_microusd > 0,
        );
        let day = if daily { store.spent_since(day_ms).await? } else { Vec::new() };
        let month = if monthly { store.spent_since(month_ms).await? } else { Vec::new() };
        let tokens = store.live_api_tokens(now_ms).await?;
        let mut settled = HashMap::new();
        let mut add = |purse, name: &str, amount: i64| {
            *settled.entry((purse, name.to_owned())).or_default() += amount;
        };
        for Spent { org_id, user_id, microusd } in &day {
            add(Purse::UserDay, user_id, *microusd);
            add(Purse::OrgDay, org_id, *microusd);
        }
        for Spent { org_id, user_id, microusd } in &month {
            add(Purse::UserMonth, user_id, *microusd);
            add(Purse::OrgMonth, org_id, *microusd);
        }
        tokens.iter().for_each(|live| add(Purse::Token, &live.token.id, live.token.spent_microusd));
        lock(&self.books).take_over(settled, reading, (day_ms, month_ms));
        Ok(())
    }
}

impl Books {
    fn spent(&self, key: &Key) -> i64 {
        let of = |map: &HashMap<Key, i64>| map.get(key).copied().unwrap_or_default();
        of(&self.settled) + of(&self.here)
    }

    /// A budget for all nodes: of the day and month of what was read.
    fn limit(&self, (purse, name): &Key, budget: i64) -> Limit {
        let begins_ms = match purse {
            Purse::UserDay | Purse::OrgDay => self.began.0,
            Purse::UserMonth | Purse::OrgMonth => self.began.1,
            Purse::Token => 0,
        };
        let settled = self.settled.get(&(*purse, name.clone())).copied().unwrap_or_default();
        Limit::new((*purse, name), begins_ms, (budget, settled))
    }

    fn take_over(&mut self, settled: HashMap<Key, i64>, reading: u64, began: (i64, i64)) {
        // What a later reading saw was forgotten here, and is not in an earlier one.
        if reading < self.seen {
            return;
        }
        (self.settled, self.seen, self.began) = (settled, reading, began);
        // What was stored before the reading began is in it. What was stored during it may be in both for a second: rather
        // too much than too little.
        let fresh = std::mem::take(&mut self.fresh);
        for (stored, key, amount) in fresh {
            if stored < reading {
                self.add_here(&key, -amount);
            } else {
                self.fresh.push((stored, key, amount));
            }
        }
    }

    fn add_here(&mut self, key: &Key, amount: i64) {
        let here = self.here.entry(key.clone()).or_default();
        *here += amount;
        if *here == 0 {
            self.here.remove(key);
        }
    }
}

impl Reserved {
    /// What all nodes are asked for.
    pub fn money(&self) -> Money {
        self.money.clone()
    }

    /// This much was spent: the rest can be spent by others at once.
    pub fn spent(&mut self, microusd: u64) {
        let spent = amount(microusd);
        let before = std::mem::replace(&mut self.held, spent);
        let mut books = lock(&self.budgets.books);
        self.keys.iter().for_each(|key| books.add_here(key, spent - before));
    }

    /// What was spent stands in the database now, and will be read from there.
    pub fn stored(mut self) {
        let spent = std::mem::take(&mut self.held);
        let mut books = lock(&self.budgets.books);
        let reading = books.reading;
        let fresh = std::mem::take(&mut self.keys).into_iter().map(|key| (reading, key, spent));
        books.fresh.extend(fresh);
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut books = lock(&self.budgets.books);
        self.keys.iter().for_each(|key| books.add_here(key, -self.held));
    }
}

fn amount(microusd: u64) -> i64 {
    i64::try_from(microusd).unwrap_or(i64::MAX)
}

/// When the day and the month of a moment began, in UTC.
fn starts(now_ms: i64) -> (i64, i64) {
    let day = now_ms - now_ms.rem_euclid(86_400_000);
    let month = Timestamp::from_millisecond(now_ms).ok().and_then(|now| {
        let first = now.to_zoned(TimeZone::UTC).first_of_month().ok()?;
        Some(first.start_of_day().ok()?.timestamp().as_millisecond())
    });
    // A time that no calendar has is of no month; the day stands in.
    (day, month.unwrap_or(day))
}

#[cfg(test)]
mod tests {
    use super::*;
    use server_store::Role;

    fn ada() -> Principal {
        Principal {
            user_id: "ada".into(),
            org_id: "org".into(),
            device_id: "d".into(),
            role: Role::Member,
            expires_ms: i64::MAX,
            grant: None,
        }
    }

    fn budgets() -> Budgets {
        Budgets::new(config::Budgets::default())
    }

    /// What ada may spend in a day.
    fn daily(day_microusd: u64) -> InForce {
        InForce { rate: config::Rate::default(), day_microusd, month_microusd: 0 }
    }

    #[test]
    fn of_many_at_once_no_more_is_reserved_than_there_is() {
        let budgets = budgets();
        let who = ada();
        let held: Vec<Reserved> = std::thread::scope(|scope| {
            let tasks: Vec<_> =
                (0..20).map(|_| scope.spawn(|| budgets.reserve(&who, &daily(1_000), Some(300)))).collect();
            tasks.into_iter().filter_map(|task| task.join().ok()?.ok().flatten()).collect()
        });
        assert_eq!(held.len(), 3);
        let refused = budgets.reserve(&who, &daily(1_000), Some(300)).unwrap_err();
        let left = Refusal::Spent { whose: "person", period: "for today", left_microusd: 100 };
        assert_eq!(refused, left);
        drop(held);
        assert!(
            budgets.reserve(&who, &daily(1_000), Some(1_000)).is_ok(),
            "what was not spent is there again"
        );
    }

    #[test]
    fn what_is_settled_counts_once_before_and_after_it_is_read_again() {
        let budgets = budgets();
        let key = (Purse::UserDay, "ada".to_owned());
        let mut reserved = budgets.reserve(&ada(), &daily(1_000), Some(800)).unwrap().unwrap();
        assert_eq!(lock(&budgets.books).spent(&key), 800);
        reserved.spent(500);
        assert_eq!(lock(&budgets.books).spent(&key), 500);
        reserved.stored();
        assert_eq!(lock(&budgets.books).spent(&key), 500);
        let seen = HashMap::from([(key.clone(), 500)]);
        lock(&budgets.books).reading = 1;
        lock(&budgets.books).take_over(seen.clone(), 1, (0, 0));
        assert_eq!(lock(&budgets.books).spent(&key), 500);
        // Settled while the second reading is under way: it may not be in it.
        lock(&budgets.books).reading = 2;
        budgets.reserve(&ada(), &daily(1_000), Some(100)).unwrap().unwrap().stored();
        lock(&budgets.books).take_over(seen.clone(), 2, (0, 0));
        assert_eq!(lock(&budgets.books).spent(&key), 600);
        lock(&budgets.books).reading = 3;
        lock(&budgets.books).take_over(HashMap::from([(key.clone(), 600)]), 3, (1, 1));
        assert_eq!(lock(&budgets.books).spent(&key), 600);
        lock(&budgets.books).take_over(seen, 2, (0, 0));
        assert_eq!(lock(&budgets.books).spent(&key), 600, "an earlier reading that comes late");
        assert_eq!(lock(&budgets.books).began, (1, 1));
        assert!(lock(&budgets.books).here.is_empty());
    }

    #[test]
    fn without_a_price_a_budget_cannot_be_kept() {
        assert_eq!(budgets().reserve(&ada(), &daily(1_000), None).unwrap_err(), Refusal::NoPrice);
        assert!(budgets().reserve(&ada(), &daily(0), None).unwrap().is_none());
    }

    #[test]
    fn days_and_months_begin_in_utc() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let now = at("2028-02-29T23:59:59Z");
        assert_eq!(starts(now), (at("2028-02-29T00:00:00Z"), at("2028-02-01T00:00:00Z")));
        assert_eq!(starts(now + 1_000), (at("2028-03-01T00:00:00Z"), at("2028-03-01T00:00:00Z")));
    }
}
