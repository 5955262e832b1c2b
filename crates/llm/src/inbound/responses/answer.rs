//! A whole canonical answer as a response.

use serde_json::{Map, Value, json};

use super::{
    call_item, ended, message_item, object, reasoning_item, stem, text_part, usage_of, wants_encrypted,
};
use crate::inbound::Opening;
use crate::inbound::carried::Carried;
use crate::inbound::pieces::{Piece, call_extra, pieces};
use crate::{ChatResponse, FinishReason, Usage};

/// The response that a canonical answer is.
pub(in crate::inbound) fn answer(
    opening: &Opening,
    echo: &Map<String, Value>,
    response: &ChatResponse,
    usage: Usage,
    cost_microusd: Option<u64>,
) -> Value {
    let chunk = response.clone().into_chunk();
    let choice = chunk.choices.into_iter().find(|choice| choice.index == 0).unwrap_or_default();
    let stem = stem(&response.id, &opening.request_id);
    let mut output: Vec<Value> = Vec::new();
    let mut parts = Vec::new();
    let mut calls = Vec::new();
    let mut carried = Carried::default();
    for piece in pieces(choice.delta) {
        match piece {
            Piece::Thought(thought) => output.push(reasoning_item((&stem, output.len()), &thought)),
            Piece::Signed(block) => sign(&mut carried, block),
            Piece::Item(item) => {
                // The provider's own item says again what the bare text said.
                output.retain(|item| item["type"] != "reasoning" || !item["encrypted_content"].is_null());
                output.push(item);
            }
            Piece::Extra(extra) => carried.message.extend(extra),
            Piece::Text(text) => parts.push(text_part(&text)),
            Piece::Refusal(refusal) => parts.push(json!({ "type": "refusal", "refusal": refusal })),
            Piece::Call(mut call) => {
                let id = call.id.take().unwrap_or_default();
                if let Some(extra) = call_extra(&mut call) {
                    carried.calls.insert(id.clone(), extra);
                }
                calls.push((
                    id,
                    call.function.name.unwrap_or_default(),
                    call.function.arguments.unwrap_or_default(),
                ));
            }
        }
    }
    output.extend(sealed((&stem, output.len()), &carried, echo));
    let (status, details) = ended(choice.finish_reason.unwrap_or(FinishReason::Other));
    if !parts.is_empty() {
        output.push(message_item((&stem, output.len()), parts, status));
    }
    for (id, name, arguments) in &calls {
        output.push(call_item(echo, (&stem, output.len()), (id, name, arguments), status));
    }
    let mut object = object(opening, echo, (&stem, &response.model), status);
    object.insert("incomplete_details".into(), details);
    object.insert("output".into(), Value::Array(output));
    object.insert("usage".into(), usage_of(usage, cost_microusd));
    Value::Object(object)
}

/// Adds a signed thought to those that Anthropic wants back.
pub(super) fn sign(carried: &mut Carried, block: Value) {
    let own = carried.message.entry("anthropic").or_insert_with(|| json!({ "thinking_blocks": [] }));
    if let Some(Value::Array(blocks)) = own.get_mut("thinking_blocks") {
        blocks.push(block);
    }
}

/// What providers want back, as an item that clients return, if they asked for it.
pub(super) fn sealed(place: (&str, usize), carried: &Carried, echo: &Map<String, Value>) -> Option<Value> {
    if carried.is_empty() || !wants_encrypted(echo) {
        return None;
    }
    let mut item = reasoning_item(place, "");
    item["encrypted_content"] = carried.sealed().into();
    Some(item)
}
