//! Lets a phone in by its key: a challenge, then a ticket that works once and soon.

use crate::ServerError;
use crate::env::Env;
use crate::identity::token_hash;
use relay::bytes::Nonce;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long a challenge or a ticket is good.
const LIFETIME_MS: i64 = 30_000;
/// How many of each may be open at once.
const MANY: usize = 10_000;

/// A ticket's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TicketOwner {
    pub account: String,
    pub device: String,
    /// The page that asked, as its `Origin`; none for a program.
    pub origin: Option<String>,
}

/// Open challenges and tickets, in memory. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tickets {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// By nonce: for which device, until when.
    challenges: HashMap<[u8; 32], (String, i64)>,
    /// By the ticket's hash: whose, until when.
    tickets: HashMap<String, (TicketOwner, i64)>,
    swept_ms: i64,
}

impl Tickets {
    fn state(&self, now_ms: i64) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // What is too old goes once a second at most, so that strangers' challenges do not pile up.
        if now_ms - state.swept_ms >= 1_000 {
            state.swept_ms = now_ms;
            state.challenges.retain(|_, (_, until)| *until > now_ms);
            state.tickets.retain(|_, (_, until)| *until > now_ms);
        }
        state
    }

    /// A challenge for a device. It says nothing about whether there is such a device.
    pub fn challenge(&self, device: &str, env: &Env) -> Result<Option<Nonce>, ServerError> {
        let nonce = env.random::<32>()?;
        let now = env.now_ms();
        let mut state = self.state(now);
        if state.challenges.len() >= MANY {
            return Ok(None);
        }
        state.challenges.insert(nonce, (device.to_owned(), now + LIFETIME_MS));
        Ok(Some(Nonce(nonce)))
    }

    /// Takes a challenge back: whether it was drawn for this device and is still good. It is used up either way.
    pub fn answer(&self, device: &str, nonce: &Nonce, now_ms: i64) -> bool {
        let taken = self.state(now_ms).challenges.remove(&nonce.0);
        taken.is_some_and(|(of, until)| of == device && until > now_ms)
    }

    /// A ticket.
    pub fn issue(&self, owner: TicketOwner, env: &Env) -> Result<String, ServerError> {
        let ticket = env.token()?;
        let now = env.now_ms();
        self.state(now).tickets.insert(token_hash(&ticket), (owner, now + LIFETIME_MS));
        Ok(ticket)
    }

    /// Takes a ticket back: whose it is. It is used up.
    pub fn redeem(&self, ticket: &str, now_ms: i64) -> Option<TicketOwner> {
        let (owner, until) = self.state(now_ms).tickets.remove(&token_hash(ticket))?;
        (until > now_ms).then_some(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_works_once_and_soon() {
        let (tickets, env) = (Tickets::default(), Env::system());
        let nonce = tickets.challenge("phone", &env).unwrap().unwrap();
        assert!(!tickets.answer("another", &nonce, env.now_ms()));
        assert!(!tickets.answer("phone", &nonce, env.now_ms()), "used up by the wrong answer");
        let nonce = tickets.challenge("phone", &env).unwrap().unwrap();
        assert!(tickets.answer("phone", &nonce, env.now_ms()));

        let owner = TicketOwner { account: "ada".into(), device: "phone".into(), origin: None };
        let ticket = tickets.issue(owner.clone(), &env).unwrap();
        assert_eq!(tickets.redeem(&ticket, env.now_ms()), Some(owner.clone()));
        assert_eq!(tickets.redeem(&ticket, env.now_ms()), None);
        let ticket = tickets.issue(owner, &env).unwrap();
        assert_eq!(tickets.redeem(&ticket, env.now_ms() + LIFETIME_MS), None);
    }
}
