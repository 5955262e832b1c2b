//! A whole canonical answer, and errors, as Anthropic says them.

use serde_json::{Map, Value, json};

use super::{message_id, stop_reason, usage_of};
use crate::inbound::carried::Carried;
use crate::inbound::pieces::{Piece, pieces};
use crate::inbound::{Failure, Opening};
use crate::{ChatResponse, FinishReason, Usage};

/// The message that a canonical answer is.
pub(in crate::inbound) fn answer(
    opening: &Opening,
    response: &ChatResponse,
    usage: Usage,
    cost_microusd: Option<u64>,
) -> Value {
    let chunk = response.clone().into_chunk();
    let choice = chunk.choices.into_iter().find(|choice| choice.index == 0).unwrap_or_default();
    let mut content: Vec<Value> = Vec::new();
    let (mut carried, mut calls) = (Carried::default(), Vec::new());
    let mut refused = false;
    for piece in pieces(choice.delta) {
        match piece {
            Piece::Thought(thinking) => {
                content.push(json!({ "type": "thinking", "thinking": thinking, "signature": "" }));
            }
            Piece::Signed(block) => {
                // The signed thought says again what the bare one said.
                content.retain(|block| block["type"] != "thinking" || block["signature"] != "");
                content.push(block);
            }
            Piece::Item(item) => list(&mut carried.message, item),
            Piece::Extra(extra) => carried.message.extend(extra),
            Piece::Text(text) => content.push(json!({ "type": "text", "text": text })),
            Piece::Refusal(text) => {
                refused = true;
                content.push(json!({ "type": "text", "text": text }));
            }
            Piece::Call(mut call) => {
                let id = call.id.take().unwrap_or_default();
                if let Some(extra) = crate::inbound::pieces::call_extra(&mut call) {
                    carried.calls.insert(id.clone(), extra);
                }
                let arguments = call.function.arguments.unwrap_or_default();
                calls.push(json!({
                    "type": "tool_use", "id": id, "name": call.function.name.unwrap_or_default(),
                    "input": input(&arguments),
                }));
            }
        }
    }
    if !carried.is_empty() {
        content.push(json!({ "type": "redacted_thinking", "data": carried.sealed() }));
    }
    let has_calls = !calls.is_empty();
    content.extend(calls);
    let finish = choice.finish_reason.unwrap_or(FinishReason::Other);
    let stop = if refused { "refusal" } else { stop_reason(finish, has_calls) };
    json!({
        "id": message_id(&response.id, &opening.request_id),
        "type": "message",
        "role": "assistant",
        "model": response.model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": null,
        "usage": usage_of(usage, cost_microusd),
    })
}

/// Adds an item to those that OpenAI wants back.
pub(super) fn list(message: &mut Map<String, Value>, item: Value) {
    let own = message.entry("openai").or_insert_with(|| json!({ "reasoning_items": [] }));
    if let Some(Value::Array(items)) = own.get_mut("reasoning_items") {
        items.push(item);
    }
}

/// Arguments as the object that they should be. Of a call that was cut off the text is kept, under the name that
/// Anthropic's documentation proposes for it.
fn input(arguments: &str) -> Value {
    match arguments.trim() {
        "" => json!({}),
        text => match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Value::Object(object),
            _ => json!({ "INVALID_JSON": text }),
        },
    }
}

/// Anthropic's error object. `code` is ours.
pub(in crate::inbound) fn error(failure: &Failure<'_>) -> Value {
    let kind = match (failure.status, failure.code) {
        (_, "upstream_overloaded") => "overloaded_error",
        (401, _) => "authentication_error",
        (402, _) => "billing_error",
        (403, _) => "permission_error",
        (404, _) => "not_found_error",
        (413, _) => "request_too_large",
        (429, _) => "rate_limit_error",
        (408 | 504, _) => "timeout_error",
        (529, _) => "overloaded_error",
        (500.., _) => "api_error",
        _ => "invalid_request_error",
    };
    json!({
        "type": "error",
        "error": { "type": kind, "message": failure.message, "code": failure.code },
        "request_id": failure.request_id,
    })
}
