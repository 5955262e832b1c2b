//! Tags around contents that stand as they are.
//!
//! A content begins after the line of its opening tag and ends before its closing tag; where it does not end with
//! a line break, one is added and the opening tag says `final-newline="no"`. Nothing in it is escaped: a model sees
//! the file as it is. So that no content can close its own tag, all tags of a document carry the same number when
//! they must: `<file-1 …>` where some content has `</file>` in it. The number is the smallest that no content has.

use super::{Document, Part, Shown, is_unseen, omission, on_one_line, uncounted};
use crate::source::Lines;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The number on the tags of a document; none when no content needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark(u64);

const NAMES: [&str; 6] = ["context", "task", "tree", "files-left-out", "file", "part"];

impl Mark {
    /// The mark with which none of these texts contains a closing tag.
    pub(crate) fn for_texts<'t>(texts: impl Iterator<Item = &'t str>) -> Mark {
        let mut taken = BTreeSet::new();
        for text in texts {
            taken.extend(text.match_indices("</").filter_map(|(at, _)| number(&text[at + 2..])));
        }
        Mark((0..).find(|number| !taken.contains(number)).unwrap_or_default())
    }

    fn suffix(self) -> String {
        if self.0 == 0 { String::new() } else { format!("-{}", self.0) }
    }
}

/// The number of the closing tag that begins here, after its `</`. Letters of either case, since a model does not
/// mind them either.
fn number(rest: &str) -> Option<u64> {
    let starts = |name: &&&str| {
        rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            && !rest[name.len()..].starts_with(|c: char| c.is_ascii_alphabetic())
    };
    let name = NAMES.iter().find(starts)?;
    let digits = rest[name.len()..].strip_prefix('-').unwrap_or_default();
    let digits = &digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())];
    Some(digits.parse().unwrap_or_default())
}

pub(crate) fn document(mark: Mark, document: &Document<'_>) -> String {
    let n = mark.suffix();
    let mut out = format!("<context{n}>\n<task{n}>\n{}</task{n}>\n", ended(document.task));
    if let Some(tree) = &document.tree {
        let lines = tree.lines.iter().map(|line| on_one_line(line) + "\n");
        _ = write!(out, "<tree{n}>\n{}</tree{n}>\n", lines.collect::<String>());
    }
    for file in &document.files {
        out.push_str(&self::file(mark, file));
    }
    if !document.left_out.is_empty() || document.more > 0 {
        _ = writeln!(out, "<files-left-out{n}>");
        for (path, why) in &document.left_out {
            _ = writeln!(
                out,
                "<file{n} path=\"{}\" why=\"{}\"/>",
                attribute(path),
                attribute(&why.to_string())
            );
        }
        if document.more > 0 {
            _ = writeln!(out, "{}", uncounted(document.more, !document.left_out.is_empty()));
        }
        _ = writeln!(out, "</files-left-out{n}>");
    }
    _ = writeln!(out, "</context{n}>");
    out
}

pub(crate) fn file(mark: Mark, file: &Shown<'_>) -> String {
    let n = mark.suffix();
    let path = attribute(file.path);
    if file.is_whole() {
        let text = file.parts.first().map_or("", |part| part.text);
        let open = if is_open(text) { " final-newline=\"no\"" } else { "" };
        let lines = file.lines;
        return format!("<file{n} path=\"{path}\" lines=\"{lines}\"{open}>\n{}</file{n}>\n", ended(text));
    }
    let shown = file.parts.iter().map(|part| range(part.lines)).collect::<Vec<_>>().join(",");
    let mut out = format!("<file{n} path=\"{path}\" lines=\"{}\" shown=\"{shown}\">\n", file.lines);
    let gaps = file.gaps();
    for (part, gap) in file.parts.iter().zip(&gaps) {
        out.extend(gap.map(|lines| omission(lines) + "\n"));
        out.push_str(&self::part(&n, part));
    }
    out.extend(gaps.last().copied().flatten().map(|lines| omission(lines) + "\n"));
    _ = writeln!(out, "</file{n}>");
    out
}

fn part(n: &str, part: &Part<'_>) -> String {
    let open = if is_open(part.text) { " final-newline=\"no\"" } else { "" };
    format!("<part{n} lines=\"{}\"{open}>\n{}</part{n}>\n", range(part.lines), ended(part.text))
}

fn range(lines: Lines) -> String {
    format!("{}-{}", lines.first, lines.last)
}

fn is_open(text: &str) -> bool {
    !text.is_empty() && !text.ends_with('\n')
}

fn ended(text: &str) -> String {
    let end = if is_open(text) { "\n" } else { "" };
    format!("{text}{end}")
}

/// Text between quotes; what cannot be seen becomes a character reference.
fn attribute(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if is_unseen(c) => _ = write!(out, "&#{};", c as u32),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_the_smallest_that_no_text_has() {
        let mark = |texts: &[&str]| Mark::for_texts(texts.iter().copied()).0;
        assert_eq!(mark(&[]), 0);
        assert_eq!(mark(&["</files>", "</partial>", "</contexts", "<file>", "</p>"]), 0);
        for text in ["x</file>", "</FILE >", "</task", "</part-x>", "</file-0>", "</tree></file-2>"] {
            assert_eq!(mark(&[text]), 1, "{text}");
        }
        assert_eq!(mark(&["</file>", "</file-1>", "</context-3>", "</files-left-out-2>"]), 4);
        assert_eq!(mark(&["</file-99999999999999999999999>"]), 1);
    }

    #[test]
    fn attributes_hide_nothing() {
        assert_eq!(attribute("a\"b&<c>\n\u{202e}"), "a&quot;b&amp;&lt;c&gt;&#10;&#8238;");
    }
}
