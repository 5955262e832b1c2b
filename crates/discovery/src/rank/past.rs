//! The recent past as a signal: commits whose messages speak of the task, and the files that they changed.

use std::collections::HashMap;

use rayon::prelude::*;

use super::query::Query;
use crate::history::History;
use crate::index::Document;
use crate::words;

/// The usual constants of BM25; messages are short, so their length says little.
const K1: f64 = 1.2;
const LENGTH: f64 = 0.4;
/// Commits that count: what comes behind them shares a common word.
const BEST: usize = 60;

/// The commits as lists of documents, newest first.
pub(crate) struct Past<'h> {
    history: &'h History,
    /// For each commit, the documents it changed.
    changed: Vec<Vec<u32>>,
    /// For each document, the commits that changed it.
    commits: Vec<Vec<u32>>,
    /// For each document, the commit that speaks most of the task.
    told: HashMap<u32, usize>,
}

/// Files that were changed together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Together {
    /// The file of the ranking that this one goes with.
    pub with: u32,
    /// Commits that changed both, and all that changed the other.
    pub both: u32,
    pub all: u32,
    pub strength: f64,
}

impl<'h> Past<'h> {
    pub(crate) fn new(documents: &[Document], history: &'h History) -> Self {
        let place =
            |path: &String| documents.binary_search_by(|document| document.path.as_str().cmp(path)).ok();
        let changed: Vec<Vec<u32>> = history
            .commits
            .iter()
            .map(|commit| commit.paths.iter().filter_map(place).map(|place| place as u32).collect())
            .collect();
        let mut commits = vec![Vec::new(); documents.len()];
        for (commit, documents) in changed.iter().enumerate() {
            documents.iter().for_each(|&document| commits[document as usize].push(commit as u32));
        }
        Self { history, changed, commits, told: HashMap::new() }
    }

    /// For each document, the one of `leaders` (with a weight each) that it was changed together with most surely.
    pub(crate) fn together(&self, leaders: &[(usize, f64)]) -> HashMap<u32, Together> {
        let mut best: HashMap<u32, Together> = HashMap::new();
        for &(leader, weight) in leaders {
            let commits = &self.commits[leader];
            let mut counts: HashMap<u32, u32> = HashMap::new();
            for &commit in commits {
                for &other in self.changed[commit as usize].iter().filter(|&&other| other as usize != leader)
                {
                    *counts.entry(other).or_default() += 1;
                }
            }
            for (other, both) in counts.into_iter().filter(|(_, both)| *both > 1) {
                let (n, all) = (f64::from(both), commits.len() as u32);
                let strength = weight * n / f64::from(all) * n / (n + 2.0);
                let found = Together { with: leader as u32, both, all, strength };
                let place = best.entry(other).or_insert(found);
                if strength > place.strength {
                    *place = found;
                }
            }
        }
        best
    }

    /// For each document, how much the commits that changed it speak of the task.
    pub(crate) fn scores(&mut self, query: &Query) -> Vec<f64> {
        let mut scores = vec![0.0; self.commits.len()];
        let relevance = relevance(self.history, query);
        let mut best: Vec<usize> = (0..relevance.len()).filter(|&commit| relevance[commit] > 0.0).collect();
        best.sort_by(|&a, &b| relevance[b].total_cmp(&relevance[a]).then(a.cmp(&b)));
        let Some(top) = best.first().map(|&commit| relevance[commit]) else { return scores };
        for &commit in best.iter().take(BEST) {
            let changed = &self.changed[commit];
            let share = (relevance[commit] / top).powi(2) / (changed.len().max(1) as f64).sqrt();
            for &document in changed {
                scores[document as usize] += share;
                self.told.entry(document).or_insert(commit);
            }
        }
        scores.iter_mut().for_each(|score| *score = f64::sqrt(*score));
        scores
    }

    /// The commit that changed a document and speaks most of the task.
    pub(crate) fn told(&self, document: usize) -> Option<usize> {
        self.told.get(&(document as u32)).copied()
    }
}

/// BM25 of each commit's message.
fn relevance(history: &History, query: &Query) -> Vec<f64> {
    let counted: Vec<(Vec<(usize, f64)>, f64)> = history
        .commits
        .par_iter()
        .map(
            |commit| if commit.paths.is_empty() { Default::default() } else { count(&commit.message, query) },
        )
        .collect();
    let mut frequency = vec![0.0_f64; query.terms.len()];
    counted.iter().flat_map(|(terms, _)| terms).for_each(|(term, _)| frequency[*term] += 1.0);
    let total = counted.len() as f64;
    let average = counted.iter().map(|(_, length)| length).sum::<f64>() / total.max(1.0);
    let score = |(terms, length): &(Vec<(usize, f64)>, f64)| {
        let norm = 1.0 - LENGTH + LENGTH * length / average.max(1.0);
        let term = |(term, count): &(usize, f64)| {
            let idf = (1.0 + (total - frequency[*term] + 0.5) / (frequency[*term] + 0.5)).ln();
            let (body, title) = query.terms[*term].counts;
            (body + title) * idf * count / (count + K1 * norm)
        };
        terms.iter().map(term).sum()
    };
    counted.iter().map(score).collect()
}

/// The terms of the query in a message with their counts, in the order of the query, and the message's length.
fn count(message: &str, query: &Query) -> (Vec<(usize, f64)>, f64) {
    let mut counts: HashMap<usize, f64> = HashMap::new();
    let mut length = 0.0;
    words::tokens(message, &mut |token| {
        words::terms(token, &mut |term| {
            length += 1.0;
            if let Some(place) = query.place(term) {
                *counts.entry(place).or_default() += 1.0;
            }
        });
    });
    let mut counts: Vec<(usize, f64)> = counts.into_iter().collect();
    counts.sort_by_key(|(place, _)| *place);
    (counts, length)
}
