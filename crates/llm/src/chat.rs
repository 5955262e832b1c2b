//! The canonical request: OpenAI chat completions, with everything unknown kept as it came.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Fields, LlmError, WebSearch};

/// A parsed request. Only what routing and translation need is typed; [`ChatRequest::fields`] holds all of it.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// The whole object, values verbatim.
    pub fields: Fields,
    /// The model that was asked for.
    pub model: String,
    /// Whether the caller wants a stream.
    pub stream: bool,
    /// Whether the caller wants usage at the end of the stream.
    pub include_usage: bool,
    /// The output limit the caller set, under either of its two names.
    pub max_tokens: Option<u64>,
    /// How many answers the caller wants (`n`), at least one.
    pub answers: u64,
    /// What the provider may look up on the web.
    pub web_search: Option<WebSearch>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

impl ChatRequest {
    /// Parses and checks the body of a chat request.
    pub fn parse(body: &[u8]) -> Result<Self, LlmError> {
        let fields: Fields =
            serde_json::from_slice(body).map_err(|error| LlmError::Malformed(error.to_string()))?;
        let model: Option<String> = fields.read("model")?;
        let model = model.filter(|model| !model.is_empty());
        let messages: Option<Vec<&RawValue>> = match fields.get("messages") {
            Some(raw) => serde_json::from_str(raw.get())
                .map_err(|_| LlmError::Malformed("field `messages` must be a list".into()))?,
            None => None,
        };
        if messages.is_none_or(|messages| messages.is_empty()) {
            return Err(LlmError::Malformed("field `messages` must not be empty".into()));
        }
        let options: Option<StreamOptions> = fields.read("stream_options")?;
        let max_completion: Option<u64> = fields.read("max_completion_tokens")?;
        Ok(Self {
            model: model.ok_or_else(|| LlmError::Malformed("field `model` is missing".into()))?,
            stream: fields.read("stream")?.unwrap_or(false),
            include_usage: options.and_then(|options| options.include_usage).unwrap_or(false),
            // With both, some providers take the one and some the other: the larger is what may come.
            max_tokens: max_completion.max(fields.read("max_tokens")?),
            answers: fields.read::<u64>("n")?.unwrap_or(1).max(1),
            web_search: WebSearch::of(&fields)?,
            fields,
        })
    }

    /// The messages, parsed as far as translation needs them.
    pub fn messages(&self) -> Result<Vec<Message>, LlmError> {
        Ok(self.fields.read("messages")?.unwrap_or_default())
    }

    /// The body as bytes.
    pub fn to_bytes(&self) -> Result<bytes::Bytes, LlmError> {
        let body =
            serde_json::to_vec(&self.fields).map_err(|error| LlmError::Malformed(error.to_string()))?;
        Ok(body.into())
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions of the application.
    System,
    /// The newer name of [`Role::System`].
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
}

/// One message.
#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// Text or parts, see [`Message::parts`].
    #[serde(default)]
    pub content: Option<Box<RawValue>>,
    /// Calls the model made.
    #[serde(default)]
    pub tool_calls: Option<Vec<ToolCall>>,
    /// In a tool result: which call it answers.
    #[serde(default)]
    pub tool_call_id: Option<String>,
    /// What a provider wants back unchanged, by provider.
    #[serde(default)]
    pub extra_content: Option<ExtraContent>,
}

/// What providers want back unchanged in a later turn.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ExtraContent {
    /// Anthropic's signed thinking blocks.
    #[serde(default)]
    pub anthropic: Option<AnthropicExtra>,
    /// Google's signature of a thought.
    #[serde(default)]
    pub google: Option<GoogleExtra>,
    /// The encrypted reasoning of OpenAI and xAI.
    #[serde(default)]
    pub openai: Option<OpenAiExtra>,
}

/// Anthropic's part of [`ExtraContent`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AnthropicExtra {
    /// `thinking` and `redacted_thinking` blocks, verbatim.
    #[serde(default)]
    pub thinking_blocks: Vec<Box<RawValue>>,
}

/// Google's part of [`ExtraContent`], on a tool call or on a message.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct GoogleExtra {
    /// Goes back on the very part that it came on.
    #[serde(default)]
    pub thought_signature: Option<String>,
    /// The id that Google itself gave the call; absent when the call's id was minted here.
    #[serde(default)]
    pub function_call_id: Option<String>,
}

/// OpenAI's part of [`ExtraContent`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct OpenAiExtra {
    /// `reasoning` items with their `encrypted_content`, verbatim.
    #[serde(default)]
    pub reasoning_items: Vec<Box<RawValue>>,
}

/// A call as it stands in the history.
#[derive(Clone, Debug, Deserialize)]
pub struct ToolCall {
    /// The id the result will name.
    pub id: String,
    /// What a provider wants back unchanged with this call.
    #[serde(default)]
    pub extra_content: Option<ExtraContent>,
    /// Name and arguments.
    pub function: FunctionCall,
}

/// Name and arguments of a call in the history.
#[derive(Clone, Debug, Deserialize)]
pub struct FunctionCall {
    /// The tool.
    pub name: String,
    /// JSON text.
    #[serde(default)]
    pub arguments: String,
}

/// One part of a message.
#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    /// `text`, `image_url`, `file`, `refusal`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Text of a `text` part.
    #[serde(default)]
    pub text: Option<String>,
    /// Text of a `refusal` part.
    #[serde(default)]
    pub refusal: Option<String>,
    /// Image of an `image_url` part.
    #[serde(default)]
    pub image_url: Option<ImageUrl>,
    /// File of a `file` part.
    #[serde(default)]
    pub file: Option<FilePart>,
    /// Anthropic's cache border, verbatim.
    #[serde(default)]
    pub cache_control: Option<Box<RawValue>>,
}

/// An image by data URI or address.
#[derive(Clone, Debug, Deserialize)]
pub struct ImageUrl {
    /// `data:` or `https:`.
    pub url: String,
    /// How closely to look: `low`, `high`, `auto`.
    #[serde(default)]
    pub detail: Option<String>,
}

/// A file given inline.
#[derive(Clone, Debug, Deserialize)]
pub struct FilePart {
    /// A `data:` URI.
    #[serde(default)]
    pub file_data: Option<String>,
    /// What it is called.
    #[serde(default)]
    pub filename: Option<String>,
}

impl Message {
    /// The content as parts; plain text is one `text` part, absent content none.
    pub fn parts(&self) -> Result<Vec<Part>, LlmError> {
        let Some(raw) = &self.content else { return Ok(Vec::new()) };
        let malformed = |error: serde_json::Error| LlmError::Malformed(format!("message content: {error}"));
        match raw.get().as_bytes().first() {
            Some(b'"') => {
                let text: String = serde_json::from_str(raw.get()).map_err(malformed)?;
                Ok(vec![Part {
                    kind: "text".into(),
                    text: Some(text),
                    refusal: None,
                    image_url: None,
                    file: None,
                    cache_control: None,
                }])
            }
            Some(b'n') => Ok(Vec::new()),
            _ => serde_json::from_str(raw.get()).map_err(malformed),
        }
    }
}
