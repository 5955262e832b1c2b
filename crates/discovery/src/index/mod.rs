//! Terms to files: an inverted index made of segments.
//!
//! A segment covers some files and is never changed. Segments are built independently, one per worker at a time; a
//! file that changes gets a place in a new segment, and its place in the old one is dead. Scores must not depend on which
//! segments a file went through: documents are numbered by path over all segments, frequencies count living documents
//! only, and nothing depends on the order of a hash map.

mod build;
pub(crate) mod bytes;
pub(crate) mod cache;
pub(crate) mod manifest;
pub(crate) mod segment;

use std::collections::HashMap;

use rayon::prelude::*;

use crate::language::Role;
pub(crate) use build::SegmentBuilder;
use bytes::Corrupt;
use segment::Segment;

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
    /// Counted over a segment while it is built, over the whole index afterwards.
    pub document: u32,
    pub counts: Counts,
}

/// An indexed file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    pub path: String,
    pub bytes: u64,
    pub role: Role,
    pub test: bool,
    /// Terms per field.
    pub lengths: [u32; FIELDS],
}

/// No document: what a file's place is when it lives elsewhere.
pub(crate) const DEAD: u32 = u32::MAX;

/// A segment and, for each of its documents, the number in the index, or [`DEAD`].
#[derive(Debug)]
pub(crate) struct Placed {
    pub segment: Segment,
    pub numbers: Vec<u32>,
}

/// All segments of a repository.
#[derive(Debug)]
pub(crate) struct Index {
    /// Ordered by path.
    pub documents: Vec<Document>,
    segments: Vec<Placed>,
    /// Mean number of terms per field.
    pub average_lengths: [f64; FIELDS],
    /// The lists that were asked for so far.
    lists: HashMap<String, Vec<Posting>>,
}

impl Index {
    pub(crate) fn new(documents: Vec<Document>, segments: Vec<Placed>) -> Self {
        let mut average_lengths = [0.0; FIELDS];
        for (field, average) in average_lengths.iter_mut().enumerate() {
            let total: u64 = documents.iter().map(|document| u64::from(document.lengths[field])).sum();
            *average = (total as f64 / documents.len().max(1) as f64).max(1.0);
        }
        Self { documents, segments, average_lengths, lists: HashMap::new() }
    }

    /// Reads where these terms stand; [`Index::postings`] knows only what was loaded.
    pub(crate) fn load(&mut self, terms: impl IntoIterator<Item = String>) -> Result<(), Corrupt> {
        let mut terms: Vec<String> =
            terms.into_iter().filter(|term| !self.lists.contains_key(term)).collect();
        terms.sort_unstable();
        terms.dedup();
        let by_segment: Vec<Vec<Vec<Posting>>> =
            self.segments.par_iter().map(|placed| placed.living(&terms)).collect::<Result<_, Corrupt>>()?;
        let mut by_segment: Vec<_> = by_segment.into_iter().map(Vec::into_iter).collect();
        for term in terms {
            let lists = by_segment.iter_mut().filter_map(Iterator::next);
            let mut list: Vec<Posting> = lists.flatten().collect();
            list.sort_unstable_by_key(|posting| posting.document);
            self.lists.insert(term, list);
        }
        Ok(())
    }

    /// Where a loaded term stands, by document.
    pub(crate) fn postings(&self, term: &str) -> &[Posting] {
        self.lists.get(term).map_or(&[], Vec::as_slice)
    }

    /// In how many documents a loaded term stands.
    pub(crate) fn document_frequency(&self, term: &str) -> usize {
        self.postings(term).len()
    }
}

impl Placed {
    /// The lists of some terms, without dead documents.
    fn living(&self, terms: &[String]) -> Result<Vec<Vec<Posting>>, Corrupt> {
        let living = |posting: Posting| {
            let document = self.numbers.get(posting.document as usize).copied().unwrap_or(DEAD);
            (document != DEAD).then_some(Posting { document, ..posting })
        };
        let list = |term: &String| Ok(self.segment.postings(term)?.into_iter().filter_map(living).collect());
        terms.iter().map(list).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use segment::Source;

    fn built(files: &[(&str, &str)]) -> (Vec<Document>, Segment) {
        let mut builder = SegmentBuilder::default();
        let mut documents = Vec::new();
        for (path, text) in files {
            let (_, lengths) = builder.add(path, Language::Rust, text);
            let path = (*path).to_owned();
            documents.push(Document { path, bytes: 0, role: Role::Code, test: false, lengths });
        }
        (documents, Segment::open(Source::Memory(builder.finish())).unwrap())
    }

    #[test]
    fn postings_cross_segments_and_leave_out_the_dead() {
        let (mut documents, first) =
            built(&[("a.rs", "fn parse_url() {}\n// url"), ("b.rs", "url"), ("c.rs", "x")]);
        let (newer, second) = built(&[("b.rs", "url url")]);
        documents[1] = newer[0].clone();
        let segments = vec![
            Placed { segment: first, numbers: vec![0, DEAD, 2] },
            Placed { segment: second, numbers: vec![1] },
        ];
        let mut index = Index::new(documents, segments);
        index.load(["url", "=parse_url", "parse_url", "absent"].map(str::to_owned)).unwrap();
        assert_eq!(
            index.postings("url"),
            [Posting { document: 0, counts: [0, 1, 1, 1] }, Posting { document: 1, counts: [0, 0, 0, 2] }]
        );
        assert_eq!(index.document_frequency("=parse_url"), 1);
        assert_eq!(index.document_frequency("parse_url"), 1);
        assert_eq!(index.document_frequency("absent"), 0);
    }

    #[test]
    fn every_term_of_many_is_found_and_no_other() {
        let text: String = (0..1000).map(|n| format!("word{n} größe{n}é\n")).collect();
        let (_, segment) = built(&[("a.rs", "alpha"), ("b.rs", &text)]);
        for n in 0..1000 {
            assert_eq!(segment.postings(&format!("word{n}")).unwrap().len(), 1, "{n}");
        }
        for absent in ["", "word1000", "worc", "zz", "\u{10ffff}"] {
            assert_eq!(segment.postings(absent), Ok(vec![]), "{absent}");
        }
    }

    #[test]
    fn damage_is_seen_or_harmless_and_never_a_panic() {
        let (_, segment) =
            built(&[("a.rs", "fn parse_url() {}\n// url and more words"), ("b.rs", "url word")]);
        let bytes = segment.in_memory().unwrap().to_vec();
        let right = segment.postings("url").unwrap();
        for at in 0..bytes.len() {
            for bit in [1, 64, 255] {
                let mut bad = bytes.clone();
                bad[at] ^= bit;
                if let Ok(segment) = Segment::open(Source::Memory(bad))
                    && let Ok(found) = segment.postings("url")
                {
                    // A flip in a list or block that was not read.
                    assert_eq!(found, right, "{at}");
                }
            }
            let cut = Segment::open(Source::Memory(bytes[..at].to_vec()));
            assert!(cut.is_err(), "{at}");
        }
    }
}
