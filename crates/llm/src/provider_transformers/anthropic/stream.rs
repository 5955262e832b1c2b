//! Messages stream → canonical chunks.

use serde::Deserialize;
use serde_json::{Value, json};

use super::search::Searches;
use super::wire::{ANSWER_TOOL, WireUsage, finish_reason};
use crate::stream::{Delta, FunctionDelta, ToolCallDelta};
use crate::{ChatChunk, FinishReason, LlmError, StreamEvent, UpstreamError, search};

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
    /// Characters of text so far: citations name places in it.
    told: u64,
    searches: Searches,
}

/// The block that is being written.
#[derive(Debug)]
enum Open {
    /// Where it began, and what its words rest on.
    Text {
        from: u64,
        citations: Vec<Value>,
    },
    /// A call that the provider makes itself, and its input so far.
    Server {
        block: Value,
        input: String,
    },
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
    CitationsDelta {
        citation: Value,
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
            told: 0,
            searches: Searches::default(),
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
                let citations = block["citations"].as_array().cloned().unwrap_or_default();
                self.open = Some(Open::Text { from: self.told, citations });
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
            Some("server_tool_use") => self.open = Some(Open::Server { block, input: String::new() }),
            Some("web_search_tool_result") => {
                if let Some(query) = self.searches.finds(&block) {
                    out.push(self.extra(search::searched(vec![query])));
                }
                self.open = None;
            }
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
            (BlockDelta::InputJsonDelta { partial_json }, Some(Open::Server { input, .. })) => {
                input.push_str(&partial_json);
            }
            (BlockDelta::CitationsDelta { citation }, Some(Open::Text { citations, .. })) => {
                citations.push(citation);
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
            Some(Open::Server { block, input }) => {
                // The input comes bit by bit, or stands in the block.
                let given = serde_json::from_str(&input).unwrap_or_else(|_| block["input"].clone());
                self.searches.asks(&block, &given);
            }
            Some(Open::Text { from, citations }) => {
                let place = (from, self.told);
                let cited = citations.iter().filter_map(|citation| self.searches.cites(citation, place));
                let cited: Vec<Value> = cited.collect();
                if !cited.is_empty() {
                    out.push(self.extra(search::cited(cited)));
                }
            }
            Some(Open::Tool { .. } | Open::Answer { .. }) | None => {}
        }
    }

    fn text(&mut self, text: String, out: &mut Vec<StreamEvent>) {
        if !text.is_empty() {
            self.told += text.chars().count() as u64;
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
        out.push(self.extra(("extra_content", thinking_extra(vec![block]))));
    }

    fn extra(&self, field: (&str, Value)) -> StreamEvent {
        self.chunk(Delta { extra: field.into(), ..Delta::default() }, None)
    }
}

/// A stop for the tool of which the caller knows nothing, and for no other, is the end of the answer.
pub(super) fn ended(reason: FinishReason, answered_alone: bool) -> FinishReason {
    match reason {
        FinishReason::ToolCalls if answered_alone => FinishReason::Stop,
        reason => reason,
    }
}

pub(super) fn thinking_extra(blocks: Vec<Value>) -> Value {
    json!({ "anthropic": { "thinking_blocks": blocks } })
}
