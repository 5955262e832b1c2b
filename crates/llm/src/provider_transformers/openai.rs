//! OpenAI chat completions: almost the canonical form itself.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::given::refuse_search;
use super::{WireRequest, ask_for_stream, failure, says_error};
use crate::{
    ChatChunk, ChatRequest, ChatResponse, Fields, FinishReason, LlmError, StreamEvent, UpstreamError, Usage,
    stream::UpstreamChunk, usage::OpenAiUsage,
};

pub(super) fn encode(mut request: ChatRequest, upstream_model: &str) -> Result<WireRequest, LlmError> {
    refuse_search(&request, "OpenAI's chat completions")?;
    let mut transformations = Vec::new();
    ask_for_stream(&mut request, upstream_model, true, &mut transformations)?;
    newer_limit_name(&mut request, &mut transformations);
    without_fields(&mut request.fields, &["extra_content", "reasoning_content"], &mut transformations)?;
    chat_request(request, transformations)
}

/// Takes out of the history what other providers gave to be brought along: a field that is not OpenAI's is an error
/// there, and a conversation may change its provider.
pub(super) fn without_fields(
    fields: &mut Fields,
    names: &[&str],
    notes: &mut Vec<String>,
) -> Result<(), LlmError> {
    // Nearly every request is spared the second parse.
    let written = fields.get("messages").map(RawValue::get).unwrap_or_default();
    if !names.iter().any(|name| written.contains(name)) {
        return Ok(());
    }
    let mut messages: Vec<Fields> = fields.read("messages")?.unwrap_or_default();
    let mut changed = false;
    for message in &mut messages {
        changed |= take_out(message, names);
        let mut calls: Vec<Fields> = message.read("tool_calls")?.unwrap_or_default();
        let mut lighter = false;
        for call in &mut calls {
            lighter |= take_out(call, names);
        }
        if lighter {
            message.set("tool_calls", &calls)?;
            changed = true;
        }
    }
    if changed {
        fields.set("messages", &messages)?;
        notes.push(format!("dropped {} of the history", names.join(" and ")));
    }
    Ok(())
}

fn take_out(fields: &mut Fields, names: &[&str]) -> bool {
    names.iter().filter(|name| fields.remove(name).is_some()).count() > 0
}

/// Reasoning models refuse the old name, no current model refuses the new one.
pub(super) fn newer_limit_name(request: &mut ChatRequest, notes: &mut Vec<String>) {
    if request.fields.get("max_completion_tokens").is_some() {
        if request.fields.remove("max_tokens").is_some() {
            notes.push("dropped max_tokens beside max_completion_tokens".into());
        }
    } else if request.fields.rename("max_tokens", "max_completion_tokens") {
        notes.push("renamed max_tokens to max_completion_tokens".into());
    }
}

/// The wire request of everything that speaks chat completions.
pub(super) fn chat_request(
    request: ChatRequest,
    transformations: Vec<String>,
) -> Result<WireRequest, LlmError> {
    Ok(WireRequest {
        path: "/chat/completions".into(),
        headers: vec![("accept", "text/event-stream".into())],
        body: request.to_bytes()?,
        streamed: true,
        transformations,
    })
}

/// What a stream of chat completions has said so far.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    finish: Option<FinishReason>,
    /// Whether the upstream is one of the many that follow OpenAI loosely.
    loose: bool,
    /// Choices that have begun, and whether they have ended.
    choices: BTreeMap<u32, bool>,
}

impl Decoder {
    /// For upstreams that follow OpenAI loosely.
    pub(super) fn loose() -> Self {
        Self { loose: true, ..Self::default() }
    }

    pub(super) fn message(&mut self, data: &str, out: &mut Vec<StreamEvent>) -> Result<(), LlmError> {
        let data = data.trim();
        if data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            out.push(self.end_of_stream());
            return Ok(());
        }
        if let Some(error) = failure(data).or_else(|| failed_choice(data)) {
            out.push(StreamEvent::Error(error));
            return Ok(());
        }
        let UpstreamChunk { mut chunk, usage } =
            serde_json::from_str(data).map_err(|error| LlmError::Garbled(format!("a chunk: {error}")))?;
        if self.loose {
            self.tighten(&mut chunk);
        }
        if let Some(finish) = chunk.choices.iter().find_map(|choice| choice.finish_reason) {
            self.finish = Some(finish);
        }
        // The chunk that only carries usage has no choices (or, from some gateways, one empty choice).
        if !chunk.choices.is_empty() {
            out.push(StreamEvent::Chunk(chunk));
        }
        out.extend(usage.map(StreamEvent::Usage));
        Ok(())
    }

    /// Makes a chunk what OpenAI would have sent: the reasoning under its usual name, the role once, and no choice that
    /// says nothing after the end beside the usage.
    fn tighten(&mut self, chunk: &mut ChatChunk) {
        chunk.choices.retain_mut(|choice| {
            let delta = &mut choice.delta;
            if delta.reasoning_content.is_none() && delta.extra[REASONING].is_string() {
                delta.reasoning_content = text_of(delta.extra.remove(REASONING));
            }
            let Some(ended) = self.choices.get_mut(&choice.index) else {
                self.choices.insert(choice.index, choice.finish_reason.is_some());
                return true;
            };
            choice.delta.role = None;
            let is_news = !*ended || choice.delta.content_bytes() > 0;
            *ended |= choice.finish_reason.is_some();
            is_news
        });
    }

    /// Some compatible servers close without `[DONE]`; a finish reason is as good. Without either it was cut.
    pub(super) fn end_of_stream(&self) -> StreamEvent {
        match self.finish {
            Some(reason) => StreamEvent::Done(reason),
            None => StreamEvent::Error(UpstreamError::cut()),
        }
    }
}

/// The name that some servers give to the reasoning.
const REASONING: &str = "reasoning";

fn text_of(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// A choice that ends with an error, with or without words about it. As a finish reason that nobody knows it would pass
/// for a normal end.
fn failed_choice(data: &str) -> Option<UpstreamError> {
    #[derive(Deserialize)]
    struct Probe<'a> {
        #[serde(borrow, default)]
        choices: Vec<Choice<'a>>,
    }
    #[derive(Deserialize)]
    struct Choice<'a> {
        #[serde(borrow, default)]
        error: Option<&'a RawValue>,
        #[serde(borrow, default)]
        finish_reason: Option<&'a RawValue>,
    }
    if !says_error(data) {
        return None;
    }
    let choices = serde_json::from_str::<Probe<'_>>(data).ok()?.choices;
    let failed = choices.iter().find(|choice| {
        choice.error.is_some() || choice.finish_reason.is_some_and(|reason| reason.get() == "\"error\"")
    })?;
    Some(match failed.error {
        Some(error) => UpstreamError::from_body(200, format!("{{\"error\":{}}}", error.get()).as_bytes()),
        None => UpstreamError::new(502, None, "the upstream ended the answer with an error"),
    })
}

pub(super) fn decode_response(body: &[u8], loose: bool) -> Result<(ChatResponse, Option<Usage>), LlmError> {
    let text = std::str::from_utf8(body).map(str::trim).unwrap_or_default();
    if let Some(error) = failure(text).or_else(|| failed_choice(text)) {
        return Err(LlmError::Failed(error));
    }
    let mut response: ChatResponse =
        serde_json::from_slice(body).map_err(|error| LlmError::Garbled(format!("an answer: {error}")))?;
    if response.choices.is_empty() {
        return Err(LlmError::Garbled("an answer without choices".into()));
    }
    for choice in response.choices.iter_mut().filter(|_| loose) {
        let message = &mut choice.message;
        if message.reasoning_content.is_none() && message.extra.get(REASONING).is_some_and(Value::is_string) {
            message.reasoning_content = text_of(message.extra.remove(REASONING));
        }
    }
    let usage = response.extra.remove("usage").filter(|usage| !Value::is_null(usage));
    let usage = usage
        .map(serde_json::from_value::<OpenAiUsage>)
        .transpose()
        .map_err(|error| LlmError::Garbled(format!("usage: {error}")))?;
    Ok((response, usage.map(Usage::from)))
}
