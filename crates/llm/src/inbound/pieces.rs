//! What a chunk says, in the order in which blocks and items are made of it.

use serde_json::{Map, Value};

use crate::stream::{Delta, ToolCallDelta};

/// One thing that a delta appends.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Thought(String),
    /// A thought of Anthropic's, whole and signed.
    Signed(Value),
    /// A reasoning item of OpenAI's, whole.
    Item(Value),
    /// What another provider wants back with the message.
    Extra(Map<String, Value>),
    Text(String),
    Refusal(String),
    Call(ToolCallDelta),
}

/// The pieces of a delta. Reasoning comes before text and text before calls, as in a message.
pub(super) fn pieces(mut delta: Delta) -> Vec<Piece> {
    let mut all = Vec::new();
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    all.extend(filled(delta.reasoning_content).map(Piece::Thought));
    if let Some(Value::Object(mut extra)) = delta.extra.remove("extra_content") {
        all.extend(listed(&mut extra, "anthropic", "thinking_blocks").into_iter().map(Piece::Signed));
        all.extend(listed(&mut extra, "openai", "reasoning_items").into_iter().map(Piece::Item));
        if !extra.is_empty() {
            all.push(Piece::Extra(extra));
        }
    }
    all.extend(filled(delta.content).map(Piece::Text));
    if let Some(Value::String(refusal)) = delta.extra.remove("refusal") {
        all.extend(filled(Some(refusal)).map(Piece::Refusal));
    }
    all.extend(delta.tool_calls.into_iter().flatten().map(Piece::Call));
    all
}

/// Takes a list out of what a provider wants back.
fn listed(extra: &mut Map<String, Value>, provider: &str, list: &str) -> Vec<Value> {
    let Some(Value::Object(mut own)) = extra.remove(provider) else { return Vec::new() };
    let found = match own.remove(list) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    if !own.is_empty() {
        extra.insert(provider.to_owned(), Value::Object(own));
    }
    found
}

/// The extra of a call, if it has any.
pub(super) fn call_extra(call: &mut ToolCallDelta) -> Option<Value> {
    call.extra.remove("extra_content").filter(Value::is_object)
}

/// Whether the arguments of a call are a whole object, so that no piece can follow.
pub(super) fn is_whole(arguments: &str) -> bool {
    arguments.trim_end().ends_with('}')
        && serde_json::from_str::<&serde_json::value::RawValue>(arguments).is_ok()
}
