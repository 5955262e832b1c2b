//! An answer that passes through: the provider's own events, as they came.

use serde_json::{Map, Value};

use crate::LlmError;
use crate::sse::{SseDecoder, SseEvent};

/// One event of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// Its name.
    pub name: String,
    /// Its data.
    pub data: String,
}

/// The events that end an answer well.
const ENDS: [&str; 3] = ["message_stop", "response.completed", "response.incomplete"];
/// The events that end it badly. A name is what clients go by, a type what decoders do; either makes it one.
const FAILURES: [&str; 2] = ["error", "response.failed"];

/// Splits the bytes of an answer into the provider's events. Errors are left out: the caller gets ours, without what a
/// provider's text may repeat.
#[derive(Debug, Default)]
pub struct Verbatim {
    sse: SseDecoder,
    closed: bool,
}

impl Verbatim {
    /// Takes the next bytes; returns the events that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Original>, LlmError> {
        let events = self.sse.push(bytes)?;
        Ok(self.kept(events))
    }

    /// The connection is over.
    pub fn finish(&mut self) -> Result<Vec<Original>, LlmError> {
        let events = self.sse.finish()?;
        Ok(self.kept(events))
    }

    fn kept(&mut self, events: Vec<SseEvent>) -> Vec<Original> {
        let mut kept = Vec::new();
        for event in events {
            let SseEvent::Message { name, data } = event else { continue };
            // Most events are told by their names; only these are worth a look inside.
            let kind = match name.is_empty() || name == "message" || data.contains("\"error\"") {
                true => kind(&data),
                false => name.clone(),
            };
            self.closed |= [name.as_str(), kind.as_str()].iter().any(|kind| FAILURES.contains(kind));
            if self.closed {
                break;
            }
            self.closed = ENDS.contains(&kind.as_str());
            kept.push(Original { name, data });
        }
        kept
    }
}

fn kind(data: &str) -> String {
    let value: Value = serde_json::from_str(data).unwrap_or_default();
    value["type"].as_str().unwrap_or_default().to_owned()
}

impl Original {
    /// Appends the event as the caller gets it.
    pub(super) fn write(&self, out: &mut bytes::BytesMut) {
        if !self.name.is_empty() {
            out.extend_from_slice(format!("event: {}\n", self.name).as_bytes());
        }
        for line in self.data.split('\n') {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\n");
        }
        out.extend_from_slice(b"\n");
    }
}

/// Builds a whole answer from a provider's own events.
#[derive(Debug, Default)]
pub struct Gathered {
    message: Map<String, Value>,
    content: Vec<Value>,
    /// Arguments of the block that is being read, as text.
    arguments: String,
    /// The last event had all of it.
    complete: bool,
}

impl Gathered {
    /// Takes the next event.
    pub fn push(&mut self, original: &Original) {
        let Ok(Value::Object(mut event)) = serde_json::from_str::<Value>(&original.data) else { return };
        let mut take = |key: &str| event.remove(key).unwrap_or_default();
        match take("type").as_str() {
            Some("response.completed" | "response.incomplete") => {
                if let Value::Object(response) = take("response") {
                    (self.message, self.complete) = (response, true);
                }
            }
            Some("message_start") => {
                if let Value::Object(message) = take("message") {
                    self.message = message;
                }
            }
            Some("content_block_start") => {
                // Whatever else a provider may send is no block, and nothing can be added to it.
                let block = take("content_block");
                self.content.push(if block.is_object() { block } else { Value::Object(Map::new()) });
                self.arguments.clear();
            }
            Some("content_block_delta") => self.delta(take("delta")),
            Some("content_block_stop") => {
                let arguments = std::mem::take(&mut self.arguments);
                if let (Some(block), Ok(input)) = (self.content.last_mut(), serde_json::from_str(&arguments))
                {
                    block["input"] = input;
                }
            }
            Some("message_delta") => {
                if let Value::Object(delta) = take("delta") {
                    self.message.extend(delta);
                }
                if let Value::Object(usage) = take("usage") {
                    match self.message.get_mut("usage") {
                        Some(Value::Object(old)) => old.extend(usage),
                        _ => drop(self.message.insert("usage".into(), Value::Object(usage))),
                    }
                }
                self.message.extend(event);
            }
            _ => {}
        }
    }

    fn delta(&mut self, mut delta: Value) {
        let Some(block) = self.content.last_mut() else { return };
        let kind = delta["type"].as_str().unwrap_or_default().to_owned();
        let (from, to) = match kind.as_str() {
            "text_delta" => ("text", "text"),
            "thinking_delta" => ("thinking", "thinking"),
            "signature_delta" => ("signature", "signature"),
            "citations_delta" => ("citation", "citations"),
            "input_json_delta" => {
                self.arguments.push_str(delta["partial_json"].as_str().unwrap_or_default());
                return;
            }
            _ => return,
        };
        match (&mut block[to], delta[from].take()) {
            (Value::String(text), Value::String(piece)) => text.push_str(&piece),
            (Value::Array(list), piece) => list.push(piece),
            (slot, piece) if from == "citation" => *slot = Value::Array(vec![piece]),
            (slot, piece) => *slot = piece,
        }
    }

    /// The whole answer: a JSON document.
    pub fn finish(mut self) -> bytes::Bytes {
        if !self.complete {
            self.message.insert("content".into(), Value::Array(self.content));
        }
        super::document(&self.message)
    }
}
