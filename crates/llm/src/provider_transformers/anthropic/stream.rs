//! Messages stream and answer → canonical chunks and answer.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::wire::{ANSWER_TOOL, WireUsage, finish_reason};
use crate::response::{AssistantMessage, Choice, Function, ToolCall};
use crate::stream::{Delta, FunctionDelta, ToolCallDelta};
use crate::{ChatChunk, ChatResponse, FinishReason, LlmError, StreamEvent, UpstreamError, Usage};

/// Where a messages stream stands.
#[derive(Debug)]
pub(in super::super) struct Decoder {
    created: u64,
    id: String,
    model: String,
    usage: WireUsage,
    finish: Option<FinishReason>,
    /// Tool calls seen. Block indexes count text and thinking too and are therefore useless as call indexes.
    calls: u32,
    /// Whether an answer came as the input of a tool.
    answered: bool,
    open: Option<Open>,
}

/// The block that is being written.
#[derive(Debug)]
enum Open {
    Text,
    Tool {
        has_arguments: bool,
    },
    /// The answer in the form of a schema, as the input of a tool.
    Answer {
        has_text: bool,
    },
    Thinking {
        thinking: String,
        signature: String,
    },
    Opaque(Value),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Start,
    },
    ContentBlockStart {
        content_block: Value,
    },
    ContentBlockDelta {
        delta: BlockDelta,
    },
    ContentBlockStop,
    MessageDelta {
        delta: MessageDelta,
        #[serde(default)]
        usage: WireUsage,
    },
    MessageStop,
    Ping,
    Error,
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct Start {
    #[serde(default)]
    id: String,
    #[serde(default)]
    model: String,
    #[serde(default)]
    usage: WireUsage,
}

#[derive(Deserialize)]
struct MessageDelta {
    #[serde(default)]
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BlockDelta {
    TextDelta {
        text: String,
    },
    InputJsonDelta {
        partial_json: String,
    },
    ThinkingDelta {
        thinking: String,
    },
    SignatureDelta {
        signature: String,
    },
    #[serde(other)]
    Unknown,
}

impl Decoder {
    pub(in super::super) fn new(created: u64) -> Self {
        Self {
            created,
            id: String::new(),
            model: String::new(),
            usage: WireUsage::default(),
            finish: None,
            calls: 0,
            answered: false,
            open: None,
        }
    }

    pub(in super::super) fn message(
        &mut self,
        data: &str,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), LlmError> {
        let event =
            serde_json::from_str(data).map_err(|error| LlmError::Garbled(format!("an event: {error}")))?;
        match event {
            Event::MessageStart { message } => {
                self.id = message.id;
                self.model = message.model;
                self.usage = message.usage;
                let role = Some("assistant".to_owned());
                out.push(self.chunk(Delta { role, content: Some(String::new()), ..Delta::default() }, None));
                out.extend(self.usage.to_usage().map(StreamEvent::Usage));
            }
            Event::ContentBlockStart { content_block } => self.block_start(content_block, out)?,
            Event::ContentBlockDelta { delta } => self.block_delta(delta, out),
            Event::ContentBlockStop => self.block_stop(out),
            Event::MessageDelta { delta, usage } => {
                self.usage.replace_with(usage);
                if let Some(reason) = delta.stop_reason {
                    let reason = ended(finish_reason(&reason), self.answered && self.calls == 0);
                    self.finish = Some(reason);
                    out.push(self.chunk(Delta::default(), Some(reason)));
                }
                out.extend(self.usage.to_usage().map(StreamEvent::Usage));
            }
            Event::MessageStop => out.push(match self.finish {
                Some(reason) => StreamEvent::Done(reason),
                None => StreamEvent::Error(UpstreamError::cut()),
            }),
            Event::Ping => out.push(StreamEvent::KeepAlive),
            Event::Error => out.push(StreamEvent::Error(UpstreamError::from_body(200, data.as_bytes()))),
            Event::Unknown => {}
        }
        Ok(())
    }

    fn chunk(&self, delta: Delta, finish: Option<FinishReason>) -> StreamEvent {
        StreamEvent::Chunk(ChatChunk::new(&self.id, self.created, &self.model).with(delta, finish))
    }

    fn block_start(&mut self, block: Value, out: &mut Vec<StreamEvent>) -> Result<(), LlmError> {
        let text = |key: &str| block.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        match block.get("type").and_then(Value::as_str) {
            Some("text") => {
                self.open = Some(Open::Text);
                self.text(text("text"), out);
            }
            Some("tool_use") => {
                let (id, name) = (text("id"), text("name"));
                if id.is_empty() || name.is_empty() {
                    return Err(LlmError::Garbled("a tool call without id or name".into()));
                }
                if name == ANSWER_TOOL {
                    self.answered = true;
                    self.open = Some(Open::Answer { has_text: false });
                    return Ok(());
                }
                let function = FunctionDelta { name: Some(name), arguments: Some(String::new()) };
                self.calls += 1;
                self.tool(
                    ToolCallDelta { id: Some(id), kind: Some("function".into()), function, ..self.piece() },
                    out,
                );
                self.open = Some(Open::Tool { has_arguments: false });
            }
            Some("thinking") => {
                self.open = Some(Open::Thinking { thinking: text("thinking"), signature: text("signature") });
            }
            Some("redacted_thinking") => self.open = Some(Open::Opaque(block)),
            _ => self.open = None,
        }
        Ok(())
    }

    fn block_delta(&mut self, delta: BlockDelta, out: &mut Vec<StreamEvent>) {
        match (delta, self.open.as_mut()) {
            (BlockDelta::TextDelta { text }, _) => self.text(text, out),
            (BlockDelta::InputJsonDelta { partial_json }, Some(Open::Tool { has_arguments }))
                if !partial_json.is_empty() =>
            {
                *has_arguments = true;
                self.arguments(partial_json, out);
            }
            (BlockDelta::InputJsonDelta { partial_json }, Some(Open::Answer { has_text })) => {
                *has_text |= !partial_json.is_empty();
                self.text(partial_json, out);
            }
            (BlockDelta::ThinkingDelta { thinking: piece }, Some(Open::Thinking { thinking, .. })) => {
                thinking.push_str(&piece);
                out.push(self.chunk(Delta { reasoning_content: Some(piece), ..Delta::default() }, None));
            }
            (BlockDelta::SignatureDelta { signature: piece }, Some(Open::Thinking { signature, .. })) => {
                signature.push_str(&piece);
            }
            // A delta of a block we do not translate.
            _ => {}
        }
    }

    fn block_stop(&mut self, out: &mut Vec<StreamEvent>) {
        match self.open.take() {
            // A call without arguments gets no delta, but `""` is not JSON.
            Some(Open::Tool { has_arguments: false }) => self.arguments("{}".into(), out),
            Some(Open::Answer { has_text: false }) => self.text("{}".into(), out),
            Some(Open::Thinking { thinking, signature }) => {
                let block = json!({ "type": "thinking", "thinking": thinking, "signature": signature });
                self.thinking_block(block, out);
            }
            Some(Open::Opaque(block)) => self.thinking_block(block, out),
            Some(Open::Tool { .. } | Open::Answer { .. } | Open::Text) | None => {}
        }
    }

    fn text(&self, text: String, out: &mut Vec<StreamEvent>) {
        if !text.is_empty() {
            out.push(self.chunk(Delta { content: Some(text), ..Delta::default() }, None));
        }
    }

    fn arguments(&self, arguments: String, out: &mut Vec<StreamEvent>) {
        let function = FunctionDelta { name: None, arguments: Some(arguments) };
        self.tool(ToolCallDelta { function, ..self.piece() }, out);
    }

    /// A piece of the newest call.
    fn piece(&self) -> ToolCallDelta {
        ToolCallDelta { index: self.calls.saturating_sub(1), ..ToolCallDelta::default() }
    }

    fn tool(&self, piece: ToolCallDelta, out: &mut Vec<StreamEvent>) {
        out.push(self.chunk(Delta { tool_calls: Some(vec![piece]), ..Delta::default() }, None));
    }

    /// A signed block travels with the message, so that the next turn can return it unchanged.
    fn thinking_block(&self, block: Value, out: &mut Vec<StreamEvent>) {
        let extra = Map::from_iter([("extra_content".to_owned(), thinking_extra(vec![block]))]);
        out.push(self.chunk(Delta { extra, ..Delta::default() }, None));
    }
}

/// A stop for the tool of which the caller knows nothing, and for no other, is the end of the answer.
fn ended(reason: FinishReason, answered_alone: bool) -> FinishReason {
    match reason {
        FinishReason::ToolCalls if answered_alone => FinishReason::Stop,
        reason => reason,
    }
}

fn thinking_extra(blocks: Vec<Value>) -> Value {
    json!({ "anthropic": { "thinking_blocks": blocks } })
}

#[derive(Deserialize)]
struct Answer {
    id: String,
    model: String,
    content: Vec<AnswerBlock>,
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
    for block in answer.content {
        match (block.kind.as_str(), block.text, block.id, block.name) {
            ("text", Some(text), _, _) => message.content.get_or_insert_default().push_str(&text),
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
