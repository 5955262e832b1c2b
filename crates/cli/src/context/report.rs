//! What is told on standard error about a pack: what is in it, what is not, and which secrets were found.

use crate::show::{self, BAD, GOOD, QUIET, STRONG, WARN, styled};
use ::context::secrets::{Place, Secret};
use ::context::{Entry, Form, Pack, Request, TreeForm};
use std::time::Duration;

/// Ranges of lines that are told for one file.
const RANGES: usize = 4;

/// Tells each secret: rule, path and line, never the secret.
pub fn secrets(found: &[Secret], redacted: bool) {
    for secret in found {
        let place = match secret.place {
            Place::Task => format!("the task, line {}", secret.lines.first),
            Place::Tree => "the list of files".to_owned(),
            Place::Name(_) => format!("the name of {}", secret.path),
            Place::File(_) => format!("{}:{}", secret.path, secret.lines.first),
        };
        let (style, what) = match (secret.allowed, redacted) {
            (true, _) => (QUIET, "let pass"),
            (false, true) => (GOOD, "replaced"),
            (false, false) => (BAD, "found"),
        };
        let rule = styled(STRONG, &secret.rule);
        show::tell(format!(
            "{} {rule} {} {}",
            styled(style, what),
            show::harmless(&place),
            styled(QUIET, &secret.description)
        ));
    }
}

/// Tells what is in a pack, a line for each file.
pub fn pack(pack: &Pack, request: &Request<'_>, took: Duration) {
    let files = &pack.manifest.files;
    for (place, entry) in files.iter().enumerate() {
        show::tell(line(place + 1, entry));
    }
    match pack.manifest.tree {
        TreeForm::Folders(depth) => {
            let levels = if depth == 1 { "1 level".to_owned() } else { format!("{depth} levels") };
            show::note(format!("The tree is listed {levels} deep; deeper folders are counted."));
        }
        TreeForm::LeftOut => show::note("There was no room for the tree."),
        TreeForm::Whole | TreeForm::NotAsked => {}
    }
    if files.is_empty() {
        show::note(
            "No file of this project matches the task, so the text is the task alone. Name a function, a file or a message that belongs to it, or use --include.",
        );
    }
    let many = |form: fn(&Form) -> bool| files.iter().filter(|entry| form(&entry.form)).count();
    let whole = many(|form| matches!(form, Form::Whole));
    let parts = many(|form| matches!(form, Form::Definitions(_)));
    let out = files.len() - whole - parts;
    let estimate = if request.tokenizer.is_exact() { "" } else { ", an estimate" };
    show::note(format!(
        "{} of {} tokens ({}{estimate}) · {whole} whole, {parts} in part, {out} left out · {:.2} s",
        grouped(pack.tokens),
        grouped(request.budget),
        request.tokenizer,
        took.as_secs_f64()
    ));
}

fn line(place: usize, entry: &Entry) -> String {
    let (style, form) = match &entry.form {
        Form::Whole => (GOOD, "whole".to_owned()),
        Form::Definitions(parts) => {
            let shown: Vec<String> = parts.iter().take(RANGES).map(ToString::to_string).collect();
            let more = if parts.len() > RANGES { ", …" } else { "" };
            (WARN, format!("lines {}{more} of {}", shown.join(", "), entry.lines))
        }
        Form::LeftOut(why) => (QUIET, format!("left out: {why}")),
    };
    let tokens = if entry.tokens == 0 { String::new() } else { grouped(entry.tokens) };
    format!("{place:>3} {tokens:>9}  {}  {}", show::harmless(&entry.path), styled(style, form))
}

/// `1234567` as `1,234,567`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::context::Lines;

    #[test]
    fn a_line_says_how_much_of_a_file_is_there() {
        let entry = |form, tokens| Entry { path: "a\u{1b}.rs".into(), form, lines: 900, tokens };
        let text = |form, tokens| anstream::adapter::strip_str(&line(7, &entry(form, tokens))).to_string();
        assert_eq!(text(Form::Whole, 12_345), "  7    12,345  a\u{fffd}.rs  whole");
        let parts = (1..=5).map(|n| Lines { first: n * 10, last: n * 10 + u32::from(n > 1) }).collect();
        assert_eq!(
            text(Form::Definitions(parts), 5),
            "  7         5  a\u{fffd}.rs  lines 10, 20–21, 30–31, 40–41, … of 900"
        );
        let why = ::context::LeftOut::NoRoom { lines: 900 };
        assert_eq!(text(Form::LeftOut(why), 0), "  7            a\u{fffd}.rs  left out: no room, 900 lines");
        assert_eq!([grouped(0), grouped(999), grouped(1_000)], ["0", "999", "1,000"]);
    }
}
