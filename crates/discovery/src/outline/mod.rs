//! The symbols of one file, with exact kinds and line ranges where a grammar is at hand.
//!
//! A language with a grammar is a table ([`rules::Rules`]) that [`tree`] applies to every node;
//! SQL has a reader of its own; everything else goes through the line scanner.

mod grammar;
mod rules;
mod sql;
mod tables;
mod tables_c;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_more;
#[cfg(test)]
mod tests_script;
mod tree;

use crate::language;
use crate::scan::{Line, Scanner};

/// A named piece of a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// The name as written.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
}

/// What a symbol is, in words that fit all languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SymbolKind {
    /// A free function.
    Function,
    /// A function that belongs to a type.
    Method,
    /// A class.
    Class,
    /// A struct or union.
    Struct,
    /// An enumeration.
    Enum,
    /// A trait.
    Trait,
    /// An interface or protocol.
    Interface,
    /// A type alias or another named type; what is added to a type elsewhere.
    Type,
    /// A module or namespace.
    Module,
    /// A constant, static or module-level variable.
    Constant,
    /// A macro.
    Macro,
    /// An element of a page that has an id or a name of its own.
    Element,
    /// A class or id that a style sheet selects.
    Selector,
    /// A table of a database.
    Table,
    /// A view of a database.
    View,
    /// An index of a database.
    Index,
}

impl SymbolKind {
    /// The word used in reasons and in machine-readable output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Method => "method",
            Self::Class => "class",
            Self::Struct => "struct",
            Self::Enum => "enum",
            Self::Trait => "trait",
            Self::Interface => "interface",
            Self::Type => "type",
            Self::Module => "module",
            Self::Constant => "constant",
            Self::Macro => "macro",
            Self::Element => "element",
            Self::Selector => "selector",
            Self::Table => "table",
            Self::View => "view",
            Self::Index => "index",
        }
    }
}

/// The symbols that a file defines, in order of their first line.
///
/// `path` says the language. The languages of [`language::Syntax`] are parsed; others are read by
/// lines, which gives a symbol's first line only.
#[must_use]
pub fn outline(path: &str, text: &str) -> Vec<Symbol> {
    match language::syntax(path, text) {
        Some(language::Syntax::Sql) => sql::symbols(text),
        Some(syntax) => tree::symbols(syntax, text).unwrap_or_else(|| scanned(path, text)),
        None => scanned(path, text),
    }
}

fn scanned(path: &str, text: &str) -> Vec<Symbol> {
    let mut scanner = Scanner::new(language::language(path));
    (1..)
        .zip(text.lines())
        .filter_map(|(line, text)| match scanner.line(text) {
            Line::Code(Some(found)) => Some(Symbol {
                name: found.name.to_owned(),
                kind: found.kind,
                start_line: line,
                end_line: line,
            }),
            _ => None,
        })
        .collect()
}
