//! Boxes that the hub has not confirmed yet, to be sent again on the next socket.

use crate::bytes::Sealed;
use crate::envelope::ToHub;
use std::collections::VecDeque;

/// The most bytes that are kept; beyond it the session that wants to send ends.
const MOST: usize = 4 * 1024 * 1024;

#[derive(Default)]
pub(crate) struct Outbox {
    /// The number of the last box.
    last: u64,
    kept: VecDeque<(u64, String, Sealed)>,
    bytes: usize,
}

impl Outbox {
    /// Numbers a box and keeps it. `None` when too much is kept already.
    pub fn add(&mut self, to: &str, sealed: Vec<u8>) -> Option<ToHub> {
        if self.bytes + sealed.len() > MOST {
            return None;
        }
        self.last += 1;
        self.bytes += sealed.len();
        self.kept.push_back((self.last, to.to_owned(), Sealed::new(sealed)));
        self.kept.back().map(envelope)
    }

    /// The hub has everything up to `seq`.
    pub fn confirm(&mut self, seq: u64) {
        while let Some((first, _, sealed)) = self.kept.front()
            && *first <= seq
        {
            self.bytes -= sealed.len();
            self.kept.pop_front();
        }
    }

    /// Whom a box is for that the hub has not confirmed.
    pub fn receiver(&self, seq: u64) -> Option<&str> {
        self.kept.iter().find(|(kept, ..)| *kept == seq).map(|(_, to, _)| to.as_str())
    }

    /// The hub knows nothing of before: count from 1 again. What it had may come twice; the receiver's session sees it.
    pub fn renumber(&mut self) {
        self.last = 0;
        for (seq, ..) in &mut self.kept {
            self.last += 1;
            *seq = self.last;
        }
    }

    /// Everything that is not confirmed, in order.
    pub fn unconfirmed(&self) -> impl Iterator<Item = ToHub> + '_ {
        self.kept.iter().map(envelope)
    }
}

fn envelope((seq, to, sealed): &(u64, String, Sealed)) -> ToHub {
    // An answer to a phone that is just away waits at the hub: losing it would break the session.
    ToHub::Sealed { to: to.clone(), seq: *seq, sealed: sealed.clone(), queue: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(outbox: &Outbox) -> Vec<u64> {
        let seq = |e| if let ToHub::Sealed { seq, .. } = e { seq } else { 0 };
        outbox.unconfirmed().map(seq).collect()
    }

    #[test]
    fn what_is_confirmed_is_forgotten_and_the_rest_is_sent_again() {
        let mut outbox = Outbox::default();
        for _ in 0..4 {
            outbox.add("p", vec![0; 10]).unwrap();
        }
        outbox.confirm(2);
        assert_eq!(numbers(&outbox), [3, 4]);
        outbox.renumber();
        assert_eq!(numbers(&outbox), [1, 2]);
        outbox.add("p", vec![]).unwrap();
        assert_eq!(numbers(&outbox), [1, 2, 3]);
        assert!(outbox.add("p", vec![0; MOST]).is_none());
    }
}
