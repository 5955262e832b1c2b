//! Why a file is in the list, in words, with the lines to look at.

use std::collections::HashMap;

use crate::history::History;
use crate::imports::{Resolver, imports};
use crate::index::{Document, Index};
use crate::language::file_name;
use crate::outline::{Symbol, outline};
use crate::rank::query::{Query, QueryTerm, shown};
use crate::rank::{Scored, names};
use crate::{Reason, ReasonKind, Task, words};

/// Reasons of one kind that are told; the rest would not be read.
const PER_KIND: usize = 3;
/// Words named in one phrase.
const WORDS: usize = 5;
/// Characters of a commit's first line.
const SUBJECT: usize = 80;

/// Explains one file; `text` is its content, `None` if it could not be read again.
pub(crate) fn reasons(
    index: &Index,
    scored: &Scored,
    task: &Task,
    query: &Query,
    history: &History,
    text: Option<&str>,
) -> Vec<Reason> {
    let document = &index.documents[scored.document];
    let text = text.unwrap_or_default();
    let mut reasons = Vec::new();
    named_path(document, scored, task, &mut reasons);
    let symbols = outline(&document.path, text);
    symbol_reasons(&symbols, text, task, &mut reasons);
    word_reasons(document, &symbols, query, &mut reasons);
    if let Some(place) = &scored.place {
        let words: Vec<&str> = place.terms.iter().map(|&term| query.terms[term].word.as_str()).collect();
        let (first, last) = place.lines;
        let (kind, detail) = if place.whole {
            (ReasonKind::ContentMatch, format!("contains {}", list(&words)))
        } else {
            (ReasonKind::BestChunk, format!("lines {first}–{last} contain {}", list(&words)))
        };
        reasons.push(Reason { kind, detail, line: Some(place.best_line) });
    }
    past_reasons(index, scored, history, &mut reasons);
    if reasons.is_empty() {
        reasons.push(indexed_words(index, scored.document, query));
    }
    reasons
}

fn past_reasons(index: &Index, scored: &Scored, history: &History, out: &mut Vec<Reason>) {
    if let Some(commit) = scored.commit.and_then(|commit| history.commits.get(commit)) {
        let subject: String =
            commit.message.lines().next().unwrap_or_default().chars().take(SUBJECT).collect();
        let detail = format!("changed by a commit that speaks of the task: “{}”", subject.trim());
        out.push(Reason { kind: ReasonKind::Commit, detail, line: None });
    }
    if let Some(together) = scored.together {
        let with = &index.documents[together.with as usize].path;
        let (both, all) = (together.both, together.all);
        let detail = format!("changed together with {with} in {both} of {all} commits");
        out.push(Reason { kind: ReasonKind::ChangedTogether, detail, line: None });
    }
    if let Some(tested) = scored.tested {
        let detail =
            format!("{}, named after it, speaks of the task", index.documents[tested.by as usize].path);
        out.push(Reason { kind: ReasonKind::Tested, detail, line: None });
    }
}

/// Which of the better files this one imports; the first of them is told.
pub(crate) fn imported(
    path: &str,
    text: &str,
    resolver: &Resolver<'_>,
    better: &[u32],
    documents: &[Document],
) -> Option<Reason> {
    imports(path, text).into_iter().find_map(|import| {
        let found = resolver.resolve(path, &import);
        let (rank, document) = (1..).zip(better).find(|(_, document)| found.contains(document))?;
        let detail = format!("imports {}, number {rank} of the list", documents[*document as usize].path);
        Some(Reason { kind: ReasonKind::Imports, detail, line: Some(import.line) })
    })
}

/// What the index alone knows: for files far down the list, which are not opened.
fn indexed_words(index: &Index, document: usize, query: &Query) -> Reason {
    let stands_here = |term: &&QueryTerm| {
        index
            .postings(&term.term)
            .binary_search_by_key(&(document as u32), |posting| posting.document)
            .is_ok()
    };
    let words: Vec<&str> =
        query.terms.iter().filter(stands_here).take(WORDS).map(|term| term.word.as_str()).collect();
    Reason { kind: ReasonKind::ContentMatch, detail: format!("contains {}", list(&words)), line: None }
}

fn named_path(document: &Document, scored: &Scored, task: &Task, out: &mut Vec<Reason>) {
    let named = task.paths.iter().filter(|named| file_name(&named.path) == file_name(&document.path));
    let agreeing: Vec<_> =
        named.filter(|named| names::agrees(&document.path, &named.path)).take(PER_KIND).collect();
    for named in &agreeing {
        let place = named.line.map(|line| format!(" at line {line}")).unwrap_or_default();
        out.push(Reason {
            kind: ReasonKind::NamedPath,
            detail: format!("the task names `{}`{place}", named.path),
            line: named.line,
        });
    }
    if agreeing.is_empty() && scored.signals.named > 0.0 {
        let detail = "the task names this module or its folder".to_owned();
        out.push(Reason { kind: ReasonKind::NamedPath, detail, line: None });
    }
}

fn symbol_reasons(symbols: &[Symbol], text: &str, task: &Task, out: &mut Vec<Reason>) {
    let mut defined = 0;
    for name in &task.names {
        if let Some(symbol) = symbols.iter().find(|symbol| symbol.name == name.text) {
            defined += 1;
            if defined <= PER_KIND {
                out.push(Reason {
                    kind: ReasonKind::DefinesSymbol,
                    detail: format!("defines {} `{}`, named in the task", symbol.kind.name(), symbol.name),
                    line: Some(symbol.start_line),
                });
            }
        }
    }
    let uses = first_uses(text, task);
    let used = task.names.iter().filter(|name| symbols.iter().all(|symbol| symbol.name != name.text));
    for (name, (line, count)) in
        used.filter_map(|name| Some((name, uses.get(name.text.as_str())?))).take(PER_KIND)
    {
        let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
        out.push(Reason {
            kind: ReasonKind::MentionsSymbol,
            detail: format!("mentions `{}`, named in the task, {times}", name.text),
            line: Some(*line),
        });
    }
}

/// The first line and the number of uses of each identifier that the task names.
fn first_uses<'t>(text: &str, task: &'t Task) -> HashMap<&'t str, (u32, u32)> {
    let names: HashMap<&str, &'t str> =
        task.names.iter().map(|name| (name.text.as_str(), name.text.as_str())).collect();
    let mut uses: HashMap<&str, (u32, u32)> = HashMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        words::tokens(line, &mut |token| {
            if let Some(name) = names.get(token) {
                uses.entry(name).or_insert((number, 0)).1 += 1;
            }
        });
    }
    uses
}

fn word_reasons(document: &Document, symbols: &[Symbol], query: &Query, out: &mut Vec<Reason>) {
    let stem = document.path.rsplit_once('.').map_or(document.path.as_str(), |(stem, _)| stem);
    let in_path = matching(std::iter::once(stem), query, false);
    if !in_path.is_empty() {
        let detail = format!("path contains {}", list(&in_path));
        out.push(Reason { kind: ReasonKind::PathWords, detail, line: None });
    }
    let in_names = matching(symbols.iter().map(|symbol| symbol.name.as_str()), query, true);
    if !in_names.is_empty() {
        let line = symbols
            .iter()
            .map(|symbol| {
                (matching(std::iter::once(symbol.name.as_str()), query, true).len(), symbol.start_line)
            })
            .max_by_key(|(count, line)| (*count, std::cmp::Reverse(*line)))
            .map(|(_, line)| line);
        let detail = format!("defines names with words of the title: {}", list(&in_names));
        out.push(Reason { kind: ReasonKind::TitleMatch, detail, line });
    }
}

/// The words of `texts` that are telling words of the task, those with most weight first.
fn matching<'t>(texts: impl Iterator<Item = &'t str>, query: &Query, title: bool) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for text in texts {
        words::tokens(text, &mut |token| {
            words::terms(token, &mut |term| {
                let place = query.place(term);
                let tells = |place: &usize| {
                    query.terms[*place].telling && (!title || query.terms[*place].title > 0.0)
                };
                found.extend(place.filter(tells).map(|place| (place, shown(token, term))));
            });
        });
    }
    found.sort_unstable();
    found.dedup_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, word)| word).collect()
}

/// Words as a phrase: each once, and none that is a part of another.
fn list(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let mut shown: Vec<&str> = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let part_of =
            |other: &&str| other.len() > word.len() && other.to_lowercase().contains(&word.to_lowercase());
        if !words[..place].contains(word) && !words.iter().any(part_of) {
            shown.push(word);
        }
    }
    shown.truncate(WORDS);
    shown.join(", ")
}
