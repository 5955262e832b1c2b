//! The words of a task as weighted terms.

use std::collections::{HashMap, HashSet};

use crate::index::Index;
use crate::index::bytes::Corrupt;
use crate::{Task, words};

/// Distinct terms of a text that are looked up, the most frequent first.
const MAX_LOOKED_UP: usize = 2_000;
/// Terms beyond these, by weight, add cost and noise but no order.
const MAX_TERMS: usize = 256;
/// Much of a text is enough to know its words.
const MAX_TEXT: usize = 256 << 10;
/// A word in a larger share of the files (about a quarter) explains nothing …
const TELLING: f64 = 1.5;
/// … unless the repository is that small.
const FEW_FILES: f64 = 5.0;
/// An identifier that the task names counts as several words.
const NAME_BOOST: f64 = 1.5;

/// Which part of the task is asked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Body,
    Title,
}

/// One term of a task.
#[derive(Debug, Clone)]
pub(crate) struct QueryTerm {
    pub term: String,
    /// The first word of the task that gave this term, for reasons.
    pub word: String,
    /// Whether few enough files have the term for it to explain anything.
    pub telling: bool,
    /// How often it stands in the whole text and in the title, damped; without `idf`.
    pub counts: (f64, f64),
    /// How much it counts in the whole text, frequency in the text and `idf` included.
    pub body: f64,
    /// The same for the title; 0 for a term not in it.
    pub title: f64,
}

/// The terms of a task, heaviest first.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pub terms: Vec<QueryTerm>,
    places: foldhash::HashMap<String, usize>,
}

impl Query {
    pub(crate) fn new(task: &Task, index: &mut Index) -> Result<Self, Corrupt> {
        let body = frequent(counted(prefix(task.text(), MAX_TEXT)));
        let title: HashMap<String, u32> =
            counted(task.title()).into_iter().map(|(term, (count, _))| (term, count)).collect();
        let names = task.names.iter().flat_map(|name| [words::whole(&name.text), words::exact(&name.text)]);
        index.load(body.keys().cloned().chain(names))?;
        let named: HashSet<String> = task.names.iter().map(|name| words::whole(&name.text)).collect();
        let documents = index.documents.len() as f64;
        let mut terms: Vec<QueryTerm> = body
            .into_iter()
            .map(|(term, (count, word))| {
                let frequency = index.document_frequency(&term) as f64;
                // What no file says a commit may still say; for the files it weighs nothing.
                let is_said = f64::from(u8::from(frequency > 0.0));
                let idf = (1.0 + (documents - frequency + 0.5) / (frequency + 0.5)).ln();
                let boost = if named.contains(&term) { NAME_BOOST } else { 1.0 };
                let damped = |count: u32| if count == 0 { 0.0 } else { 1.0 + f64::from(count).ln() };
                let counts = (damped(count), damped(title.get(&term).copied().unwrap_or(0)));
                let idf = idf * is_said;
                let (body, title) = (counts.0 * idf * boost, counts.1 * idf * boost);
                let telling = idf >= TELLING || frequency <= FEW_FILES;
                QueryTerm { word, telling, counts, body, title, term }
            })
            .collect();
        terms.sort_by(|a, b| {
            (b.body + b.title).total_cmp(&(a.body + a.title)).then_with(|| a.term.cmp(&b.term))
        });
        terms.truncate(MAX_TERMS);
        let places = terms.iter().enumerate().map(|(place, term)| (term.term.clone(), place)).collect();
        Ok(Self { terms, places })
    }

    /// The place of a term among [`Query::terms`].
    pub(crate) fn place(&self, term: &str) -> Option<usize> {
        self.places.get(term).copied()
    }
}

impl QueryTerm {
    pub(crate) fn weight(&self, which: Which) -> f64 {
        match which {
            Which::Body => self.body,
            Which::Title => self.title,
        }
    }
}

/// The most frequent terms; a text with more than are looked up is a log.
fn frequent(counts: HashMap<String, (u32, String)>) -> HashMap<String, (u32, String)> {
    if counts.len() <= MAX_LOOKED_UP {
        return counts;
    }
    let mut counts: Vec<(String, (u32, String))> = counts.into_iter().collect();
    counts.sort_unstable_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(MAX_LOOKED_UP);
    counts.into_iter().collect()
}

/// Terms with how often they stand in `text` and the first token that gave them.
fn counted(text: &str) -> HashMap<String, (u32, String)> {
    let mut counts: HashMap<String, (u32, String)> = HashMap::new();
    // The words of an address are those of a host and an issue tracker.
    let pieces = text.split_whitespace().filter(|piece| !piece.contains("://"));
    let mut count = |token: &str| {
        words::terms(token, &mut |term| match counts.get_mut(term) {
            Some((count, _)) => *count += 1,
            None => {
                counts.insert(term.to_owned(), (1, shown(token, term)));
            }
        });
    };
    pieces.for_each(|piece| words::tokens(piece, &mut |token| count(token)));
    counts
}

/// How a term of a token is shown: a whole identifier as written, a part of one in lower case.
pub(crate) fn shown(token: &str, term: &str) -> String {
    let part = words::parts(token).find(|part| {
        let mut lower = part.to_lowercase();
        words::stem(&mut lower);
        lower == term
    });
    part.map_or_else(|| token.to_owned(), str::to_lowercase)
}

/// At most `limit` bytes of `text`, cut between characters.
fn prefix(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
