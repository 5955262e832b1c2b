//! The tables, views, routines and indexes that SQL creates.
//!
//! Every database has its own dialect, so there is no grammar: a statement is read up to the name
//! of what it creates, and then skipped to its end.

use super::{Symbol, SymbolKind};

/// Words between `CREATE` and the word that says what is created.
const MODIFIERS: &[&str] = &[
    "or",
    "replace",
    "alter",
    "temp",
    "temporary",
    "global",
    "local",
    "unlogged",
    "unique",
    "clustered",
    "nonclustered",
    "fulltext",
    "spatial",
    "materialized",
    "recursive",
    "external",
    "virtual",
    "foreign",
    "force",
    "editionable",
    "aggregate",
    "constraint",
    "columnar",
    "transient",
    "secure",
    "public",
];
/// Words between what is created and its name.
const FILLERS: &[&str] = &["if", "not", "exists", "concurrently", "body"];

/// The symbols of a script, in order.
pub(super) fn symbols(text: &str) -> Vec<Symbol> {
    let mut tokens = Tokens { text, at: 0, line: 1 };
    let mut symbols: Vec<Symbol> = Vec::new();
    let mut last_line = 1;
    let mut statement = Statement::Start;
    let mut open: Option<Symbol> = None;
    // Statements inside the body of a routine end with `;` too.
    let mut depth = 0_u32;
    while let Some((token, line)) = tokens.next() {
        let word = token.to_ascii_lowercase();
        let is_end = (token == ";" && depth == 0) || (word == "go" && statement != Statement::Name);
        if is_end {
            symbols.extend(open.take().map(|symbol| Symbol { end_line: line, ..symbol }));
            (statement, depth) = (Statement::Start, 0);
            continue;
        }
        last_line = line;
        statement = match statement {
            Statement::Start if word == "create" => Statement::Create(line),
            Statement::Start => Statement::Other,
            Statement::Create(_) if MODIFIERS.contains(&word.as_str()) => statement,
            Statement::Create(start) => match kind(&word) {
                Some(kind) => {
                    open = Some(Symbol { name: String::new(), kind, start_line: start, end_line: line });
                    Statement::Name
                }
                None => Statement::Other,
            },
            Statement::Name if FILLERS.contains(&word.as_str()) => statement,
            Statement::Name => {
                let name = name(token, &mut tokens);
                // An index may have no name: `CREATE INDEX ON …`.
                open = open.filter(|_| word != "on" && !name.is_empty());
                if let Some(symbol) = &mut open {
                    name.clone_into(&mut symbol.name);
                }
                Statement::Other
            }
            Statement::Other => {
                let is_routine = open.as_ref().is_some_and(|symbol| symbol.kind == SymbolKind::Function);
                if is_routine {
                    depth = match word.as_str() {
                        "begin" | "case" => depth + 1,
                        "end" => tokens.end_of_block(depth),
                        _ => depth,
                    };
                }
                Statement::Other
            }
        };
    }
    symbols.extend(open.map(|symbol| Symbol { end_line: last_line, ..symbol }));
    symbols.retain(|symbol| !symbol.name.is_empty());
    symbols
}

/// How far the current statement has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statement {
    Start,
    /// After `CREATE`, which stands on this line.
    Create(u32),
    Name,
    Other,
}

fn kind(word: &str) -> Option<SymbolKind> {
    let kind = match word {
        "table" => SymbolKind::Table,
        "view" => SymbolKind::View,
        "index" => SymbolKind::Index,
        "function" | "procedure" | "proc" | "trigger" => SymbolKind::Function,
        "type" | "domain" => SymbolKind::Type,
        "schema" | "package" => SymbolKind::Module,
        _ => return None,
    };
    Some(kind)
}

/// The last part of a name that may be qualified: `"public".users` is `users`.
fn name<'t>(first: &'t str, tokens: &mut Tokens<'t>) -> &'t str {
    let mut name = first;
    loop {
        let before = tokens.clone();
        let next = tokens.next().map(|(token, _)| token);
        if next != Some(".") {
            *tokens = before;
            break;
        }
        let Some((part, _)) = tokens.next() else { break };
        name = part;
    }
    let name = name.trim_matches(['"', '`', '[', ']', '\'']);
    if name.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '#') { name } else { "" }
}

/// Cuts SQL into words, quoted names and single characters; comments and strings are left out.
#[derive(Clone)]
struct Tokens<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl<'t> Tokens<'t> {
    fn next(&mut self) -> Option<(&'t str, u32)> {
        loop {
            let rest = self.text.get(self.at..)?;
            let first = rest.chars().next()?;
            if first.is_whitespace() {
                self.skip(first.len_utf8());
            } else if rest.starts_with("--") {
                self.skip(rest.find('\n').unwrap_or(rest.len()));
            } else if let Some(comment) = rest.strip_prefix("/*") {
                self.skip(comment.find("*/").map_or(rest.len(), |end| end + 4));
            } else if first == '\'' {
                self.skip(1 + rest[1..].find('\'').map_or(rest.len() - 1, |end| end + 1));
            } else if let Some(length) = dollar_quoted(rest) {
                self.skip(length);
            } else {
                let length = match first {
                    '"' | '`' => 1 + rest[1..].find(first).map_or(rest.len() - 1, |end| end + 1),
                    '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
                    c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                    c => c.len_utf8(),
                };
                let line = self.line;
                self.skip(length);
                return Some((&rest[..length], line));
            }
        }
    }

    fn skip(&mut self, length: usize) {
        let skipped = &self.text.as_bytes()[self.at..self.at + length];
        self.line += memchr::memchr_iter(b'\n', skipped).count() as u32;
        self.at += length;
    }

    /// The depth after an `END`; `END IF` and `END LOOP` close what was never counted.
    fn end_of_block(&mut self, depth: u32) -> u32 {
        let before = self.clone();
        let closes_other = match self.next() {
            Some((word, _)) if word.eq_ignore_ascii_case("case") => false,
            Some((word, _)) => {
                *self = before;
                ["if", "loop", "while", "repeat"].iter().any(|other| word.eq_ignore_ascii_case(other))
            }
            None => false,
        };
        if closes_other { depth } else { depth.saturating_sub(1) }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '#' | '@')
}

/// The length of a `$tag$ … $tag$` body at the start of `text`.
fn dollar_quoted(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('$')?;
    let tag = 2 + inner.find('$')?;
    let is_tag = text[1..tag - 1].chars().all(|c| c.is_alphanumeric() || c == '_');
    let end = is_tag.then(|| text[tag..].find(&text[..tag]))?;
    Some(end.map_or(text.len(), |end| end + 2 * tag))
}
