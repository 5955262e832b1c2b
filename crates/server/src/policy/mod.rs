//! What may be asked for, how often, and for how much: rates and budgets of users, devices, tokens, models and addresses.
//!
//! Everything is reserved before a request leaves and settled when it ends, so that no two requests at once pass a limit
//! that has room for one.

mod budgets;
mod denials;
mod own;
mod rates;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use llm::{ModelLimits, Prices, Usage, WebSearch};
use server_store::{Store, StoreError};

use crate::config::{self, OnFailure};
use crate::error::ApiError;
use crate::identity::Principal;
use crate::limits::network;
use budgets::{Budgets, Refusal, Reserved};
pub(crate) use denials::Denials;
pub(crate) use own::{InForce, in_force, shown_limits};
use own::{Own, Table};
use rates::{Over, Rates, Running};
pub(crate) use shared::SharedRates;
use shared::{Lease, Refused};

/// What a request counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    User,
    Device,
    Token,
    Model,
    Address,
}

impl Scope {
    /// The word for people.
    fn word(self) -> &'static str {
        match self {
            Scope::User => "person",
            Scope::Device => "device",
            Scope::Token => "token",
            Scope::Model => "model",
            Scope::Address => "address",
        }
    }
}

/// All limits of a node. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Policy {
    rates: Rates,
    /// The rates of all nodes, where there are several.
    shared: Option<SharedRates>,
    budgets: Budgets,
    /// What holds for a person where nothing else was set.
    defaults: (config::Limits, config::Budgets),
    /// What was set.
    own: Own,
    /// Held while both are read anew, so that no older reading comes after a newer one.
    reloading: Arc<tokio::sync::Mutex<()>>,
}

/// Leave to run. What was reserved is given back when it is dropped, at the latest.
pub(crate) struct Permit {
    running: Running,
    /// Leave of all nodes together.
    lease: Option<Lease>,
    /// Where it has still to be counted, if it ends before all nodes were asked.
    uncounted: Option<SharedRates>,
    reserved: Option<Reserved>,
    /// What was set aside, for the ledger.
    most_microusd: Option<u64>,
}

/// What a request may use at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Most {
    pub tokens: u64,
    /// `None` when no price is known.
    pub microusd: Option<u64>,
}

impl Most {
    /// The most a body of this size may use: all of its bytes as prompt, and as many of the longest answers as it asks for.
    pub fn of(
        body: usize,
        (max_tokens, answers): (Option<u64>, u64),
        limits: &ModelLimits,
        prices: Option<Prices>,
        web: Option<&WebSearch>,
    ) -> Self {
        let prompt = llm::Tally::new(body).usage().input_tokens;
        // What is found on the web is read as prompt too, and each search has a price of its own.
        let prompt = web.map_or(prompt, |web| web.most_input_tokens(prompt));
        let web_searches = web.map_or(0, |web| web.max_uses);
        let answer = max_tokens.unwrap_or(limits.max_output_tokens).min(limits.max_output_tokens);
        let answer = answer.saturating_mul(answers);
        let usage = Usage { input_tokens: prompt, output_tokens: answer, web_searches, ..Usage::default() };
        Self {
            tokens: prompt.saturating_add(answer),
            microusd: prices.map(|prices| prices.cost_microusd(&usage)),
        }
    }
}

impl Policy {
    pub fn new(limits: config::Limits, budgets: config::Budgets, shared: Option<SharedRates>) -> Self {
        Self {
            rates: Rates::new(limits),
            shared,
            budgets: Budgets::new(budgets),
            defaults: (limits, budgets),
            own: Own::default(),
            reloading: Arc::default(),
        }
    }

    /// What holds for a person of an organisation.
    pub fn in_force(&self, org_id: &str, user_id: &str) -> InForce {
        self.own.of((org_id, user_id), &self.defaults.0, &self.defaults.1)
    }

    /// The first question, before a body is read: how often, and how many at the same time. Only this node is asked: what it
    /// has no room for by itself there is no room for on all of them.
    pub fn admit(&self, who: &Principal, address: &str, now_ms: i64) -> Result<Permit, ApiError> {
        let token = who.grant.as_ref().map(|grant| grant.id.as_str()).unwrap_or_default();
        let keys = [
            (Scope::User, who.user_id.as_str()),
            (Scope::Device, who.device_id.as_str()),
            (Scope::Token, token),
            (Scope::Address, &*network(address)),
        ];
        let rates = self.rates.for_person(self.in_force(&who.org_id, &who.user_id).rate);
        let running = rates.admit(&keys, now_ms).map_err(limited)?;
        let uncounted = self.shared.clone();
        Ok(Permit { running, lease: None, uncounted, reserved: None, most_microusd: None })
    }

    /// The only question to what asks no model: all nodes are asked at once.
    pub async fn admit_alone(&self, who: &Principal, address: &str, now_ms: i64) -> Result<Permit, ApiError> {
        let mut permit = self.admit(who, address, now_ms)?;
        self.share(&mut permit, 0).await?;
        Ok(permit)
    }

    /// The second question, when it is known what is asked for: the model's own limits, tokens per minute, money; and at last
    /// the rates of all nodes, in one step for everything that is limited.
    pub async fn reserve(
        &self,
        permit: &mut Permit,
        who: &Principal,
        model: &str,
        most: Most,
        now_ms: i64,
    ) -> Result<(), ApiError> {
        permit.running.add((Scope::Model, model), most.tokens, now_ms).map_err(limited)?;
        let person = self.in_force(&who.org_id, &who.user_id);
        permit.reserved = self.budgets.reserve(who, &person, most.microusd).map_err(refused)?;
        permit.most_microusd = most.microusd.filter(|_| permit.reserved.is_some());
        self.share(permit, most.tokens).await
    }

    /// Leave of all nodes for what this node has admitted.
    async fn share(&self, permit: &mut Permit, tokens: u64) -> Result<(), ApiError> {
        let Some(shared) = &self.shared else { return Ok(()) };
        permit.uncounted = None;
        let money = permit.reserved.as_ref().map(Reserved::money).unwrap_or_default();
        match shared.take(permit.running.things(), tokens, money).await {
            Ok(lease) => permit.lease = lease,
            Err(Refused::Over(over)) => {
                // What all nodes refuse has taken nothing of this one either.
                permit.running.undo();
                return Err(limited(over));
            }
            Err(Refused::Spent { purse, left_microusd }) => {
                permit.running.undo();
                let (whose, period) = purse.words();
                return Err(refused(Refusal::Spent { whose, period, left_microusd }));
            }
            Err(Refused::Down) if shared.on_failure() == OnFailure::Local => shared.count_unshared(),
            Err(Refused::Down) => {
                permit.running.undo();
                return Err(unknown());
            }
        }
        Ok(())
    }

    /// Whether Redis answers; `None` where there is none.
    pub async fn redis(&self) -> Option<bool> {
        Some(self.shared.as_ref()?.answers().await)
    }

    /// Whether Redis answered when it was asked last; `None` where there is none.
    pub fn redis_is_up(&self) -> Option<bool> {
        Some(self.shared.as_ref()?.is_up())
    }

    /// Takes over what limits were set, and what all nodes have settled; the latter is left out unless `all` is asked for, or
    /// a limit has changed. One at a time: an administrator's change is not undone by a reading that began before it.
    pub async fn reload(&self, store: &Store, now_ms: i64, all: bool) -> Result<(), StoreError> {
        let _one = self.reloading.lock().await;
        let table = Table::new(store.own_limits().await?);
        let changed = table != *self.own.table();
        if all || changed {
            // What was spent is known before a budget for it holds.
            self.budgets.reload(store, now_ms, table.budgets()).await?;
        }
        if changed {
            self.own.put(table);
        }
        Ok(())
    }
}

impl Permit {
    /// The request is over and has used this: called before the client learns of it, so that its next request finds the
    /// room that this one leaves.
    pub fn over(&mut self, tokens: u64, microusd: Option<u64>) {
        self.running.release();
        self.running.used(tokens);
        if let Some(lease) = &self.lease {
            lease.release(tokens, microusd.unwrap_or_default());
        }
        if let Some(reserved) = &mut self.reserved {
            reserved.spent(microusd.unwrap_or_default());
        }
    }

    /// What was reserved, in micro-dollars.
    pub fn reserved_microusd(&self) -> Option<u64> {
        self.most_microusd
    }

    /// What was used is stored.
    pub fn stored(mut self) {
        self.running.keep();
        if let Some(reserved) = self.reserved.take() {
            reserved.stored();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(shared) = self.uncounted.take() {
            shared.charge(self.running.things());
        }
    }
}

/// Redis does not answer, and the configuration refuses requests then.
fn unknown() -> ApiError {
    let message =
        "the server cannot check its limits at the moment, so nothing was sent; try again in a few seconds";
    let status = actix_web::http::StatusCode::SERVICE_UNAVAILABLE;
    let error = ApiError::new(status, "limits_unavailable", message);
    ApiError { retry_after: Some(Duration::from_secs(5)), ..error }
}

fn limited(over: Over) -> ApiError {
    let what = match over.what {
        rates::What::Requests => "requests",
        rates::What::Tokens => "tokens",
        rates::What::Running => "requests at the same time",
    };
    let message = format!("too many {what} of this {}; wait before the next", over.scope.word());
    ApiError::rate_limited(over.wait, message)
}

fn refused(refusal: Refusal) -> ApiError {
    let status = actix_web::http::StatusCode::FORBIDDEN;
    match refusal {
        Refusal::Spent { whose, period, left_microusd } => {
            let message = format!(
                "the budget of this {whose} {period} has {} left, and this request may cost more; ask for a shorter answer, \
                 or have the budget raised",
                dollars(left_microusd)
            );
            ApiError::new(status, "budget_exceeded", message)
        }
        Refusal::NoPrice => {
            let message = "there is a budget, and no price is known for this model; add it to the catalogue";
            ApiError::new(status, "price_unknown", message)
        }
    }
}

fn dollars(microusd: i64) -> String {
    format!("${:.4}", microusd.max(0) as f64 / 1e6)
}

/// Shared state that outlives a poisoned lock: every change is one step.
type Shared<T> = Arc<std::sync::Mutex<T>>;

fn lock<T>(shared: &Shared<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A wait that a client can act on.
fn wait(ms: f64) -> Duration {
    Duration::from_millis(ms.clamp(1.0, 60_000.0).ceil() as u64)
}
