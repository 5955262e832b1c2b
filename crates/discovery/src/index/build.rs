//! Texts to a segment.

use std::ops::Range;

use foldhash::HashMap;

use super::segment::{self, Terms};
use super::{Counts, FIELDS, Field, Posting};
use crate::language::Language;
use crate::scan::{Line, Scanner};
use crate::words;

/// Makes one segment, document by document.
#[derive(Debug, Default)]
pub(crate) struct SegmentBuilder {
    documents: usize,
    terms: HashMap<Box<str>, u32>,
    /// Each distinct token is split and stemmed once per segment: token → its terms.
    tokens: HashMap<Box<str>, u32>,
    expansions: Vec<Range<u32>>,
    /// The terms of all tokens, one token's after the other.
    expanded: Vec<u32>,
    /// Counts of the current document by token, and which of them are not zero.
    token_counts: Vec<Counts>,
    touched_tokens: Vec<u32>,
    /// The same by term.
    term_counts: Vec<Counts>,
    touched_terms: Vec<u32>,
    found: Vec<(u32, Posting)>,
}

impl SegmentBuilder {
    /// Adds a file; its place in the segment, and how many terms each field has.
    pub(crate) fn add(&mut self, path: &str, language: Language, text: &str) -> (u32, [u32; FIELDS]) {
        words::tokens(path, &mut |token| self.count(token, Field::Path));
        let mut scanner = Scanner::new(language);
        for line in text.lines() {
            let field = match scanner.line(line) {
                Line::Comment => Field::Comment,
                Line::Code(definition) => {
                    if let Some(definition) = definition {
                        self.count(definition.name, Field::Definition);
                        let exact = self.term(&words::exact(definition.name));
                        self.count_term(exact, Field::Definition, 1);
                    }
                    Field::Content
                }
            };
            words::tokens(line, &mut |token| self.count(token, field));
        }
        self.close_document()
    }

    fn count(&mut self, token: &str, field: Field) {
        let id = match self.tokens.get(token) {
            Some(&id) => id,
            None => self.new_token(token),
        };
        let counts = &mut self.token_counts[id as usize];
        if *counts == Counts::default() {
            self.touched_tokens.push(id);
        }
        counts[field as usize] = counts[field as usize].saturating_add(1);
    }

    fn new_token(&mut self, token: &str) -> u32 {
        let id = self.expansions.len() as u32;
        let start = self.expanded.len() as u32;
        words::terms(token, &mut |term| {
            let term = self.term(term);
            self.expanded.push(term);
        });
        self.tokens.insert(token.into(), id);
        self.expansions.push(start..self.expanded.len() as u32);
        self.token_counts.push(Counts::default());
        id
    }

    fn term(&mut self, term: &str) -> u32 {
        if let Some(&id) = self.terms.get(term) {
            return id;
        }
        let id = self.terms.len() as u32;
        self.terms.insert(term.into(), id);
        self.term_counts.push(Counts::default());
        id
    }

    fn count_term(&mut self, term: u32, field: Field, by: u16) {
        let counts = &mut self.term_counts[term as usize];
        if *counts == Counts::default() {
            self.touched_terms.push(term);
        }
        counts[field as usize] = counts[field as usize].saturating_add(by);
    }

    fn close_document(&mut self) -> (u32, [u32; FIELDS]) {
        let mut lengths = [0_u32; FIELDS];
        for token in std::mem::take(&mut self.touched_tokens) {
            let counts = std::mem::take(&mut self.token_counts[token as usize]);
            let expansion = self.expansions[token as usize].clone();
            for field in [Field::Path, Field::Definition, Field::Comment, Field::Content] {
                let by = counts[field as usize];
                lengths[field as usize] += u32::from(by) * expansion.len() as u32;
                if by > 0 {
                    for at in expansion.clone() {
                        self.count_term(self.expanded[at as usize], field, by);
                    }
                }
            }
        }
        let place = self.documents as u32;
        self.documents += 1;
        for term in self.touched_terms.drain(..) {
            let counts = std::mem::take(&mut self.term_counts[term as usize]);
            self.found.push((term, Posting { document: place, counts }));
        }
        (place, lengths)
    }

    /// Closes the segment, and writes it as bytes.
    pub(crate) fn finish(self) -> Vec<u8> {
        let (places, postings) = grouped(&self.found, self.terms.len());
        // The order of a hash map must not show anywhere. Most terms differ in their first bytes, which are compared as
        // one number.
        let mut terms: Vec<(u64, Box<str>, u32)> =
            self.terms.into_iter().map(|(term, id)| (head(&term), term, id)).collect();
        terms.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        let list = |id: u32| places[id as usize]..places[id as usize + 1];
        let terms = terms.into_iter().map(|(_, term, id)| (term, list(id))).collect();
        segment::encode(&Terms { terms, postings, documents: self.documents })
    }
}

/// The postings put together by term, in the order in which they were found, and where each term's begin.
fn grouped(found: &[(u32, Posting)], terms: usize) -> (Vec<u32>, Vec<Posting>) {
    let mut places = vec![0_u32; terms + 1];
    for (term, _) in found {
        places[*term as usize + 1] += 1;
    }
    for at in 1..places.len() {
        places[at] += places[at - 1];
    }
    let mut next = places.clone();
    let mut postings = vec![Posting { document: 0, counts: Counts::default() }; found.len()];
    for (term, posting) in found {
        let place = &mut next[*term as usize];
        postings[*place as usize] = *posting;
        *place += 1;
    }
    (places, postings)
}

/// The first eight bytes of a term as a number that orders as they do.
fn head(term: &str) -> u64 {
    let mut bytes = [0; 8];
    let length = term.len().min(8);
    bytes[..length].copy_from_slice(&term.as_bytes()[..length]);
    u64::from_be_bytes(bytes)
}
