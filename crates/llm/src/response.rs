//! A whole answer, either received at once or folded from a stream.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Extra;
use crate::search::{self, Source};
use crate::stream::{ChatChunk, ChunkChoice, Delta, FinishReason, FunctionDelta, ToolCallDelta};

/// `chat.completion`. Usage is reported beside it, see [`crate::StreamEvent::Usage`]. Unknown fields are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChatResponse {
    /// The provider's id of the answer.
    #[serde(default)]
    pub id: String,
    /// Always `chat.completion`.
    #[serde(default)]
    pub object: String,
    /// Unix seconds.
    #[serde(default)]
    pub created: u64,
    /// The model that answered, as the provider names it.
    #[serde(default)]
    pub model: String,
    /// The answers; usually one.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ChatResponse {
    /// The text of the first choice; empty when it has none.
    pub fn text(&self) -> &str {
        self.choices.first().and_then(|choice| choice.message.content.as_deref()).unwrap_or_default()
    }

    /// What the first choice rests on.
    pub fn sources(&self) -> Vec<Source> {
        self.choices
            .first()
            .map(|choice| search::sources(choice.message.extra.get(search::SOURCES)))
            .unwrap_or_default()
    }
}

impl ChatResponse {
    /// The whole answer as the one chunk of a stream.
    pub fn into_chunk(self) -> ChatChunk {
        let choices = self.choices.into_iter().map(Choice::into_chunk).collect();
        ChatChunk { choices, extra: self.extra.into(), ..ChatChunk::new(&self.id, self.created, &self.model) }
    }
}

impl Choice {
    fn into_chunk(self) -> ChunkChoice {
        let piece = |(index, call): (u32, ToolCall)| ToolCallDelta {
            index,
            id: Some(call.id),
            kind: Some(call.kind),
            function: FunctionDelta {
                name: Some(call.function.name),
                arguments: Some(call.function.arguments),
            },
            extra: call.extra.into(),
        };
        let delta = Delta {
            role: Some(self.message.role),
            content: self.message.content,
            reasoning_content: self.message.reasoning_content,
            tool_calls: self.message.tool_calls.map(|calls| (0..).zip(calls).map(piece).collect()),
            extra: self.message.extra.into(),
        };
        ChunkChoice { index: self.index, delta, finish_reason: self.finish_reason, extra: self.extra.into() }
    }
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Which of the asked choices.
    #[serde(default)]
    pub index: u32,
    /// The message.
    pub message: AssistantMessage,
    /// Why it ended.
    #[serde(default)]
    pub finish_reason: Option<FinishReason>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What the model said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssistantMessage {
    /// Always `assistant`.
    #[serde(default)]
    pub role: String,
    /// The text; `null` when there are only tool calls.
    #[serde(default)]
    pub content: Option<String>,
    /// The reasoning, where the provider shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// Calls the model wants to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ToolCall>>,
    /// Fields this version does not know, and `extra_content` of providers that need something back.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A complete tool call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The provider's id of the call; the result must name it.
    #[serde(default)]
    pub id: String,
    /// Always `function`.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// Name and arguments.
    pub function: Function,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Name and arguments of a call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// The tool.
    pub name: String,
    /// JSON text.
    #[serde(default)]
    pub arguments: String,
}

/// Builds the whole answer from the chunks of a stream.
#[derive(Debug, Default)]
pub struct Fold {
    head: ChatResponse,
    choices: BTreeMap<u32, Building>,
}

#[derive(Debug, Default)]
struct Building {
    message: AssistantMessage,
    calls: BTreeMap<u32, ToolCall>,
    finish_reason: Option<FinishReason>,
    extra: Map<String, Value>,
}

impl Fold {
    /// Appends a chunk.
    pub fn push(&mut self, chunk: ChatChunk) {
        if self.head.id.is_empty() {
            self.head.id = chunk.id;
            self.head.created = chunk.created;
        }
        if self.head.model.is_empty() {
            self.head.model = chunk.model;
        }
        lay(&mut self.head.extra, chunk.extra, |old, new| *old = new);
        for choice in chunk.choices {
            self.choices.entry(choice.index).or_default().push(choice);
        }
    }

    /// The answer so far.
    pub fn finish(self) -> ChatResponse {
        let choices = self.choices.into_iter().map(|(index, building)| building.finish(index)).collect();
        ChatResponse { object: "chat.completion".into(), choices, ..self.head }
    }
}

impl Building {
    fn push(&mut self, choice: ChunkChoice) {
        let delta = choice.delta;
        append(&mut self.message.content, delta.content);
        append(&mut self.message.reasoning_content, delta.reasoning_content);
        lay(&mut self.message.extra, delta.extra, merge);
        lay(&mut self.extra, choice.extra, merge);
        for piece in delta.tool_calls.into_iter().flatten() {
            let call = self.calls.entry(piece.index).or_default();
            call.kind = "function".into();
            if let Some(id) = piece.id {
                call.id = id;
            }
            if let Some(name) = piece.function.name {
                call.function.name.push_str(&name);
            }
            call.function.arguments.push_str(piece.function.arguments.as_deref().unwrap_or_default());
            lay(&mut call.extra, piece.extra, |old, new| *old = new);
        }
        self.finish_reason = choice.finish_reason.or(self.finish_reason);
    }

    fn finish(mut self, index: u32) -> Choice {
        self.message.role = "assistant".into();
        if !self.calls.is_empty() {
            self.message.tool_calls = Some(self.calls.into_values().collect());
        }
        Choice { index, message: self.message, finish_reason: self.finish_reason, extra: self.extra }
    }
}

fn append(target: &mut Option<String>, piece: Option<String>) {
    match (target.as_mut(), piece) {
        (Some(text), Some(piece)) => text.push_str(&piece),
        (None, Some(piece)) => *target = Some(piece),
        (_, None) => {}
    }
}

/// Lays unknown fields of a piece into those of the whole.
fn lay(fields: &mut Map<String, Value>, extra: Extra, onto: impl Fn(&mut Value, Value)) {
    for (name, value) in extra {
        match fields.get_mut(&name) {
            Some(old) => onto(old, value),
            None => drop(fields.insert(name, value)),
        }
    }
}

/// Appends an unknown field of a delta the way its shape suggests: text to text, list to list, object into object.
pub(crate) fn merge(target: &mut Value, piece: Value) {
    match (target, piece) {
        (_, Value::Null) => {}
        (Value::String(text), Value::String(piece)) => text.push_str(&piece),
        (Value::Array(list), Value::Array(piece)) => list.extend(piece),
        (Value::Object(map), Value::Object(piece)) => {
            for (key, value) in piece {
                merge(map.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, piece) => *target = piece,
    }
}
