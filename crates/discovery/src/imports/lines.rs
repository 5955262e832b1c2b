//! References that stand at the start of a line.

use super::{Family, Import, push, quoted};

/// Lists over more lines than this are no lists of imports.
const MAX_LIST: usize = 200;
/// Names of one list that are looked at.
const MAX_NAMES: usize = 100;

/// The references of a text, by lines.
pub(super) fn lines(family: Family, text: &str, out: &mut Vec<Import>) {
    let mut rest = Lines { text, at: 0, line: 0 };
    while let Some(line) = rest.next() {
        let code = line.trim_start();
        // Most lines start with a letter that no import starts with.
        let Some(&first) = code.as_bytes().first() else { continue };
        if !starts(family).contains(&first) {
            continue;
        }
        match family {
            Family::Python => python(code, &mut rest, out),
            Family::Rust => rust(code, &mut rest, out),
            Family::Go => go(code, &mut rest, out),
            Family::Php => php(code, &mut rest, out),
            _ => single(family, code, rest.line, out),
        }
    }
}

fn starts(family: Family) -> &'static [u8] {
    match family {
        Family::Python => b"if",
        Family::Rust => b"ump",
        Family::Go | Family::Jvm => b"i",
        Family::C => b"#",
        Family::CSharp => b"ug",
        Family::Ruby => b"r",
        Family::Php => b"uri@",
        Family::Swift => b"i@",
        Family::Shell => b"s.",
        _ => b"@",
    }
}

/// The lines of a text with their numbers.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl<'t> Lines<'t> {
    fn next(&mut self) -> Option<&'t str> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        self.at += end + 1;
        self.line += 1;
        Some(rest[..end].trim_end_matches('\r'))
    }

    /// A statement that goes on until `end`, in one string without comments.
    fn until(&mut self, first: &str, end: char, comment: &str) -> String {
        let clean = |line: &str| line.split(comment).next().unwrap_or("").trim().to_owned();
        let mut all = clean(first);
        for _ in 0..MAX_LIST {
            if all.contains(end) {
                break;
            }
            let Some(line) = self.next() else { break };
            all.push(' ');
            all.push_str(&clean(line));
        }
        all.truncate(all.find(end).unwrap_or(all.len()));
        all
    }
}

/// The rest of `text` after a word and the blanks behind it.
pub(super) fn after<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(word)?;
    rest.starts_with([' ', '\t']).then(|| rest.trim_start())
}

fn first_word(text: &str) -> &str {
    text.split([' ', '\t', ';', '(', '#', ',']).next().unwrap_or("")
}

fn python(code: &str, lines: &mut Lines<'_>, out: &mut Vec<Import>) {
    let line = lines.line;
    if let Some(rest) = after(code, "import") {
        let rest = rest.split(['#', ';']).next().unwrap_or("");
        for name in rest.split(',').take(MAX_NAMES) {
            let module = first_word(name.trim());
            if is_path(module, '.') {
                push(out, module, line);
            }
        }
    } else if let Some(rest) = after(code, "from") {
        let Some((module, names)) = rest.split_once(" import") else { return };
        let module = module.trim();
        if !is_path(module, '.') {
            return;
        }
        let names = match names.trim_start().strip_prefix('(') {
            Some(open) => lines.until(open, ')', "#"),
            None => names.split(['#', ';']).next().unwrap_or("").to_owned(),
        };
        for name in names.split(',').map(|name| first_word(name.trim())).take(MAX_NAMES) {
            match name {
                "" | "\\" => {}
                "*" => push(out, module, line),
                _ if module.ends_with('.') => push(out, format!("{module}{name}"), line),
                _ => push(out, format!("{module}.{name}"), line),
            }
        }
    }
}

fn is_path(text: &str, separator: char) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == separator)
}

fn rust(code: &str, lines: &mut Lines<'_>, out: &mut Vec<Import>) {
    let line = lines.line;
    let mut code = code;
    if let Some(rest) = code.strip_prefix("pub") {
        let rest = rest.trim_start();
        let inner = rest.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        code = inner.map_or(rest, |(_, tail)| tail.trim_start());
    }
    if let Some(rest) = after(code, "mod") {
        if let Some((name, _)) = rest.split_once(';').filter(|(name, _)| is_path(name, '_')) {
            push(out, format!("self::{name}"), line);
        }
    } else if let Some(rest) = after(code, "use") {
        let all = lines.until(rest, ';', "//");
        let all = all.strip_prefix("::").unwrap_or(&all);
        if !["std::", "core::", "alloc::"].iter().any(|library| all.starts_with(library)) {
            tree(all, "::", line, out);
        }
    }
}

/// `a::{b, c::{d, e}}` gives `a::b` and `a::c`: deeper names are rarely files.
fn tree(text: &str, separator: &str, line: u32, out: &mut Vec<Import>) {
    let clean = |path: &str| -> String {
        let path = path.split(" as ").next().unwrap_or("").trim();
        path.trim_end_matches('*').trim_end_matches(separator).trim().to_owned()
    };
    let Some((prefix, list)) = text.split_once('{') else { return push(out, clean(text), line) };
    let prefix = clean(prefix);
    let (mut depth, mut start) = (0_usize, 0);
    let mut names = 0;
    for (at, c) in list.char_indices() {
        let is_end = c == '}' && depth == 0;
        if (c == ',' && depth == 0) || is_end {
            let name = clean(list[start..at].split('{').next().unwrap_or(""));
            match name.as_str() {
                "" if list[start..at].contains('*') => push(out, prefix.clone(), line),
                "" => {}
                "self" => push(out, prefix.clone(), line),
                name if prefix.is_empty() => push(out, name, line),
                name => push(out, format!("{prefix}{separator}{name}"), line),
            }
            start = at + 1;
            names += 1;
        }
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if is_end || names >= MAX_NAMES {
            return;
        }
    }
}

fn go(code: &str, lines: &mut Lines<'_>, out: &mut Vec<Import>) {
    let Some(rest) = code.strip_prefix("import").map(str::trim_start) else { return };
    if !rest.starts_with('(') {
        if let Some(path) = quoted(rest) {
            push(out, path, lines.line);
        }
        return;
    }
    for _ in 0..MAX_LIST {
        let Some(line) = lines.next() else { return };
        let line = line.trim();
        if line.starts_with(')') {
            return;
        }
        if let Some(path) = quoted(line).filter(|_| !line.starts_with("//")) {
            push(out, path, lines.line);
        }
    }
}

fn php(code: &str, lines: &mut Lines<'_>, out: &mut Vec<Import>) {
    let line = lines.line;
    if let Some(rest) = after(code, "use") {
        let all = lines.until(rest, ';', "//");
        let all = after(&all, "function").or_else(|| after(&all, "const")).unwrap_or(&all);
        if all.contains('{') {
            return tree(all, "\\", line, out);
        }
        for name in all.split(',').map(|name| first_word(name.trim())).take(MAX_NAMES) {
            push(out, name.trim_start_matches('\\'), line);
        }
        return;
    }
    let code = code.trim_start_matches('@');
    let words = ["require_once", "include_once", "require", "include"];
    let Some(rest) = words.iter().find_map(|word| code.strip_prefix(word)) else { return };
    if rest.starts_with([' ', '(', '\'', '"'])
        && let Some(path) = quoted(rest)
    {
        push(out, local(path.trim_start_matches('/')), line);
    }
}

/// Marks a path as relative to the file.
fn local(path: &str) -> String {
    if path.starts_with('.') { path.to_owned() } else { format!("./{path}") }
}

fn single(family: Family, code: &str, line: u32, out: &mut Vec<Import>) {
    let found = match family {
        Family::Jvm => after(code, "import").map(|rest| {
            let rest = after(rest, "static").unwrap_or(rest);
            first_word(rest).to_owned()
        }),
        Family::C => include(code).map(str::to_owned),
        Family::CSharp => using(code).map(str::to_owned),
        Family::Ruby => {
            let relative = code.strip_prefix("require_relative").and_then(quoted).map(local);
            relative.or_else(|| code.strip_prefix("require").and_then(quoted).map(str::to_owned))
        }
        Family::Swift => swift(code).map(str::to_owned),
        Family::Shell => after(code, "source").or_else(|| after(code, ".")).and_then(sourced),
        Family::Css => return css(code, line, out),
        _ => None,
    };
    if let Some(reference) = found {
        push(out, reference, line);
    }
}

fn include(code: &str) -> Option<&str> {
    let rest = code.strip_prefix('#')?.trim_start();
    let rest = rest.strip_prefix("include").or_else(|| rest.strip_prefix("import"))?.trim_start();
    if rest.starts_with('"') {
        return quoted(rest);
    }
    // `<a/b.h>` may be a header of the project itself; `<stdio.h>` is none.
    let (path, _) = rest.strip_prefix('<')?.split_once('>')?;
    (path.contains('/') && !path.starts_with("sys/")).then_some(path)
}

fn using(code: &str) -> Option<&str> {
    let rest = after(code, "using").or_else(|| after(after(code, "global")?, "using"))?;
    let rest = after(rest, "static").unwrap_or(rest);
    let (name, _) = rest.split_once(';')?;
    let name = name.split_once('=').map_or(name, |(_, name)| name).trim();
    is_path(name, '.').then_some(name)
}

fn swift(code: &str) -> Option<&str> {
    let code = code.strip_prefix("@testable").map_or(code, str::trim_start);
    let mut words = after(code, "import")?.split_whitespace();
    let first = words.next()?;
    // `import struct Module.Name`
    let kinds = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"];
    let module = if kinds.contains(&first) { words.next()? } else { first };
    module.split('.').next()
}

/// `source "$DIR/lib.sh"`: what stands before the first known folder cannot be known.
fn sourced(rest: &str) -> Option<String> {
    let path = match rest.as_bytes().first()? {
        b'"' | b'\'' => &rest[1..rest[1..].rfind(['"', '\''])? + 1],
        _ => rest.split([' ', '\t', ';', '&', '|']).next()?,
    };
    let known = match path.rfind(['$', ')', '}']) {
        Some(at) => path[at..].split_once('/')?.1,
        None => path,
    };
    Some(known.trim_matches(['"', '\'']).to_owned())
}

fn css(code: &str, line: u32, out: &mut Vec<Import>) {
    let words = ["@import", "@use", "@forward"];
    let Some(rest) = words.iter().find_map(|word| code.strip_prefix(word)) else { return };
    let bare = || rest.split_once("url(").and_then(|(_, inner)| inner.split(')').next());
    if let Some(path) = quoted(rest).or_else(bare) {
        push(out, path.trim(), line);
    }
}
