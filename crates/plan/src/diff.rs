//! What changed between two versions of a plan.

use crate::document::{Document, Step};
use crate::export::step_markdown;
use similar::{ChangeTag, TextDiff};
use std::collections::HashMap;

/// A line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// Whether it stands in the first version, the second, or both.
    pub side: Side,
    /// The line, without its end.
    pub text: String,
}

/// In which version a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In the first only.
    Removed,
    /// In the second only.
    Added,
    /// In both.
    Both,
}

/// What happened to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepDiff {
    /// The step's id.
    pub id: String,
    /// Its number in the first version.
    pub before: Option<u32>,
    /// Its number in the second version.
    pub after: Option<u32>,
    /// Its title, in the second version where it stands there.
    pub title: String,
    /// Its lines; empty where nothing but its number changed.
    pub lines: Vec<DiffLine>,
}

/// A version: the steps with an id each.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    /// The document.
    pub document: &'a Document,
    /// The ids of its steps, in order.
    pub ids: &'a [String],
}

impl<'a> Version<'a> {
    fn steps(self) -> impl Iterator<Item = (u32, &'a str, &'a Step)> {
        (1..).zip(self.ids.iter().zip(&self.document.steps)).map(|(n, (id, step))| (n, id.as_str(), step))
    }
}

/// The steps that differ, in the order of the second version; those that are gone come last.
pub fn diff(before: Version<'_>, after: Version<'_>) -> Vec<StepDiff> {
    let old: HashMap<&str, (u32, &Step)> = before.steps().map(|(n, id, step)| (id, (n, step))).collect();
    let mut out = Vec::new();
    for (number, id, step) in after.steps() {
        let known = old.get(id).copied();
        if known.is_some_and(|(n, before)| n == number && before == step) {
            continue;
        }
        out.push(StepDiff {
            id: id.to_owned(),
            before: known.map(|(n, _)| n),
            after: Some(number),
            title: step.title.clone(),
            lines: lines(known.map(|(_, step)| step), Some(step)),
        });
    }
    let kept: std::collections::HashSet<&str> = after.steps().map(|(_, id, _)| id).collect();
    for (number, id, step) in before.steps().filter(|(_, id, _)| !kept.contains(id)) {
        out.push(StepDiff {
            id: id.to_owned(),
            before: Some(number),
            after: None,
            title: step.title.clone(),
            lines: lines(Some(step), None),
        });
    }
    out
}

fn lines(before: Option<&Step>, after: Option<&Step>) -> Vec<DiffLine> {
    if before == after {
        return Vec::new();
    }
    // The number would differ for every step behind one that is new.
    let text = |step: Option<&Step>| step.map(|step| step_markdown(0, step)).unwrap_or_default();
    let (before, after) = (text(before), text(after));
    TextDiff::from_lines(&before, &after)
        .iter_all_changes()
        .map(|change| DiffLine {
            side: match change.tag() {
                ChangeTag::Delete => Side::Removed,
                ChangeTag::Insert => Side::Added,
                ChangeTag::Equal => Side::Both,
            },
            text: change.value().trim_end_matches(['\r', '\n']).to_owned(),
        })
        .collect()
}
