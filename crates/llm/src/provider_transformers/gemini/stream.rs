//! Stream of `generateContent` → canonical chunks.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::wire::{Answer, AnswerCall, AnswerPart, Candidate, Ending, Grounding, WireUsage, ending};
use crate::provider_transformers::failure;
use crate::stream::{Delta, FunctionDelta, ToolCallDelta};
use crate::{ChatChunk, Extra, FinishReason, LlmError, Source, StreamEvent, UpstreamError, Usage, search};

/// Where a stream stands.
#[derive(Debug)]
pub(in super::super) struct Decoder {
    created: u64,
    /// What makes the ids of this answer differ from those of another one.
    seed: Vec<u8>,
    id: String,
    model: String,
    begun: bool,
    /// Tool calls seen in the whole stream: several may stand in one event.
    calls: u32,
    usage: WireUsage,
    finish: Option<FinishReason>,
    /// Signature of the text, which comes late and often alone.
    signature: Option<String>,
    /// What the answer rests on, as it was told last.
    grounding: Grounding,
}

impl Decoder {
    pub(in super::super) fn new(created: u64) -> Self {
        Self {
            created,
            seed: Vec::new(),
            id: String::new(),
            model: String::new(),
            begun: false,
            calls: 0,
            usage: WireUsage::default(),
            finish: None,
            signature: None,
            grounding: Grounding::default(),
        }
    }

    pub(in super::super) fn seed(&mut self, seed: &[u8]) {
        self.seed = seed.to_vec();
    }

    pub(in super::super) fn message(
        &mut self,
        data: &str,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), LlmError> {
        let data = data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        if let Some(error) = failure(data) {
            out.push(StreamEvent::Error(error));
            return Ok(());
        }
        let answer: Answer =
            serde_json::from_str(data).map_err(|error| LlmError::Garbled(format!("a chunk: {error}")))?;
        self.answer(answer, out);
        Ok(())
    }

    /// One event of a stream, or all of an answer that is not one.
    pub(super) fn answer(&mut self, answer: Answer, out: &mut Vec<StreamEvent>) {
        self.begin(answer.response_id, answer.model_version, out);
        let mut failed = None;
        for candidate in answer.candidates.into_iter().filter(|candidate| candidate.index == 0) {
            failed = self.candidate(candidate, out).or(failed);
        }
        // A blocked prompt has no candidate at all, and still comes with status 200.
        if answer.prompt_feedback.is_some_and(|feedback| feedback.block_reason.is_some()) {
            self.finish = Some(FinishReason::ContentFilter);
        }
        if let Some(usage) = answer.usage_metadata {
            self.usage.replace_with(usage);
            out.push(StreamEvent::Usage(self.used()));
        }
        out.extend(failed.map(StreamEvent::Error));
    }

    /// The connection is over, which is the only end there is: usage may follow the finish reason.
    pub(in super::super) fn end(&mut self, out: &mut Vec<StreamEvent>) {
        let Some(finish) = self.finish else {
            out.push(StreamEvent::Error(UpstreamError::cut()));
            return;
        };
        // Calls end with `STOP` too.
        let finish =
            if finish == FinishReason::Stop && self.calls > 0 { FinishReason::ToolCalls } else { finish };
        self.tell_grounding(out);
        let mut delta = Delta::default();
        if let Some(signature) = self.signature.take() {
            delta.extra = extra(json!({ "thought_signature": signature }));
        }
        out.push(self.chunk(delta, Some(finish)));
        out.push(StreamEvent::Done(finish));
    }

    fn begin(&mut self, id: Option<String>, model: Option<String>, out: &mut Vec<StreamEvent>) {
        if self.begun {
            return;
        }
        self.begun = true;
        self.model = model.unwrap_or_default();
        self.id = id.unwrap_or_else(|| format!("gemini-{}", self.minted("answer", 0)));
        out.push(self.chunk(Delta { role: Some("assistant".into()), ..Delta::default() }, None));
    }

    fn candidate(&mut self, candidate: Candidate, out: &mut Vec<StreamEvent>) -> Option<UpstreamError> {
        for part in candidate.content.into_iter().flat_map(|content| content.parts) {
            self.part(part, out);
        }
        if let Some(told) = candidate.grounding_metadata {
            self.ground(told, out);
        }
        let reason = candidate.finish_reason?;
        match ending(&reason) {
            Ending::Open => None,
            Ending::Reason(finish) => {
                self.finish = Some(finish);
                None
            }
            Ending::Failed => {
                let message = format!("the model's answer cannot be used ({reason})");
                Some(UpstreamError::new(502, Some(reason.to_lowercase()), &message))
            }
        }
    }

    /// Takes a report. Some events have only a part of it.
    fn ground(&mut self, told: Grounding, out: &mut Vec<StreamEvent>) {
        let known = self.grounding.web_search_queries.len();
        if told.web_search_queries.len() > known {
            let news = told.web_search_queries[known..].to_vec();
            let extra = search::searched(news).into();
            out.push(self.chunk(Delta { extra, ..Delta::default() }, None));
            self.grounding.web_search_queries = told.web_search_queries;
        }
        if !told.grounding_chunks.is_empty() {
            self.grounding.grounding_chunks = told.grounding_chunks;
        }
    }

    /// Said once, at the end: until then the list may grow.
    fn tell_grounding(&mut self, out: &mut Vec<StreamEvent>) {
        let chunks = std::mem::take(&mut self.grounding.grounding_chunks);
        let cited = chunks.into_iter().filter_map(|chunk| {
            let web = chunk.web?;
            let source = Source { url: web.uri?, title: web.title.unwrap_or_default(), ..Source::default() };
            // The places that Google names are those of bytes.
            Some(source.annotation(None))
        });
        let cited: Vec<Value> = cited.collect();
        if !cited.is_empty() {
            let extra = search::cited(cited).into();
            out.push(self.chunk(Delta { extra, ..Delta::default() }, None));
        }
    }

    fn used(&self) -> Usage {
        Usage { web_searches: self.grounding.web_search_queries.len() as u64, ..self.usage.to_usage() }
    }

    fn part(&mut self, part: AnswerPart, out: &mut Vec<StreamEvent>) {
        if let Some(call) = part.function_call {
            self.call(call, part.thought_signature, out);
            return;
        }
        self.signature = part.thought_signature.or(self.signature.take());
        let Some(text) = part.text.filter(|text| !text.is_empty()) else { return };
        let delta = match part.thought {
            true => Delta { reasoning_content: Some(text), ..Delta::default() },
            false => Delta { content: Some(text), ..Delta::default() },
        };
        out.push(self.chunk(delta, None));
    }

    /// Calls come whole.
    fn call(&mut self, call: AnswerCall, signature: Option<String>, out: &mut Vec<StreamEvent>) {
        let index = self.calls;
        self.calls += 1;
        let mut google = Map::new();
        google.extend(signature.map(|signature| ("thought_signature".to_owned(), Value::String(signature))));
        let given = call.id.filter(|id| !id.is_empty());
        google.extend(given.clone().map(|id| ("function_call_id".to_owned(), Value::String(id))));
        let id = given.unwrap_or_else(|| format!("call_{}", self.minted("call", index)));
        let arguments = call.args.map_or_else(|| "{}".to_owned(), |args| compact(args.get()));
        let piece = ToolCallDelta {
            index,
            id: Some(id),
            kind: Some("function".into()),
            function: FunctionDelta { name: Some(call.name), arguments: Some(arguments) },
            extra: if google.is_empty() { Extra::new() } else { extra(Value::Object(google)) },
        };
        out.push(self.chunk(Delta { tool_calls: Some(vec![piece]), ..Delta::default() }, None));
    }

    fn chunk(&self, delta: Delta, finish: Option<FinishReason>) -> StreamEvent {
        StreamEvent::Chunk(ChatChunk::new(&self.id, self.created, &self.model).with(delta, finish))
    }

    /// An id that is the same whenever this answer is read, and differs from those of other answers.
    fn minted(&self, what: &str, number: u32) -> String {
        let mut hash = Sha256::new();
        for part in [&self.seed[..], self.id.as_bytes(), &self.created.to_be_bytes(), what.as_bytes()] {
            // The lengths keep two lists of parts from looking the same.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(number.to_be_bytes());
        hex::encode(&hash.finalize()[..12])
    }
}

fn extra(google: Value) -> Extra {
    ("extra_content", json!({ "google": google })).into()
}

/// The same JSON without the white space between its signs; `null` is no object.
fn compact(json: &str) -> String {
    if json == "null" {
        return "{}".into();
    }
    let mut out = String::with_capacity(json.len());
    let (mut quoted, mut escaped) = (false, false);
    for sign in json.chars() {
        if quoted || !sign.is_ascii_whitespace() {
            out.push(sign);
        }
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
    }
    out
}
