//! BM25F: one score per file from the counts in all fields.
//!
//! The counts of a term are put together over the fields, each divided by how long the field is
//! against the average, before they are saturated; so a term in two fields is not counted as two
//! terms (Robertson, Zaragoza, Taylor 2004).

use super::query::{Query, Which};
use crate::index::{FIELDS, Index};

/// How fast repetition stops to matter; the usual 1.2.
const K1: f64 = 1.2;
/// What one occurrence is worth in path, definition, comment and content. A name is chosen to say
/// what a thing is; content merely happens.
pub(crate) const ALL: [f64; FIELDS] = [4.0, 2.5, 1.2, 1.0];
/// Paths alone.
pub(crate) const PATHS: [f64; FIELDS] = [1.0, 0.0, 0.0, 0.0];
/// The names of what is defined alone.
pub(crate) const DEFINITIONS: [f64; FIELDS] = [0.0, 1.0, 0.0, 0.0];
/// How much a long field is held against a file. Paths differ little in length, and long ones are
/// no worse; the others take the usual 0.75 a little milder, because large files do get changed.
const LENGTH: [f64; FIELDS] = [0.3, 0.6, 0.6, 0.6];

/// The score of every document, by number, with these weights of the fields.
pub(crate) fn scores(index: &Index, query: &Query, which: Which, weights: [f64; FIELDS]) -> Vec<f64> {
    // Terms are added in the order of the query and documents are independent of one another:
    // the sums are the same whatever runs at the same time.
    let norms: Vec<[f64; FIELDS]> = index
        .documents
        .iter()
        .map(|document| {
            std::array::from_fn(|field| {
                let relative = f64::from(document.lengths[field]) / index.average_lengths[field];
                weights[field] / (1.0 - LENGTH[field] + LENGTH[field] * relative)
            })
        })
        .collect();
    let mut scores = vec![0.0; index.documents.len()];
    for term in query.terms.iter().filter(|term| term.weight(which) > 0.0) {
        for posting in index.postings(&term.term) {
            let document = posting.document as usize;
            let count: f64 = posting
                .counts
                .iter()
                .zip(&norms[document])
                .map(|(count, norm)| f64::from(*count) * norm)
                .sum();
            scores[document] += term.weight(which) * count / (K1 + count);
        }
    }
    scores
}
