//! Anthropic's own search of the web: what it looked for, what it found, and what the answer rests on.

use std::collections::BTreeMap;

use serde_json::Value;

use super::wire::SEARCH_NAME;
use crate::Source;

/// What has been searched for in one answer.
#[derive(Debug, Default)]
pub(super) struct Searches {
    /// The words of each call that has not found anything yet, by its id.
    asked: BTreeMap<String, String>,
    /// How old each page is, by its address. A citation does not say it again.
    ages: BTreeMap<String, String>,
}

impl Searches {
    /// Notes a call of the tool; its input is whole.
    pub(super) fn asks(&mut self, block: &Value, input: &Value) {
        if block["name"] != SEARCH_NAME {
            return;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.asked.insert(text(&block["id"]), text(&input["query"]));
    }

    /// Notes what a call has found; the words that were searched for, if it found something. A search that failed is not
    /// charged and counts as none.
    pub(super) fn finds(&mut self, block: &Value) -> Option<String> {
        let asked = self.asked.remove(block["tool_use_id"].as_str().unwrap_or_default()).unwrap_or_default();
        let found = block["content"].as_array()?;
        for result in found {
            if let (Some(url), Some(age)) = (result["url"].as_str(), result["page_age"].as_str()) {
                self.ages.insert(url.to_owned(), age.to_owned());
            }
        }
        Some(asked)
    }

    /// The annotation of a citation, for the characters of the answer that it stands with.
    pub(super) fn cites(&self, citation: &Value, place: (u64, u64)) -> Option<Value> {
        if citation["type"] != "web_search_result_location" {
            return None;
        }
        let text = |name: &str| citation[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let url = text("url")?;
        let page_age = self.ages.get(&url).cloned();
        let source =
            Source { title: text("title").unwrap_or_default(), page_age, quote: text("cited_text"), url };
        Some(source.annotation(Some(place)))
    }
}
