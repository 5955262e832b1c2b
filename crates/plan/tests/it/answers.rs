//! Answers in the styles of four vendors' models, written by hand, and what is read from them.

use crate::parse::read;
use expect_test::expect_file;
use plan::{Document, Ending, Parser, State};
use std::path::{Path, PathBuf};

fn answers() -> Vec<(PathBuf, String, Ending)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answers");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "txt"));
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let cut = path.to_string_lossy().ends_with(".cut.txt");
            (path, text, if cut { Ending::Length } else { Ending::Finished })
        })
        .collect()
}

/// A document in few lines.
fn compact(document: &Document, state: State) -> String {
    let mut out = format!("{state:?}: {}\n", document.title);
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    for (index, step) in document.steps.iter().enumerate() {
        let end = if step.complete { "" } else { " (cut)" };
        line(format!("{}. {}{end} [{}] after {:?}", index + 1, step.title, step.confidence, step.depends));
        if !step.why.is_empty() {
            line(format!("   why {:?}", step.why));
        }
        for o in &step.operations {
            let to = o.to.as_ref().map_or(String::new(), |to| format!(" -> {to}"));
            let symbol = o.symbol.as_ref().map_or(String::new(), |s| format!(" #{s}"));
            let lines = o.lines.map_or(String::new(), |(a, b)| format!(" :{a}-{b}"));
            line(format!("   {} {}{to}{symbol}{lines} {:?}", o.kind.name(), o.path, o.change));
        }
        step.commands.iter().for_each(|command| line(format!("   run {command:?}")));
        step.checks.iter().for_each(|check| line(format!("   check {check:?}")));
    }
    document.outside.iter().for_each(|text| line(format!("outside {text:?}")));
    out
}

#[test]
fn every_answer_is_read_as_it_was_meant() {
    let answers = answers();
    assert!(answers.len() >= 60, "{}", answers.len());
    for (path, text, ending) in answers {
        let (document, state) = read(&text, ending);
        expect_file![path.with_extension("expected")].assert_eq(&compact(&document, state));
    }
}

/// Words of the forms themselves; they are structure, not content.
const STRUCTURE: &[&str] = &[
    "plan",
    "step",
    "steps",
    "operation",
    "operations",
    "change",
    "changes",
    "title",
    "path",
    "kind",
    "why",
    "command",
    "commands",
    "check",
    "checks",
    "confidence",
    "depends",
    "depends_on",
    "symbol",
    "lines",
    "action",
    "file",
    "files",
    "xml",
    "json",
    "CDATA",
    "amp",
    "lt",
    "gt",
    "apos",
    "reason",
    "description",
    "content",
    "code",
    "edit",
    "run",
    "verify",
    "verification",
    "name",
    "function",
    "implementation_plan",
    "thinking",
    "think",
    "type",
    "new_path",
    "arguments",
    "line_range",
    "start",
    "end",
    "start_line",
    "end_line",
    "diff",
    "Begin",
    "Patch",
    "Update",
    "Add",
    "Delete",
    "End",
    "File",
    "Action",
    "Why",
    "Verify",
    "Verification",
    "Run",
    "Step",
    "Schritt",
    "Grund",
    "true",
    "None",
    "null",
    "update",
    "add",
    "rename",
    "markdown",
    "rust",
    "javascript",
    "python",
    "css",
    "tsx",
    "dart",
    "bash",
    "new",
    "none",
    "step_1",
    "step_2",
    "dev",
    "here",
    "Create",
    "Modify",
    "Remove",
    "the",
    "False",
    "id",
    "L3",
    "L9",
    "Patch",
    "kinds",
    "chan",
    "to",
];

#[test]
fn no_answer_loses_a_word() {
    for (path, text, ending) in answers() {
        let (document, state) = read(&text, ending);
        if state == State::Unreadable {
            continue;
        }
        let kept = compact(&document, state).to_lowercase();
        let meant = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("\\n", "\n");
        for word in
            meant.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| w.chars().count() > 1)
        {
            let structure = STRUCTURE.iter().any(|s| s.eq_ignore_ascii_case(word));
            assert!(
                structure || kept.contains(&word.to_lowercase()),
                "{} loses “{word}”:\n{kept}",
                path.display()
            );
        }
    }
}

#[test]
fn every_answer_reads_the_same_in_pieces() {
    for (path, text, ending) in answers() {
        let whole = read(&text, ending);
        for size in [1, 2, 7, 64] {
            let mut parser = Parser::new();
            let mut piece = String::new();
            for c in text.chars() {
                piece.push(c);
                if piece.chars().count() == size {
                    parser.push(&std::mem::take(&mut piece));
                }
            }
            parser.push(&piece);
            assert_eq!(parser.finish(ending), whole, "{} in pieces of {size}", path.display());
        }
    }
}

#[test]
fn an_answer_that_is_cut_anywhere_loses_no_step_that_was_whole() {
    for (path, text, _) in answers() {
        let ends = text.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
        for end in ends.into_iter().step_by(3) {
            let mut parser = Parser::new();
            parser.push(&text[..end]);
            let whole: Vec<_> = parser.document().steps.iter().filter(|s| s.complete).cloned().collect();
            let (document, _) = parser.finish(Ending::Length);
            assert_eq!(document.steps.get(..whole.len()), Some(&whole[..]), "{} at {end}", path.display());
        }
    }
}
