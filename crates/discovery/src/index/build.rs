//! Texts to a segment.

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
    expansions: Vec<Box<[u32]>>,
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
        let mut expansion = Vec::new();
        words::terms(token, &mut |term| expansion.push(self.term(term)));
        self.tokens.insert(token.into(), id);
        self.expansions.push(expansion.into());
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
            let expansion = std::mem::take(&mut self.expansions[token as usize]);
            for field in [Field::Path, Field::Definition, Field::Comment, Field::Content] {
                let by = counts[field as usize];
                lengths[field as usize] += u32::from(by) * expansion.len() as u32;
                if by > 0 {
                    expansion.iter().for_each(|&term| self.count_term(term, field, by));
                }
            }
            self.expansions[token as usize] = expansion;
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
        let mut lists: Vec<(Box<str>, Vec<Posting>)> =
            self.terms.keys().map(|term| (term.clone(), Vec::new())).collect();
        // The order of a hash map must not show anywhere.
        lists.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut places = vec![0; lists.len()];
        for (place, (term, _)) in lists.iter().enumerate() {
            places[self.terms[term] as usize] = place;
        }
        for (term, posting) in self.found {
            lists[places[term as usize]].1.push(posting);
        }
        segment::encode(&Terms { lists, documents: self.documents })
    }
}
