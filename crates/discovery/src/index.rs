//! Terms to files: an inverted index made of immutable segments.
//!
//! A segment covers a run of files in path order. Segments are built independently (one per worker
//! at a time), never merged and never changed, and a query reads them in order: that makes the
//! result independent of the number of threads, and makes a segment a thing that can be written to
//! a file later. What must hold: postings of one term are ordered by document, and nothing depends
//! on the order of a hash map.

use std::collections::HashMap;

use crate::language::{Language, Role};
use crate::scan::{Line, Scanner};
use crate::words;

/// Where in a file a term stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Path,
    Definition,
    Comment,
    Content,
}

pub(crate) const FIELDS: usize = 4;

/// How often a term stands in each field of a document.
pub(crate) type Counts = [u16; FIELDS];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Posting {
    /// Counted over the whole index.
    pub document: u32,
    pub counts: Counts,
}

/// An indexed file.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub path: String,
    pub bytes: u64,
    pub role: Role,
    pub test: bool,
    /// Terms per field.
    pub lengths: [u32; FIELDS],
}

/// A run of documents and the terms in them.
#[derive(Debug)]
pub(crate) struct Segment {
    documents: Vec<Document>,
    terms: HashMap<Box<str>, u32>,
    /// Postings of term `t` are `postings[starts[t]..starts[t + 1]]`; documents count from 0 here.
    starts: Vec<u32>,
    postings: Vec<Posting>,
}

/// All segments of a repository.
#[derive(Debug)]
pub(crate) struct Index {
    pub documents: Vec<Document>,
    segments: Vec<(u32, Segment)>,
    /// Mean number of terms per field.
    pub average_lengths: [f64; FIELDS],
}

impl Index {
    /// Puts segments, given in path order, behind one another.
    pub(crate) fn new(segments: Vec<Segment>) -> Self {
        let mut documents = Vec::new();
        let mut placed = Vec::with_capacity(segments.len());
        for mut segment in segments {
            let first = documents.len() as u32;
            documents.append(&mut segment.documents);
            placed.push((first, segment));
        }
        let mut average_lengths = [0.0; FIELDS];
        for (field, average) in average_lengths.iter_mut().enumerate() {
            let total: u64 = documents.iter().map(|document| u64::from(document.lengths[field])).sum();
            *average = (total as f64 / documents.len().max(1) as f64).max(1.0);
        }
        Self { documents, segments: placed, average_lengths }
    }

    /// Where a term stands, by document.
    pub(crate) fn postings<'i>(&'i self, term: &'i str) -> impl Iterator<Item = Posting> + 'i {
        self.segments.iter().flat_map(move |(first, segment)| {
            segment
                .postings(term)
                .iter()
                .map(move |posting| Posting { document: first + posting.document, counts: posting.counts })
        })
    }

    /// In how many documents a term stands.
    pub(crate) fn document_frequency(&self, term: &str) -> usize {
        self.segments.iter().map(|(_, segment)| segment.postings(term).len()).sum()
    }
}

impl Segment {
    fn postings(&self, term: &str) -> &[Posting] {
        let Some(&id) = self.terms.get(term) else { return &[] };
        &self.postings[self.starts[id as usize] as usize..self.starts[id as usize + 1] as usize]
    }
}

/// Makes one segment, document by document.
#[derive(Debug, Default)]
pub(crate) struct SegmentBuilder {
    documents: Vec<Document>,
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
    /// Adds a file. Files must come in path order.
    pub(crate) fn add(&mut self, document: Document, language: Language, text: &str) {
        let path = document.path.clone();
        self.documents.push(document);
        words::tokens(&path, &mut |token| self.count(token, Field::Path));
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
        self.close_document();
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

    fn close_document(&mut self) {
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
        let place = self.documents.len() - 1;
        for term in self.touched_terms.drain(..) {
            let counts = std::mem::take(&mut self.term_counts[term as usize]);
            self.found.push((term, Posting { document: place as u32, counts }));
        }
        self.documents[place].lengths = lengths;
    }

    /// Closes the segment: postings are put together by term.
    pub(crate) fn finish(self) -> Segment {
        let mut starts = vec![0_u32; self.terms.len() + 1];
        for (term, _) in &self.found {
            starts[*term as usize + 1] += 1;
        }
        for term in 1..starts.len() {
            starts[term] += starts[term - 1];
        }
        let mut next = starts.clone();
        let mut postings = vec![Posting { document: 0, counts: Counts::default() }; self.found.len()];
        for (term, posting) in self.found {
            let place = &mut next[term as usize];
            postings[*place as usize] = posting;
            *place += 1;
        }
        Segment { documents: self.documents, terms: self.terms, starts, postings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(path: &str) -> Document {
        Document { path: path.to_owned(), bytes: 0, role: Role::Code, test: false, lengths: [0; FIELDS] }
    }

    #[test]
    fn postings_cross_segments_in_document_order() {
        let segments = [("a.rs", "fn parse_url() {}\n// url"), ("b.rs", "url url"), ("c.rs", "nothing")];
        let index = Index::new(
            segments
                .iter()
                .map(|(path, text)| {
                    let mut builder = SegmentBuilder::default();
                    builder.add(document(path), Language::Rust, text);
                    builder.finish()
                })
                .collect(),
        );
        let found: Vec<Posting> = index.postings("url").collect();
        assert_eq!(
            found,
            [Posting { document: 0, counts: [0, 1, 1, 1] }, Posting { document: 1, counts: [0, 0, 0, 2] }]
        );
        assert_eq!(index.document_frequency("=parse_url"), 1);
        assert_eq!(index.document_frequency("parse_url"), 1);
        assert_eq!(index.document_frequency("absent"), 0);
        assert_eq!(index.documents.len(), 3);
    }
}
