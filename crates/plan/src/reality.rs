//! What of a plan has been carried out: changes of a working tree since a base, put beside the steps.

use crate::document::{Document, Operation, OperationKind};
use similar::{ChangeTag, TextDiff};
use std::collections::{BTreeMap, HashMap};

/// The share of a change's own lines that must stand in a file for the change to count as made.
const MOSTLY: f64 = 0.5;

/// A file that is not as it was at the base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Its text at the base; `None` where it was not there.
    pub before: Option<String>,
    /// Its text now; `None` where it is not there any more.
    pub after: Option<String>,
}

/// How far a step or an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All that it names has happened.
    Done,
    /// Some of it has.
    Partly,
    /// Nothing of it has.
    Untouched,
    /// It names no file, so nothing can be seen.
    Unseen,
}

/// A step beside what has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepProgress {
    /// How far it is.
    pub progress: Progress,
    /// For each operation, how far it is and why, in words.
    pub operations: Vec<(Progress, &'static str)>,
}

/// A plan beside what has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// For each step.
    pub steps: Vec<StepProgress>,
    /// Changed files that no step names.
    pub unplanned: Vec<String>,
}

/// Puts the changes, by path, beside the steps.
pub fn reality(document: &Document, changes: &BTreeMap<String, Changed>) -> Report {
    let mut users: HashMap<&str, usize> = HashMap::new();
    for operation in document.steps.iter().flat_map(|step| &step.operations) {
        for path in [Some(operation.path.as_str()), operation.to.as_deref()].into_iter().flatten() {
            *users.entry(path).or_default() += 1;
        }
    }
    let mut seen = Seen { changes, ranges: HashMap::new() };
    let steps = document.steps.iter().map(|step| {
        let operations: Vec<(Progress, &'static str)> = step
            .operations
            .iter()
            .map(|operation| {
                let alone = users.get(operation.path.as_str()).is_none_or(|n| *n == 1);
                seen.operation(operation, alone)
            })
            .collect();
        let is = |progress: Progress| operations.iter().filter(|(p, _)| *p == progress).count();
        let progress = match operations.len() {
            0 => Progress::Unseen,
            all if is(Progress::Done) == all => Progress::Done,
            all if is(Progress::Untouched) == all => Progress::Untouched,
            _ => Progress::Partly,
        };
        StepProgress { progress, operations }
    });
    let steps = steps.collect();
    let unplanned = changes.keys().filter(|path| !users.contains_key(path.as_str())).cloned().collect();
    Report { steps, unplanned }
}

struct Seen<'a> {
    changes: &'a BTreeMap<String, Changed>,
    /// Changed lines at the base, by path.
    ranges: HashMap<&'a str, Vec<(u32, u32)>>,
}

impl<'a> Seen<'a> {
    /// `alone` says that no other operation of the plan touches the file.
    fn operation(&mut self, operation: &Operation, alone: bool) -> (Progress, &'static str) {
        let at = |path: &str| self.changes.get_key_value(path);
        let Some((path, changed)) = at(&operation.path) else {
            return match &operation.to {
                Some(to) if at(to).is_some() => (Progress::Partly, "the new file is there, the old one too"),
                _ => (Progress::Untouched, "the file is as it was"),
            };
        };
        let gone = changed.after.is_none();
        match operation.kind {
            OperationKind::Create if gone => (Progress::Untouched, "the file is not there"),
            OperationKind::Create => self.made(operation, changed),
            OperationKind::Delete if gone => (Progress::Done, "the file is gone"),
            OperationKind::Delete => (Progress::Partly, "the file was changed, not removed"),
            OperationKind::Move => {
                let arrived = operation
                    .to
                    .as_deref()
                    .is_some_and(|to| self.changes.get(to).is_some_and(|changed| changed.after.is_some()));
                match (gone, arrived) {
                    (true, true) => (Progress::Done, "the file has moved"),
                    (true, false) => (Progress::Partly, "the file is gone, and not where it should be"),
                    _ => (Progress::Partly, "the file was changed, not moved"),
                }
            }
            OperationKind::Modify if gone => (Progress::Partly, "the file was removed, not changed"),
            OperationKind::Modify => self.modified(path, operation, changed, alone),
        }
    }

    fn made(&self, operation: &Operation, changed: &Changed) -> (Progress, &'static str) {
        if changed.before.is_some() {
            return (Progress::Partly, "the file was there before and was changed");
        }
        match share(&operation.change, changed) {
            Some(share) if share < 0.1 => (Progress::Partly, "the file is there, with another content"),
            _ => (Progress::Done, "the file is there"),
        }
    }

    fn modified(
        &mut self,
        path: &'a str,
        operation: &Operation,
        changed: &'a Changed,
        alone: bool,
    ) -> (Progress, &'static str) {
        let share = share(&operation.change, changed);
        if share.is_some_and(|share| share >= MOSTLY) {
            return (Progress::Done, "the change stands in the file");
        }
        if let Some((first, last)) = operation.lines {
            let ranges = self.ranges.entry(path).or_insert_with(|| ranges(changed));
            // Plans name lines a little off.
            let near =
                ranges.iter().any(|(a, b)| *a <= last.saturating_add(3) && first <= b.saturating_add(3));
            return match (near, alone) {
                (true, _) => (Progress::Done, "the lines were changed"),
                (false, true) => (Progress::Partly, "the file was changed elsewhere"),
                (false, false) => (Progress::Untouched, "only other lines were changed"),
            };
        }
        if let Some(symbol) = &operation.symbol {
            let name = symbol.rsplit(['.', ':', '#']).next().unwrap_or(symbol).trim_end_matches("()");
            return match (touches(name, changed), alone) {
                (true, _) => (Progress::Done, "lines around the symbol were changed"),
                (false, true) => (Progress::Partly, "the file was changed elsewhere"),
                (false, false) => (Progress::Untouched, "only other parts were changed"),
            };
        }
        match (share, alone) {
            (_, true) | (None, _) => (Progress::Done, "the file was changed"),
            (Some(share), false) if share > 0.0 => {
                (Progress::Partly, "some of the change stands in the file")
            }
            _ => (Progress::Untouched, "the file was changed, but not like this"),
        }
    }
}

/// The share of the lines of a planned change that were added to the file; `None` when the change has no line that
/// tells anything.
fn share(change: &str, changed: &Changed) -> Option<f64> {
    let after = changed.after.as_deref()?;
    let telling = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix('+').unwrap_or(line).trim();
        (line.len() > 3 && line.chars().any(char::is_alphanumeric)).then(|| line.to_owned())
    };
    let before: std::collections::HashSet<String> =
        changed.before.as_deref().unwrap_or_default().lines().filter_map(telling).collect();
    let now: std::collections::HashSet<String> = after.lines().filter_map(telling).collect();
    let new: Vec<String> = change.lines().filter_map(telling).filter(|line| !before.contains(line)).collect();
    let found = new.iter().filter(|line| now.contains(*line)).count();
    (!new.is_empty()).then(|| found as f64 / new.len() as f64)
}

/// The lines of the base that were changed, or at which lines were added.
fn ranges(changed: &Changed) -> Vec<(u32, u32)> {
    let (Some(before), Some(after)) = (&changed.before, &changed.after) else { return Vec::new() };
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    let mut out = Vec::new();
    for op in diff.ops() {
        if op.tag() != similar::DiffTag::Equal {
            let range = op.old_range();
            let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            out.push((number(range.start + 1), number(range.end.max(range.start + 1))));
        }
    }
    out
}

/// Whether a changed line, or one shortly after the symbol's name, speaks of it.
fn touches(name: &str, changed: &Changed) -> bool {
    let (before, after) =
        (changed.before.as_deref().unwrap_or_default(), changed.after.as_deref().unwrap_or_default());
    let mut near = 0_u32;
    for change in TextDiff::from_lines(before, after).iter_all_changes() {
        if change.value().contains(name) {
            near = 40;
        }
        if change.tag() != ChangeTag::Equal && near > 0 {
            return true;
        }
        near = near.saturating_sub(1);
    }
    false
}
