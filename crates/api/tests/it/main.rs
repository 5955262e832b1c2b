//! The contract as reviewers see it: every method with its scope.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use expect_test::expect_file;
use std::fmt::Write;

/// A change here is a change of what callers may do: review it as such.
#[test]
fn methods_and_scopes() {
    let mut text = String::new();
    for m in api::methods() {
        let arrow = match m.kind {
            rpc::Kind::Unary => "=>",
            rpc::Kind::Stream => "=>*",
            rpc::Kind::Feed => "=>>",
        };
        writeln!(text, "{:<26} {:<8} {} {arrow} {}", m.name, m.scope.name(), m.params, m.result).unwrap();
    }
    expect_file!["methods.txt"].assert_eq(&text);
}

/// What the user interface is compiled against says what the contract says now.
#[test]
fn typescript_is_current() {
    expect_file!["../../../../ui/client/api.gen.ts"].assert_eq(&api::typescript::generate());
}

#[test]
fn every_method_name_is_declared_once() {
    let mut names: Vec<_> = api::methods().iter().map(|m| m.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}
