//! Texts made to be slow: the work stays in proportion to the length. What is counted are tries of a rule, each of
//! which looks at a bounded number of bytes; nothing is timed.

use crate::guard;

/// Each try belongs to a keyword, and no keyword belongs to more rules than this.
const TRIES_PER_BYTE: usize = 2;

fn work(text: &str) -> usize {
    guard().scan_counting(text).tries
}

#[test]
fn work_grows_with_length_and_no_faster() {
    for part in [
        "password=",
        "password",
        "secret_key_token",
        "token: \"",
        "eyJ",
        "eyJ.",
        "sk-",
        "postgres://a:b",
        "https://x:y",
        "-----BEGIN PRIVATE KEY-----\n",
        "AKIA",
        "AccountKey=",
        "curl -u ",
        "kind: Secret\ndata:\n",
        "((((",
        "=\"",
        "<token>",
        "machine a login b password ",
        "mailgun",
        "card 4",
        "PuTTY-User-Key-File-2: ",
        "ä",
        "\"private_key\": \"",
        "\"",
        "\"A1b2C3d4E5f6G7h8J9k1L2m3N4p5Q6r7S8t9U1v2W3x4",
        "MTMTMTMTMTMTMTMTMTMTMTMT.",
        "-----BEGIN PRIVATE KEY-----\nabcdefgh\n",
        "password=a,b\n",
        "password=alpha beta ",
        "AKCAKC",
    ] {
        let (short, long) = (part.repeat(20_000 / part.len()), part.repeat(80_000 / part.len()));
        let (few, many) = (work(&short), work(&long));
        assert!(many <= TRIES_PER_BYTE * long.len(), "{part:?}: {many} tries");
        assert!(many <= 4 * few + 64, "{part:?}: {few} tries, then {many} on four times the length");
    }
}

#[test]
fn one_long_line_is_one_long_line() {
    let line = format!("{}password=\"{}\"", "a=1;".repeat(500_000), "x1Y".repeat(100_000));
    assert!(work(&line) < 64);
}

#[test]
fn a_text_of_nothing_but_secrets_gives_each_of_them() {
    let secret = format!("{}{}", "gh", "p_q8Zk2vXw0RtY7pLsB3nM6cD9fGhJ1kTzUeWa");
    let text = format!("{secret} ").repeat(5_000);
    let scan = guard().scan_counting(&text);
    // Two rules begin with this keyword.
    assert_eq!((scan.findings.len(), scan.tries), (5_000, 10_000));
}
