//! The operations of a plan, played through in order.

use super::order;
use super::packages::{Imports, imports};
use super::{Entry, Finding, Noted, Repair, Repository, Severity};
use crate::document::{Document, Operation, OperationKind};
use crate::path::{check, is_control_file};
use std::collections::{BTreeMap, HashMap};

/// What an earlier step made of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Earlier {
    Made(usize),
    /// Removed, or moved to another path.
    Gone(usize, Option<String>),
    Changed,
}

/// How alike two names of symbols must be for one to be meant by the other.
const ALIKE: f64 = 0.75;

/// The repository with what the steps so far have made of it.
pub(super) struct Picture<'a> {
    document: &'a Document,
    repository: &'a dyn Repository,
    noted: &'a Noted,
    earlier: BTreeMap<String, Earlier>,
    /// The first step that makes a path, over the whole plan.
    made_by: HashMap<&'a str, usize>,
    /// Line ranges that were changed, with their steps, by path.
    ranges: HashMap<&'a str, Vec<(u32, u32, usize)>>,
    /// Changes that were made, to find one made twice.
    changes: HashMap<(&'a str, &'a str), usize>,
    /// The last operation that touched a path.
    last: HashMap<&'a str, &'a Operation>,
    /// Paths that the plan makes, in lower case.
    lower: HashMap<String, &'a str>,
    imports: Imports<'a>,
    index: usize,
    findings: Vec<Finding>,
}

impl<'a> Picture<'a> {
    pub(super) fn of(
        document: &'a Document,
        repository: &'a dyn Repository,
        noted: &'a Noted,
    ) -> Picture<'a> {
        let mut made_by = HashMap::new();
        for (index, step) in document.steps.iter().enumerate() {
            for operation in &step.operations {
                let made = match operation.kind {
                    OperationKind::Create => Some(operation.path.as_str()),
                    OperationKind::Move => operation.to.as_deref(),
                    _ => None,
                };
                if let Some(path) = made {
                    made_by.entry(path).or_insert(index);
                }
            }
        }
        Picture {
            document,
            repository,
            noted,
            earlier: BTreeMap::new(),
            made_by,
            ranges: HashMap::new(),
            changes: HashMap::new(),
            last: HashMap::new(),
            lower: HashMap::new(),
            imports: Imports::of(document),
            index: 0,
            findings: Vec::new(),
        }
    }

    /// Checks one operation, and plays it.
    pub(super) fn check(&mut self, index: usize, operation: &'a Operation) -> Vec<Finding> {
        self.index = index;
        self.run(operation);
        for path in [Some(&operation.path), operation.to.as_ref()].into_iter().flatten() {
            self.last.insert(path, operation);
        }
        std::mem::take(&mut self.findings)
    }

    fn run(&mut self, operation: &'a Operation) {
        let path = operation.path.as_str();
        if !self.allowed(path) {
            return;
        }
        match operation.kind {
            OperationKind::Create => {
                self.must_be_free(path, Some(Repair::UseKind(OperationKind::Modify)));
                self.set(path, Earlier::Made(self.index));
            }
            OperationKind::Modify => {
                if self.must_exist(operation) {
                    self.stale(path);
                    self.anchors(operation);
                }
                self.twice(operation);
                if !matches!(self.earlier.get(path), Some(Earlier::Made(_) | Earlier::Gone(..))) {
                    self.set(path, Earlier::Changed);
                }
            }
            OperationKind::Delete => {
                self.delete(operation);
                self.set(path, Earlier::Gone(self.index, None));
            }
            OperationKind::Move => self.moved(operation),
        }
        self.packages(operation);
    }

    fn delete(&mut self, operation: &Operation) {
        let path = operation.path.as_str();
        if let Some(Earlier::Made(step)) = self.earlier.get(path) {
            let message = format!("Step {} makes this file, and this one removes it again.", step + 1);
            let finding = Finding::new(Severity::Warning, "made_and_removed", message);
            let repair = order::never_made(self.document, self.repository, self.index, operation);
            self.findings.push(Finding { repair, ..finding });
        } else if self.must_exist(operation) {
            self.stale(path);
        }
        if operation.symbol.is_some() || operation.lines.is_some() {
            let message = "This removes the whole file, but names a part of it. Perhaps only that is to go.";
            let finding = Finding::new(Severity::Warning, "delete_part", message.into());
            self.findings.push(finding.with(Repair::UseKind(OperationKind::Modify)));
        }
    }

    fn moved(&mut self, operation: &Operation) {
        let path = operation.path.as_str();
        if self.must_exist(operation) {
            self.stale(path);
        }
        self.set(path, Earlier::Gone(self.index, operation.to.clone()));
        match &operation.to {
            None => self.error("move_target_missing", "It does not say where the file moves to.".into()),
            Some(to) if to == path => {
                self.error("move_to_itself", "It moves the file to where it is.".into())
            }
            Some(to) if self.allowed(to) => {
                self.must_be_free(to, None);
                self.set(to, Earlier::Made(self.index));
            }
            Some(_) => {}
        }
    }

    fn set(&mut self, path: &str, state: Earlier) {
        self.earlier.insert(path.to_owned(), state);
    }

    fn error(&mut self, code: &'static str, message: String) {
        self.findings.push(Finding::new(Severity::Error, code, message));
    }

    fn warn(&mut self, code: &'static str, message: String) {
        self.findings.push(Finding::new(Severity::Warning, code, message));
    }

    fn allowed(&mut self, path: &str) -> bool {
        if let Err(problem) = check(path) {
            self.error("path_refused", format!("This path cannot be used: {problem}."));
            return false;
        }
        if self.repository.entry(path) == Entry::Refused {
            self.error("path_refused", "This path leads out of the project, or may not be read.".into());
            return false;
        }
        if is_control_file(path) {
            let message = "This file steers tools or agents: a change here can run code. Look at it closely.";
            self.warn("control_file", message.into());
        }
        true
    }

    fn must_exist(&mut self, operation: &Operation) -> bool {
        let path = operation.path.as_str();
        match self.earlier.get(path) {
            Some(Earlier::Gone(step, to)) => {
                let message = match to {
                    Some(to) => format!("Step {} moves this file to {to} before.", step + 1),
                    None => format!("Step {} removes this file before.", step + 1),
                };
                let finding = Finding::new(Severity::Error, "path_gone", message).suggesting(to.clone());
                let finding = match to {
                    Some(to) => finding.with(Repair::UsePath(to.clone())),
                    None => finding,
                };
                self.findings.push(finding);
                return false;
            }
            Some(Earlier::Made(_)) => return false,
            _ => {}
        }
        match self.repository.entry(path) {
            Entry::File { .. } => true,
            Entry::Folder => {
                self.error("path_folder", "This is a folder, not a file.".into());
                false
            }
            Entry::Missing | Entry::Refused => {
                let finding = self.missing(operation);
                self.findings.push(finding);
                false
            }
        }
    }

    fn missing(&self, operation: &Operation) -> Finding {
        let path = operation.path.as_str();
        if let Some(&step) = self.made_by.get(path)
            && step > self.index
        {
            let message = format!("Step {} makes this file, and comes later.", step + 1);
            let finding = Finding::new(Severity::Error, "path_made_later", message);
            let repair = order::after_maker(self.document, self.index, step, operation);
            return Finding { repair, ..finding };
        }
        if let Some(other) = self.repository.other_case(path) {
            let message = format!("There is no such file; {other} differs in case only.");
            let finding = Finding::new(Severity::Error, "path_case", message).suggesting(Some(other.clone()));
            return finding.with(Repair::UsePath(other));
        }
        let suggestion = self.repository.nearest(path);
        let message = match &suggestion {
            Some(near) => format!("There is no such file. Perhaps {near} is meant."),
            None => "There is no such file.".to_owned(),
        };
        let finding = Finding::new(Severity::Error, "path_missing", message).suggesting(suggestion.clone());
        match suggestion {
            Some(near) => finding.with(Repair::UsePath(near)),
            // Whole new content was written for it: then it was meant to be made.
            None if operation.kind == OperationKind::Modify && operation.symbol.is_none() => {
                finding.with(Repair::UseKind(OperationKind::Create))
            }
            None => finding,
        }
    }

    fn must_be_free(&mut self, path: &str, repair: Option<Repair>) {
        let mut add = |code, message: String| {
            let finding = Finding::new(Severity::Error, code, message);
            self.findings.push(Finding { repair: repair.clone(), ..finding });
        };
        match self.earlier.get(path) {
            Some(Earlier::Made(step)) => {
                return add("path_made_twice", format!("Step {} makes this file already.", step + 1));
            }
            Some(Earlier::Gone(..)) => return,
            _ => {}
        }
        match self.repository.entry(path) {
            Entry::File { .. } => {
                add("path_exists", "This file exists already; it would be overwritten.".into());
            }
            Entry::Folder => self.error("path_folder", "A folder stands at this path.".into()),
            Entry::Missing | Entry::Refused => {
                self.parent(path);
                self.case(path);
            }
        }
    }

    /// A new path that some disks would take for another one.
    fn case(&mut self, path: &str) {
        let gone =
            |picture: &Self, other: &str| matches!(picture.earlier.get(other), Some(Earlier::Gone(..)));
        let other = self.repository.other_case(path).filter(|other| !gone(self, other));
        let lower = path.to_lowercase();
        let planned = self.lower.get(&lower).filter(|other| **other != path).map(|other| (*other).to_owned());
        if let Some(other) = other.or(planned) {
            let message = format!("{other} differs in case only: on many disks both are the same file.");
            self.warn("path_case", message);
        }
        if let Some((&kept, _)) = self.made_by.get_key_value(path) {
            self.lower.entry(lower).or_insert(kept);
        }
    }

    fn parent(&mut self, path: &str) {
        let Some((parent, _)) = path.rsplit_once('/') else { return };
        let inside = format!("{parent}/");
        let made = self
            .earlier
            .range(inside.clone()..)
            .take_while(|(p, _)| p.starts_with(&inside))
            .any(|(_, state)| matches!(state, Earlier::Made(step) if *step < self.index));
        match self.repository.entry(parent) {
            Entry::Folder => {}
            Entry::Missing if made => {}
            Entry::Missing => {
                let above = parent.match_indices('/').map(|(at, _)| &parent[..at]);
                if let Some(file) =
                    above.into_iter().find(|p| matches!(self.repository.entry(p), Entry::File { .. }))
                {
                    self.error("parent_file", format!("{file} is a file, so nothing can be in it."));
                    return;
                }
                let message = format!("The folder {parent} is new.");
                self.findings.push(Finding::new(Severity::Info, "parent_new", message));
            }
            Entry::File { .. } => {
                self.error("parent_file", format!("{parent} is a file, so nothing can be in it."));
            }
            Entry::Refused => self.error("path_refused", "The folder leads out of the project.".into()),
        }
    }

    /// Whether the file is still as it was when the plan was made.
    fn stale(&mut self, path: &str) {
        if self.earlier.contains_key(path) {
            return;
        }
        if let Some(noted) = self.noted.get(path)
            && self.repository.hash(path).is_some_and(|now| now != *noted)
        {
            self.warn(
                "stale",
                "This file has changed since the plan was made. Look whether the step still fits.".into(),
            );
        }
    }

    /// Two operations on the same lines, and the same change made twice.
    fn twice(&mut self, operation: &'a Operation) {
        let path = operation.path.as_str();
        let repair = self.repeats(operation).then_some(Repair::DropOperation);
        let mut add = |code, message| {
            let finding = Finding::new(Severity::Warning, code, message);
            self.findings.push(Finding { repair: repair.clone(), ..finding });
        };
        if let Some((first, last)) = operation.lines {
            let ranges = self.ranges.entry(path).or_default();
            let other = ranges.iter().find(|(a, b, _)| *a <= last && first <= *b).copied();
            ranges.push((first, last, self.index));
            if let Some((a, b, step)) = other {
                let by =
                    if step == self.index { "This step".to_owned() } else { format!("Step {}", step + 1) };
                let message = format!("{by} changes lines {a}–{b} of this file already; these overlap.");
                add("lines_overlap", message);
            }
        }
        if !operation.change.trim().is_empty() {
            let known = self.changes.insert((path, operation.change.as_str()), self.index);
            if let Some(step) = known {
                add("change_twice", format!("Step {} makes the same change in this file.", step + 1));
            }
        }
    }

    /// Whether the operation says nothing that the one before it on the same file has not said: the same change of the
    /// same symbol or lines. Its step must have something left without it.
    fn repeats(&self, operation: &Operation) -> bool {
        let step = &self.document.steps[self.index];
        let within = |before: &Operation| match (before.lines, operation.lines) {
            // Without a symbol either, nothing says that the place is the same: a line may be put in twice.
            (None, None) => operation.symbol.is_some(),
            (Some((a, b)), Some((first, last))) => a <= first && last <= b,
            _ => false,
        };
        (step.operations.len() > 1 || !step.commands.is_empty())
            && !operation.change.trim().is_empty()
            && self.last.get(operation.path.as_str()).is_some_and(|before| {
                before.kind == OperationKind::Modify
                    && before.change == operation.change
                    && before.symbol == operation.symbol
                    && within(before)
            })
    }

    /// Whether the symbol and the lines that the operation names are there. After an earlier step has changed the
    /// file, its lines are no longer known.
    fn anchors(&mut self, operation: &Operation) {
        let path = operation.path.as_str();
        if self.earlier.contains_key(path) {
            return;
        }
        if let (Some((first, last)), Entry::File { lines }) = (operation.lines, self.repository.entry(path))
            && last > lines
        {
            let message = format!("It names line {last}, and the file has {lines}.");
            let finding = Finding::new(Severity::Warning, "lines_beyond", message);
            let kept = first <= lines && first >= 1;
            self.findings.push(finding.with(if kept {
                Repair::UseLines(first, lines)
            } else {
                Repair::DropLines
            }));
        }
        let Some(symbol) = &operation.symbol else { return };
        let wanted = last_segment(symbol);
        let Some(symbols) = self.repository.symbols(path) else { return };
        let named = symbols.iter().filter(|s| last_segment(&s.name) == wanted);
        let mut spans = named.map(|s| (s.first, s.last)).peekable();
        if spans.peek().is_none() {
            let finding = self.symbol_missing(operation, symbol, wanted, &symbols);
            self.findings.push(finding);
            return;
        }
        if let Some((first, last)) = operation.lines {
            let spans: Vec<(u32, u32)> = spans.collect();
            if !spans.iter().any(|(a, b)| *a <= last.saturating_add(3) && first <= b.saturating_add(3)) {
                let (a, b) = spans[0];
                let message = format!("`{symbol}` stands in lines {a}–{b}, not in lines {first}–{last}.");
                let finding = Finding::new(Severity::Warning, "symbol_elsewhere", message);
                self.findings.push(finding.with(Repair::UseLines(a, b)));
            }
        }
    }

    fn symbol_missing(
        &self,
        operation: &Operation,
        symbol: &str,
        wanted: &str,
        symbols: &[super::Symbol],
    ) -> Finding {
        let elsewhere = self.repository.defines(wanted).filter(|other| *other != operation.path);
        if let Some(other) = elsewhere {
            let message = format!("`{symbol}` is not defined here; {other} defines it.");
            let finding = Finding::new(Severity::Warning, "symbol_missing", message);
            return finding.suggesting(Some(other.clone())).with(Repair::UsePath(other));
        }
        let near = symbols
            .iter()
            .map(|s| (last_segment(&s.name), strsim::normalized_levenshtein(last_segment(&s.name), wanted)))
            .filter(|(_, alike)| *alike >= ALIKE)
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(a.0)));
        if let Some((name, _)) = near {
            let message = format!("`{symbol}` is not defined in this file. Perhaps `{name}` is meant.");
            let finding = Finding::new(Severity::Warning, "symbol_missing", message);
            return finding.suggesting(Some(name.to_owned())).with(Repair::UseSymbol(name.to_owned()));
        }
        let message = format!("`{symbol}` is not defined in this file.");
        Finding::new(Severity::Warning, "symbol_missing", message).with(Repair::DropSymbol)
    }

    /// Packages that the change uses and no manifest names.
    fn packages(&mut self, operation: &Operation) {
        if operation.kind == OperationKind::Delete || operation.change.is_empty() {
            return;
        }
        for (language, name) in imports(&operation.path, &operation.change) {
            let Some(declared) = self.repository.packages(language) else { continue };
            if self.imports.plans(language, &name)
                || language.declares(&declared, &name)
                || self.repository.is_module(language.module(&name))
            {
                continue;
            }
            let message = format!("It uses the package {name}, which no {} names.", language.manifest());
            self.findings.push(Finding::new(language.severity(), "package_unknown", message));
        }
    }
}

/// `Client::send()` and `client.send` both mean `send`.
fn last_segment(symbol: &str) -> &str {
    let name = symbol.split('(').next().unwrap_or(symbol).trim();
    let name = name.split('<').next().unwrap_or(name).trim();
    name.rsplit(['.', ':', '#', '/', ' ']).next().unwrap_or(name)
}
