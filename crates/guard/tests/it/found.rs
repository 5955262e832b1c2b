//! No secret of a known form is missed, wherever it stands.

use crate::corpus::{FILES, Sample, contexts, samples};
use crate::guard;
use guard::{Finding, Guard, redact};

const SEEDS: std::ops::Range<u64> = 1..26;

/// What is let pass, and so stays in a text.
fn is_stand_in(sample: &Sample) -> bool {
    sample.rule.starts_with("stand-in")
}

fn covers(finding: &Finding, start: usize, sample: &Sample) -> bool {
    finding.start <= start && finding.end >= start + sample.secret.trim_end().len()
}

/// Says so if the secret that begins at `start` is not found.
fn missed(guard: &Guard, text: &str, start: usize, sample: &Sample, place: &str) -> Option<String> {
    let found = guard.scan(text);
    let covered = found.iter().any(|finding| covers(finding, start, sample));
    (!covered).then(|| format!("{} is missed in {place}: {text:?} {found:?}\n", sample.rule))
}

fn assert_none(missed: &[String]) {
    assert!(missed.is_empty(), "{} misses\n{}", missed.len(), missed.concat());
}

/// True if the secret has a form of its own. Of the values that only a name makes secrets, a few look like words by
/// chance: of the samples here at most one in fifty.
fn has_form(sample: &Sample) -> bool {
    let named = [FILES[2], FILES[4]];
    !named.iter().any(|file| file.contains(&format!("id = \"{}\"\n", sample.rule)))
}

#[test]
fn every_rule_finds_its_samples_and_names_them() {
    let guard = guard();
    let (mut wrong, mut looked, mut like_words) = (Vec::new(), 0, 0);
    for seed in SEEDS {
        let samples = samples(seed);
        assert_eq!(samples.len(), guard.rules(), "each rule has a sample");
        for sample in samples {
            let text = format!("line one\n{}\nline three", sample.whole());
            if !has_form(&sample) {
                looked += 1;
                let start = 9 + sample.before.len();
                like_words += usize::from(missed(guard, &text, start, &sample, "a text").is_some());
                continue;
            }
            wrong.extend(missed(guard, &text, 9 + sample.before.len(), &sample, "a text"));
            let line = 2 + sample.before.matches('\n').count();
            let found: Vec<_> =
                guard.scan(&text).into_iter().map(|found| (found.rule, found.line, found.allowed)).collect();
            // What only has the form is let pass by itself.
            if found != [(sample.rule.clone(), line, is_stand_in(&sample))] {
                wrong.push(format!("{}: {text:?} {found:?}\n", sample.rule));
            }
        }
    }
    assert_none(&wrong);
    assert!(like_words * 50 <= looked, "{like_words} of {looked} named values are missed");
}

#[test]
fn a_bare_secret_is_found_in_every_context() {
    let guard = guard();
    let mut wrong = Vec::new();
    for seed in SEEDS {
        for sample in samples(seed).iter().filter(|sample| sample.is_bare()) {
            for (place, before, after) in contexts() {
                let text = format!("{before}{}{after}", sample.secret);
                wrong.extend(missed(guard, &text, before.len(), sample, place));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn two_secrets_on_a_line_are_both_found() {
    let guard = guard();
    let mut wrong = Vec::new();
    for seed in 1..6 {
        let (first, second) = (samples(seed), samples(seed + 100));
        for (one, two) in first.iter().zip(&second).filter(|(one, _)| one.is_bare()) {
            let text = format!("a={} b={}", one.secret, two.secret);
            wrong.extend(missed(guard, &text, 2, one, "two on a line"));
            wrong.extend(missed(guard, &text, 5 + one.secret.len(), two, "two on a line"));
        }
    }
    assert_none(&wrong);
}

#[test]
fn named_values_are_found_in_many_notations() {
    let guard = guard();
    let mut wrong = Vec::new();
    for name in ["api_token", "clientSecret", "DB_PASSWORD", "service.api-key"] {
        for sample in samples(7).iter().filter(|sample| sample.rule == "generic-secret") {
            let value = &sample.secret;
            for text in [
                format!("{name}={value}"),
                format!("{name}: {value}"),
                format!("{name} := \"{value}\""),
                format!("{{\"{name}\": \"{value}\"}}"),
                format!("'{name}' => '{value}'"),
                format!("set(\"{name}\", \"{value}\")"),
                format!("<{name}>\n  {value}\n</{name}>"),
                format!("--{name} {value} --other"),
                format!("?{name}={value}&a=b"),
                format!("{name} ?= `{value}`\r\n"),
                format!("if ('{value}' === {name}) {{"),
                format!("let {name}: &str = \"{value}\";"),
            ] {
                let at = text.find(value.as_str()).unwrap();
                wrong.extend(missed(guard, &text, at, sample, "a notation"));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn place_in_a_long_text_and_line_ends_do_not_matter() {
    let guard = guard();
    let sample = samples(3).into_iter().find(|sample| sample.rule == "private-key").unwrap();
    for shift in 0..70 {
        for ends in ["\n", "\r\n"] {
            let secret = Sample { secret: sample.secret.replace('\n', ends), ..sample.clone() };
            let before = format!("{}{ends}", "ä".repeat(4096 * (shift % 3) + shift));
            let text = format!("{before}{}{ends}end", secret.secret);
            assert_eq!(missed(guard, &text, before.len(), &secret, "a long text"), None);
            assert_eq!(guard.scan(&text)[0].line, 2);
        }
    }
}

#[test]
fn redaction_leaves_nothing_and_keeps_the_lines() {
    let guard = guard();
    for seed in SEEDS {
        for sample in samples(seed).into_iter().filter(|sample| !is_stand_in(sample)) {
            for ends in ["\n", "\r\n"] {
                let text = format!("a\n{}\nb\n", sample.whole()).replace('\n', ends);
                let found = guard.scan(&text);
                if found.is_empty() && !has_form(&sample) {
                    continue;
                }
                let clean = redact(&text, &found);
                assert!(!clean.contains(&sample.secret.replace('\n', ends)), "{}", sample.rule);
                assert!(clean.contains(&format!("[redacted:{}]", sample.rule)), "{clean}");
                assert_eq!(clean.matches(ends).count(), text.matches(ends).count(), "{clean:?}");
                assert_eq!(clean.matches('\n').count(), text.matches('\n').count(), "{clean:?}");
                assert_eq!(guard.scan(&clean), [], "{}: the replacement is no finding: {clean}", sample.rule);
            }
        }
    }
}

#[test]
fn of_a_text_of_all_secrets_nothing_is_left() {
    let guard = guard();
    for seed in SEEDS {
        let samples: Vec<Sample> = samples(seed).into_iter().filter(|sample| !is_stand_in(sample)).collect();
        let text: String =
            samples.iter().map(|sample| format!("{}\n\n{}\n", "# ä ".repeat(90), sample.whole())).collect();
        let clean = redact(&text, &guard.scan(&text));
        for sample in samples.iter().filter(|sample| has_form(sample)) {
            assert!(!clean.contains(sample.secret.trim_end()), "{} stays", sample.rule);
        }
        assert_eq!(guard.scan(&clean), [], "nothing is found a second time");
        assert_eq!(clean.lines().count(), text.lines().count());
    }
}

#[test]
fn redacted_json_is_still_json() {
    let guard = guard();
    for sample in samples(9).iter().filter(|sample| sample.is_bare() && !is_stand_in(sample)) {
        let text = format!("{{\"value\": \"{}\", \"next\": \"x\"}}", sample.secret);
        let clean = redact(&text, &guard.scan(&text));
        assert!(clean.contains("[redacted:"), "{text}");
        assert_eq!(clean, format!("{{\"value\": \"[redacted:{}]\", \"next\": \"x\"}}", found_rule(&clean)));
    }
}

fn found_rule(clean: &str) -> &str {
    clean.split_once("[redacted:").unwrap().1.split_once(']').unwrap().0
}

/// What is found in a text: the rule and the place.
fn places(text: &str) -> Vec<(String, &str)> {
    guard().scan(text).into_iter().map(|found| (found.rule, &text[found.start..found.end])).collect()
}

#[test]
fn a_password_in_a_configuration_goes_on_to_the_end_of_its_line() {
    let words = "copper lantern violin orchard";
    let signs = "x7&kL,9z!Qw#2v;T";
    for (text, rule, secret) in [
        (format!("a: 1\ndb_password: {words}\nb: 2"), "generic-passphrase", words),
        (format!("password = \"{words}\""), "generic-passphrase", words),
        (format!("  DB_PASSWORD={signs}\r\nX=1"), "generic-password", signs),
        (format!("export DB_PASSWORD={signs};\n"), "generic-password", signs),
    ] {
        assert_eq!(places(&text), [(rule.to_owned(), secret)], "{text}");
    }
    // In a list of arguments the value ends at the comma.
    assert_eq!(places(&format!("connect(a, password={signs})")), []);
}

#[test]
fn what_stands_in_the_place_of_a_private_key_is_found_whole() {
    let (begin, end) = ("-----BEGIN EC PRIVATE KEY-----", "-----END EC PRIVATE KEY-----");
    for body in ["one two three", "one two three\nfour five\nsix", "Ab3dEf6h"] {
        for ends in ["\n", "\r\n"] {
            let body = body.replace('\n', ends);
            let text = format!("a{ends}{begin}{ends}{body}{ends}{end}{ends}");
            assert_eq!(places(&text), [("private-key-block".to_owned(), body.as_str())], "{text}");
        }
    }
}

#[test]
fn a_filled_form_is_found_as_a_stand_in_and_as_nothing_else() {
    let guard = guard();
    for (head, count) in [("AKIA", 16), ("AP6", 10), ("AKC", 20), ("SK", 32), ("ghp_", 36), ("xoxb-", 0)] {
        let text = match count {
            0 => format!("{head}{}-{}", "X".repeat(12), "X".repeat(24)),
            count => format!("key: {head}{}", "X".repeat(count)),
        };
        let found: Vec<_> = guard.scan(&text).into_iter().map(|found| (found.class, found.rule)).collect();
        assert_eq!(found, [("stand-in".to_owned(), "stand-in-token".to_owned())], "{text}");
    }
}
