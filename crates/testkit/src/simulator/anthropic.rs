//! The wire form of Anthropic messages.

use serde_json::{Value, json};

use super::openai::pieces;
use super::plans::Answer;
use super::search::{RESULT_TOKENS, Search};
use super::serve::Reply;
use super::shape::Shape;
use super::{Behaviour, Page, Style};

const ID: &str = "msg_simulated";

/// Every field the real endpoint accepts; another one is an error there.
const FIELDS: [&str; 17] = [
    "model",
    "messages",
    "max_tokens",
    "system",
    "stream",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "tools",
    "tool_choice",
    "metadata",
    "thinking",
    "output_config",
    "service_tier",
    "container",
    "context_management",
];

/// Refuses what the real endpoint refuses.
pub(super) fn refusal(body: &Value, version: Option<&str>) -> Option<String> {
    if version.is_none() {
        return Some("anthropic-version: header is required".into());
    }
    if let Some(unknown) = body.as_object()?.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return Some(format!("{unknown}: Extra inputs are not permitted"));
    }
    if body["max_tokens"].as_u64().is_none_or(|tokens| tokens == 0) {
        return Some("max_tokens: Field required".into());
    }
    if body["temperature"].as_f64().is_some_and(|value| value > 1.0) {
        return Some("temperature: range: 0..1".into());
    }
    let messages = body["messages"].as_array().filter(|messages| !messages.is_empty());
    let Some(messages) = messages else { return Some("messages: at least one message is required".into()) };
    if let Some(problem) = tools(body) {
        return Some(problem);
    }
    let mut last = "";
    for (at, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if !matches!(role, "user" | "assistant") {
            return Some(format!("messages.{at}.role: Input should be 'user' or 'assistant'"));
        }
        if role == last {
            return Some("messages: roles must alternate between \"user\" and \"assistant\"".into());
        }
        last = role;
        if let Some(problem) = blocks(at, message) {
            return Some(problem);
        }
    }
    None
}

fn tools(body: &Value) -> Option<String> {
    let mut names = Vec::new();
    for (at, tool) in body["tools"].as_array().into_iter().flatten().enumerate() {
        match tool["type"].as_str() {
            None | Some("custom") if tool["input_schema"].is_object() => {}
            Some("web_search_20250305") if tool["name"] == "web_search" => {
                if tool["max_uses"] == 0 {
                    return Some(format!("tools.{at}.max_uses: Input should be greater than 0"));
                }
            }
            _ => return Some(format!("tools.{at}: Input does not match any of the expected tags")),
        }
        if names.contains(&&tool["name"]) {
            return Some("tools: Tool names must be unique.".into());
        }
        names.push(&tool["name"]);
    }
    None
}

fn blocks(at: usize, message: &Value) -> Option<String> {
    let mut text_seen = false;
    for block in message["content"].as_array().into_iter().flatten() {
        match block["type"].as_str() {
            Some("text") => {
                text_seen = true;
                if block["text"].as_str().is_none_or(|text| text.trim().is_empty()) {
                    return Some(format!(
                        "messages.{at}: text content blocks must contain non-whitespace text"
                    ));
                }
            }
            Some("tool_result") if text_seen => {
                return Some(format!("messages.{at}: tool_result blocks must come first"));
            }
            Some("tool_use") if !block["input"].is_object() => {
                return Some(format!("messages.{at}: tool_use.input: Input should be a valid dictionary"));
            }
            _ => {}
        }
    }
    None
}

pub(super) fn error(status: u16, message: &str) -> Value {
    let kind = match status {
        401 => "authentication_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": "req_simulated" })
}

pub(super) fn reply(body: &Value, raw_length: usize, answer: &Answer, behaviour: &Behaviour) -> Reply {
    let model = body["model"].as_str().unwrap_or_default();
    let pauses = behaviour.pause_turn && answer.search.is_some();
    let stop = match (behaviour.style, answer.cut) {
        _ if pauses => "pause_turn",
        (Style::Tools, _) => "tool_use",
        (_, true) => "max_tokens",
        (_, false) => "end_turn",
    };
    let searches = answer.search.as_ref().map_or(0, Search::count);
    let prompt = raw_length.div_ceil(4) as u64 + searches * RESULT_TOKENS;
    let mut usage = json!({
        "input_tokens": prompt.saturating_sub(behaviour.cached_tokens),
        "cache_read_input_tokens": behaviour.cached_tokens,
        "cache_creation_input_tokens": 0,
        "output_tokens": answer.text.len().div_ceil(4),
    });
    if searches > 0 {
        usage["server_tool_use"] = json!({ "web_search_requests": searches });
    }
    let mut blocks = match behaviour.style {
        Style::Tools => json!([
            { "type": "text", "text": "Let me look." },
            { "type": "tool_use", "id": "toolu_a", "name": "read_file", "input": { "path": "src/ä.rs" } },
            { "type": "tool_use", "id": "toolu_b", "name": "list_files", "input": {} },
        ]),
        _ => answered(answer),
    };
    if pauses && let Some(blocks) = blocks.as_array_mut() {
        // What it would say after its searches comes when it is asked to go on.
        blocks.pop();
    }
    let mut message = json!({
        "id": ID, "type": "message", "role": "assistant", "model": model, "content": blocks,
        "stop_reason": stop, "stop_sequence": null, "usage": usage,
    });
    if body["stream"] == true {
        return Reply::events(Shape::Anthropic, stream(&message, behaviour));
    }
    if behaviour.no_usage {
        message["usage"] = Value::Null;
    }
    Reply::json(200, &message)
}

/// The text, after the searches that it rests on.
fn answered(answer: &Answer) -> Value {
    let Some(search) = &answer.search else { return json!([{ "type": "text", "text": answer.text }]) };
    let mut blocks = vec![json!({ "type": "text", "text": "I look that up.\n\n" })];
    for (at, query) in search.queries.iter().enumerate() {
        let id = format!("srvtoolu_{at}");
        blocks.push(
            json!({ "type": "server_tool_use", "id": id, "name": "web_search", "input": { "query": query } }),
        );
        let found = |page: &Page| {
            json!({ "type": "web_search_result", "url": page.url, "title": page.title,
                "encrypted_content": "c2ltdWxhdGVk", "page_age": page.age })
        };
        let found: Vec<Value> = search.pages.iter().map(found).collect();
        blocks.push(json!({ "type": "web_search_tool_result", "tool_use_id": id, "content": found }));
    }
    let cited = |page: &Page| {
        json!({ "type": "web_search_result_location", "url": page.url, "title": page.title,
            "encrypted_index": "c2lt", "cited_text": page.quote })
    };
    let citations: Vec<Value> = search.pages.iter().map(cited).collect();
    blocks.push(json!({ "type": "text", "text": answer.text, "citations": citations }));
    Value::Array(blocks)
}

fn stream(message: &Value, behaviour: &Behaviour) -> Vec<String> {
    let mut start = message.clone();
    start["content"] = json!([]);
    start["stop_reason"] = Value::Null;
    start["usage"]["output_tokens"] = 1.into();
    if let Some(usage) = start["usage"].as_object_mut() {
        // Told when it has been done.
        usage.remove("server_tool_use");
    }
    if behaviour.no_usage {
        start["usage"] = json!({});
    }
    let mut events = vec![json!({ "type": "message_start", "message": start }), json!({ "type": "ping" })];
    for (index, block) in message["content"].as_array().into_iter().flatten().enumerate() {
        block_events(index, block, &mut events);
    }
    let mut delta = json!({
        "type": "message_delta",
        "delta": { "stop_reason": message["stop_reason"], "stop_sequence": null },
        "usage": { "output_tokens": message["usage"]["output_tokens"] },
    });
    if !message["usage"]["server_tool_use"].is_null() {
        delta["usage"] = message["usage"].clone();
    }
    if behaviour.no_usage {
        delta["usage"] = json!({});
    }
    events.push(delta);
    events.push(json!({ "type": "message_stop" }));
    events.iter().map(Value::to_string).collect()
}

fn block_events(index: usize, block: &Value, events: &mut Vec<Value>) {
    let mut head = block.clone();
    let deltas: Vec<Value> = if block["type"] == "web_search_tool_result" {
        // Comes whole.
        Vec::new()
    } else if block["type"] == "tool_use" || block["type"] == "server_tool_use" {
        head["input"] = json!({});
        // A call without arguments gets no delta at all.
        let text = match block["input"].as_object() {
            Some(input) if input.is_empty() => String::new(),
            _ => block["input"].to_string(),
        };
        pieces(&text).map(|piece| json!({ "type": "input_json_delta", "partial_json": piece })).collect()
    } else {
        head["text"] = "".into();
        if block["citations"].is_array() {
            head["citations"] = json!([]);
        }
        let text = block["text"].as_str().unwrap_or_default();
        let cited = block["citations"].as_array().into_iter().flatten();
        let cited = cited.map(|citation| json!({ "type": "citations_delta", "citation": citation }));
        let told = pieces(text).map(|piece| json!({ "type": "text_delta", "text": piece }));
        cited.chain(told).collect()
    };
    events.push(json!({ "type": "content_block_start", "index": index, "content_block": head }));
    let delta = |delta| json!({ "type": "content_block_delta", "index": index, "delta": delta });
    events.extend(deltas.into_iter().map(delta));
    events.push(json!({ "type": "content_block_stop", "index": index }));
}
