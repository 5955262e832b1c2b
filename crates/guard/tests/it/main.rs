//! What the built-in rules find, what they leave alone, and what findings may say.

#![allow(clippy::unwrap_used, clippy::panic)]

mod samples;

use guard::{Guard, redact};
use samples::{letters, samples};

fn guard() -> Guard {
    Guard::builtin().unwrap()
}

#[test]
fn every_rule_finds_its_sample_exactly() {
    let guard = guard();
    let samples = samples();
    assert_eq!(samples.len(), guard.rules(), "each rule has one sample");
    for sample in samples {
        let text = format!("line one\n{}{}{}\nline three", sample.before, sample.secret, sample.after);
        let findings = guard.scan(&text);
        let [finding] = findings.as_slice() else { panic!("{}: {findings:?}", sample.rule) };
        assert_eq!(finding.rule, sample.rule);
        assert_eq!(&text[finding.start..finding.end], sample.secret, "{}", sample.rule);
        assert_eq!((finding.line, finding.allowed), (2, false), "{}", sample.rule);
    }
}

#[test]
fn redaction_removes_the_secret_and_keeps_the_lines() {
    let guard = guard();
    for sample in samples() {
        let text = format!("a\n{}{}{}\nb", sample.before, sample.secret, sample.after);
        let clean = redact(&text, &guard.scan(&text));
        assert!(!clean.contains(&sample.secret), "{}", sample.rule);
        assert!(clean.contains(&format!("[redacted:{}]", sample.rule)));
        assert_eq!(clean.lines().count(), text.lines().count(), "{}", sample.rule);
        assert_eq!(guard.scan(&clean), [], "{}: the replacement is no finding", sample.rule);
    }
}

#[test]
fn an_allow_comment_lowers_a_finding_but_does_not_hide_it() {
    let key = format!("{}{}", "ghp_", letters(36));
    for comment in ["plantocode:allow", "gitleaks:allow"] {
        let text = format!("const KEY: &str = {key:?}; // {comment}\nother = {key:?}");
        let findings = guard().scan(&text);
        assert_eq!(findings.iter().map(|f| (f.line, f.allowed)).collect::<Vec<_>>(), [(1, true), (2, false)]);
        assert_eq!(redact(&text, &findings).matches(&key).count(), 1);
    }
}

#[test]
fn findings_do_not_print_the_secret() {
    let key = format!("{}{}", "ghp_", letters(36));
    let findings = guard().scan(&key);
    assert_eq!(findings.len(), 1);
    assert!(!format!("{findings:?}").contains(&key[4..]));
}

#[test]
fn ordinary_code_is_left_alone() {
    let text = r#"
        let token = "the_name_of_a_field";
        api_key: "YOUR_API_KEY_GOES_HERE",
        password = os.environ["DATABASE_PASSWORD"]
        secret = "${{ secrets.DEPLOY_SECRET }}"
        DATABASE_URL=postgres://postgres:postgres@localhost/app
        DATABASE_URL=postgres://user:${PASSWORD}@db/app
        fn sk_live_or_test(mode: Mode) -> bool
        sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        -----BEGIN PUBLIC KEY-----
        "tokenizer.model.path": "models/tokenizer.json"
        commit 3f785ac1a1b2c3d4e5f60718293a4b5c6d7e8f90
    "#;
    assert_eq!(guard().scan(text), []);
}

#[test]
fn one_broken_rule_is_named() {
    let rule = |regex: &str, more: &str| {
        format!("[[rule]]\nid='x'\nclass='c'\ndescription='d'\nkeywords=['k']\nregex='{regex}'\n{more}")
    };
    assert!(Guard::from_toml(&rule("k", "")).is_ok());
    for broken in [rule("(", ""), rule("k", "group=1"), rule("k", "allow=['(']")] {
        let error = Guard::from_toml(&broken).unwrap_err().to_string();
        assert!(error.starts_with("rule `x`"), "{error}");
    }
    assert!(Guard::from_toml(&rule("k", "kewords=1")).is_err());
}

#[test]
fn a_large_text_without_secrets_is_scanned_in_little_time() {
    let line =
        "pub fn authorize(token: &Token, secret: &Secret) -> Result<(), Error> { check(token, secret) }\n";
    let text = line.repeat(20_000);
    let start = std::time::Instant::now();
    assert_eq!(guard().scan(&text), []);
    let spent = start.elapsed();
    assert!(spent.as_secs() < 20, "{} bytes took {spent:?}", text.len());
}
