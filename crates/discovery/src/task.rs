//! What the words of a task ask for: paths, dotted names, identifiers, stack frames.
//!
//! Reading is by shape alone; the repository is not known here. A wrong guess costs nothing,
//! because a name that no file has matches nothing.

use std::collections::HashSet;

use crate::language;

/// A task that names more than this is a log; the first names are the ones a person wrote.
const MAX_NAMES: usize = 256;
/// The same for paths.
const MAX_PATHS: usize = 64;
/// A longer first line is a paragraph, of which this much is the title.
const MAX_TITLE: usize = 300;

/// A task in words, and what can be read out of them without knowing the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Task {
    title: String,
    text: String,
    pub(crate) paths: Vec<PathName>,
    pub(crate) dotted: Vec<String>,
    pub(crate) names: Vec<Name>,
}

/// A file that the task names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PathName {
    /// `/` separated, as far as it was given.
    pub path: String,
    pub line: Option<u32>,
}

/// An identifier that the task names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub text: String,
    /// Whether the writer set it apart: in the title, in backticks, or by calling it.
    pub strong: bool,
}

impl Task {
    /// Reads a task. Any text is one: an empty task finds nothing, which is not an error.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let title: String = line.trim_start_matches(['#', ' ']).chars().take(MAX_TITLE).collect();
        let mut reader = Reader { in_title: true, ..Reader::default() };
        for line in text.lines() {
            reader.line(line);
            reader.in_title &= line.trim().is_empty();
        }
        Self { title, text: text.to_owned(), paths: reader.paths, dotted: reader.dotted, names: reader.names }
    }

    /// The first line that is not empty.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The whole text as given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[derive(Default)]
struct Reader {
    paths: Vec<PathName>,
    dotted: Vec<String>,
    names: Vec<Name>,
    seen: HashSet<String>,
    in_title: bool,
    in_fence: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            self.in_fence = !self.in_fence;
            return;
        }
        if let Some((path, line, function)) = python_frame(trimmed) {
            self.path(path, line);
            if is_identifier(function) {
                self.name(function, true);
            }
            return;
        }
        for (place, span) in line.split('`').enumerate() {
            // Pieces between two backticks have odd places; in a fence backticks are code.
            self.span(span, !self.in_fence && place % 2 == 1);
        }
    }

    fn span(&mut self, span: &str, ticked: bool) {
        let mut rest = span;
        while let Some(start) = rest.find(|c| !is_break(c)) {
            rest = &rest[start..];
            let end = rest.find(is_break).unwrap_or(rest.len());
            let (chunk, tail) = rest.split_at(end);
            self.chunk(chunk, ticked, tail.starts_with('('));
            rest = tail;
        }
    }

    fn chunk(&mut self, chunk: &str, ticked: bool, called: bool) {
        let chunk = chunk
            .trim_end_matches(['.', ':', '!', '?', '*', '~'])
            .trim_start_matches(['*', '-', '~', '@', '#', '!']);
        if let Some((_, address)) = chunk.split_once("://") {
            return self.address(address);
        }
        let (bare, line) = split_line(chunk);
        let path = bare.replace('\\', "/");
        let path = path.trim_start_matches("./");
        if is_path(path, bare.contains(['/', '\\'])) {
            return self.path(path, line);
        }
        let parts: Vec<&str> = bare
            .split(['.', ':', '#', '/', '-', '>', '+', '=', '&', '?', '%'])
            .filter(|part| !part.is_empty())
            .collect();
        // Four characters and fewer are "e.g" and "i.e".
        let is_dotted = (bare.contains('.') || bare.contains("::")) && parts.len() > 1 && bare.len() > 4;
        if is_dotted && parts.iter().all(|part| is_identifier(part)) {
            let dotted = parts.join(".");
            if self.dotted.len() < MAX_PATHS && !self.dotted.contains(&dotted) {
                self.dotted.push(dotted);
            }
        }
        for (place, part) in parts.iter().enumerate() {
            let last = place + 1 == parts.len();
            let strong = self.in_title || ticked || (called && last && !self.in_fence);
            let marked =
                is_code_like(part) || (ticked && part.len() > 1) || (called && last) || (is_dotted && last);
            if marked && is_identifier(part) {
                self.name(part, strong && (is_code_like(part) || ticked || called));
            }
        }
    }

    /// The path within a link to a file at a code host; other links name no file.
    fn address(&mut self, address: &str) {
        let after = ["/blob/", "/src/", "/tree/"].iter().find_map(|mark| address.split_once(mark));
        // What follows the mark is the name of a commit or branch, then the path.
        if let Some((_, path)) = after.and_then(|(_, tail)| tail.split_once('/')) {
            let path = path.split(['?']).next().unwrap_or_default();
            let (path, line) = split_line(path);
            self.path(path, line);
        }
    }

    fn path(&mut self, path: &str, line: Option<u32>) {
        let named = PathName { path: path.replace('\\', "/"), line };
        if self.paths.len() < MAX_PATHS && !self.paths.contains(&named) {
            self.paths.push(named);
        }
    }

    fn name(&mut self, text: &str, strong: bool) {
        if self.seen.contains(text) {
            if strong && let Some(name) = self.names.iter_mut().find(|name| name.text == text) {
                name.strong = true;
            }
        } else if self.names.len() < MAX_NAMES {
            self.seen.insert(text.to_owned());
            self.names.push(Name { text: text.to_owned(), strong });
        }
    }
}

/// `File "a/b.py", line 12, in name`
fn python_frame(line: &str) -> Option<(&str, Option<u32>, &str)> {
    let (path, rest) = line.strip_prefix("File \"")?.split_once("\", line ")?;
    let (line, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    Some((path, line.trim().parse().ok(), function.trim()))
}

/// Takes `:12`, `:12:5` or `#L12` off the end of a path.
fn split_line(text: &str) -> (&str, Option<u32>) {
    if let Some((path, anchor)) = text.split_once("#L") {
        return (path, digits(anchor));
    }
    let mut bare = text;
    let mut line = None;
    while let Some((head, tail)) = bare.rsplit_once(':') {
        if tail.is_empty() || !tail.bytes().all(|byte| byte.is_ascii_digit()) {
            break;
        }
        (bare, line) = (head, digits(tail));
    }
    (bare, line)
}

fn digits(text: &str) -> Option<u32> {
    text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())].parse().ok()
}

fn is_path(text: &str, separated: bool) -> bool {
    let extension = language::extension(text);
    if text.is_empty() || text.len() > 300 || text.contains("::") {
        return false;
    }
    if language::is_known_extension(extension) {
        return text.len() > extension.len() + 1;
    }
    // `src/retry/client` is a folder or a module; `and/or` and `1/2` are not.
    let parts = text.trim_matches('/').split('/').count();
    separated && parts >= 3 && text.split('/').all(|part| part.bytes().all(is_path_byte))
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'@')
}

/// What no path and no dotted name contains.
fn is_break(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '(' | ')'
                | '['
                | ']'
                | '{'
                | '}'
                | '<'
                | '"'
                | '\''
                | ','
                | ';'
                | '|'
                | '='
                | '“'
                | '”'
                | '‘'
                | '’'
                | '…'
        )
        || crate::words::is_cjk(c)
        || matches!(c, '\u{3000}'..='\u{303F}' | '\u{FF00}'..='\u{FF65}')
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
        && text.len() <= 100
}

/// `snake_case`, `CamelCase`, `camelCase`, `SCREAMING`: no word of prose is written so.
fn is_code_like(text: &str) -> bool {
    let inner = text.trim_matches('_');
    if inner.len() < 3 {
        return false;
    }
    let hump = inner.chars().skip(1).any(char::is_uppercase) && inner.contains(char::is_lowercase);
    inner.contains('_') || hump || (text.len() > inner.len() && text.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        let task = Task::parse(text);
        let mut out = format!("title: {}\n", task.title());
        for path in &task.paths {
            writeln!(out, "path: {} {:?}", path.path, path.line).unwrap();
        }
        for dotted in &task.dotted {
            writeln!(out, "dotted: {dotted}").unwrap();
        }
        for name in &task.names {
            writeln!(out, "name: {}{}", name.text, if name.strong { " (strong)" } else { "" }).unwrap();
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn prose_names_nothing() {
        check(
            "Fix the crash, e.g. when and/or 1/2 is given. Please!",
            expect![[r#"
                title: Fix the crash, e.g. when and/or 1/2 is given. Please!
            "#]],
        );
        check(
            "",
            expect![[r#"
            title: 
        "#]],
        );
        check(
            "...!?\n---",
            expect![[r#"
            title: ...!?
        "#]],
        );
    }

    #[test]
    fn names_in_prose() {
        check(
            "\n# Make parse_url() faster\n\n`split` and HttpClient call `Url::parse`, see django.db.models.Q and run(x)",
            expect![[r#"
                title: Make parse_url() faster
                dotted: Url.parse
                dotted: django.db.models.Q
                name: parse_url (strong)
                name: split (strong)
                name: HttpClient
                name: Url (strong)
                name: parse (strong)
                name: Q
                name: run (strong)
            "#]],
        );
    }

    #[test]
    fn paths_and_links() {
        check(
            "see src/retry/client.rs:42:7, .\\win\\a.cs and ./b.ts\nhttps://github.com/o/r/blob/abc123/lib/x.py#L10-L20 https://example.com/a/b/c\nin utils.py",
            expect![[r#"
                title: see src/retry/client.rs:42:7, .\win\a.cs and ./b.ts
                path: src/retry/client.rs Some(42)
                path: win/a.cs None
                path: b.ts None
                path: lib/x.py Some(10)
                path: utils.py None
            "#]],
        );
    }

    #[test]
    fn stack_frames() {
        check(
            "Traceback:\n  File \"/home/u/site-packages/django/db/q.py\", line 12, in get_or_create\n    at run (/app/src/main.js:10:5)\n\tat a.b.Client.send(Client.java:7)\n   --> src/lib.rs:3:1\n\t/go/src/x/y.go:88 +0x1d",
            expect![[r#"
                title: Traceback:
                path: /home/u/site-packages/django/db/q.py Some(12)
                path: /app/src/main.js Some(10)
                path: Client.java Some(7)
                path: src/lib.rs Some(3)
                path: /go/src/x/y.go Some(88)
                dotted: a.b.Client.send
                name: get_or_create (strong)
                name: send (strong)
            "#]],
        );
    }

    #[test]
    fn other_scripts() {
        check(
            "修复 parse_url 在解析时的错误，见 src/url.rs。🎉",
            expect![[r#"
            title: 修复 parse_url 在解析时的错误，见 src/url.rs。🎉
            path: src/url.rs None
            name: parse_url (strong)
        "#]],
        );
    }
}
