//! What a discovery returns: pure data.

use std::fmt;

pub use crate::history::NoHistory;

/// The files a task concerns, best first, and an account of what was read to find them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Discovery {
    /// Ranked files that are not tests, at most [`Options::limit`](crate::Options::limit).
    pub sources: Vec<Ranked>,
    /// Ranked tests, in a list of their own; empty unless
    /// [`Options::include_tests`](crate::Options::include_tests).
    pub tests: Vec<Ranked>,
    /// How many files were read and indexed.
    pub scanned: usize,
    /// How many of them had to be read now; the others were known from before.
    pub read: usize,
    /// Commits whose messages and changes counted.
    pub commits: usize,
    /// Why no history counted, if none did.
    pub no_history: Option<NoHistory>,
    /// Why the index was not kept for the next time, if it should have been.
    pub not_kept: Option<String>,
    /// Files that the walk found and the index left out, ordered by path.
    pub skipped: Vec<Skipped>,
    /// The size of all indexed files together.
    pub bytes: u64,
}

/// One file of a ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Relative to the root, separated by `/`, valid Unicode (other bytes appear as `\xNN`).
    pub path: String,
    /// Higher is better; comparable within one discovery only.
    pub score: f64,
    /// 1 for the best of its list.
    pub rank: usize,
    /// Whether the file is a test by the rules of its language.
    pub test: bool,
    /// The size of the file.
    pub bytes: u64,
    /// What the score is made of.
    pub signals: Signals,
    /// Why the file is here, strongest first.
    pub reasons: Vec<Reason>,
}

/// Every signal of one file, each from 0 to 1: 1 is the best file of the repository by that signal alone.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Signals {
    /// Words of the whole task, by BM25 over path, definitions, comments and content.
    pub body: f64,
    /// The same for the words of the title.
    pub title: f64,
    /// Words of the whole task in the file's path alone.
    pub path: f64,
    /// Words of the whole task in the names of what the file defines.
    pub definition: f64,
    /// Defines symbols that the task names.
    pub symbol: f64,
    /// Is a file or module that the task names.
    pub named: f64,
    /// How much the best place of the file speaks of the task.
    pub chunk: f64,
    /// How much recent commits that changed the file speak of the task.
    pub past: f64,
    /// How surely the file is changed together with one of the best.
    pub together: f64,
    /// Tests of the file, by their names, speak of the task.
    pub tested: f64,
}

/// One reason for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The kind of evidence, for programs.
    pub kind: ReasonKind,
    /// The evidence as a phrase, for people: "defines `parse_url`, named in the task".
    pub detail: String,
    /// The line to look at (from 1), where there is one.
    pub line: Option<u32>,
}

/// The kinds of evidence. Their names ([`ReasonKind::name`]) are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ReasonKind {
    /// The task names this file by path, file name, module or stack frame.
    NamedPath,
    /// The file defines a symbol that the task names.
    DefinesSymbol,
    /// The file uses an identifier that the task names.
    MentionsSymbol,
    /// Words of the task stand in the file's path.
    PathWords,
    /// Words of the task's title stand in the file's path or definitions.
    TitleMatch,
    /// Words of the task that are rare in the repository stand in the file.
    ContentMatch,
    /// Many words of the task stand close together at one place of the file.
    BestChunk,
    /// A recent commit that changed the file speaks of the task.
    Commit,
    /// The file was changed together with one of the best.
    ChangedTogether,
    /// A test that is named after the file speaks of the task.
    Tested,
    /// The file imports one of the best.
    Imports,
}

impl ReasonKind {
    /// The name used in machine-readable output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NamedPath => "named_path",
            Self::DefinesSymbol => "defines_symbol",
            Self::MentionsSymbol => "mentions_symbol",
            Self::PathWords => "path_words",
            Self::TitleMatch => "title_match",
            Self::ContentMatch => "content_match",
            Self::BestChunk => "best_chunk",
            Self::Commit => "commit",
            Self::ChangedTogether => "changed_together",
            Self::Tested => "tested",
            Self::Imports => "imports",
        }
    }
}

/// A file that was found but not indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file, written as in [`Ranked::path`].
    pub path: String,
    /// Why it was left out.
    pub why: SkipReason,
}

/// Why a file was not indexed. `Display` gives a phrase for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// A NUL byte among the first bytes.
    Binary,
    /// Larger than [`Options::max_file_bytes`](crate::Options::max_file_bytes).
    TooLarge,
    /// Made by a program: lock file, generated header, build product.
    Generated,
    /// Minified: a name like `*.min.js`, or lines too long for a person to have written.
    Minified,
    /// Third-party code kept in the tree.
    Vendored,
    /// The operating system would not let us read it.
    Unreadable(String),
}

impl SkipReason {
    /// The name used in machine-readable output.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::TooLarge => "too_large",
            Self::Generated => "generated",
            Self::Minified => "minified",
            Self::Vendored => "vendored",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary => f.write_str("binary"),
            Self::TooLarge => f.write_str("over the size limit"),
            Self::Generated => f.write_str("generated"),
            Self::Minified => f.write_str("minified"),
            Self::Vendored => f.write_str("vendored"),
            Self::Unreadable(why) => write!(f, "unreadable: {why}"),
        }
    }
}
