//! OpenAI's responses: in as a request, out as a response or its stream. Nothing is stored: what needs storage is
//! refused, and `store` is answered with `false`.

mod answer;
mod items;
mod pass;
mod request;
mod stream;
pub(super) mod xai;

pub(super) use answer::answer;
pub(super) use pass::pass;
pub(super) use request::{echo, translate};
pub(super) use stream::Writer;

use serde_json::{Map, Value, json};

use super::Opening;
use crate::{FinishReason, Usage};

/// The id of a response, and what the ids of its items are made of.
fn stem(given: &str, request_id: &str) -> String {
    let given = if given.is_empty() { request_id } else { given };
    given.strip_prefix("resp_").unwrap_or(given).to_owned()
}

/// A response object without output, in this state.
fn object(
    opening: &Opening,
    echo: &Map<String, Value>,
    (stem, model): (&str, &str),
    status: &str,
) -> Map<String, Value> {
    let Value::Object(mut object) = json!({
        "id": format!("resp_{stem}"),
        "object": "response",
        "created_at": opening.created,
        "status": status,
        "background": false,
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "max_output_tokens": null,
        "max_tool_calls": null,
        "model": model,
        "output": [],
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "reasoning": { "effort": null, "summary": null },
        "store": false,
        "temperature": null,
        "text": { "format": { "type": "text" } },
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": null,
        "truncation": "disabled",
        "usage": null,
        "user": null,
        "metadata": {},
    }) else {
        return Map::new();
    };
    object.extend(echo.clone());
    // It says what to put into the answer and is not part of it.
    object.shift_remove("include");
    object
}

/// Status and details of an answer that ended well, or too soon.
fn ended(finish: FinishReason) -> (&'static str, Value) {
    match finish {
        FinishReason::Length => ("incomplete", json!({ "reason": "max_output_tokens" })),
        FinishReason::ContentFilter => ("incomplete", json!({ "reason": "content_filter" })),
        // No word of theirs; that it is not whole is what a caller has to know.
        FinishReason::PauseTurn => ("incomplete", json!({ "reason": "pause_turn" })),
        FinishReason::Stop | FinishReason::ToolCalls | FinishReason::Other => ("completed", Value::Null),
    }
}

/// The `usage` of responses; our own members beside it.
fn usage_of(usage: Usage, cost_microusd: Option<u64>) -> Value {
    let mut value = json!({
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": { "reasoning_tokens": usage.reasoning_tokens },
        "total_tokens": usage.input_tokens.saturating_add(usage.output_tokens),
    });
    if usage.estimated {
        value["estimated"] = true.into();
    }
    if let Some(cost) = cost_microusd {
        value["cost_microusd"] = cost.into();
    }
    value
}

/// The longest name of a function that every provider takes.
const LONGEST_NAME: usize = 64;

/// The name of a function in a list without namespaces.
fn full_name(namespace: Option<&str>, name: &str) -> String {
    let Some(namespace) = namespace else { return name.to_owned() };
    let full = format!("{namespace}__{name}");
    if full.len() <= LONGEST_NAME {
        return full;
    }
    let hash = hex::encode(crate::body_hash(full.as_bytes()));
    let end: String = name.chars().take(40).collect();
    format!("{}__{end}", &hash[..12])
}

/// A tool as the caller gave it.
#[derive(Default)]
struct Given<'a> {
    name: &'a str,
    namespace: Option<&'a str>,
    /// It takes free text.
    custom: bool,
}

/// The tool that the model knows by this name.
fn given<'a>(echo: &'a Map<String, Value>, full: &'a str) -> Given<'a> {
    let tools = echo.get("tools").and_then(Value::as_array);
    for tool in tools.into_iter().flatten() {
        let name = tool["name"].as_str().unwrap_or_default();
        if tool["type"] != "namespace" {
            if name == full {
                return Given { name, namespace: None, custom: tool["type"] == "custom" };
            }
            continue;
        }
        for inner in tool["tools"].as_array().into_iter().flatten() {
            let inner_name = inner["name"].as_str().unwrap_or_default();
            if full_name(Some(name), inner_name) == full {
                let custom = inner["type"] == "custom";
                return Given { name: inner_name, namespace: Some(name), custom };
            }
        }
    }
    Given { name: full, ..Given::default() }
}

/// The free text of a call of such a tool, which went to the model as a function with one argument.
fn free_text(arguments: &str) -> String {
    match serde_json::from_str::<Value>(arguments) {
        Ok(Value::Object(mut object)) => match object.remove("input") {
            Some(Value::String(text)) => text,
            _ => arguments.to_owned(),
        },
        _ => arguments.to_owned(),
    }
}

/// A `function_call` item, or a `custom_tool_call`.
fn call_item(
    echo: &Map<String, Value>,
    (stem, at): (&str, usize),
    (call_id, name, arguments): (&str, &str, &str),
    status: &str,
) -> Value {
    let given = given(echo, name);
    let mut item = match given.custom {
        true => json!({
            "id": format!("ctc_{stem}_{at}"), "type": "custom_tool_call", "status": status,
            "call_id": call_id, "name": given.name, "input": free_text(arguments),
        }),
        false => json!({
            "id": format!("fc_{stem}_{at}"), "type": "function_call", "status": status,
            "call_id": call_id, "name": given.name, "arguments": arguments,
        }),
    };
    if let Some(namespace) = given.namespace {
        item["namespace"] = namespace.into();
    }
    item
}

/// A `message` item with these parts.
fn message_item((stem, at): (&str, usize), content: Vec<Value>, status: &str) -> Value {
    json!({ "id": format!("msg_{stem}_{at}"), "type": "message", "status": status, "role": "assistant", "content": content })
}

/// A `reasoning` item with the text of a thought.
fn reasoning_item((stem, at): (&str, usize), thought: &str) -> Value {
    let summary = match thought {
        "" => json!([]),
        text => json!([{ "type": "summary_text", "text": text }]),
    };
    json!({ "id": format!("rs_{stem}_{at}"), "type": "reasoning", "summary": summary })
}

fn text_part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

/// Whether the caller asked for what providers want back.
fn wants_encrypted(echo: &Map<String, Value>) -> bool {
    echo.get("include")
        .and_then(Value::as_array)
        .is_some_and(|include| include.iter().any(|what| what == "reasoning.encrypted_content"))
}
