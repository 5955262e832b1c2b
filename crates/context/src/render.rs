//! The three forms of a pack. `docs/cli.md` describes them for readers.

mod export;
mod markdown;
mod xml;

use crate::source::{LeftOut, Lines};
use std::fmt;
use std::str::FromStr;

pub(crate) use xml::Mark;

/// The form of a pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Tags around contents that are left as they are: for models. Not XML to a parser.
    #[default]
    Xml,
    /// Headings and fences.
    Markdown,
    /// One object: for programs.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 3] = [Self::Xml, Self::Markdown, Self::Json];

    /// The name in options and configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Markdown => "markdown",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or(())
    }
}

/// What is rendered.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub task: &'a str,
    pub tree: Option<Tree>,
    pub files: Vec<Shown<'a>>,
    /// The files that are not there, as far as they are named.
    pub left_out: Vec<(&'a str, &'a LeftOut)>,
    /// How many more are not there.
    pub more: usize,
}

/// The list of the project's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    /// Paths of files, and folders whose files are counted instead: `docs/ (12 files)`.
    pub lines: Vec<String>,
}

/// A file, whole or in parts.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    pub path: &'a str,
    /// How many lines the file has.
    pub lines: u32,
    /// In order; one part with everything when the file is whole, none when it is empty.
    pub parts: Vec<Part<'a>>,
}

impl Shown<'_> {
    pub(crate) fn is_whole(&self) -> bool {
        match self.parts.as_slice() {
            [] => self.lines == 0,
            [part] => part.lines == Lines::new(1, self.lines),
            _ => false,
        }
    }

    /// The lines before, between and after the parts; as many as there are parts, and one.
    fn gaps(&self) -> Vec<Option<Lines>> {
        let ends = self.parts.iter().map(|part| part.lines.last);
        let starts = self.parts.iter().map(|part| part.lines.first);
        let gap = |(end, start): (u32, u32)| (end + 1 < start).then(|| Lines::new(end + 1, start - 1));
        std::iter::once(0).chain(ends).zip(starts.chain([self.lines + 1])).map(gap).collect()
    }
}

/// Some lines of a file.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub lines: Lines,
    /// Exactly as in the file, with the last line's end if it has one.
    pub text: &'a str,
}

/// How contents are set off in one document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub format: Format,
    pub mark: Mark,
}

impl Style {
    pub(crate) fn document(self, document: &Document<'_>) -> String {
        match self.format {
            Format::Xml => xml::document(self.mark, document),
            Format::Markdown => markdown::document(document),
            Format::Json => export::document(document),
        }
    }

    /// One file, as it stands in a document.
    pub(crate) fn file(self, file: &Shown<'_>) -> String {
        match self.format {
            Format::Xml => xml::file(self.mark, file),
            Format::Markdown => markdown::file(file),
            Format::Json => export::file(file),
        }
    }
}

/// What stands where lines of a file are not shown.
fn omission(lines: Lines) -> String {
    let word = if lines.first == lines.last { "line" } else { "lines" };
    format!("… {word} {lines} left out")
}

/// How many files are not there and not named either.
fn uncounted(more: usize, named: bool) -> String {
    match (more, named) {
        (1, true) => "and 1 more file".to_owned(),
        (_, true) => format!("and {more} more files"),
        (1, false) => "1 file".to_owned(),
        (_, false) => format!("{more} files"),
    }
}

/// A path on one line, with everything unseen as `\u{…}`: line breaks, controls, marks of direction.
pub(crate) fn on_one_line(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        if is_unseen(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

/// As `plan::path::is_invisible`, and whatever ends a line.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}
