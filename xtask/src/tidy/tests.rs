//! Each rule can fail: a small house is built that breaks it.

use super::{Offence, offences};
use std::path::Path;

fn house(files: &[(&str, &str)]) -> Vec<Offence> {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    offences(dir.path()).unwrap()
}

fn manifest(name: &str, dependencies: &[&str]) -> String {
    let lines: Vec<String> = dependencies.iter().map(|d| format!("{d} = \"1\"")).collect();
    format!("[package]\nname = \"{name}\"\n[dependencies]\n{}\n", lines.join("\n"))
}

#[track_caller]
fn says(files: &[(&str, &str)], what: &str) {
    let found = house(files);
    assert!(found.iter().any(|o| o.what.contains(what)), "expected “{what}” among {found:?}");
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_tidy_house_has_no_offence() {
    let engine = manifest("engine", &["store", "api", "serde"]);
    let good = "//! Fine.\n#[derive(Debug)]\npub struct Row;\n";
    assert_eq!(house(&[("crates/engine/Cargo.toml", &engine), ("crates/engine/src/lib.rs", good)]), []);
}

#[test]
fn arrows_and_owners() {
    says(&[("crates/plan/Cargo.toml", &manifest("plan", &["store"]))], "plan must not know store");
    says(&[("crates/engine/Cargo.toml", &manifest("engine", &["server"]))], "engine must not know server");
    says(&[("crates/engine/Cargo.toml", &manifest("engine", &["testkit"]))], "must not know testkit");
    says(&[("crates/engine/Cargo.toml", &manifest("engine", &["reqwest"]))], "reqwest belongs to gateway");
    says(&[("crates/llm/Cargo.toml", &manifest("llm", &["tokio"]))], "llm is pure");
    says(&[("crates/common/Cargo.toml", &manifest("common", &[]))], "no place in the house");
}

#[test]
fn a_test_may_put_any_parts_together() {
    let text = "[package]\nname = \"plan\"\n[dev-dependencies]\nstore = \"1\"\ntestkit = \"1\"\n";
    assert_eq!(house(&[("crates/plan/Cargo.toml", text)]), []);
}

#[test]
fn sizes_names_and_paths() {
    says(&[("crates/x/src/a.rs", &"// line\n".repeat(601))], "601 lines");
    says(&[("crates/x/src/a.rs", "pub struct PlanManager;\n")], "PlanManager");
    let home = std::env::var("HOME").unwrap();
    says(&[("docs/a.md", &format!("See {home}/project.\n"))], "machine's own path");
    assert_eq!(house(&[("docs/a.md", "See /home/ada/project.\n")]), []);
    says(&[("ui/package-lock.json", "{\"resolved\": \"https://registry.example/x\"}")], "registry's host");
    says(&[("ARCHITECTURE.md", &"line\n".repeat(251))], "at most 250 lines");
}

#[test]
fn rows_are_not_serialized() {
    let derive = "#[derive(Debug, Serialize)]\npub struct Row;\n";
    says(&[("crates/store/src/rows.rs", derive)], "derives Serialize");
    assert_eq!(house(&[("crates/engine/src/wire.rs", derive), ("crates/api/src/a.rs", derive)]), []);
}

#[test]
fn this_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    assert_eq!(offences(root).unwrap(), []);
}
