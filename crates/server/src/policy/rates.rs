//! Requests per minute, tokens per minute, and requests at the same time: a token bucket and a count for each key.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Scope, Shared, lock, wait};
use crate::config::{Limits, Rate};

/// Keys are swept when there are more than this.
const MANY: usize = 10_000;
const MINUTE_MS: f64 = 60_000.0;

type Key = (Scope, String);

/// The rates of a node. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Rates {
    limits: Limits,
    known: Shared<HashMap<Key, Entry>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    requests: f64,
    /// May be below zero: an answer may be longer than was reserved.
    tokens: f64,
    running: u32,
    at_ms: i64,
    /// What it was filled by.
    rate: Rate,
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Requests,
    Tokens,
    Running,
}

/// A limit that was reached, and when there is room again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over {
    pub scope: Scope,
    pub what: What,
    pub wait: Duration,
}

/// A request that runs, and what it has taken.
#[derive(Debug)]
pub(crate) struct Running {
    rates: Rates,
    keys: Vec<Key>,
    /// Taken with each key: reserved at first, used at last.
    tokens: u64,
    released: AtomicBool,
}

impl Rates {
    pub fn new(limits: Limits) -> Self {
        Self { limits, known: Arc::default() }
    }

    /// The same rates, where other limits hold for people.
    pub fn for_person(&self, rate: Rate) -> Self {
        let Rate { requests_per_minute, tokens_per_minute, concurrent } = rate;
        let limits = Limits { requests_per_minute, tokens_per_minute, concurrent, ..self.limits };
        Self { limits, known: Arc::clone(&self.known) }
    }

    fn rate(&self, scope: Scope) -> Rate {
        let limits = &self.limits;
        match scope {
            Scope::User => Rate {
                requests_per_minute: limits.requests_per_minute,
                tokens_per_minute: limits.tokens_per_minute,
                concurrent: limits.concurrent,
            },
            Scope::Device => limits.device,
            Scope::Token => limits.token,
            Scope::Model => limits.model,
            Scope::Address => limits.address,
        }
    }

    /// Leave for one request of all these keys, or of none of them. Empty names are nobody's.
    pub fn admit(&self, keys: &[(Scope, &str)], now_ms: i64) -> Result<Running, Over> {
        let keys: Vec<Key> = keys
            .iter()
            .filter(|(scope, name)| !name.is_empty() && self.rate(*scope) != Rate::default())
            .map(|(scope, name)| (*scope, (*name).to_owned()))
            .collect();
        self.take(&keys, 1.0, 0, now_ms)?;
        Ok(Running { rates: self.clone(), keys, tokens: 0, released: AtomicBool::new(false) })
    }

    /// Asking and taking are one step under one lock, so no race admits one too many.
    fn take(&self, keys: &[Key], requests: f64, tokens: u64, now_ms: i64) -> Result<(), Over> {
        let mut known = lock(&self.known);
        if known.len() > MANY {
            known.retain(|_, entry| entry.running > 0 || now_ms - entry.at_ms < MINUTE_MS as i64);
        }
        for key in keys {
            let rate = self.rate(key.0);
            let entry = known.entry(key.clone()).or_insert(Entry::fresh(rate, now_ms));
            entry.fill(rate, now_ms);
            entry.room(rate, requests, tokens).map_err(|(what, wait)| Over { scope: key.0, what, wait })?;
        }
        for key in keys {
            if let Some(entry) = known.get_mut(key) {
                entry.requests -= requests;
                entry.tokens -= tokens as f64;
                entry.running += u32::from(requests > 0.0);
            }
        }
        Ok(())
    }

    fn give_back(&self, keys: &[Key], tokens: u64, running: bool) {
        let mut known = lock(&self.known);
        for key in keys {
            if let Some(entry) = known.get_mut(key) {
                entry.return_tokens(tokens as f64);
                entry.running = entry.running.saturating_sub(u32::from(running));
            }
        }
    }
}

impl Entry {
    fn fresh(rate: Rate, now_ms: i64) -> Self {
        let (requests, tokens) = (rate.requests_per_minute.into(), rate.tokens_per_minute.into());
        Self { requests, tokens, running: 0, at_ms: now_ms, rate }
    }

    fn fill(&mut self, rate: Rate, now_ms: i64) {
        // A clock that goes back fills nothing, and what it then does again is not filled twice.
        let share = (now_ms - self.at_ms).max(0) as f64 / MINUTE_MS;
        let full = |has: f64, before: u32, most: u32| match before {
            // Where there was no limit nothing was counted: it begins full.
            0 => f64::from(most),
            _ => (has + share * f64::from(most)).min(f64::from(most)),
        };
        self.requests = full(self.requests, self.rate.requests_per_minute, rate.requests_per_minute);
        self.tokens = full(self.tokens, self.rate.tokens_per_minute, rate.tokens_per_minute);
        self.at_ms = now_ms;
        self.rate = rate;
    }

    /// Tokens that were taken and not used, or below zero those that were used besides.
    fn return_tokens(&mut self, tokens: f64) {
        self.tokens = returned(self.tokens, tokens, self.rate.tokens_per_minute);
    }

    /// Whether there is room; a limit of 0 is none. A request larger than a whole minute's tokens is let in when all of
    /// them are there: otherwise it never would be.
    fn room(&self, rate: Rate, requests: f64, tokens: u64) -> Result<(), (What, Duration)> {
        if requests > 0.0 && rate.concurrent > 0 && self.running >= rate.concurrent {
            return Err((What::Running, Duration::from_secs(1)));
        }
        let lacks = |wanted: f64, has: f64, most: u32| {
            let most = f64::from(most);
            let wanted = wanted.min(most);
            (most > 0.0 && has < wanted).then(|| wait((wanted - has) * MINUTE_MS / most))
        };
        if let Some(wait) = lacks(requests, self.requests, rate.requests_per_minute) {
            return Err((What::Requests, wait));
        }
        match lacks(tokens as f64, self.tokens, rate.tokens_per_minute) {
            Some(wait) => Err((What::Tokens, wait)),
            None => Ok(()),
        }
    }
}

/// What there is when some is given back, by the limit that holds now: a request may have begun under another one. Where there is
/// none, nothing is counted.
fn returned(has: f64, back: f64, most: u32) -> f64 {
    match most {
        0 => has,
        most => (has + back).min(most.into()),
    }
}

impl Running {
    /// One key more, and tokens of all its keys.
    pub fn add(&mut self, (scope, name): (Scope, &str), tokens: u64, now_ms: i64) -> Result<(), Over> {
        let rates = &self.rates;
        // Both or neither: what the first step took is given back when the second one fails.
        let more =
            if rates.rate(scope) == Rate::default() { Vec::new() } else { vec![(scope, name.to_owned())] };
        rates.take(&more, 1.0, tokens, now_ms)?;
        if let Err(over) = rates.take(&self.keys, 0.0, tokens, now_ms) {
            rates.give_back(&more, tokens, true);
            return Err(over);
        }
        self.keys.extend(more);
        self.tokens = tokens;
        Ok(())
    }

    /// What it counts against, and how much of each there is.
    pub fn things(&self) -> impl Iterator<Item = (Scope, &str, Rate)> {
        self.keys.iter().map(|(scope, name)| (*scope, name.as_str(), self.rates.rate(*scope)))
    }

    /// It was refused after all: it runs no more, and has taken nothing.
    pub fn undo(&mut self) {
        self.release();
        self.used(0);
        let mut known = lock(&self.rates.known);
        for key in &self.keys {
            if let Some(entry) = known.get_mut(key) {
                entry.requests = returned(entry.requests, 1.0, entry.rate.requests_per_minute);
            }
        }
    }

    /// It runs no more. What it took of tokens stays taken.
    pub fn release(&self) {
        if !self.released.swap(true, Ordering::Relaxed) {
            self.rates.give_back(&self.keys, 0, true);
        }
    }

    /// It has used this many tokens.
    pub fn used(&mut self, tokens: u64) {
        let before = std::mem::replace(&mut self.tokens, tokens);
        let mut known = lock(&self.rates.known);
        for key in &self.keys {
            if let Some(entry) = known.get_mut(key) {
                entry.return_tokens(before as f64 - tokens as f64);
            }
        }
    }

    /// What it has used is final.
    pub fn keep(&mut self) {
        self.tokens = 0;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.release();
        self.rates.give_back(&self.keys, self.tokens, false);
    }
}
