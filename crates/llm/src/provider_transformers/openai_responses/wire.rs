//! The objects of the responses API, as far as we send or read them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{FinishReason, Usage};

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item {
    Message {
        role: &'static str,
        content: Vec<ContentPart>,
    },
    FunctionCall {
        call_id: String,
        name: String,
        arguments: String,
    },
    FunctionCallOutput {
        call_id: String,
        output: OutputContent,
    },
    /// A message of one text: the form that both accept from any role.
    #[serde(untagged)]
    Said {
        role: &'static str,
        content: String,
    },
    /// An item the provider gave us and wants back unchanged.
    #[serde(untagged)]
    Verbatim(Box<RawValue>),
}

impl Item {
    pub(super) fn said(role: &'static str, content: String) -> Self {
        Item::Said { role, content }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum OutputContent {
    Text(String),
    Parts(Vec<ContentPart>),
}

#[derive(Serialize)]
#[serde(tag = "type")]
pub(super) enum ContentPart {
    #[serde(rename = "input_text")]
    Text { text: String },
    #[serde(rename = "input_image")]
    Image {
        image_url: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    #[serde(rename = "input_file")]
    File { filename: String, file_data: String },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Tool {
    Function {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        parameters: Option<Box<RawValue>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
    WebSearch {
        #[serde(skip_serializing_if = "Option::is_none")]
        filters: Option<Filters>,
    },
}

#[derive(Serialize)]
pub(super) struct Filters {
    pub allowed_domains: Vec<String>,
}

/// A response, at the beginning of a stream, at its end, or whole.
#[derive(Deserialize)]
pub(super) struct Response {
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub created_at: Option<f64>,
    #[serde(default)]
    pub model: String,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub error: Option<Failure>,
    #[serde(default)]
    pub incomplete_details: Option<Incomplete>,
    #[serde(default)]
    pub output: Vec<Value>,
    #[serde(default)]
    pub usage: Option<WireUsage>,
}

#[derive(Default, Deserialize)]
pub(super) struct Failure {
    #[serde(default)]
    pub code: Option<String>,
    #[serde(default)]
    pub message: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Incomplete {
    #[serde(default)]
    pub reason: Option<String>,
}

/// What an output item is, as far as it matters. Reasoning is passed on as it is.
#[derive(Deserialize)]
pub(super) struct OutputItem {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub call_id: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub arguments: Option<String>,
    #[serde(default)]
    pub content: Vec<AnswerPart>,
    #[serde(default)]
    pub summary: Vec<AnswerPart>,
    #[serde(default)]
    pub encrypted_content: Option<String>,
    /// What a call of the provider's own search did.
    #[serde(default)]
    pub action: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct AnswerPart {
    #[serde(default, rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub text: Option<String>,
    #[serde(default)]
    pub refusal: Option<String>,
    #[serde(default)]
    pub annotations: Option<Vec<Value>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct WireUsage {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    input_tokens_details: Option<InputDetails>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
    /// xAI's: what it charges for, which is not all that was tried.
    #[serde(default)]
    server_side_tool_usage_details: Option<ServerTools>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct ServerTools {
    #[serde(default)]
    web_search_calls: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct InputDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct OutputDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

impl From<WireUsage> for Usage {
    /// Cached tokens are part of the input and reasoning is part of the output, as in the canonical form.
    fn from(wire: WireUsage) -> Self {
        Usage {
            input_tokens: wire.input_tokens.unwrap_or(0),
            output_tokens: wire.output_tokens.unwrap_or(0),
            cache_read_tokens: wire
                .input_tokens_details
                .and_then(|details| details.cached_tokens)
                .unwrap_or(0),
            reasoning_tokens: wire
                .output_tokens_details
                .and_then(|details| details.reasoning_tokens)
                .unwrap_or(0),
            web_searches: wire
                .server_side_tool_usage_details
                .and_then(|tools| tools.web_search_calls)
                .unwrap_or(0),
            ..Usage::default()
        }
    }
}

/// Why an incomplete response is incomplete.
pub(super) fn incomplete_reason(reason: Option<&str>) -> FinishReason {
    match reason {
        Some("max_output_tokens" | "max_tokens") => FinishReason::Length,
        Some("content_filter") => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    }
}
