use crate::parse::read;
use expect_test::{Expect, expect};
use plan::{Ending, Entry, Repository, Severity, nearest};

/// `src/http.rs` with 50 lines and `send`, `src/net/retry.rs` with `Policy`, and a link that leaves the project.
struct Fixture;

impl Repository for Fixture {
    fn entry(&self, path: &str) -> Entry {
        match path {
            "src/http.rs" => Entry::File { lines: 50 },
            "src/net/retry.rs" => Entry::File { lines: 9 },
            "src" | "src/net" => Entry::Folder,
            "escape" => Entry::Refused,
            _ => Entry::Missing,
        }
    }
    fn symbols(&self, path: &str) -> Option<Vec<String>> {
        match path {
            "src/http.rs" => Some(vec!["send".into(), "Client".into()]),
            _ => None,
        }
    }
    fn nearest(&self, path: &str) -> Option<String> {
        nearest(path, ["src/http.rs", "src/net/retry.rs"]).map(str::to_owned)
    }
    fn defines(&self, symbol: &str) -> Option<String> {
        (symbol == "Policy").then(|| "src/net/retry.rs".to_owned())
    }
}

fn check(steps: &str, expected: Expect) {
    let (document, _) = read(&format!("<plan>{steps}</plan>"), Ending::Finished);
    let mut out = String::new();
    for (index, findings) in plan::verify(&document, &Fixture).iter().enumerate() {
        for f in findings {
            let suggestion = f.suggestion.as_ref().map_or(String::new(), |s| format!(" → {s}"));
            out.push_str(&format!("{} {:?} {}: {}{suggestion}\n", index + 1, f.severity, f.code, f.message));
        }
    }
    expected.assert_eq(&out);
}

fn step(operations: &str) -> String {
    format!("<step title='s'>{operations}</step>")
}

#[test]
fn right_steps_have_no_finding() {
    check(
        &[
            step("<operation kind='create' path='src/new.rs'></operation>"),
            step("<operation kind='modify' path='src/new.rs' symbol='anything' lines='1-999'></operation>"),
            step("<operation kind='modify' path='src/http.rs' symbol='Client::send()' lines='10-50'></operation>"),
            step("<operation kind='move' path='src/net/retry.rs' to='src/retry.rs'></operation>"),
            step("<operation kind='modify' path='src/retry.rs'></operation>"),
        ]
        .concat(),
        expect![""],
    );
}

#[test]
fn wrong_paths_are_found_with_what_was_meant() {
    check(
        &step(
            "<operation kind='modify' path='src/retry.rs'/><operation kind='create' path='src/http.rs'/>\
             <operation kind='create' path='lib/deep/x.rs'/><operation kind='modify' path='src'/>\
             <operation kind='modify' path='../x'/><operation kind='delete' path='escape'/>\
             <operation kind='create' path='src/http.rs/x'/><operation kind='move' path='src/http.rs'/>",
        ),
        expect![[r#"
            1 Error path_missing: There is no such file. Perhaps src/net/retry.rs is meant. → src/net/retry.rs
            1 Error path_exists: This file exists already; it would be overwritten.
            1 Info parent_new: The folder lib/deep is new.
            1 Error path_folder: This is a folder, not a file.
            1 Error path_refused: This path cannot be used: the path leaves the project or has empty parts.
            1 Error path_refused: This path leads out of the project, or may not be read.
            1 Error parent_file: src/http.rs is a file, so nothing can be in it.
            1 Error move_target_missing: It does not say where the file moves to.
        "#]],
    );
}

#[test]
fn steps_that_contradict_each_other() {
    check(
        &[
            step("<operation kind='delete' path='src/http.rs'/>"),
            step("<operation kind='modify' path='src/http.rs'/>"),
            step("<operation kind='create' path='a.rs'/>"),
            step("<operation kind='create' path='a.rs'/>"),
        ]
        .concat(),
        expect![[r#"
            2 Error path_gone: Step 1 removes or moves this file before.
            4 Error path_made_twice: Step 3 makes this file already.
        "#]],
    );
}

#[test]
fn anchors_that_are_not_there() {
    check(
        &step("<operation kind='modify' path='src/http.rs' symbol='Policy' lines='40-71'/>"),
        expect![[r#"
            1 Warning lines_beyond: It names line 71, and the file has 50.
            1 Warning symbol_missing: `Policy` is not defined here; src/net/retry.rs defines it. → src/net/retry.rs
        "#]],
    );
}

#[test]
fn what_wants_a_second_look() {
    check(
        "<step title='a\u{202e}b' depends='1,2,9'><operation kind='create' path='.github/workflows/x.yml'/></step><step title='nothing'></step>",
        expect![[r#"
            1 Warning depends_unknown: It depends on step 1, which is not another step of this plan.
            1 Warning depends_later: It depends on step 2, which comes later.
            1 Warning depends_unknown: It depends on step 9, which is not another step of this plan.
            1 Warning invisible_text: This step contains characters that cannot be seen (control, zero-width or direction marks).
            1 Warning control_file: This file steers tools or agents: a change here can run code. Look at it closely.
            1 Info parent_new: The folder .github/workflows is new.
            2 Warning step_empty: This step names no file and no command.
        "#]],
    );
}

#[test]
fn a_cut_step_is_an_error() {
    let (document, _) = read(
        "<plan><step title='x'><operation kind='modify' path='src/http.rs'><change>half",
        Ending::Length,
    );
    let findings = plan::verify(&document, &Fixture);
    assert_eq!((findings[0][0].code.as_ref(), findings[0][0].severity), ("step_cut", Severity::Error));
    assert_eq!(document.steps[0].operations[0].change, "half");
}
