//! Versions, several plans, drafts, templates, and plans beside what has happened.

use crate::parse::read;
use expect_test::expect;
use plan::template::{BUILT_IN, Values, render};
use plan::{
    Changed, Document, DraftFile, Ending, Progress, Side, Source, Version, align, diff, draft, merge, reality,
};
use std::collections::BTreeMap;

fn document(steps: &str) -> Document {
    read(&format!("<plan title='t'>{steps}</plan>"), Ending::Finished).0
}

fn step(title: &str, depends: &str, operations: &str) -> String {
    format!("<step title='{title}' depends='{depends}'>{operations}</step>")
}

fn modify(path: &str, change: &str) -> String {
    format!("<operation kind='modify' path='{path}'><change>{change}</change></operation>")
}

#[test]
fn versions_differ_by_steps_and_lines() {
    let before = document(&[step("one", "", &modify("a.rs", "x\ny")), step("two", "", "")].concat());
    let after = document(
        &[step("new", "", ""), step("one", "", &modify("a.rs", "x\nz")), step("three", "", "")].concat(),
    );
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let (old, new) = (ids(&["s1", "s2"]), ids(&["s3", "s1", "s4"]));
    let found = diff(Version { document: &before, ids: &old }, Version { document: &after, ids: &new });
    let heads: Vec<_> = found.iter().map(|d| (d.id.as_str(), d.before, d.after)).collect();
    assert_eq!(
        heads,
        [("s3", None, Some(1)), ("s1", Some(1), Some(2)), ("s4", None, Some(3)), ("s2", Some(2), None)]
    );
    let changed: Vec<_> =
        found[1].lines.iter().filter(|l| l.side != Side::Both).map(|l| l.text.as_str()).collect();
    assert_eq!(changed, ["y", "z"]);
    let same = diff(Version { document: &before, ids: &old }, Version { document: &before, ids: &old });
    assert_eq!(same, []);
}

#[test]
fn plans_stand_side_by_side() {
    let a = document(
        &[
            step(
                "Add a retry policy",
                "",
                "<operation kind='create' path='src/retry.rs'><change>a</change></operation>",
            ),
            step("Use the policy in send", "1", &modify("src/http.rs", "p")),
            step("Document it", "2", &modify("README.md", "r")),
        ]
        .concat(),
    );
    let b = document(
        &[
            step(
                "Write tests first",
                "",
                "<operation kind='create' path='tests/retry.rs'><change>t</change></operation>",
            ),
            step(
                "Introduce retry policy",
                "",
                "<operation kind='create' path='src/retry.rs'><change>b</change></operation>",
            ),
            step("Retry inside send", "2", "<operation kind='delete' path='src/http.rs'/>"),
        ]
        .concat(),
    );
    let found = align(&[&a, &b]);
    let rows: Vec<Vec<(usize, usize)>> =
        found.rows.iter().map(|row| row.steps.iter().map(|s| (s.plan, s.step)).collect()).collect();
    assert_eq!(rows, [vec![(1, 0)], vec![(0, 0), (1, 1)], vec![(0, 1), (1, 2)], vec![(0, 2)]]);
    let conflicts: Vec<_> =
        found.disagreements.iter().map(|d| (d.code, d.path.as_str(), d.steps.len())).collect();
    assert_eq!(conflicts, [("kinds", "src/http.rs", 2), ("changes", "src/retry.rs", 2)]);

    let source = |plan, step| Source { plan, step };
    let chosen = [source(1, 1), source(0, 1), source(0, 2), source(1, 0), source(0, 1), source(7, 7)];
    let (merged, from) = merge(&[&a, &b], "both", &chosen);
    assert_eq!(from, chosen[..4]);
    let depends: Vec<_> = merged.steps.iter().map(|s| (s.title.as_str(), s.depends.clone())).collect();
    expect![[r#"
        [("Introduce retry policy", []), ("Use the policy in send", [1]), ("Document it", [2]), ("Write tests first", [])]"#]]
    .assert_eq(&format!("{depends:?}"));
}

#[test]
fn a_draft_says_that_no_model_wrote_it() {
    let file = |path: &str, test| DraftFile {
        path: path.into(),
        reasons: vec!["defines send".into()],
        symbols: vec!["send".into()],
        test,
    };
    let draft = draft("\nRetry send\nmore", &[file("src/http.rs", false), file("tests/http.rs", true)]);
    assert_eq!(draft.title, "Draft without a model: Retry send");
    assert_eq!(draft.steps.len(), 2);
    assert!(
        draft
            .steps
            .iter()
            .all(|s| s.confidence == "low" && s.operations[0].change.contains("without a model"))
    );
    assert!(draft.outside.len() >= 3);
}

#[test]
fn texts_arrive_unchanged() {
    let hostile = "$& $1 \\1 `x` {{TASK_DESCRIPTION}} {{x}} ${y} %s";
    let values = Values { plan: hostile, task: "{{IMPLEMENTATION_PLAN}}", step: "s" };
    let text = render(
        "a {{IMPLEMENTATION_PLAN}} b {{ TASK_DESCRIPTION }} {{STEP_CONTENT}} {{other}} {{{STEP_CONTENT}}} {{",
        values,
    );
    assert_eq!(text, format!("a {hostile} b {{{{IMPLEMENTATION_PLAN}}}} s {{{{other}}}} {{s}} {{{{"));
    assert_eq!(BUILT_IN.len(), 5);
    for built in BUILT_IN {
        assert!(!render(built.text, values).contains("{{STEP_CONTENT}}") && built.text.contains("{{"));
    }
}

#[test]
fn a_plan_beside_what_has_happened() {
    let plan = document(
        &[
            step(
                "make",
                "",
                "<operation kind='create' path='new.rs'><change>fn new_one() {}</change></operation>",
            ),
            step("change", "", &modify("a.rs", "let answer = 42;")),
            step(
                "both",
                "",
                &[modify("b.rs", "b_line();"), "<operation kind='delete' path='c.rs'/>".into()].concat(),
            ),
            step(
                "lines",
                "",
                "<operation kind='modify' path='d.rs' lines='2-3'><change>words</change></operation>",
            ),
            step(
                "other lines",
                "",
                "<operation kind='modify' path='d.rs' lines='20-30'><change>words</change></operation>",
            ),
            step("move", "", "<operation kind='move' path='e.rs' to='f.rs'/>"),
            step("nothing", "", &modify("g.rs", "never")),
            step("ask", "", ""),
        ]
        .concat(),
    );
    let changed = |before: Option<&str>, after: Option<&str>| Changed {
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    let lines = (1..40).map(|n| format!("line {n}\n")).collect::<String>();
    let changes = BTreeMap::from([
        ("new.rs".to_owned(), changed(None, Some("fn new_one() {}\n"))),
        ("a.rs".to_owned(), changed(Some("x"), Some("let answer = 42;\n"))),
        ("c.rs".to_owned(), changed(Some("c"), None)),
        ("d.rs".to_owned(), changed(Some(&lines), Some(&lines.replace("line 2\n", "changed\n")))),
        ("e.rs".to_owned(), changed(Some("e"), None)),
        ("f.rs".to_owned(), changed(None, Some("e"))),
        ("z.rs".to_owned(), changed(None, Some("z"))),
    ]);
    let report = reality(&plan, &changes);
    let progress: Vec<Progress> = report.steps.iter().map(|s| s.progress).collect();
    use Progress::{Done, Partly, Unseen, Untouched};
    assert_eq!(progress, [Done, Done, Partly, Done, Untouched, Done, Untouched, Unseen]);
    assert_eq!(report.unplanned, ["z.rs"]);
}
