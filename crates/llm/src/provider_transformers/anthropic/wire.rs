//! The objects of the messages API, as far as we send or read them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::usage::ServerTools;
use crate::{FinishReason, Usage};

#[derive(Serialize)]
pub(super) struct Request {
    pub model: String,
    pub max_tokens: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<Block>,
    pub messages: Vec<Turn>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop_sequences: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking: Option<Reasoning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_config: Option<OutputConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    pub stream: bool,
}

#[derive(Serialize)]
pub(super) struct Reasoning {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_tokens: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct OutputConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<OutputFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct OutputFormat {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub schema: Box<RawValue>,
}

#[derive(Serialize)]
pub(super) struct Metadata {
    pub user_id: String,
}

#[derive(Serialize)]
pub(super) struct Turn {
    pub role: &'static str,
    pub content: Vec<Block>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block {
    Text {
        text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Box<RawValue>>,
    },
    Image {
        source: Source,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Box<RawValue>>,
    },
    Document {
        source: Source,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<Box<RawValue>>,
    },
    ToolUse {
        id: String,
        name: String,
        input: Box<RawValue>,
    },
    ToolResult {
        tool_use_id: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Block>,
    },
    /// A block the provider gave us and wants back unchanged.
    #[serde(untagged)]
    Verbatim(Box<RawValue>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Source {
    Base64 { media_type: String, data: String },
    Url { url: String },
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Tool {
    Function {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        input_schema: Box<RawValue>,
    },
    Search {
        #[serde(rename = "type")]
        kind: &'static str,
        name: &'static str,
        max_uses: u64,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        allowed_domains: Vec<String>,
    },
}

/// The tool with which Anthropic itself searches the web, and the name under which its calls come.
pub(super) const SEARCH_TOOL: &str = "web_search_20250305";
pub(super) const SEARCH_NAME: &str = "web_search";

impl Tool {
    pub(super) fn name(&self) -> &str {
        match self {
            Tool::Function { name, .. } => name,
            Tool::Search { name, .. } => name,
        }
    }
}

/// The tool by which models answer in the form of a schema that have no other way. What is in its input comes out as the
/// text of the answer.
pub(super) const ANSWER_TOOL: &str = "plantocode_structured_answer";

#[derive(Serialize)]
pub(super) struct ToolChoice {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_parallel_tool_use: Option<bool>,
}

/// `usage`, in `message_start` and (cumulative) in `message_delta`.
#[derive(Clone, Copy, Default, Debug, Deserialize)]
pub(super) struct WireUsage {
    #[serde(default)]
    pub input_tokens: Option<u64>,
    #[serde(default)]
    pub output_tokens: Option<u64>,
    #[serde(default)]
    pub cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    pub cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    pub server_tool_use: Option<ServerTools>,
}

impl WireUsage {
    /// A later report replaces what it names and leaves the rest.
    pub(super) fn replace_with(&mut self, later: WireUsage) {
        self.input_tokens = later.input_tokens.or(self.input_tokens);
        self.output_tokens = later.output_tokens.or(self.output_tokens);
        self.cache_read_input_tokens = later.cache_read_input_tokens.or(self.cache_read_input_tokens);
        self.cache_creation_input_tokens =
            later.cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        self.server_tool_use = later.server_tool_use.or(self.server_tool_use);
    }

    /// Anthropic's `input_tokens` excludes the cache, the canonical one contains it.
    /// `None` while nothing has been reported.
    pub(super) fn to_usage(self) -> Option<Usage> {
        self.input_tokens.or(self.output_tokens)?;
        let cache_read = self.cache_read_input_tokens.unwrap_or(0);
        let cache_write = self.cache_creation_input_tokens.unwrap_or(0);
        Some(Usage {
            input_tokens: self
                .input_tokens
                .unwrap_or(0)
                .saturating_add(cache_read)
                .saturating_add(cache_write),
            output_tokens: self.output_tokens.unwrap_or(0),
            cache_read_tokens: cache_read,
            cache_write_tokens: cache_write,
            web_searches: self.server_tool_use.and_then(|tools| tools.web_search_requests).unwrap_or(0),
            ..Usage::default()
        })
    }
}

/// The canonical reason.
pub(super) fn finish_reason(stop_reason: &str) -> FinishReason {
    match stop_reason {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        "pause_turn" => FinishReason::PauseTurn,
        _ => FinishReason::Other,
    }
}
