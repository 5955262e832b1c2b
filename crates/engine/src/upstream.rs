//! Whether the proxy sent what was approved: what it says it sent is made again here, and compared.

use crate::audit::OUTCOME;
use crate::wire::{AuditOutcome, Target};
use gateway::Served;
use llm::upstream::{HEADER_UPSTREAM, Upstream, Verdict};

/// The word of a request that was sent as it was approved.
const SAME: &str = "same";

/// The words of requests that were not, with what a person has to know.
const ALARMS: [(&str, &str); 4] = [
    ("not_told", "The server does not say what it sent to the provider, so that could not be checked."),
    ("elsewhere", "The server says that it sent the request to somebody who was not approved"),
    ("changed", "The server says that it changed the request before it sent it"),
    (
        "different",
        "What the server sent to the provider is not what was approved. Ask whoever runs the server.",
    ),
];

/// The most of a server's words that is repeated.
const MOST_WORDS: usize = 300;

/// What a person has to know of a request with this word in the record.
pub(crate) fn alarm(word: &str) -> Option<&'static str> {
    ALARMS.iter().find(|(known, _)| *known == word).map(|(_, message)| *message)
}

/// What the comparison says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compared {
    /// For the record: `same`, `other_version`, or one of [`ALARMS`].
    pub word: &'static str,
    /// What a person has to know.
    pub alarm: Option<String>,
}

fn alarmed(word: &'static str, more: &str) -> Compared {
    // A server's own words: made harmless, and not too many.
    let shown = |c: char| if plan::path::is_invisible(c) { '\u{fffd}' } else { c };
    let more: String = more.chars().take(MOST_WORDS).map(shown).collect();
    let message = alarm(word).unwrap_or_default();
    Compared {
        word,
        alarm: Some(if more.is_empty() { message.to_owned() } else { format!("{message}: {more}.") }),
    }
}

/// Compares what a server says it sent with what the approved request becomes. `None` where no server stood in between.
pub(crate) fn compare(target: &Target, served: Option<&Served>, canonical: &[u8]) -> Option<Compared> {
    if target.dialect.is_some() {
        return None;
    }
    let told = served?.header(HEADER_UPSTREAM).and_then(|header| Upstream::parse(header).ok());
    let Some(upstream) = told else { return Some(alarmed("not_told", "")) };
    let place = (upstream.provider.clone(), upstream.model.clone());
    if !target.destinations.contains(&place) {
        return Some(alarmed("elsewhere", &format!("{}/{}", upstream.provider, upstream.model)));
    }
    Some(match upstream.check(canonical) {
        Verdict::Same => Compared { word: SAME, alarm: None },
        Verdict::OtherVersion => Compared { word: "other_version", alarm: None },
        Verdict::Changed(changes) => alarmed("changed", &changes.join(", ")),
        Verdict::Different => alarmed("different", ""),
    })
}

/// How many requests went through a server that sent what was approved, and how many through one that says something
/// else or nothing.
pub(crate) fn told(db: &store::Db<'_>) -> store::Result<(u64, u64)> {
    let (mut same, mut alarms) = (0, 0);
    store::audit::each(db, OUTCOME, |record| {
        let outcome = serde_json::from_slice::<AuditOutcome>(record).ok();
        match outcome.and_then(|outcome| outcome.upstream).as_deref() {
            Some(SAME) => same += 1,
            Some(word) if alarm(word).is_some() => alarms += 1,
            _ => {}
        }
    })?;
    Ok((same, alarms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use llm::upstream::TRANSLATIONS;
    const CANONICAL: &[u8] = br#"{"model":"m","messages":[{"role":"user","content":"Retry"}],"stream":true}"#;

    fn target(dialect: &str) -> Target {
        let json = format!(
            r#"{{"door":"server","base_url":"https://plans.example","dialect":{dialect},"provider":"server","model":"m",
                "destinations":[["anthropic","sonnet"]],"prices":null}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn sent() -> Upstream {
        let limits = llm::ModelLimits::default();
        let dialect = llm::Dialect::Anthropic;
        let wire = llm::encode(dialect, CANONICAL, "sonnet", &limits).unwrap();
        Upstream {
            translations: TRANSLATIONS,
            provider: "anthropic".into(),
            model: "sonnet".into(),
            dialect,
            limits,
            body_hash: hex::encode(llm::body_hash(&wire.body)),
            changes: Vec::new(),
        }
    }

    fn said(header: Option<&Upstream>) -> Compared {
        let headers = header.map(|upstream| (HEADER_UPSTREAM.to_owned(), upstream.header().unwrap()));
        let served = Served {
            provider: "server".into(),
            model: "m".into(),
            status: 200,
            headers: headers.into_iter().collect(),
        };
        compare(&target("null"), Some(&served), CANONICAL).unwrap()
    }

    #[test]
    fn a_server_that_sends_something_else_is_found_out() {
        assert_eq!(said(Some(&sent())), Compared { word: "same", alarm: None });
        let mut other = sent();
        other.body_hash = other.body_hash.replace(&other.body_hash[..2], "zz");
        for (upstream, word) in [
            (Some(other), "different"),
            (Some(Upstream { model: "haiku".into(), ..sent() }), "elsewhere"),
            (Some(Upstream { provider: "elsewhere".into(), ..sent() }), "elsewhere"),
            (Some(Upstream { changes: vec!["redacted 2".into()], ..sent() }), "changed"),
            (None, "not_told"),
        ] {
            let compared = said(upstream.as_ref());
            assert_eq!(compared.word, word);
            assert!(compared.alarm.is_some(), "{word}");
        }
    }

    #[test]
    fn a_provider_that_is_asked_directly_is_not_asked_what_it_got() {
        let served = Served { provider: "p".into(), model: "m".into(), status: 200, headers: Vec::new() };
        assert_eq!(compare(&target("\"compatible\""), Some(&served), CANONICAL), None);
        assert!(compare(&target("null"), Some(&served), CANONICAL).is_some());
    }
}
