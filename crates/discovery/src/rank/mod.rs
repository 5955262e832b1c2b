//! Files to scores.
//!
//! Two passes. The first scores every file from the index alone ([`bm25`], [`names`]); the second
//! opens the best of them ([`chunk`]) and orders them finally. Each signal is divided by its
//! maximum over all files, so that the weights below compare like with like.
//!
//! The weights are few and round. They were tried one at a time on 119 tasks of nine repositories of
//! the development benchmark, from half to twice the value: all files of the task within the first
//! ten moved by about 3 points at most, the first place by about 5, so their order of size is all that
//! is claimed for them.

pub(crate) mod bm25;
pub(crate) mod chunk;
pub(crate) mod names;
pub(crate) mod past;
pub(crate) mod query;

use rayon::prelude::*;

use crate::history::History;
use crate::index::{Document, Index};
use crate::language::Role;
use crate::walk::Found;
use crate::{Signals, Task, read};
use chunk::Place;
use past::{Past, Together};
use query::{Query, Which};

/// Words of the whole text, over all fields.
const BODY: f64 = 0.5;
/// Words of the title alone: it is the part that a person weighed.
const TITLE: f64 = 1.0;
/// The best place of the file: words that stand together mean more than words spread out.
const CHUNK: f64 = 1.0;
/// Defines a symbol that the task names; less than it seems worth, because an issue also names
/// what it calls, and the name already counts as a word.
const SYMBOL: f64 = 0.4;
/// Is a file that the task names; nothing else is as good.
const NAMED: f64 = 1.0;
/// Was changed by commits whose messages speak of the task.
const PAST: f64 = 1.0;
/// Was changed together with the best files.
const TOGETHER: f64 = 0.5;
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
        + SYMBOL * signals.symbol
        + NAMED * signals.named
        + PAST * signals.past
        + TOGETHER * signals.together;
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
    let body = normalised(bm25::scores(index, query, Which::Body));
    let title = normalised(bm25::scores(index, query, Which::Title));
    let symbol = normalised(names::symbols(index, task));
    let named = names::paths(&index.documents, task);
    let mut commits = Past::new(&index.documents, history);
    let past = normalised(commits.scores(query));
    let mut scored: Vec<Scored> = (0..count)
        .filter_map(|document| {
            let signals = Signals {
                body: body[document],
                title: title[document],
                symbol: symbol[document],
                named: named[document],
                chunk: 0.0,
                past: past[document],
                together: 0.0,
            };
            let score = score(&signals, &index.documents[document]);
            (score > 0.0).then_some(Scored {
                document,
                score,
                signals,
                place: None,
                commit: commits.told(document),
                together: None,
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

/// What was changed together with the leaders, whether or not it shares a word with the task.
fn third_pass(scored: &mut Vec<Scored>, index: &Index, commits: &Past<'_>) {
    let Some(top) = scored.first().map(|file| file.score) else { return };
    let leaders: Vec<(usize, f64)> =
        scored.iter().take(LEADERS).map(|file| (file.document, file.score / top)).collect();
    let mut together = commits.together(&leaders);
    for file in scored.iter_mut() {
        if let Some(found) = together.remove(&(file.document as u32)) {
            file.signals.together = found.strength;
            file.together = Some(found);
            file.score = score(&file.signals, &index.documents[file.document]);
        }
    }
    // The order of these is that of a hash map, and ends with the sort that follows.
    scored.extend(together.into_iter().map(|(document, found)| {
        let document = document as usize;
        let signals = Signals { together: found.strength, ..Signals::default() };
        let score = score(&signals, &index.documents[document]);
        Scored {
            document,
            score,
            signals,
            place: None,
            commit: commits.told(document),
            together: Some(found),
        }
    }));
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
