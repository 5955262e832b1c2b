//! The wire form of OpenAI chat completions.

use serde_json::{Value, json};

use super::plans::Answer;
use super::serve::Reply;
use super::shape::Shape;
use super::{Behaviour, Style};

const CREATED: u64 = 1_750_000_000;
const ID: &str = "chatcmpl-simulated";

/// Refuses what the real endpoint refuses.
pub(super) fn refusal(body: &Value) -> Option<String> {
    if body["model"].as_str().is_none_or(str::is_empty) {
        return Some("you must provide a model parameter".into());
    }
    if body["messages"].as_array().is_none_or(Vec::is_empty) {
        return Some("[] is too short - 'messages'".into());
    }
    let model = body["model"].as_str().unwrap_or_default();
    if !body["max_tokens"].is_null() && (model.starts_with("gpt-5") || model.starts_with('o')) {
        return Some("Unsupported parameter: 'max_tokens' is not supported with this model.".into());
    }
    if !body["stream_options"].is_null() && body["stream"] != true {
        return Some("The 'stream_options' parameter is only allowed when 'stream' is enabled.".into());
    }
    None
}

pub(super) fn error(status: u16, message: &str) -> Value {
    let kind = match status {
        401 => "authentication_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    json!({ "error": { "message": message, "type": kind, "param": null, "code": null } })
}

pub(super) fn reply(body: &Value, raw_length: usize, answer: &Answer, behaviour: &Behaviour) -> Reply {
    let model = body["model"].as_str().unwrap_or_default();
    let prompt_tokens = raw_length.div_ceil(4);
    let completion_tokens = answer.text.len().div_ceil(4);
    let usage = json!({
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": { "cached_tokens": behaviour.cached_tokens },
        "completion_tokens_details": { "reasoning_tokens": 0 },
    });
    let finish = match (behaviour.style, answer.cut) {
        (Style::Tools, _) => "tool_calls",
        (_, true) => "length",
        (_, false) => "stop",
    };
    if body["stream"] == true {
        let include = body["stream_options"]["include_usage"] == true && !behaviour.no_usage;
        return Reply::events(
            Shape::OpenAi,
            stream(model, answer, finish, include.then_some(usage), behaviour),
        );
    }
    let message = match behaviour.style {
        Style::Tools => json!({ "role": "assistant", "content": null, "tool_calls": calls() }),
        _ => json!({ "role": "assistant", "content": answer.text, "refusal": null }),
    };
    let mut whole = json!({
        "id": ID, "object": "chat.completion", "created": CREATED, "model": model,
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish }],
    });
    if !behaviour.no_usage {
        whole["usage"] = usage;
    }
    Reply::json(200, &whole)
}

pub(super) fn calls() -> Value {
    json!([
        { "id": "call_a", "type": "function", "function": { "name": "read_file", "arguments": "{\"path\":\"src/ä.rs\"}" } },
        { "id": "call_b", "type": "function", "function": { "name": "list_files", "arguments": "{}" } },
    ])
}

fn stream(
    model: &str,
    answer: &Answer,
    finish: &str,
    usage: Option<Value>,
    behaviour: &Behaviour,
) -> Vec<String> {
    let chunk = |choices: Value| {
        let mut chunk = json!({
            "id": ID, "object": "chat.completion.chunk", "created": CREATED, "model": model,
            "system_fingerprint": "fp_simulated", "choices": choices,
        });
        if usage.is_some() {
            chunk["usage"] = Value::Null;
        }
        chunk
    };
    let delta = |delta: Value, finish: Value| {
        chunk(json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }])).to_string()
    };
    let mut events = vec![delta(json!({ "role": "assistant", "content": "", "refusal": null }), Value::Null)];
    if behaviour.style == Style::Tools {
        for (index, call) in calls().as_array().into_iter().flatten().enumerate() {
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            let head = json!({ "index": index, "id": call["id"], "type": "function",
                "function": { "name": call["function"]["name"], "arguments": "" } });
            events.push(delta(json!({ "tool_calls": [head] }), Value::Null));
            for piece in pieces(arguments) {
                let piece = json!({ "index": index, "function": { "arguments": piece } });
                events.push(delta(json!({ "tool_calls": [piece] }), Value::Null));
            }
        }
    } else {
        events.extend(pieces(&answer.text).map(|piece| delta(json!({ "content": piece }), Value::Null)));
    }
    events.push(delta(json!({}), finish.into()));
    if let Some(usage) = usage.clone() {
        let mut last = chunk(json!([]));
        last["usage"] = usage;
        events.push(last.to_string());
    }
    events.push("[DONE]".into());
    events
}

/// The text in pieces of a few words' length, whole characters each.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(18).map(|piece| piece.iter().collect()).collect::<Vec<String>>().into_iter()
}

pub(super) fn models() -> Value {
    let model =
        |id: &str| json!({ "id": id, "object": "model", "created": CREATED, "owned_by": "simulator" });
    json!({ "object": "list", "data": [model("gpt-4.1-mini"), model("gpt-5-mini")] })
}
