//! The canonical stream: chunks of chat completions, and what happens beside them.

use std::borrow::Cow;

use serde::de::MapAccess;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::open_object::{self, OpenObject, open_object};
use crate::usage::OpenAiUsage;
use crate::{Extra, Source, UpstreamError, Usage, search};

/// One thing that happened in an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// A piece of the answer. Never carries usage; see [`StreamEvent::Usage`].
    Chunk(ChatChunk),
    /// The usage so far. A running total: the last one counts, they are never added.
    Usage(Usage),
    /// The provider said that the answer is finished. Nothing follows but, at most, usage.
    Done(FinishReason),
    /// The provider failed after the stream had begun. Nothing follows.
    Error(UpstreamError),
    /// The provider is alive but has nothing to say.
    KeepAlive,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model was finished.
    Stop,
    /// The output limit or the context window was reached: the answer is cut off.
    Length,
    /// The model wants tools to be called.
    ToolCalls,
    /// The provider withheld the answer.
    ContentFilter,
    /// The provider rests in the middle of a long turn of its own tools, such as searches, and goes on when it is asked
    /// again: what came is not the whole answer.
    PauseTurn,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
}

/// `chat.completion.chunk`. Unknown fields are kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChatChunk {
    /// The same on all chunks of an answer.
    pub id: String,
    /// Always `chat.completion.chunk`.
    pub object: Cow<'static, str>,
    /// Unix seconds; the same on all chunks of an answer.
    pub created: u64,
    /// The model that answers, as the provider names it.
    pub model: String,
    /// One entry per choice that has news.
    pub choices: Vec<ChunkChoice>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

const CHUNK_OBJECT: Cow<'static, str> = Cow::Borrowed("chat.completion.chunk");

/// News of one choice.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChunkChoice {
    /// Which of the asked choices.
    pub index: u32,
    /// What to append.
    pub delta: Delta,
    /// Set on the last chunk of the choice.
    pub finish_reason: Option<FinishReason>,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a chunk appends to a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Delta {
    /// `assistant`, on the first chunk only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Text of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Text of the model's reasoning, where the provider shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// Pieces of tool calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ToolCallDelta>>,
    /// Fields this version does not know, and `extra_content` of providers that need something back.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A piece of one tool call. `id` and the name stand in the first piece only.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ToolCallDelta {
    /// Counts the tool calls of the message, from 0.
    pub index: u32,
    /// The provider's id of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Always `function`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Name and arguments.
    pub function: FunctionDelta,
    /// Fields this version does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Name and arguments of a call, or a piece of the arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FunctionDelta {
    /// The tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Text to append to the arguments, which are JSON once complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
}

open_object!(ChatChunk, ChatChunk::new("", 0, ""), {
    "id" => id, "object" => object, "created" => created, "model" => model, "choices" => choices,
});
open_object!(ChunkChoice, ChunkChoice::default(), {
    "index" => index, "delta" => delta, "finish_reason" => finish_reason,
});
open_object!(Delta, Delta::default(), {
    "role" => role, "content" => content, "reasoning_content" => reasoning_content, "tool_calls" => tool_calls,
});
open_object!(ToolCallDelta, ToolCallDelta::default(), {
    "index" => index, "id" => id, "type" => kind, "function" => function,
});

impl Delta {
    /// Bytes of text, reasoning and tool arguments.
    pub(crate) fn content_bytes(&self) -> usize {
        let tools = self.tool_calls.iter().flatten().map(|call| {
            call.function.arguments.as_ref().map_or(0, String::len)
                + call.function.name.as_ref().map_or(0, String::len)
        });
        self.content.as_ref().map_or(0, String::len)
            + self.reasoning_content.as_ref().map_or(0, String::len)
            + tools.sum::<usize>()
    }
}

impl ChatChunk {
    /// An empty chunk of an answer.
    pub fn new(id: &str, created: u64, model: &str) -> Self {
        Self {
            id: id.into(),
            object: CHUNK_OBJECT,
            created,
            model: model.into(),
            choices: Vec::new(),
            extra: Extra::new(),
        }
    }

    /// A chunk that appends text to the first choice.
    pub fn content(id: &str, created: u64, model: &str, content: &str) -> Self {
        Self::new(id, created, model).with(Delta { content: Some(content.into()), ..Delta::default() }, None)
    }

    /// Adds news of the first choice.
    pub fn with(mut self, delta: Delta, finish_reason: Option<FinishReason>) -> Self {
        self.choices.push(ChunkChoice { index: 0, delta, finish_reason, extra: Extra::new() });
        self
    }

    /// Bytes of text, reasoning and tool arguments in this chunk.
    pub fn content_bytes(&self) -> usize {
        self.choices.iter().map(|choice| choice.delta.content_bytes()).sum()
    }

    /// Whether the chunk says anything a reader would notice; after such a chunk no other provider may be tried.
    pub fn is_content(&self) -> bool {
        self.content_bytes() > 0 || self.choices.iter().any(|choice| choice.finish_reason.is_some())
    }

    /// The text that the first choice gains, if any.
    pub fn text(&self) -> Option<&str> {
        self.choices.iter().find(|choice| choice.index == 0)?.delta.content.as_deref()
    }

    /// What the first choice now rests on.
    pub fn sources(&self) -> Vec<Source> {
        self.first().map(|extra| search::sources(extra.get(search::SOURCES))).unwrap_or_default()
    }

    /// The searches of the web that were made for the first choice meanwhile, in the words that were searched for.
    pub fn searches(&self) -> Vec<String> {
        self.first().map(|extra| search::queries(extra.get(search::QUERIES))).unwrap_or_default()
    }

    fn first(&self) -> Option<&Extra> {
        self.choices.iter().find(|choice| choice.index == 0).map(|choice| &choice.delta.extra)
    }
}

/// A chunk as providers send it, with the usage in it.
#[derive(Debug)]
pub(crate) struct UpstreamChunk {
    pub chunk: ChatChunk,
    /// `None` where there is none, or none that can be read.
    pub usage: Option<Usage>,
}

impl OpenObject for UpstreamChunk {
    fn empty() -> Self {
        Self { chunk: ChatChunk::empty(), usage: None }
    }

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, fields: &mut A) -> Result<bool, A::Error> {
        if name != "usage" {
            return self.chunk.read(name, fields);
        }
        let usage: Option<Box<RawValue>> = fields.next_value()?;
        self.usage = usage.and_then(|raw| read_usage(raw.get()));
        Ok(true)
    }

    fn others(&mut self) -> &mut Extra {
        self.chunk.others()
    }
}

/// The usage in a text. Where a name stands in it twice the last value counts, as everywhere else.
fn read_usage(text: &str) -> Option<Usage> {
    let read = serde_json::from_str::<OpenAiUsage>(text)
        .or_else(|_| serde_json::from_str::<Value>(text).and_then(serde_json::from_value::<OpenAiUsage>));
    read.ok().map(Usage::from)
}

impl<'de> Deserialize<'de> for UpstreamChunk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        open_object::read(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_read_and_all_else_kept_in_order() {
        let text = r#"{"id":"a","zeta":1,"choices":[{"index":0,"delta":{"content":"x","other":null},"finish_reason":null}],"alpha":[2]}"#;
        let chunk: ChatChunk = serde_json::from_str(text).unwrap();
        assert_eq!(chunk.text(), Some("x"));
        assert_eq!(chunk.extra.keys().collect::<Vec<_>>(), ["zeta", "alpha"]);
        assert_eq!(chunk.choices[0].delta.extra["other"], Value::Null);
        assert_eq!(chunk.object, "chat.completion.chunk");
        let escaped: ChatChunk = serde_json::from_str(r#"{"m\u006fdel":"m","\u00e4":1}"#).unwrap();
        assert_eq!((escaped.model.as_str(), &escaped.extra["ä"]), ("m", &Value::from(1)));
        for wrong in
            ["[]", "7", r#"{"choices":null}"#, r#"{"created":"x"}"#, r#"{"choices":[{"delta":null}]}"#]
        {
            assert!(serde_json::from_str::<ChatChunk>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_object_that_is_all_unknown_fields_is_refused() {
        let of = |fields: usize| {
            let fields: Vec<String> = (0..fields).map(|n| format!("\"f{n}\":{n}")).collect();
            serde_json::from_str::<ChatChunk>(&format!("{{{}}}", fields.join(",")))
        };
        assert_eq!(of(Extra::MOST).unwrap().extra.len(), Extra::MOST);
        assert!(of(Extra::MOST + 1).unwrap_err().to_string().contains("more than 128 fields"));
    }

    #[test]
    fn of_a_name_that_stands_twice_the_last_value_counts() {
        let chunk: ChatChunk = serde_json::from_str(r#"{"model":"one","model":"two"}"#).unwrap();
        assert_eq!(chunk.model, "two");
        let twice = r#"{"usage":{"prompt_tokens":1,"prompt_tokens":7,"completion_tokens":2}}"#;
        let read: UpstreamChunk = serde_json::from_str(twice).unwrap();
        assert_eq!(read.usage.map(|usage| (usage.input_tokens, usage.output_tokens)), Some((7, 2)));
        for none in [r#"{"usage":null}"#, r#"{"usage":7}"#, "{}"] {
            let read: UpstreamChunk = serde_json::from_str(none).unwrap();
            assert!(read.usage.is_none() && read.chunk.extra.is_empty(), "{none}");
        }
    }
}
