//! Several plans for one task: side by side, and one made of them by hand.

use crate::document::{Document, Operation, OperationKind, Step};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// How alike two steps must be to stand beside each other.
const ALIKE: f64 = 0.3;

/// A step of one of the plans, by positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The plan, from 0.
    pub plan: usize,
    /// The step, from 0.
    pub step: usize,
}

/// Steps of different plans that do the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// At most one step of each plan.
    pub steps: Vec<Source>,
    /// The files that they touch.
    pub files: Vec<String>,
}

/// Where plans contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// A stable word: `kinds`, `targets` or `changes`.
    pub code: &'static str,
    /// The file.
    pub path: String,
    /// In words.
    pub message: String,
    /// The steps.
    pub steps: Vec<Source>,
}

/// Plans side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alignment {
    /// In an order that keeps the order of every plan where that is possible.
    pub rows: Vec<Row>,
    /// Where they contradict each other.
    pub disagreements: Vec<Disagreement>,
}

/// Puts plans side by side: steps that touch the same files with the same intent share a row.
pub fn align(plans: &[&Document]) -> Alignment {
    let marks: Vec<Vec<Marks<'_>>> =
        plans.iter().map(|plan| plan.steps.iter().map(Marks::of).collect()).collect();
    let mut rows: Vec<Vec<Source>> = Vec::new();
    for (plan, steps) in marks.iter().enumerate() {
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (step, mark) in steps.iter().enumerate() {
            for (row, sources) in rows.iter().enumerate() {
                let alike = sources.iter().map(|s| mark.alike(&marks[s.plan][s.step])).fold(0.0, f64::max);
                if alike >= ALIKE {
                    pairs.push((alike, step, row));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut row_of: HashMap<usize, usize> = HashMap::new();
        let mut taken = HashSet::new();
        for (_, step, row) in pairs {
            if !row_of.contains_key(&step) && taken.insert(row) {
                row_of.insert(step, row);
            }
        }
        // New rows come after the row of the step before them.
        let mut inserted: Vec<(usize, Source)> = Vec::new();
        let mut after = 0;
        for step in 0..steps.len() {
            let source = Source { plan, step };
            match row_of.get(&step) {
                Some(&row) => {
                    rows[row].push(source);
                    after = row + 1;
                }
                None => inserted.push((after, source)),
            }
        }
        for (at, source) in inserted.into_iter().rev() {
            rows.insert(at, vec![source]);
        }
    }
    let files = |row: &[Source]| -> BTreeSet<&str> {
        row.iter().flat_map(|s| marks[s.plan][s.step].files.iter().copied()).collect()
    };
    let disagreements = disagreements(plans);
    let rows = rows
        .into_iter()
        .map(|steps| Row { files: files(&steps).into_iter().map(str::to_owned).collect(), steps })
        .collect();
    Alignment { rows, disagreements }
}

/// What a step is known by.
struct Marks<'a> {
    files: BTreeSet<&'a str>,
    words: BTreeSet<String>,
}

impl<'a> Marks<'a> {
    fn of(step: &'a Step) -> Marks<'a> {
        let paths = step.operations.iter().flat_map(|o| [Some(o.path.as_str()), o.to.as_deref()]).flatten();
        let text = format!("{} {}", step.title, step.why).to_lowercase();
        let symbols = step.operations.iter().filter_map(|o| o.symbol.as_deref()).map(str::to_lowercase);
        let words = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.chars().count() > 3)
            // Endings of words say nothing about what is meant.
            .map(|word| word.chars().take(6).collect())
            .chain(symbols)
            .collect();
        Marks { files: paths.collect(), words }
    }

    fn alike(&self, other: &Marks<'_>) -> f64 {
        let words = shared(&self.words, &other.words);
        if self.files.is_empty() && other.files.is_empty() {
            return words;
        }
        0.65 * shared(&self.files, &other.files) + 0.35 * words
    }
}

fn shared<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> f64 {
    let both = a.intersection(b).count();
    let all = a.len() + b.len() - both;
    if all == 0 { 0.0 } else { both as f64 / all as f64 }
}

/// Files about which plans differ: what happens to them, where they go, what the same part becomes.
fn disagreements(plans: &[&Document]) -> Vec<Disagreement> {
    let mut by_path: BTreeMap<&str, Vec<(Source, &Operation)>> = BTreeMap::new();
    for (plan, document) in plans.iter().enumerate() {
        for (step, content) in document.steps.iter().enumerate() {
            for operation in &content.operations {
                by_path.entry(&operation.path).or_default().push((Source { plan, step }, operation));
            }
        }
    }
    let mut out = Vec::new();
    for (path, operations) in by_path {
        let mut pairs = Vec::new();
        for (at, (a, x)) in operations.iter().enumerate() {
            for (b, y) in operations[at + 1..].iter().filter(|(b, _)| b.plan != a.plan) {
                if let Some((code, message)) = differ(x, y) {
                    pairs.push((code, message, [*a, *b]));
                }
            }
        }
        // One for each kind of difference, with every step that takes part.
        for code in ["kinds", "targets", "changes"] {
            let steps: BTreeSet<Source> =
                pairs.iter().filter(|(c, ..)| *c == code).flat_map(|(.., steps)| *steps).collect();
            if let Some((_, message, _)) = pairs.iter().find(|(c, ..)| *c == code) {
                let steps = steps.into_iter().collect();
                out.push(Disagreement { code, path: path.to_owned(), message: message.clone(), steps });
            }
        }
    }
    out
}

fn differ(x: &Operation, y: &Operation) -> Option<(&'static str, String)> {
    if x.kind != y.kind {
        let message = format!("One plan says {}, another {}.", x.kind.name(), y.kind.name());
        return Some(("kinds", message));
    }
    match x.kind {
        OperationKind::Move if x.to != y.to => Some(("targets", "They move it to different places.".into())),
        OperationKind::Create | OperationKind::Modify if x.change.trim() != y.change.trim() => {
            let same_symbol = x.symbol.is_some() && x.symbol == y.symbol;
            let lines = x.lines.zip(y.lines).is_some_and(|((a, b), (c, d))| a <= d && c <= b);
            let whole = x.kind == OperationKind::Create;
            (same_symbol || lines || whole)
                .then(|| ("changes", "They change the same part in different ways.".to_owned()))
        }
        _ => None,
    }
}

/// A plan of the chosen steps in the order in which they are named, with where each came from. Dependencies are kept where
/// the step that is needed, or one that does the same, was chosen too. Sources that do not exist are left out.
pub fn merge(plans: &[&Document], title: &str, chosen: &[Source]) -> (Document, Vec<Source>) {
    let alignment = align(plans);
    let row_of: HashMap<Source, usize> = alignment
        .rows
        .iter()
        .enumerate()
        .flat_map(|(row, content)| content.steps.iter().map(move |source| (*source, row)))
        .collect();
    let mut seen = HashSet::new();
    let kept: Vec<Source> =
        chosen.iter().copied().filter(|source| row_of.contains_key(source) && seen.insert(*source)).collect();
    let number_of = |source: Source| -> Option<u32> {
        let exact = kept.iter().position(|s| *s == source);
        let row = row_of.get(&source);
        let same = || kept.iter().position(|s| row.is_some() && row_of.get(s) == row);
        exact.or_else(same).and_then(|at| u32::try_from(at + 1).ok())
    };
    let steps = kept.iter().enumerate().map(|(at, source)| {
        let mut step = plans[source.plan].steps[source.step].clone();
        let here = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let depends: BTreeSet<u32> = step
            .depends
            .iter()
            .filter_map(|number| {
                let needed = (*number as usize).checked_sub(1)?;
                number_of(Source { plan: source.plan, step: needed })
            })
            .filter(|number| *number != here)
            .collect();
        step.depends = depends.into_iter().collect();
        step
    });
    let document = Document { title: title.to_owned(), steps: steps.collect(), outside: Vec::new() };
    (document, kept)
}
