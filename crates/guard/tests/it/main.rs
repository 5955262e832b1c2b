//! What the built-in rules find, what they leave alone, and what findings may say.

#![allow(clippy::unwrap_used, clippy::panic)]

mod corpus;
mod found;
mod hostile;
mod quiet;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use corpus::{FILES, samples};
use guard::{Guard, redact};

fn guard() -> &'static Guard {
    static GUARD: OnceLock<Guard> = OnceLock::new();
    GUARD.get_or_init(|| Guard::builtin().unwrap())
}

/// A token of GitHub, put together here.
fn token() -> String {
    format!("{}{}", "ghp_", samples(1)[0].secret.repeat(3)[..36].to_owned())
}

#[test]
fn there_are_as_many_rules_as_promised_and_each_has_its_own_id() {
    assert!(guard().rules() >= 130, "{}", guard().rules());
    let mut ids = BTreeSet::new();
    for file in FILES {
        let file: toml::Value = toml::from_str(file).unwrap();
        for rule in file["rule"].as_array().unwrap() {
            assert!(ids.insert(rule["id"].as_str().unwrap().to_owned()), "{} stands twice", rule["id"]);
        }
    }
    assert_eq!(ids.len(), guard().rules());
}

#[test]
fn an_allow_comment_lowers_a_finding_but_does_not_hide_it() {
    let key = token();
    for comment in ["plantocode:allow", "gitleaks:allow"] {
        let text = format!("const KEY: &str = {key:?}; // {comment}\nother = {key:?}");
        let findings = guard().scan(&text);
        assert_eq!(findings.iter().map(|f| (f.line, f.allowed)).collect::<Vec<_>>(), [(1, true), (2, false)]);
        assert_eq!(redact(&text, &findings).matches(&key).count(), 1);
    }
}

#[test]
fn findings_do_not_print_the_secret() {
    let key = token();
    let findings = guard().scan(&key);
    assert_eq!(findings.len(), 1);
    assert!(!format!("{findings:?}").contains(&key[4..]));
}

#[test]
fn one_broken_rule_is_named() {
    let rule = |regex: &str, more: &str| {
        format!("[[rule]]\nid='x'\nclass='c'\ndescription='d'\nkeywords=['k']\nregex='{regex}'\n{more}")
    };
    assert!(Guard::from_toml(&rule("k", "")).is_ok());
    for broken in [
        rule("(", ""),
        rule("k)(?:k", ""),
        rule("k", "group=1"),
        rule("k", "allow=['(']"),
        rule("k", "at='name'\nname='('"),
        rule("k", "at='name'\nallow_name='('"),
        rule("k", "reach=100000"),
    ] {
        let error = Guard::from_toml(&broken).unwrap_err().to_string();
        assert!(error.starts_with("rule `x`"), "{error}");
    }
    for unknown in [rule("k", "kewords=1"), rule("k", "check='x'"), rule("k", "at='x'")] {
        assert!(Guard::from_toml(&unknown).is_err());
    }
}

/// The built-in rules are compiled when they are needed, so that no start pays for all. This is where a bad one is told.
#[test]
fn every_built_in_rule_compiles() {
    let all = Guard::from_toml(&FILES.concat()).unwrap();
    assert_eq!(all.rules(), guard().rules());
    let text: String = samples(2).iter().map(|sample| format!("{}\n\n", sample.whole())).collect();
    assert_eq!(all.scan(&text), guard().scan(&text), "compiled early or late, the rules find the same");
}

#[test]
fn threads_that_share_a_new_guard_find_the_same() {
    let text: String = samples(3).iter().map(|sample| format!("{}\n\n", sample.whole())).collect();
    let expected = guard().scan(&text);
    assert!(expected.len() > 100);
    let fresh = Guard::builtin().unwrap();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| fresh.scan(&text))).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), expected);
        }
    });
}

#[test]
fn a_rule_of_an_older_file_finds_what_it_found() {
    let rules =
        "[[rule]]\nid='x'\nclass='c'\ndescription='d'\nkeywords=['acme']\nregex='ACME-([0-9]{4})'\ngroup=1\n";
    let findings = Guard::from_toml(rules).unwrap().scan("two: acme ACME-1234 ACME-5678");
    assert_eq!(findings.iter().map(|f| (f.start, f.end)).collect::<Vec<_>>(), [(15, 19), (25, 29)]);
}
