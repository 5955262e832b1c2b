//! A whole message → the canonical answer.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::search::Searches;
use super::stream::{ended, thinking_extra};
use super::wire::{ANSWER_TOOL, WireUsage, finish_reason};
use crate::response::{AssistantMessage, Choice, Function, ToolCall};
use crate::{ChatResponse, LlmError, Usage, search};

#[derive(Deserialize)]
struct Answer {
    id: String,
    model: String,
    content: Vec<Box<RawValue>>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct AnswerBlock {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    input: Option<Box<RawValue>>,
    #[serde(default)]
    thinking: Option<String>,
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    data: Option<String>,
    #[serde(default)]
    citations: Option<Vec<Value>>,
}

pub(in super::super) fn decode_response(
    created: u64,
    body: &[u8],
) -> Result<(ChatResponse, Option<Usage>), LlmError> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|error| LlmError::Garbled(format!("an answer: {error}")))?;
    let mut message = AssistantMessage { role: "assistant".into(), ..AssistantMessage::default() };
    let mut thinking_blocks = Vec::new();
    let mut answered = false;
    let (mut searches, mut queries, mut cited) = (Searches::default(), Vec::new(), Vec::new());
    for raw in answer.content {
        let garbled = |error: serde_json::Error| LlmError::Garbled(format!("a block: {error}"));
        let block: AnswerBlock = serde_json::from_str(raw.get()).map_err(garbled)?;
        match (block.kind.as_str(), block.text, block.id, block.name) {
            ("text", Some(text), _, _) => {
                let content = message.content.get_or_insert_default();
                let from = content.chars().count() as u64;
                content.push_str(&text);
                let place = (from, content.chars().count() as u64);
                cited.extend(
                    block.citations.iter().flatten().filter_map(|citation| searches.cites(citation, place)),
                );
            }
            ("tool_use", _, _, Some(name)) if name == ANSWER_TOOL => {
                answered = true;
                let answer = block.input.map_or_else(|| "{}".to_owned(), |input| input.get().to_owned());
                message.content.get_or_insert_default().push_str(&answer);
            }
            ("tool_use", _, Some(id), Some(name)) => {
                let arguments = block.input.map_or_else(|| "{}".to_owned(), |input| input.get().to_owned());
                message.tool_calls.get_or_insert_default().push(ToolCall {
                    id,
                    kind: "function".into(),
                    function: Function { name, arguments },
                    extra: Map::new(),
                });
            }
            ("server_tool_use", ..) => {
                let call: Value = serde_json::from_str(raw.get()).map_err(garbled)?;
                searches.asks(&call, &call["input"]);
            }
            ("web_search_tool_result", ..) => {
                queries.extend(searches.finds(&serde_json::from_str(raw.get()).map_err(garbled)?));
            }
            ("thinking", ..) => {
                let thinking = block.thinking.unwrap_or_default();
                message.reasoning_content.get_or_insert_default().push_str(&thinking);
                thinking_blocks
                    .push(json!({ "type": "thinking", "thinking": thinking, "signature": block.signature }));
            }
            ("redacted_thinking", ..) => {
                thinking_blocks.push(json!({ "type": "redacted_thinking", "data": block.data }));
            }
            _ => {}
        }
    }
    if !thinking_blocks.is_empty() {
        message.extra.insert("extra_content".into(), thinking_extra(thinking_blocks));
    }
    if !queries.is_empty() {
        let (name, value) = search::searched(queries);
        message.extra.insert(name.into(), value);
    }
    if !cited.is_empty() {
        let (name, value) = search::cited(cited);
        message.extra.insert(name.into(), value);
    }
    let alone = answered && message.tool_calls.is_none();
    let finish_reason = answer.stop_reason.as_deref().map(|reason| ended(finish_reason(reason), alone));
    let choice = Choice { index: 0, message, finish_reason, extra: Map::new() };
    let response = ChatResponse {
        id: answer.id,
        object: "chat.completion".into(),
        created,
        model: answer.model,
        choices: vec![choice],
        extra: Map::new(),
    };
    Ok((response, answer.usage.and_then(WireUsage::to_usage)))
}
