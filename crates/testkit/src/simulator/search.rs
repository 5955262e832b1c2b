//! Searches of the web, as the providers' own tools make them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Behaviour;
use super::prompt::between;

/// A page that a search finds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Page {
    /// Its address.
    pub url: String,
    /// Its title.
    pub title: String,
    /// How old it is, for providers that say so.
    pub age: Option<String>,
    /// The words that are cited, for providers that give them.
    pub quote: String,
}

impl Page {
    fn usual() -> Vec<Page> {
        let page = |url: &str, title: &str, age: Option<&str>, quote: &str| Page {
            url: url.into(),
            title: title.into(),
            age: age.map(Into::into),
            quote: quote.into(),
        };
        vec![
            page(
                "https://docs.example/retry",
                "Retrying – docs",
                Some("April 30, 2026"),
                "A limit of three is usual.",
            ),
            page("https://blog.example/ä", "Über Wiederholungen", None, "Never without a pause."),
        ]
    }
}

/// Searches per answer, where as many are allowed.
const SEARCHES: u64 = 2;

/// Tokens of what each search brings.
pub(super) const RESULT_TOKENS: u64 = 1_000;

/// What was looked for and found.
pub(super) struct Search {
    pub queries: Vec<String>,
    pub pages: Vec<Page>,
}

impl Search {
    /// What is made of a request that allows so many searches.
    pub(super) fn of(allowed: u64, body: &Value, behaviour: &Behaviour) -> Self {
        let question = question(body);
        let queries = (1..=SEARCHES.min(allowed)).map(|n| format!("{question} ({n})")).collect();
        Self { queries, pages: behaviour.pages.clone().unwrap_or_else(Page::usual) }
    }

    /// How many searches there were.
    pub(super) fn count(&self) -> u64 {
        self.queries.len() as u64
    }

    /// Citations as chat completions and, flat, the responses API have them.
    pub(super) fn annotations(&self, text: &str, flat: bool) -> Value {
        let end = text.chars().count();
        let one = |page: &Page| {
            let mut citation =
                json!({ "url": page.url, "title": page.title, "start_index": 0, "end_index": end });
            if flat {
                citation["type"] = "url_citation".into();
                return citation;
            }
            citation["content"] = page.quote.as_str().into();
            json!({ "type": "url_citation", "url_citation": citation })
        };
        self.pages.iter().map(one).collect()
    }
}

/// What a request is about that has a question to be looked up: its text, or nothing.
pub(super) fn question(body: &Value) -> String {
    let text = super::prompt::said(body);
    let opening = text.find("<question").map_or("", |at| &text[at + "<question".len()..]);
    let boundary = opening.split('>').next().unwrap_or_default();
    let found = between(&text, &format!("<question{boundary}>"), &format!("</question{boundary}>"));
    found.map_or_else(String::new, |(question, _)| question.trim().to_owned())
}

/// What the answer says where nothing else was wanted.
pub(super) fn answer(body: &Value) -> String {
    format!("Looked up: {}\n\nA limit of three is usual.", question(body))
}
