//! Files to scores.
//!
//! Three passes. The first scores every file from the index alone ([`bm25`], [`names`]), the second
//! opens the best of them ([`chunk`]), the third asks who goes with them ([`past`], [`tested`]). Each
//! signal is divided by its maximum over all files, so that the weights below compare like with like.
//!
//! The weights are few and round. Weights fitted to all repositories of the development benchmark but
//! one did worse on that one than these (docs/discovery.md), so their order of size is all that is
//! claimed for them.

pub(crate) mod bm25;
pub(crate) mod chunk;
pub(crate) mod names;
pub(crate) mod past;
pub(crate) mod query;
pub(crate) mod tested;

use std::collections::HashSet;

use rayon::prelude::*;

use crate::history::History;
use crate::index::{Document, Index};
use crate::language::Role;
use crate::walk::Found;
use crate::{Signals, Task, read};
use chunk::Place;
use past::{Past, Together};
use query::{Query, Which};
use tested::Tested;

/// Words of the whole text, over all fields.
const BODY: f64 = 0.4;
/// Words of the title alone: it is the part that a person weighed.
const TITLE: f64 = 1.0;
/// The best place of the file: words that stand together mean more than words spread out.
const CHUNK: f64 = 1.0;
/// Words of the text in the path, and in the names that the file defines: a person chose them to
/// say what it is about.
const PATH: f64 = 0.2;
const DEFINITION: f64 = 0.4;
/// Defines a symbol that the task names; less than it seems worth, because an issue also names
/// what it calls, and the name already counts as a word.
const SYMBOL: f64 = 0.6;
/// Is a file that the task names; a stack or an example names many.
const NAMED: f64 = 0.6;
/// Was changed by commits whose messages speak of the task.
const PAST: f64 = 1.0;
/// Was changed together with the best files.
const TOGETHER: f64 = 0.4;
/// A test of it speaks of the task.
const TESTED: f64 = 0.3;
/// Files whose companions are looked for.
const LEADERS: usize = 5;

/// Files opened in the second pass. The right files are among the first 50 for 96 % of tasks.
const CANDIDATES: usize = 150;

/// How likely a file of each role is the one to change, against code. Documentation repeats all
/// words of a topic without being where the work is.
fn prior(role: Role) -> f64 {
    match role {
        Role::Code => 1.0,
        Role::Sample => 0.7,
        Role::Markup => 0.6,
        Role::Prose => 0.4,
        Role::Data => 0.3,
    }
}

fn score(signals: &Signals, document: &Document) -> f64 {
    let sum = BODY * signals.body
        + TITLE * signals.title
        + CHUNK * signals.chunk
        + PATH * signals.path
        + DEFINITION * signals.definition
        + SYMBOL * signals.symbol
        + NAMED * signals.named
        + PAST * signals.past
        + TOGETHER * signals.together
        + TESTED * signals.tested;
    // A file that the task names needs no prior.
    let prior = prior(document.role);
    sum * (prior + (1.0 - prior) * signals.named)
}

/// A file with its score and what the second pass found in it.
#[derive(Debug)]
pub(crate) struct Scored {
    pub document: usize,
    pub score: f64,
    pub signals: Signals,
    pub place: Option<Place>,
    /// The commit that changed this file and speaks most of the task, counted from the newest.
    pub commit: Option<usize>,
    pub together: Option<Together>,
    pub tested: Option<Tested>,
}

/// All files that share anything with the task, best first.
pub(crate) fn rank(
    index: &Index,
    found: &[Found],
    task: &Task,
    query: &Query,
    history: &History,
    limit_bytes: u64,
) -> Vec<Scored> {
    let count = index.documents.len();
    let words = |which, weights| normalised(bm25::scores(index, query, which, weights));
    let (body, title) = (words(Which::Body, bm25::ALL), words(Which::Title, bm25::ALL));
    let (path, definition) = (words(Which::Body, bm25::PATHS), words(Which::Body, bm25::DEFINITIONS));
    let symbol = normalised(names::symbols(index, task));
    let named = names::paths(&index.documents, task);
    let mut commits = Past::new(&index.documents, history);
    let past = normalised(commits.scores(query));
    let mut scored: Vec<Scored> = (0..count)
        .filter_map(|document| {
            let signals = Signals {
                body: body[document],
                title: title[document],
                path: path[document],
                definition: definition[document],
                symbol: symbol[document],
                named: named[document],
                past: past[document],
                ..Signals::default()
            };
            let score = score(&signals, &index.documents[document]);
            (score > 0.0).then_some(Scored {
                document,
                score,
                signals,
                place: None,
                commit: commits.told(document),
                together: None,
                tested: None,
            })
        })
        .collect();
    sort(&mut scored);
    let candidates = scored.len().min(CANDIDATES);
    second_pass(&mut scored[..candidates], index, found, query, limit_bytes);
    // The files behind the candidates keep a first score, which lacks a signal and is thus lower.
    sort(&mut scored);
    third_pass(&mut scored, index, &commits);
    sort(&mut scored);
    scored
}

/// Who goes with the best files, by history and by the names of tests, whether or not they share a word with
/// the task.
fn third_pass(scored: &mut Vec<Scored>, index: &Index, commits: &Past<'_>) {
    let Some(top) = scored.first().map(|file| file.score) else { return };
    let leaders: Vec<(usize, f64)> =
        scored.iter().take(LEADERS).map(|file| (file.document, file.score / top)).collect();
    let mut together = commits.together(&leaders);
    let mut tested = tested::tested(scored, &index.documents);
    for file in scored.iter_mut() {
        let document = file.document as u32;
        file.join(together.remove(&document), tested.remove(&document), index);
    }
    // The order of these is that of a hash map, and ends with the sort that follows.
    let mut others: HashSet<u32> = together.keys().copied().collect();
    others.extend(tested.keys());
    scored.extend(others.into_iter().map(|number| {
        let document = number as usize;
        let mut file = Scored {
            document,
            score: 0.0,
            signals: Signals::default(),
            place: None,
            commit: commits.told(document),
            together: None,
            tested: None,
        };
        file.join(together.remove(&number), tested.remove(&number), index);
        file
    }));
}

impl Scored {
    fn join(&mut self, together: Option<Together>, tested: Option<Tested>, index: &Index) {
        if together.is_none() && tested.is_none() {
            return;
        }
        self.signals.together = together.map_or(0.0, |found| found.strength);
        self.signals.tested = tested.map_or(0.0, |found| found.strength);
        (self.together, self.tested) = (together, tested);
        self.score = score(&self.signals, &index.documents[self.document]);
    }
}

fn second_pass(scored: &mut [Scored], index: &Index, found: &[Found], query: &Query, limit_bytes: u64) {
    scored.par_iter_mut().for_each(|file| {
        let path = &index.documents[file.document].path;
        file.place = text(found, path, limit_bytes).and_then(|text| chunk::best(&text, query));
    });
    let best =
        scored.iter().filter_map(|file| file.place.as_ref()).fold(0.0, |best, place| place.score.max(best));
    for file in scored {
        if let Some(place) = &file.place {
            file.signals.chunk = place.score / best;
        }
        file.score = score(&file.signals, &index.documents[file.document]);
    }
}

/// The text of an indexed file, read again; `None` if it is gone since.
pub(crate) fn text(found: &[Found], path: &str, limit_bytes: u64) -> Option<String> {
    let at = found.binary_search_by(|file| file.entry.path.as_bytes().cmp(path.as_bytes())).ok()?;
    let bytes = read::read_file(&found[at].location, limit_bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Best first; documents are numbered in path order, which breaks ties.
fn sort(scored: &mut [Scored]) {
    scored.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.document.cmp(&b.document)));
}

fn normalised(mut scores: Vec<f64>) -> Vec<f64> {
    let best = scores.iter().copied().fold(0.0, f64::max);
    if best > 0.0 {
        scores.iter_mut().for_each(|score| *score /= best);
    }
    scores
}
