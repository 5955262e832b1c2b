//! The canonical request as the other dialects write it: what [`crate::chat`] reads.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::{Fields, LlmError};

/// A canonical message under construction.
#[derive(Debug, Default, Serialize)]
pub(super) struct Message {
    pub role: &'static str,
    pub content: Option<Content>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<Call>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// Reasoning that nobody signed; some compatible servers want it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extra_content: Map<String, Value>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Part {
    Text {
        text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Box<RawValue>>,
    },
    Refusal {
        refusal: String,
    },
    ImageUrl {
        image_url: Image,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Box<RawValue>>,
    },
    File {
        file: File,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Box<RawValue>>,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct Image {
    pub url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct File {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    pub file_data: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Call {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub function: CallFunction,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extra_content: Map<String, Value>,
}

#[derive(Debug, Serialize)]
pub(super) struct CallFunction {
    pub name: String,
    pub arguments: String,
}

/// A tool the model may call.
#[derive(Debug, Serialize)]
pub(super) struct Tool {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub function: ToolFunction,
}

#[derive(Debug, Serialize)]
pub(super) struct ToolFunction {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

/// `response_format` with a schema.
#[derive(Debug, Serialize)]
pub(super) struct SchemaFormat {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub json_schema: Schema,
}

#[derive(Debug, Serialize)]
pub(super) struct Schema {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub schema: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

impl Message {
    pub fn new(role: &'static str, content: Option<Content>) -> Self {
        Self { role, content, ..Self::default() }
    }
}

impl Part {
    pub fn text(text: impl Into<String>) -> Self {
        Part::Text { text: text.into(), cache_control: None }
    }

    fn cache_control(&mut self) -> Option<&mut Option<Box<RawValue>>> {
        match self {
            Part::Text { cache_control, .. }
            | Part::ImageUrl { cache_control, .. }
            | Part::File { cache_control, .. } => Some(cache_control),
            Part::Refusal { .. } => None,
        }
    }
}

impl Content {
    /// Parts in their simplest form: one plain text is a text, none are nothing.
    pub fn of(mut parts: Vec<Part>) -> Option<Self> {
        if let [Part::Text { text, cache_control: None }] = parts.as_mut_slice() {
            return Some(Content::Text(std::mem::take(text)));
        }
        (!parts.is_empty()).then_some(Content::Parts(parts))
    }
}

impl Call {
    pub fn new(id: String, name: String, arguments: String) -> Self {
        let function = CallFunction { name, arguments };
        Self { id, kind: "function", function, extra_content: Map::new() }
    }
}

/// A request that has been translated, but for what depends on where it goes.
#[derive(Debug, Default)]
pub(super) struct Translated {
    /// Everything but the messages.
    pub fields: Fields,
    pub messages: Vec<Message>,
    /// What was left out or changed, in words.
    pub notes: Vec<String>,
    /// What cannot be said in the canonical form. Such a request can only go to a provider of its own dialect.
    pub inexpressible: Option<String>,
}

impl Translated {
    /// Records what was left out, once.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// Records the first thing that the canonical form has no words for.
    pub fn cannot_say(&mut self, what: impl Into<String>) {
        self.inexpressible.get_or_insert_with(|| what.into());
    }

    /// Sets a field unless there is nothing to say.
    pub fn set<T: Serialize>(&mut self, name: &str, value: Option<T>) -> Result<(), LlmError> {
        if let Some(value) = value {
            self.fields.set(name, &value)?;
        }
        Ok(())
    }

    /// Takes out what strict servers of chat completions refuse: what other providers want back, and cache borders. The
    /// strictest refuse reasoning as well.
    pub fn make_plain(&mut self, strict: bool) {
        let (mut caches, mut extras) = (false, false);
        for message in &mut self.messages {
            extras |= !std::mem::take(&mut message.extra_content).is_empty();
            if strict {
                extras |= message.reasoning_content.take().is_some();
            }
            for call in &mut message.tool_calls {
                extras |= !std::mem::take(&mut call.extra_content).is_empty();
            }
            if let Some(Content::Parts(parts)) = &mut message.content {
                for part in parts {
                    caches |= part.cache_control().is_some_and(|cache| cache.take().is_some());
                }
            }
        }
        if caches {
            self.note("dropped cache_control");
        }
        if extras {
            self.note("dropped reasoning that other providers want back");
        }
    }

    /// Moves images and files out of the results of tools, where most providers take text alone, into a message of the
    /// user that follows the results.
    pub fn move_media(&mut self) {
        let mut messages = Vec::with_capacity(self.messages.len());
        let mut media = Vec::new();
        let mut moved = false;
        for mut message in std::mem::take(&mut self.messages) {
            match &mut message.content {
                Some(Content::Parts(parts)) if message.role == "tool" => {
                    let all = std::mem::take(parts);
                    let (text, other): (Vec<_>, Vec<_>) =
                        all.into_iter().partition(|part| matches!(part, Part::Text { .. }));
                    moved |= !other.is_empty();
                    media.extend(other);
                    let none = || Content::Text("The result is in the next message of the user.".into());
                    message.content = Some(Content::of(text).unwrap_or_else(none));
                }
                // Every result has to follow its call directly, so media wait until the last result has been given.
                _ if message.role != "tool" && !media.is_empty() => {
                    messages.push(Message::new("user", Content::of(std::mem::take(&mut media))));
                }
                _ => {}
            }
            messages.push(message);
        }
        if !media.is_empty() {
            messages.push(Message::new("user", Content::of(media)));
        }
        self.messages = messages;
        if moved {
            self.note("moved what is not text out of the results of tools");
        }
    }

    /// The canonical body.
    pub fn body(&mut self) -> Result<bytes::Bytes, LlmError> {
        if self.messages.is_empty() && self.inexpressible.is_some() {
            // It goes to nobody who reads this; a request without messages would not be one.
            self.messages.push(Message::new("user", Some(Content::Text(String::new()))));
        }
        self.fields.set("messages", &self.messages)?;
        let body =
            serde_json::to_vec(&self.fields).map_err(|error| LlmError::Malformed(error.to_string()))?;
        Ok(body.into())
    }
}
