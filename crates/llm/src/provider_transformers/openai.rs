//! OpenAI chat completions: almost the canonical form itself.

use serde_json::Value;

use super::{WireRequest, ask_for_stream, failure};
use crate::{
    ChatChunk, ChatRequest, ChatResponse, FinishReason, LlmError, StreamEvent, UpstreamError, Usage,
    usage::OpenAiUsage,
};

pub(super) fn encode(mut request: ChatRequest, upstream_model: &str) -> Result<WireRequest, LlmError> {
    let mut transformations = Vec::new();
    ask_for_stream(&mut request, upstream_model, true, &mut transformations)?;
    // Reasoning models refuse the old name, no current model refuses the new one.
    if request.fields.get("max_completion_tokens").is_some() {
        if request.fields.remove("max_tokens").is_some() {
            transformations.push("dropped max_tokens beside max_completion_tokens".into());
        }
    } else if request.fields.rename("max_tokens", "max_completion_tokens") {
        transformations.push("renamed max_tokens to max_completion_tokens".into());
    }
    chat_request(request, transformations)
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
}

impl Decoder {
    pub(super) fn message(&mut self, data: &str, out: &mut Vec<StreamEvent>) -> Result<(), LlmError> {
        let data = data.trim();
        if data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            out.push(self.end_of_stream());
            return Ok(());
        }
        if let Some(error) = failure(data) {
            out.push(StreamEvent::Error(error));
            return Ok(());
        }
        let mut chunk: ChatChunk =
            serde_json::from_str(data).map_err(|error| LlmError::Garbled(format!("a chunk: {error}")))?;
        let usage = chunk.take_usage();
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

    /// Some compatible servers close without `[DONE]`; a finish reason is as good. Without either it was cut.
    pub(super) fn end_of_stream(&self) -> StreamEvent {
        match self.finish {
            Some(reason) => StreamEvent::Done(reason),
            None => StreamEvent::Error(UpstreamError::cut()),
        }
    }
}

pub(super) fn decode_response(body: &[u8]) -> Result<(ChatResponse, Option<Usage>), LlmError> {
    if let Some(error) = std::str::from_utf8(body).ok().and_then(|text| failure(text.trim())) {
        return Err(LlmError::Failed(error));
    }
    let mut response: ChatResponse =
        serde_json::from_slice(body).map_err(|error| LlmError::Garbled(format!("an answer: {error}")))?;
    if response.choices.is_empty() {
        return Err(LlmError::Garbled("an answer without choices".into()));
    }
    let usage = response.extra.remove("usage").filter(|usage| !Value::is_null(usage));
    let usage = usage
        .map(serde_json::from_value::<OpenAiUsage>)
        .transpose()
        .map_err(|error| LlmError::Garbled(format!("usage: {error}")))?;
    Ok((response, usage.map(Usage::from)))
}
