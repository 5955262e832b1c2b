//! The wire form of the responses API, OpenAI's and xAI's.

use serde_json::{Value, json};

use super::openai::{calls, pieces};
use super::plans::Answer;
use super::search::{RESULT_TOKENS, Search};
use super::serve::Reply;
use super::shape::Shape;
use super::{Behaviour, Style};

/// Every field the real endpoint accepts; another one is an error there.
const FIELDS: [&str; 27] = [
    "background",
    "client_metadata",
    "context_management",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "truncation",
    "user",
];

/// Refuses what the real endpoint refuses.
pub(super) fn refusal(body: &Value) -> Option<String> {
    if let Some(unknown) = body.as_object()?.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return Some(format!("Unknown parameter: '{unknown}'."));
    }
    if body["input"].as_str().is_some_and(|text| !text.is_empty()) {
        return None;
    }
    let items = body["input"].as_array().filter(|items| !items.is_empty());
    let Some(items) = items else { return Some("Missing required parameter: 'input'.".into()) };
    let mut open: Vec<&str> = Vec::new();
    for item in items {
        let call_id = item["call_id"].as_str().unwrap_or_default();
        match item["type"].as_str() {
            Some("function_call") => open.push(call_id),
            Some("function_call_output") if !open.contains(&call_id) => {
                return Some(format!("No tool call found for function call output with call_id {call_id}."));
            }
            Some("function_call_output") => open.retain(|open| *open != call_id),
            _ => {}
        }
    }
    open.first().map(|call_id| format!("No tool output found for function call {call_id}."))
}

pub(super) fn error_event() -> Value {
    json!({ "type": "error", "code": "server_error", "message": "Overloaded", "param": null })
}

pub(super) fn reply(
    shape: Shape,
    body: &Value,
    raw_length: usize,
    answer: &Answer,
    behaviour: &Behaviour,
) -> Reply {
    let searches = answer.search.as_ref().map_or(0, Search::count);
    let found = usize::try_from(searches * RESULT_TOKENS).unwrap_or_default();
    let (prompt, told) = (raw_length.div_ceil(4) + found, answer.text.len().div_ceil(4));
    let mut usage = json!({
        "input_tokens": prompt, "input_tokens_details": { "cached_tokens": behaviour.cached_tokens },
        "output_tokens": told, "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": prompt + told,
    });
    if shape == Shape::Xai && searches > 0 {
        usage["server_side_tool_usage_details"] = json!({ "web_search_calls": searches });
    }
    let output = output(answer, behaviour);
    let mut response = json!({ "id": "resp_simulated", "object": "response", "created_at": 1_750_000_000,
        "status": "in_progress", "model": body["model"], "output": [], "usage": null });
    let begun = response.clone();
    response["status"] = if answer.cut { "incomplete" } else { "completed" }.into();
    if answer.cut {
        response["incomplete_details"] = json!({ "reason": "max_output_tokens" });
    }
    if !behaviour.no_usage {
        response["usage"] = usage;
    }
    response["output"] = Value::Array(output.clone());
    if body["stream"] != true {
        return Reply::json(200, &response);
    }
    let mut events = vec![json!({ "type": "response.created", "response": begun })];
    for (at, item) in output.iter().enumerate() {
        item_events(shape, at, item, &mut events);
    }
    events.push(json!({ "type": format!("response.{}", response["status"].as_str().unwrap_or_default()), "response": response }));
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = number.into();
    }
    Reply::events(shape, events.iter().map(Value::to_string).collect())
}

fn output(answer: &Answer, behaviour: &Behaviour) -> Vec<Value> {
    if behaviour.style != Style::Tools {
        let annotations =
            answer.search.as_ref().map_or_else(|| json!([]), |search| search.annotations(&answer.text, true));
        let content = json!([{ "type": "output_text", "text": answer.text, "annotations": annotations }]);
        let message = json!({ "id": "m", "type": "message", "role": "assistant", "content": content });
        return searched(answer).into_iter().chain([message]).collect();
    }
    let reasoning = json!({ "id": "r", "type": "reasoning", "summary": [], "encrypted_content": "c2lt" });
    let call = |call: &Value| {
        // A call without arguments has none at all.
        let arguments =
            call["function"]["arguments"].as_str().filter(|text| *text != "{}").unwrap_or_default();
        json!({ "id": format!("fc_{}", call["id"].as_str().unwrap_or_default()), "type": "function_call", "call_id": call["id"], "name": call["function"]["name"], "arguments": arguments })
    };
    let all = calls();
    std::iter::once(reasoning).chain(all.as_array().into_iter().flatten().map(call)).collect()
}

/// A call for each search, and one that opens a page, which is not a search.
fn searched(answer: &Answer) -> Vec<Value> {
    let Some(search) = &answer.search else { return Vec::new() };
    let call = |(at, action): (usize, Value)| json!({ "id": format!("ws_{at}"), "type": "web_search_call", "status": "completed", "action": action });
    let searches = search.queries.iter().map(|query| json!({ "type": "search", "query": query }));
    let opened = search.pages.first().map(|page| json!({ "type": "open_page", "url": page.url }));
    searches.chain(opened).enumerate().map(call).collect()
}

fn item_events(shape: Shape, at: usize, item: &Value, events: &mut Vec<Value>) {
    let mut begun = item.clone();
    match item["type"].as_str() {
        Some("message") => begun["content"] = json!([]),
        Some("web_search_call") => {
            begun["status"] = "in_progress".into();
            begun["action"] = Value::Null;
        }
        // xAI sends a call whole.
        Some("function_call") if shape == Shape::Responses => begun["arguments"] = "".into(),
        _ => {}
    }
    events.push(json!({ "type": "response.output_item.added", "output_index": at, "item": begun }));
    let named = |kind: &str, more: Value| {
        let mut event = json!({ "type": kind, "item_id": item["id"], "output_index": at });
        let more = more.as_object().cloned().unwrap_or_default();
        event.as_object_mut().into_iter().for_each(|event| event.extend(more.clone()));
        event
    };
    if let Some(text) = item["content"][0]["text"].as_str() {
        let part = |text: &str| json!({ "content_index": 0, "part": { "type": "output_text", "text": text, "annotations": [] } });
        events.push(named("response.content_part.added", part("")));
        events.extend(
            pieces(text).map(|text| {
                named("response.output_text.delta", json!({ "content_index": 0, "delta": text }))
            }),
        );
        let annotations = item["content"][0]["annotations"].as_array().into_iter().flatten();
        events.extend(annotations.enumerate().map(|(at, annotation)| {
            let more = json!({ "content_index": 0, "annotation_index": at, "annotation": annotation });
            named("response.output_text.annotation.added", more)
        }));
        events.push(named("response.output_text.done", json!({ "content_index": 0, "text": text })));
        events.push(named("response.content_part.done", part(text)));
    }
    if let Some(arguments) = item["arguments"].as_str().filter(|_| shape == Shape::Responses) {
        let kind = "response.function_call_arguments";
        events
            .extend(pieces(arguments).map(|text| named(&format!("{kind}.delta"), json!({ "delta": text }))));
        events.push(named(&format!("{kind}.done"), json!({ "arguments": arguments })));
    }
    events.push(json!({ "type": "response.output_item.done", "output_index": at, "item": item }));
}
