//! The best place of a file: the few lines that speak most of the task.

use foldhash::HashMap;

use super::query::Query;
use crate::words;

/// Half a window, in lines; windows overlap by half, so that no place is cut in two. About a function:
/// wider windows gather words that have nothing to do with each other.
const HALF: usize = 8;
/// Terms named in a reason.
const SHOWN_TERMS: usize = 8;

/// The best window of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub score: f64,
    /// First and last line of the window, from 1.
    pub lines: (u32, u32),
    /// Whether the window is the whole file.
    pub whole: bool,
    /// The line of the window with the most weight.
    pub best_line: u32,
    /// The heaviest terms of the window, as places in the query.
    pub terms: Vec<usize>,
}

/// Finds the best window of `text`; `None` if it has no term of the query.
pub(crate) fn best(text: &str, query: &Query) -> Option<Place> {
    let mut known: HashMap<&str, Vec<usize>> = HashMap::default();
    let mut halves: Vec<Half> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if number % HALF == 0 {
            halves.push(Half::default());
        }
        let Some(half) = halves.last_mut() else { continue };
        let mut weight = 0.0;
        words::tokens(line, &mut |token| {
            let places = known.entry(token).or_insert_with(|| places(token, query));
            for &place in places.iter() {
                half.add(place);
                weight += query.terms[place].body;
            }
        });
        if weight > half.best_weight {
            (half.best_weight, half.best_line) = (weight, number as u32 + 1);
        }
    }
    let last_line = text.lines().count() as u32;
    let empty = Half::default();
    let mut best: Option<Place> = None;
    for (number, first) in halves.iter().enumerate() {
        let second = halves.get(number + 1).unwrap_or(&empty);
        let counts = first.with(second);
        let score: f64 = counts.iter().map(|(place, count)| value(query, *place, *count)).sum();
        if score > best.as_ref().map_or(0.0, |place| place.score) {
            let start = (number * HALF) as u32;
            let better = if second.best_weight > first.best_weight { second } else { first };
            best = Some(Place {
                score,
                lines: (start + 1, (start + 2 * HALF as u32).min(last_line)),
                whole: number == 0 && halves.len() <= 2,
                best_line: better.best_line,
                terms: heaviest(&counts, query),
            });
        }
    }
    best
}

fn places(token: &str, query: &Query) -> Vec<usize> {
    let mut places = Vec::new();
    words::terms(token, &mut |term| places.extend(query.place(term)));
    places
}

fn value(query: &Query, place: usize, count: u32) -> f64 {
    let count = f64::from(count);
    query.terms[place].body * count / (count + 1.0)
}

fn heaviest(counts: &[(usize, u32)], query: &Query) -> Vec<usize> {
    let mut counts = counts.to_vec();
    counts.sort_by(|a, b| value(query, b.0, b.1).total_cmp(&value(query, a.0, a.1)).then(a.0.cmp(&b.0)));
    counts.into_iter().take(SHOWN_TERMS).map(|(place, _)| place).collect()
}

/// Counts of the query's terms in half a window.
#[derive(Debug, Default)]
struct Half {
    /// Sorted by place in the query.
    counts: Vec<(usize, u32)>,
    best_line: u32,
    best_weight: f64,
}

impl Half {
    fn add(&mut self, place: usize) {
        match self.counts.binary_search_by_key(&place, |(place, _)| *place) {
            Ok(at) => self.counts[at].1 += 1,
            Err(at) => self.counts.insert(at, (place, 1)),
        }
    }

    /// The counts of both, still sorted.
    fn with(&self, other: &Self) -> Vec<(usize, u32)> {
        let mut both = self.counts.clone();
        for (place, count) in &other.counts {
            match both.binary_search_by_key(place, |(place, _)| *place) {
                Ok(at) => both[at].1 += count,
                Err(at) => both.insert(at, (*place, *count)),
            }
        }
        both
    }
}
