//! Headings and fences.
//!
//! A fence is longer than any run of backticks in what it holds, so nothing in it can end it (CommonMark, "Fenced
//! code blocks"). What is between the fences is the file; where that does not end with a line break, one is added
//! and the line above says so.

use super::{Document, Shown, omission, on_one_line, uncounted};
use std::fmt::Write;

const NO_LINE_BREAK: &str = "no line break at the end";

pub(crate) fn document(document: &Document<'_>) -> String {
    let mut out = format!("# Task\n\n{}", fenced("text", document.task));
    if let Some(tree) = &document.tree {
        let lines = tree.lines.iter().map(|line| on_one_line(line) + "\n");
        _ = write!(out, "\n# Tree\n\n{}", fenced("text", &lines.collect::<String>()));
    }
    if !document.files.is_empty() {
        out.push_str("\n# Files\n");
    }
    for file in &document.files {
        out.push_str(&self::file(file));
    }
    if !document.left_out.is_empty() || document.more > 0 {
        out.push_str("\n# Files left out\n\n");
        for (path, why) in &document.left_out {
            _ = writeln!(out, "- {}: {}", code(path), on_one_line(&why.to_string()));
        }
        if document.more > 0 {
            _ = writeln!(out, "- {}", uncounted(document.more, !document.left_out.is_empty()));
        }
    }
    out
}

pub(crate) fn file(file: &Shown<'_>) -> String {
    let mut out = format!("\n## {}\n\n", code(file.path));
    let lines = if file.lines == 1 { "1 line".to_owned() } else { format!("{} lines", file.lines) };
    let language = language(file.path);
    let open = |text: &str| if text.is_empty() || text.ends_with('\n') { "" } else { NO_LINE_BREAK };
    if file.is_whole() {
        let text = file.parts.first().map_or("", |part| part.text);
        let end = open(text);
        let comma = if end.is_empty() { "" } else { ", " };
        _ = write!(out, "{lines}{comma}{end}\n\n{}", fenced(language, text));
        return out;
    }
    _ = writeln!(out, "In parts, of {lines}");
    let gaps = file.gaps();
    for (part, gap) in file.parts.iter().zip(&gaps) {
        out.extend(gap.map(|lines| format!("\n{}\n", omission(lines))));
        let end = open(part.text);
        let comma = if end.is_empty() { "" } else { ", " };
        let word = if part.lines.first == part.lines.last { "Line" } else { "Lines" };
        _ = write!(out, "\n{word} {}{comma}{end}\n\n{}", part.lines, fenced(language, part.text));
    }
    out.extend(gaps.last().copied().flatten().map(|lines| format!("\n{}\n", omission(lines))));
    out
}

fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}\n")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A path as a code span, whatever is in it (CommonMark, "Code spans").
fn code(path: &str) -> String {
    let path = on_one_line(path);
    let ticks = "`".repeat(longest_run(&path) + 1);
    let space = if path.starts_with(['`', ' ']) || path.ends_with(['`', ' ']) { " " } else { "" };
    format!("{ticks}{space}{path}{space}{ticks}")
}

/// The word that tells a fence's language: the file's ending, if it is a plain one.
fn language(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let plain = ending.len() <= 10 && ending.chars().all(|c| c.is_ascii_alphanumeric());
    if plain { ending } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("md", "a"), "```md\na\n```\n");
        assert_eq!(fenced("", "````\nx\n``` `"), "`````\n````\nx\n``` `\n`````\n");
        assert_eq!(fenced("", ""), "```\n```\n");
    }

    #[test]
    fn paths_are_one_code_span() {
        assert_eq!(code("a.rs"), "`a.rs`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(code("a\nb"), "`a\\u{a}b`");
        assert_eq!([language("a/b.rs"), language("Makefile"), language("a.b\nc")], ["rs", "", ""]);
    }
}
