//! Chat completions out: almost the canonical form itself.

use bytes::BytesMut;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Failure, Opening};
use crate::{ChatChunk, ChatResponse, Usage};

/// Writes a stream of chat completions.
#[derive(Debug)]
pub(super) struct Writer {
    opening: Opening,
    include_usage: bool,
    model: String,
    /// What is written at the moment. The allocation serves the next chunk.
    line: Vec<u8>,
}

impl Writer {
    pub fn new(opening: Opening, include_usage: bool) -> Self {
        Self { opening, include_usage, model: String::new(), line: Vec::new() }
    }

    pub fn chunk(&mut self, mut chunk: ChatChunk, out: &mut BytesMut) {
        if self.model.is_empty() {
            self.model.clone_from(&chunk.model);
        }
        if self.include_usage {
            chunk.extra.insert("usage", Value::Null);
        }
        self.write(&chunk, out);
    }

    pub fn done(&mut self, usage: Usage, cost_microusd: Option<u64>, out: &mut BytesMut) {
        if self.include_usage {
            let mut chunk = ChatChunk::new(&self.opening.request_id, self.opening.created, &self.model);
            chunk.extra.insert("usage", usage.to_openai(cost_microusd));
            self.write(&chunk, out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn write(&mut self, chunk: &ChatChunk, out: &mut BytesMut) {
        self.line.clear();
        self.line.extend_from_slice(b"data: ");
        // Its keys are texts and its numbers finite, which is all that encoding can fail for.
        if serde_json::to_writer(&mut self.line, chunk).is_ok() {
            self.line.extend_from_slice(b"\n\n");
            out.extend_from_slice(&self.line);
        }
    }
}

/// A whole answer: the response, and what it used.
#[derive(Debug, Serialize)]
pub(super) struct Answer<'r> {
    #[serde(flatten)]
    response: &'r ChatResponse,
    usage: Value,
}

impl<'r> Answer<'r> {
    pub fn of(response: &'r ChatResponse, usage: Usage, cost_microusd: Option<u64>) -> Self {
        Self { response, usage: usage.to_openai(cost_microusd) }
    }
}

/// OpenAI's error object, which chat completions and responses share.
pub(super) fn error(failure: &Failure<'_>) -> Value {
    let kind = match failure.status {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    json!({ "error": { "message": failure.message, "type": kind, "param": null, "code": failure.code } })
}
