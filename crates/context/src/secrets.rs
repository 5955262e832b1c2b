//! Secrets in what would be packed: where they are, and how they are replaced.
//!
//! Everything is scanned before it is packed, each text as a whole: a secret that is cut in two by the choice of
//! lines would not be recognised any more. What is reported afterwards is what the pack shows.

use crate::{Content, Lines, Manifest, Source, TreeForm};
use guard::Guard;
use std::collections::BTreeSet;

/// Where a secret stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the task.
    Task,
    /// In the list of the project's files.
    Tree,
    /// In the name of a file.
    Name(usize),
    /// In a file, by its place in the list that was scanned.
    File(usize),
}

/// A secret: where it is and what it looks like, never what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Where it stands.
    pub place: Place,
    /// The path of the file, with secrets in it replaced; empty for the task and the list of files.
    pub path: String,
    /// Its lines.
    pub lines: Lines,
    /// Id of the rule that found it.
    pub rule: String,
    /// What the rule looks for, as one sentence.
    pub description: String,
    /// A comment beside it says that it is harmless.
    pub allowed: bool,
}

impl Secret {
    /// Whether a pack that was made of what was scanned shows it.
    #[must_use]
    pub fn is_shown(&self, manifest: &Manifest) -> bool {
        match self.place {
            Place::Task | Place::Name(_) => true,
            Place::Tree => matches!(manifest.tree, TreeForm::Whole | TreeForm::Folders(_)),
            Place::File(at) => manifest.shows(at, self.lines),
        }
    }
}

/// What would be packed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The task.
    pub task: String,
    /// The files.
    pub files: Vec<Source>,
    /// The paths of all files, if they are listed.
    pub tree: Option<Vec<String>>,
}

/// Finds the secrets in what would be packed.
#[must_use]
pub fn scan(guard: &Guard, outgoing: &Outgoing) -> Vec<Secret> {
    let mut found = findings(guard, &outgoing.task, &Place::Task, "");
    // A list of thousands of files has one line for each; what is told is where, and the list's lines are not known
    // to anybody. So each rule is told once.
    let tree = outgoing.tree.as_ref().map(|paths| paths.join("\n")).unwrap_or_default();
    let mut rules = BTreeSet::new();
    let listed = findings(guard, &tree, &Place::Tree, "").into_iter();
    found.extend(listed.filter(|secret| rules.insert((secret.rule.clone(), secret.allowed))));
    for (at, file) in outgoing.files.iter().enumerate() {
        let path = guard::redact(&file.path, &guard.scan(&file.path));
        found.extend(findings(guard, &file.path, &Place::Name(at), &path));
        if let Content::Text(text) = &file.content {
            found.extend(findings(guard, text, &Place::File(at), &path));
        }
    }
    found
}

/// Replaces every secret that is not allowed by `[redacted:RULE]`. Lines keep their numbers.
pub fn redact(guard: &Guard, outgoing: &mut Outgoing) {
    let clean = |text: &mut String| *text = guard::redact(text, &guard.scan(text));
    clean(&mut outgoing.task);
    if let Some(paths) = &mut outgoing.tree {
        let mut list = paths.join("\n");
        clean(&mut list);
        *paths = list.split('\n').map(str::to_owned).collect();
    }
    for file in &mut outgoing.files {
        clean(&mut file.path);
        if let Content::Text(text) = &mut file.content {
            clean(text);
        }
    }
}

fn findings(guard: &Guard, text: &str, place: &Place, path: &str) -> Vec<Secret> {
    let secret = |finding: guard::Finding| {
        let first = u32::try_from(finding.line).unwrap_or(u32::MAX);
        let breaks = text.get(finding.start..finding.end).map_or(0, |secret| secret.matches('\n').count());
        Secret {
            place: place.clone(),
            path: path.to_owned(),
            lines: Lines { first, last: first.saturating_add(breaks as u32) },
            rule: finding.rule,
            description: finding.description,
            allowed: finding.allowed,
        }
    };
    guard.scan(text).into_iter().map(secret).collect()
}
