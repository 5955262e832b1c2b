//! Parses a text and applies the table of its language to every node.

use std::cell::Cell;
use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, ParseState, Parser};

use super::rules::{Rules, Scope, lines};
use super::{Symbol, SymbolKind, grammar};
use crate::language::Syntax;

/// A larger text is read by lines: parsing runs at some 5 MB/s.
const MAX_PARSED: usize = 512 << 10;
/// Parsing is given up after so many progress steps (of a hundred operations each), and one more
/// for every so many bytes: a text made to confuse a parser must not hold up the rest. Ordinary
/// text needs a step per hundred bytes or two.
const FREE_STEPS: usize = 1_000;
const BYTES_PER_STEP: usize = 16;
/// The text is handed out in chunks, so that what reads it again and again is noticed.
const CHUNK: usize = 4 << 10;
/// How often all of the text may be read.
const READINGS: usize = 24;
/// Brackets nested deeper than this are no code; some parsers would run out of stack.
const MAX_DEPTH: usize = 400;
/// Elements of a page that are opened and not closed; some never are.
const MAX_ELEMENTS: usize = 4_000;
/// How far back a symbol is compared with those before it; a selector may name a class twice.
const REPEATS: usize = 16;

/// The symbols of a text, or nothing if it is too large, too hard to parse or not in this syntax.
pub(super) fn symbols(syntax: Syntax, text: &str) -> Option<Vec<Symbol>> {
    if text.len() > MAX_PARSED || is_deep(syntax, text) {
        return None;
    }
    let (language, rules) = grammar::grammar(syntax)?;
    let mut parser = Parser::new();
    parser.set_language(&language).ok()?;
    let bytes = text.as_bytes();
    let exhausted = Cell::new(false);
    let mut steps = FREE_STEPS + bytes.len() / BYTES_PER_STEP;
    let mut give_up = |_: &ParseState| {
        steps = steps.saturating_sub(1);
        if steps == 0 || exhausted.get() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut give_up);
    let mut chunks = FREE_STEPS + READINGS * bytes.len() / CHUNK;
    let mut source = |at: usize, _| {
        chunks = chunks.saturating_sub(1);
        exhausted.set(exhausted.get() || chunks == 0);
        // Chunks start at multiples of their size, wherever the reader is.
        let end = (at / CHUNK + 1) * CHUNK;
        if exhausted.get() { &[] } else { bytes.get(at..end.min(bytes.len())).unwrap_or_default() }
    };
    let tree = parser.parse_with_options(&mut source, None, Some(options))?;
    if exhausted.get() {
        return None;
    }
    let root = tree.root_node();
    let symbols = collect(rules, root, text);
    // A text that made no sense to the grammar may still make some to the line scanner.
    (!symbols.is_empty() || !root.has_error()).then_some(symbols)
}

/// Whether brackets, generics or elements are nested deeper than anyone writes.
fn is_deep(syntax: Syntax, text: &str) -> bool {
    use Syntax::{Cpp, Html, Java, Kotlin, Rust, Swift, Tsx, TypeScript};
    let generic = matches!(syntax, Cpp | Java | Kotlin | Rust | Swift | Tsx | TypeScript);
    let (mut depth, mut angles, mut elements) = (0_usize, 0_usize, 0_usize);
    let next = text.bytes().skip(1).chain([b' ']);
    text.bytes().zip(next).any(|(byte, next)| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'<' if next == b'/' => elements = elements.saturating_sub(1),
            b'<' => (angles, elements) = (angles + 1, elements + 1),
            b'>' => angles = angles.saturating_sub(1),
            _ => {}
        }
        // A `<` without its `>` is a comparison, which a statement or a block ends.
        if matches!(byte, b';' | b'{' | b'}') {
            angles = 0;
        }
        depth > MAX_DEPTH || (generic && angles > MAX_DEPTH) || (syntax == Html && elements > MAX_ELEMENTS)
    })
}

/// Visits all nodes in order of the text, without recursion: nesting is the file's to choose.
fn collect(rules: &Rules, root: Node<'_>, text: &str) -> Vec<Symbol> {
    let mut symbols: Vec<Symbol> = Vec::new();
    let mut cursor = root.walk();
    // For each open level: is it inside a function (so its variables are local), inside a type?
    let mut scopes = vec![Scope::default()];
    loop {
        let node = cursor.node();
        let scope = scopes.last().copied().unwrap_or_default();
        if let Some((name, kind)) = rules.definition(&node, scope, text) {
            let (start_line, end_line) = match scope.block {
                Some(block) if kind == SymbolKind::Selector => block,
                _ => lines(&node),
            };
            let symbol = Symbol { name: name.to_owned(), kind, start_line, end_line };
            if !symbols.iter().rev().take(REPEATS).any(|other| *other == symbol) {
                symbols.push(symbol);
            }
        }
        if cursor.goto_first_child() {
            scopes.push(rules.inside(scope, &node));
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return symbols;
            }
            scopes.pop();
        }
    }
}
