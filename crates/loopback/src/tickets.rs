//! The secrets that let a page or program in.
//!
//! `serve --open` writes a redirect file that only this user can read. The *ticket* in it is good once, for
//! [`TICKET_SECONDS`]; the page exchanges it for the *page token* of this process, which it keeps in
//! `sessionStorage`. A native program reads the *file token* instead. No cookie is involved: cookies ignore
//! ports, so any development server on this machine would receive them.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a ticket is good for.
pub const TICKET_SECONDS: u64 = 30;

/// 32 random bytes in hexadecimal.
pub type Token = String;

/// Makes tokens; the host passes the system's randomness in.
pub type RandomToken = Box<dyn Fn() -> Token + Send + Sync>;

/// The tickets and tokens of one serving process.
pub struct Tickets {
    random: RandomToken,
    page: Token,
    file: Token,
    open: Mutex<HashMap<[u8; 32], Instant>>,
}

impl Tickets {
    /// New tokens for a new process.
    pub fn new(random: RandomToken) -> Tickets {
        Tickets { page: random(), file: random(), random, open: Mutex::default() }
    }

    /// A new ticket, good once from `now`.
    pub fn issue(&self, now: Instant) -> Token {
        let ticket = (self.random)();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, until| *until > now);
        open.insert(hash(&ticket), now + Duration::from_secs(TICKET_SECONDS));
        ticket
    }

    /// Exchanges a ticket for the page token; `None` when it is unknown, used or too old.
    pub fn redeem(&self, ticket: &str, now: Instant) -> Option<&str> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked up by hash, so the time this takes says nothing about the ticket.
        let until = open.remove(&hash(ticket))?;
        (until > now).then_some(self.page.as_str())
    }

    /// The token that native programs read from a private file.
    pub fn file_token(&self) -> &str {
        &self.file
    }

    /// Whether `token` lets a page in.
    pub fn admits_page(&self, token: &str) -> bool {
        hash(token) == hash(&self.page)
    }

    /// Whether `token` lets a native program in.
    pub fn admits_program(&self, token: &str) -> bool {
        hash(token) == hash(&self.file)
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn a_ticket_is_good_once_and_for_a_short_time() {
        let counter = AtomicU32::new(0);
        let tickets = Tickets::new(Box::new(move || counter.fetch_add(1, Ordering::SeqCst).to_string()));
        let now = Instant::now();
        let ticket = tickets.issue(now);
        let page = tickets.redeem(&ticket, now).map(str::to_owned).expect("a fresh ticket is good");
        assert!(
            tickets.admits_page(&page) && !tickets.admits_program(&page) && !tickets.admits_page(&ticket)
        );
        assert_eq!(tickets.redeem(&ticket, now), None, "a ticket is good once");
        let late = tickets.issue(now);
        assert_eq!(tickets.redeem(&late, now + Duration::from_secs(TICKET_SECONDS)), None);
        assert_eq!(tickets.redeem("guess", now), None);
    }
}
