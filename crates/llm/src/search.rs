//! Searching the web: what a request lets the provider look up, and what the answer rests on.
//!
//! The canonical request says it in a field of its own, `web_search`; chat completions have none for it. The answer says
//! it as chat completions do: `annotations` of the type `url_citation` on the message, with `content` for the words of the
//! source as OpenRouter has them, and `page_age` as Anthropic has it. What was looked for stands beside them in
//! `web_searches`.
//!
//! Prices of results: a provider reads what it found as further prompt, and reads it again for each search that follows.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Fields, LlmError};

/// The name of the field.
pub const FIELD: &str = "web_search";

/// Tokens that the results of one search have, at most as a rule. From the answers of providers that tell: ten results, each
/// with a few passages.
const RESULT_TOKENS: u64 = 10_000;

/// What a request lets the provider look up on the web.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebSearch {
    /// The most searches.
    pub max_uses: u64,
    /// The only hosts that are searched; every one when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_domains: Vec<String>,
}

impl WebSearch {
    /// The most searches that a request may ask for.
    pub const MOST_USES: u64 = 20;
    /// The most hosts. No provider that can be told takes fewer.
    pub const MOST_DOMAINS: usize = 5;

    /// What a request asks for, checked.
    pub(crate) fn of(fields: &Fields) -> Result<Option<Self>, LlmError> {
        let Some(search) = fields.read::<Self>(FIELD)? else { return Ok(None) };
        search.check().map(|()| Some(search))
    }

    /// Whether it can be asked.
    ///
    /// # Errors
    /// [`LlmError::Malformed`], with what is wrong.
    pub fn check(&self) -> Result<(), LlmError> {
        let refuse = |why: String| Err(LlmError::Malformed(format!("field `{FIELD}`: {why}")));
        if !(1..=Self::MOST_USES).contains(&self.max_uses) {
            return refuse(format!("`max_uses` is a number from 1 to {}", Self::MOST_USES));
        }
        if self.allowed_domains.len() > Self::MOST_DOMAINS {
            return refuse(format!("there may be {} `allowed_domains` at most", Self::MOST_DOMAINS));
        }
        match self.allowed_domains.iter().find(|domain| !is_host(domain)) {
            Some(domain) => refuse(format!("`{domain}` is not the name of a host, such as `docs.rs`")),
            None => Ok(()),
        }
    }

    /// The tokens of the prompt that are read in all, at most as a rule: after each search the model reads everything
    /// again with what was found.
    pub fn most_input_tokens(&self, prompt: u64) -> u64 {
        let rounds = prompt.saturating_mul(self.max_uses.saturating_add(1));
        rounds.saturating_add(self.found(self.max_uses))
    }

    /// The same for the usual case: half of the searches, and at least one.
    pub fn usual_input_tokens(&self, prompt: u64) -> u64 {
        let uses = self.usual_uses();
        prompt.saturating_mul(uses.saturating_add(1)).saturating_add(self.found(uses))
    }

    /// How many searches are made as a rule.
    pub fn usual_uses(&self) -> u64 {
        self.max_uses.div_ceil(2)
    }

    /// The tokens of results that are read for so many searches.
    fn found(&self, uses: u64) -> u64 {
        (1..=uses).sum::<u64>().saturating_mul(RESULT_TOKENS)
    }
}

fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(plain)
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}

/// How a provider keeps to the most searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchLimit {
    /// It is told the number and makes no more.
    Kept,
    /// It cannot be told; the request asks the model not to make more.
    Asked,
}

/// Something on the web that an answer rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Where it is. Whatever the provider sent: not every text here is an address.
    pub url: String,
    /// What it is called.
    pub title: String,
    /// How old it is, in the provider's words, where it says so.
    pub page_age: Option<String>,
    /// The words of it that were used, where the provider gives them.
    pub quote: Option<String>,
}

impl Source {
    /// The annotation of a source. The places are those of the words in the answer that rest on it, in characters.
    pub(crate) fn annotation(&self, place: Option<(u64, u64)>) -> Value {
        let mut citation = json!({ "url": self.url, "title": self.title });
        if let Some((start, end)) = place {
            citation["start_index"] = start.into();
            citation["end_index"] = end.into();
        }
        if let Some(quote) = &self.quote {
            citation["content"] = quote.as_str().into();
        }
        if let Some(age) = &self.page_age {
            citation["page_age"] = age.as_str().into();
        }
        json!({ "type": "url_citation", "url_citation": citation })
    }

    /// The source of an annotation, in the form of chat completions or in the flat one of the responses API.
    pub(crate) fn cited(annotation: &Value) -> Option<Source> {
        if annotation["type"] != "url_citation" {
            return None;
        }
        let cited = annotation.get("url_citation").unwrap_or(annotation);
        let text = |name: &str| cited[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        Some(Source {
            url: text("url")?,
            title: text("title").unwrap_or_default(),
            page_age: text("page_age"),
            quote: text("content"),
        })
    }
}

/// The unknown field of a message, or of a piece of one, that says what it rests on.
pub(crate) const SOURCES: &str = "annotations";

/// The one that says what was looked for.
pub(crate) const QUERIES: &str = "web_searches";

/// What a piece of an answer rests on, to be laid into its unknown fields.
pub(crate) fn cited(annotations: Vec<Value>) -> (&'static str, Value) {
    (SOURCES, Value::Array(annotations))
}

/// The same for what was looked for. A search of which the words are not known is an empty text.
pub(crate) fn searched(queries: Vec<String>) -> (&'static str, Value) {
    (QUERIES, json!(queries))
}

/// The sources in the field [`SOURCES`].
pub(crate) fn sources(field: Option<&Value>) -> Vec<Source> {
    field.and_then(Value::as_array).into_iter().flatten().filter_map(Source::cited).collect()
}

/// What was looked for, according to the field [`QUERIES`].
pub(crate) fn queries(field: Option<&Value>) -> Vec<String> {
    let list = field.and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(json: &str) -> Result<Option<WebSearch>, LlmError> {
        WebSearch::of(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn what_cannot_be_asked_is_refused_by_name() {
        assert_eq!(search("{}").unwrap(), None);
        let found =
            search(r#"{"web_search":{"max_uses":3,"allowed_domains":["docs.rs"]}}"#).unwrap().unwrap();
        assert_eq!((found.max_uses, found.allowed_domains), (3, vec!["docs.rs".to_owned()]));
        for (field, why) in [
            (r#"{"max_uses":0}"#, "from 1 to 20"),
            (r#"{"max_uses":21}"#, "from 1 to 20"),
            (r#"{"max_uses":1,"allowed_domains":["https://docs.rs"]}"#, "not the name of a host"),
            (r#"{"max_uses":1,"allowed_domains":["localhost"]}"#, "not the name of a host"),
            (
                r#"{"max_uses":1,"allowed_domains":["a.b","a.c","a.d","a.e","a.f","a.g"]}"#,
                "5 `allowed_domains`",
            ),
            (r#"{"max_uses":1,"blocked":[]}"#, "web_search"),
        ] {
            let refused = search(&format!(r#"{{"web_search":{field}}}"#)).unwrap_err().to_string();
            assert!(refused.contains(why), "{field}: {refused}");
        }
    }

    #[test]
    fn every_search_reads_all_that_was_found_before() {
        let search = |max_uses| WebSearch { max_uses, allowed_domains: Vec::new() };
        assert_eq!(search(1).most_input_tokens(500), 2 * 500 + 10_000);
        assert_eq!(search(3).most_input_tokens(500), 4 * 500 + 60_000);
        assert_eq!(search(3).usual_input_tokens(500), 3 * 500 + 30_000);
    }

    #[test]
    fn a_source_is_read_from_either_form() {
        let source = Source {
            url: "https://a.example/x".into(),
            title: "X".into(),
            page_age: Some("May 1, 2026".into()),
            quote: Some("as it says".into()),
        };
        let (name, field) = cited(vec![source.annotation(Some((1, 4)))]);
        assert_eq!((name, sources(Some(&field))), (SOURCES, vec![source.clone()]));
        let flat =
            json!({ "type": "url_citation", "url": "https://a.example/x", "title": "X", "start_index": 1 });
        assert_eq!(Source::cited(&flat), Some(Source { page_age: None, quote: None, ..source }));
        for foreign in
            [json!({ "type": "file_citation", "url": "x" }), json!({ "type": "url_citation" }), json!(7)]
        {
            assert_eq!(Source::cited(&foreign), None);
        }
    }
}
