//! References of JavaScript, TypeScript and HTML, which stand anywhere in a line.

use memchr::memmem;

use super::{Import, push, quoted};

/// How far behind a call or a keyword its string may start.
const REACH: usize = 200;

/// Counts lines up to positions that only grow.
struct Counter<'t> {
    bytes: &'t [u8],
    at: usize,
    line: u32,
}

impl<'t> Counter<'t> {
    fn new(text: &'t str) -> Self {
        Self { bytes: text.as_bytes(), at: 0, line: 1 }
    }

    fn line(&mut self, at: usize) -> u32 {
        let at = at.min(self.bytes.len());
        if let Some(passed) = self.bytes.get(self.at..at) {
            self.line += memchr::memchr_iter(b'\n', passed).count() as u32;
            self.at = at;
        }
        self.line
    }
}

/// `import … from "x"`, `export … from "x"`, `import "x"`, `require("x")`, `import("x")`.
pub(super) fn script(text: &str, out: &mut Vec<Import>) {
    for (word, is_call) in [("require", true), ("import", true), ("import", false), ("from", false)] {
        let mut counter = Counter::new(text);
        for at in memmem::find_iter(text.as_bytes(), word) {
            let before = text.as_bytes()[..at].last().copied().unwrap_or(b'\n');
            if before.is_ascii_alphanumeric() || matches!(before, b'_' | b'$' | b'.' | b'"' | b'\'') {
                continue;
            }
            let rest = &text[at + word.len()..];
            let rest = rest.trim_start_matches([' ', '\t']);
            let argument = match (is_call, rest.strip_prefix('(')) {
                (true, Some(inner)) => inner.trim_start(),
                (true, None) => continue,
                (false, _) => rest,
            };
            if let Some(path) = string(argument) {
                push(out, path, counter.line(at));
            }
        }
    }
}

/// The string that `text` starts with, if it could be a path.
fn string(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let inner = &text[1..];
    let end = memchr::memchr2(quote as u8, b'\n', &inner.as_bytes()[..inner.len().min(REACH)])?;
    let path = &inner[..end];
    let is_path = inner[end..].starts_with(quote) && !path.contains(['$', ' ', '{']);
    is_path.then_some(path)
}

/// The `src` and `href` of an HTML text.
pub(super) fn html(text: &str, out: &mut Vec<Import>) {
    for word in ["src=", "href="] {
        let mut counter = Counter::new(text);
        for at in memmem::find_iter(text.as_bytes(), word) {
            let before = text.as_bytes()[..at].last().copied().unwrap_or(b' ');
            let rest = &text[at + word.len()..];
            if !before.is_ascii_whitespace() || !rest.starts_with(['"', '\'']) {
                continue;
            }
            let mut end = rest.len().min(2 * REACH);
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            if let Some(path) = quoted(&rest[..end]) {
                push(out, path, counter.line(at));
            }
        }
    }
}
