//! Pseudonyms for what is personal in a record: the address a request came from.
//!
//! They are random, one for each person at each address, so that nothing can be computed back once the row that says what
//! stands behind one is erased.

use std::collections::HashMap;

use server_store::SubjectRow;

use super::wire::Entry;
use crate::env::Env;

/// Pseudonyms that are kept in memory; beyond it people get new ones for addresses they had before.
const MOST: usize = 10_000;

/// Organisation, person, address.
type Subject = (String, String, String);

/// The pseudonyms of a chain.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    stored: HashMap<Subject, String>,
}

/// The pseudonyms that a batch needs: those of old, and new ones that are to be stored with it.
#[derive(Debug)]
pub(super) struct Drawn<'s> {
    subjects: &'s Subjects,
    new: HashMap<Subject, String>,
}

impl Subjects {
    /// Begins a batch.
    pub fn draw(&self) -> Drawn<'_> {
        Drawn { subjects: self, new: HashMap::new() }
    }

    /// New ones that are stored now.
    pub fn keep(&mut self, rows: &[SubjectRow]) {
        if self.stored.len() + rows.len() > MOST {
            self.stored.clear();
        }
        let subject = |row: &SubjectRow| (row.org_id.clone(), row.user_id.clone(), row.address.clone());
        self.stored.extend(rows.iter().map(|row| (subject(row), row.pseudonym.clone())));
    }
}

impl Drawn<'_> {
    /// What the record says instead of the address.
    pub fn pseudonym(&mut self, entry: &Entry, env: &Env) -> String {
        let subject = (entry.org.clone(), entry.user.clone(), entry.address.clone());
        match self.subjects.stored.get(&subject) {
            Some(known) => known.clone(),
            None => self.new.entry(subject).or_insert_with(|| env.id()).clone(),
        }
    }

    /// The rows of the new ones.
    pub fn rows(self, now_ms: i64) -> Vec<SubjectRow> {
        let row = |((org_id, user_id, address), pseudonym)| SubjectRow {
            pseudonym,
            org_id,
            user_id,
            address,
            created_ms: now_ms,
        };
        self.new.into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_at_one_address_is_one_subject() {
        let entry = |user: &str, address: &str| Entry {
            user: user.into(),
            address: address.into(),
            ..Entry::default()
        };
        let (mut subjects, env) = (Subjects::default(), Env::system());
        let mut drawn = subjects.draw();
        let first = drawn.pseudonym(&entry("ada", "a"), &env);
        assert_eq!(drawn.pseudonym(&entry("ada", "a"), &env), first);
        assert_ne!(drawn.pseudonym(&entry("bob", "a"), &env), first);
        assert_ne!(drawn.pseudonym(&entry("ada", "b"), &env), first);
        let rows = drawn.rows(1);
        assert_eq!(rows.len(), 3);
        subjects.keep(&rows);
        let mut next = subjects.draw();
        assert_eq!(next.pseudonym(&entry("ada", "a"), &env), first);
        assert!(next.rows(2).is_empty(), "it is stored already");
    }
}
