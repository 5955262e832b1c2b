//! OpenRouter: chat completions of many providers, with the cost in the usage and errors inside a success.

use serde_json::json;

use super::compatible::older_limit_name;
use super::openai::chat_request;
use super::{WireRequest, ask_for_stream};
use crate::{ChatRequest, LlmError};

/// How many results OpenRouter's search brings: it is paid by the result.
const RESULTS: u64 = 5;

pub(super) fn encode(mut request: ChatRequest, upstream_model: &str) -> Result<WireRequest, LlmError> {
    let mut notes = Vec::new();
    // Usage always comes; the option has no effect there.
    ask_for_stream(&mut request, upstream_model, false, &mut notes)?;
    older_limit_name(&mut request, &mut notes);
    search(&mut request, &mut notes)?;
    chat_request(request, notes)
}

/// The plugin searches once for a request, whatever was asked: a bound that is kept.
fn search(request: &mut ChatRequest, notes: &mut Vec<String>) -> Result<(), LlmError> {
    let Some(search) = request.web_search.take() else { return Ok(()) };
    request.fields.remove(crate::search::FIELD);
    let mut plugin = json!({ "id": "web", "max_results": RESULTS });
    if !search.allowed_domains.is_empty() {
        plugin["include_domains"] = json!(search.allowed_domains);
    }
    let mut plugins: Vec<serde_json::Value> = request.fields.read("plugins")?.unwrap_or_default();
    plugins.retain(|plugin| plugin["id"] != "web");
    plugins.push(plugin);
    request.fields.set("plugins", &plugins)?;
    notes.push(format!("asked for one web search of {RESULTS} results, by the plugin"));
    Ok(())
}
