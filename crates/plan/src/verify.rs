//! Checks each step against the repository as it is now.
//!
//! The steps are played through in order on a picture of the repository, so that a file created by step 1 exists
//! for step 2. Nothing is read but what the caller's [`Repository`] gives.

use crate::document::{Document, Operation, OperationKind, Step};
use crate::path::{check, is_control_file, is_invisible};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file, with its number of lines.
    File {
        /// How many lines it has.
        lines: u32,
    },
    /// A folder.
    Folder,
    /// Nothing.
    Missing,
    /// Something that may not be read, such as a symbolic link that leaves the project.
    Refused,
}

/// The repository as the check sees it. Paths have passed [`crate::path::check`].
pub trait Repository {
    /// What stands at `path`.
    fn entry(&self, path: &str) -> Entry;
    /// The names of the symbols that the file at `path` defines; `None` when its language is not understood.
    fn symbols(&self, path: &str) -> Option<Vec<String>>;
    /// The existing file that `path` probably means.
    fn nearest(&self, path: &str) -> Option<String>;
    /// Another file that defines `symbol`, if one is known.
    fn defines(&self, symbol: &str) -> Option<String>;
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// May be wrong, or wants a look.
    Warning,
    /// The step cannot be carried out as written.
    Error,
}

/// What a check found in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// A stable word for it.
    pub code: Cow<'static, str>,
    /// In words.
    pub message: String,
    /// The operation it concerns, by position.
    pub operation: Option<usize>,
    /// What to use instead.
    pub suggestion: Option<String>,
}

impl Finding {
    fn new(severity: Severity, code: &'static str, message: String) -> Finding {
        Finding { severity, code: Cow::Borrowed(code), message, operation: None, suggestion: None }
    }
}

/// What an earlier step made of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Earlier {
    Made(usize),
    Gone(usize),
    Changed,
}

/// Findings for every step, in the order of the steps.
pub fn verify(document: &Document, repository: &dyn Repository) -> Vec<Vec<Finding>> {
    let mut earlier = BTreeMap::new();
    document
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            let mut findings = step_findings(index, step, document.steps.len());
            for (at, operation) in step.operations.iter().enumerate() {
                let mut check =
                    OperationCheck { index, operation, repository, earlier: &mut earlier, findings: vec![] };
                check.run();
                findings.extend(check.findings.into_iter().map(|f| Finding { operation: Some(at), ..f }));
            }
            findings
        })
        .collect()
}

fn step_findings(index: usize, step: &Step, steps: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !step.complete {
        findings.push(Finding::new(Severity::Error, "step_cut", "The answer ended inside this step.".into()));
    }
    if step.operations.is_empty() && step.commands.is_empty() {
        let message = "This step names no file and no command.".into();
        findings.push(Finding::new(Severity::Warning, "step_empty", message));
    }
    for &number in &step.depends {
        let known = number >= 1 && (number as usize) <= steps;
        if !known || number as usize == index + 1 {
            let message = format!("It depends on step {number}, which is not another step of this plan.");
            findings.push(Finding::new(Severity::Warning, "depends_unknown", message));
        } else if number as usize > index + 1 {
            let message = format!("It depends on step {number}, which comes later.");
            findings.push(Finding::new(Severity::Warning, "depends_later", message));
        }
    }
    let texts = [&step.title, &step.why].into_iter().chain(&step.commands).chain(&step.checks);
    if texts.chain(step.operations.iter().map(|o| &o.change)).any(|text| text.chars().any(is_invisible)) {
        let message =
            "This step contains characters that cannot be seen (control, zero-width or direction marks).";
        findings.push(Finding::new(Severity::Warning, "invisible_text", message.into()));
    }
    findings
}

struct OperationCheck<'a> {
    index: usize,
    operation: &'a Operation,
    repository: &'a dyn Repository,
    earlier: &'a mut BTreeMap<String, Earlier>,
    findings: Vec<Finding>,
}

impl OperationCheck<'_> {
    fn run(&mut self) {
        let path = &self.operation.path;
        if !self.allowed(path) {
            return;
        }
        match self.operation.kind {
            OperationKind::Create => {
                self.must_be_free(path);
                self.set(path, Earlier::Made(self.index));
            }
            OperationKind::Modify => {
                if self.must_exist(path) {
                    self.anchors(path);
                }
                if !matches!(self.earlier.get(path.as_str()), Some(Earlier::Made(_))) {
                    self.set(path, Earlier::Changed);
                }
            }
            OperationKind::Delete => {
                self.must_exist(path);
                self.set(path, Earlier::Gone(self.index));
            }
            OperationKind::Move => self.moved(path),
        }
    }

    fn moved(&mut self, path: &str) {
        self.must_exist(path);
        self.set(path, Earlier::Gone(self.index));
        match &self.operation.to {
            None => self.error("move_target_missing", "It does not say where the file moves to.".into()),
            Some(to) if self.allowed(to) => {
                self.must_be_free(to);
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

    fn must_exist(&mut self, path: &str) -> bool {
        match self.earlier.get(path) {
            Some(Earlier::Gone(step)) => {
                self.error("path_gone", format!("Step {} removes or moves this file before.", step + 1));
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
                let suggestion = self.repository.nearest(path);
                let message = match &suggestion {
                    Some(near) => format!("There is no such file. Perhaps {near} is meant."),
                    None => "There is no such file.".to_owned(),
                };
                let finding = Finding::new(Severity::Error, "path_missing", message);
                self.findings.push(Finding { suggestion, ..finding });
                false
            }
        }
    }

    fn must_be_free(&mut self, path: &str) {
        match self.earlier.get(path) {
            Some(Earlier::Made(step)) => {
                return self.error("path_made_twice", format!("Step {} makes this file already.", step + 1));
            }
            Some(Earlier::Gone(_)) => return,
            _ => {}
        }
        match self.repository.entry(path) {
            Entry::File { .. } => {
                self.error("path_exists", "This file exists already; it would be overwritten.".into())
            }
            Entry::Folder => self.error("path_folder", "A folder stands at this path.".into()),
            Entry::Missing | Entry::Refused => self.parent(path),
        }
    }

    fn parent(&mut self, path: &str) {
        let Some((parent, _)) = path.rsplit_once('/') else { return };
        let made = self.earlier.iter().any(|(p, s)| {
            matches!(s, Earlier::Made(step) if *step < self.index) && p.starts_with(&format!("{parent}/"))
        });
        match self.repository.entry(parent) {
            Entry::Folder => {}
            Entry::Missing if made => {}
            Entry::Missing => {
                let message = format!("The folder {parent} is new.");
                self.findings.push(Finding::new(Severity::Info, "parent_new", message));
            }
            Entry::File { .. } => {
                self.error("parent_file", format!("{parent} is a file, so nothing can be in it."))
            }
            Entry::Refused => self.error("path_refused", "The folder leads out of the project.".into()),
        }
    }

    /// Whether the symbol and the lines that the operation names are there. After an earlier step has changed the
    /// file, its lines are no longer known.
    fn anchors(&mut self, path: &str) {
        let untouched = !self.earlier.contains_key(path);
        if let (Some((_, last)), Entry::File { lines }) = (self.operation.lines, self.repository.entry(path))
            && untouched
            && last > lines
        {
            self.warn("lines_beyond", format!("It names line {last}, and the file has {lines}."));
        }
        let Some(symbol) = &self.operation.symbol else { return };
        let wanted = last_segment(symbol);
        if let Some(symbols) = self.repository.symbols(path)
            && untouched
            && !symbols.iter().any(|s| last_segment(s) == wanted)
        {
            let elsewhere = self.repository.defines(wanted).filter(|other| other != path);
            let message = match &elsewhere {
                Some(other) => format!("`{symbol}` is not defined here; {other} defines it."),
                None => format!("`{symbol}` is not defined in this file."),
            };
            let finding = Finding::new(Severity::Warning, "symbol_missing", message);
            self.findings.push(Finding { suggestion: elsewhere, ..finding });
        }
    }
}

/// `Client::send()` and `client.send` both mean `send`.
fn last_segment(symbol: &str) -> &str {
    let name = symbol.split('(').next().unwrap_or(symbol).trim();
    name.rsplit(['.', ':', '#', '/', ' ']).next().unwrap_or(name)
}
