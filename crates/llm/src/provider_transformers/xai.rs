//! xAI's chat completions, which it calls deprecated: no reasoning comes back. Its responses API is the other dialect.

use serde_json::value::RawValue;

use super::given::{refuse_search, stops, unsupported};
use super::openai::{chat_request, newer_limit_name, without_fields};
use super::{WireRequest, ask_for_stream};
use crate::{ChatRequest, Fields, LlmError, ModelLimits, Thinking};

const PROVIDER: &str = "xAI";

pub(super) fn encode(
    mut request: ChatRequest,
    upstream_model: &str,
    limits: &ModelLimits,
) -> Result<WireRequest, LlmError> {
    refuse_search(&request, "xAI's chat completions")?;
    let mut notes = Vec::new();
    ask_for_stream(&mut request, upstream_model, true, &mut notes)?;
    newer_limit_name(&mut request, &mut notes);
    if limits.thinking.reasons() {
        for name in ["presence_penalty", "frequency_penalty"] {
            if request.fields.remove(name).is_some() {
                notes.push(format!("dropped {name}: the model reasons"));
            }
        }
        if !stops(&request)?.is_empty() {
            return Err(unsupported(PROVIDER, "stop sequences (`stop`) with this model"));
        }
        request.fields.remove("stop");
    }
    if limits.thinking != Thinking::Effort && request.fields.remove("reasoning_effort").is_some() {
        notes.push("dropped reasoning_effort: not available for this model".into());
    }
    without_strict(&mut request.fields, &mut notes)?;
    with_content(&mut request.fields, &mut notes)?;
    without_fields(&mut request.fields, &["extra_content"], &mut notes)?;
    chat_request(request, notes)
}

/// xAI refuses tools that say whether they are strict.
fn without_strict(fields: &mut Fields, notes: &mut Vec<String>) -> Result<(), LlmError> {
    let mut tools: Vec<Fields> = fields.read("tools")?.unwrap_or_default();
    let mut changed = false;
    for tool in &mut tools {
        let Some(mut function) = tool.read::<Fields>("function")? else { continue };
        if function.remove("strict").is_some() {
            tool.set("function", &function)?;
            changed = true;
        }
    }
    if changed {
        fields.set("tools", &tools)?;
        notes.push("dropped strict of the tools".into());
    }
    Ok(())
}

/// A message with calls that brings its reasoning along has to have content, if only an empty one.
fn with_content(fields: &mut Fields, notes: &mut Vec<String>) -> Result<(), LlmError> {
    let mut messages: Vec<Fields> = fields.read("messages")?.unwrap_or_default();
    let is_there =
        |message: &Fields, name: &str| message.get(name).map(RawValue::get).is_some_and(|raw| raw != "null");
    let mut changed = false;
    for message in &mut messages {
        let lacking = is_there(message, "tool_calls") && is_there(message, "reasoning_content");
        if lacking && !is_there(message, "content") {
            message.set("content", "")?;
            changed = true;
        }
    }
    if changed {
        fields.set("messages", &messages)?;
        notes.push("set the missing content of messages with calls and reasoning".into());
    }
    Ok(())
}
