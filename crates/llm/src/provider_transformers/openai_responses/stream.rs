//! Responses stream and answer → canonical chunks and answer.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::wire::{AnswerPart, Failure, OutputItem, Response, incomplete_reason};
use crate::provider_transformers::{failure, folded};
use crate::stream::{Delta, FunctionDelta, ToolCallDelta};
use crate::{
    ChatChunk, ChatResponse, FinishReason, LlmError, Source, StreamEvent, UpstreamError, Usage, search,
};

/// Where a responses stream stands.
#[derive(Debug)]
pub(in super::super) struct Decoder {
    created: u64,
    id: String,
    model: String,
    begun: bool,
    refused: bool,
    /// The calls by the place of their item in the output, which counts reasoning and text too.
    calls: BTreeMap<u64, Call>,
    /// Searches of the web so far, for vendors that do not count them.
    searches: u64,
    /// Annotations that came by themselves; the item at its end says them again.
    cited: bool,
}

#[derive(Debug)]
struct Call {
    /// Counts calls only.
    index: u32,
    /// Whether any of the arguments have been passed on. xAI sends them whole, and only at the end.
    told: bool,
}

/// The events that mean something here.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Event {
    #[serde(rename = "response.created", alias = "response.in_progress", alias = "response.queued")]
    Begun { response: Response },
    #[serde(rename = "response.output_item.added")]
    Added { output_index: u64, item: OutputItem },
    #[serde(rename = "response.output_item.done")]
    Done { output_index: u64, item: Value },
    #[serde(rename = "response.output_text.delta")]
    Text { delta: String },
    #[serde(rename = "response.output_text.annotation.added")]
    Annotation { annotation: Value },
    #[serde(rename = "response.refusal.delta")]
    Refusal { delta: String },
    #[serde(rename = "response.reasoning_summary_text.delta", alias = "response.reasoning_text.delta")]
    Reasoning { delta: String },
    #[serde(rename = "response.reasoning_summary_part.added")]
    SummaryPart { summary_index: u64 },
    #[serde(rename = "response.function_call_arguments.delta")]
    Arguments { output_index: u64, delta: String },
    #[serde(rename = "response.function_call_arguments.done")]
    ArgumentsDone { output_index: u64, arguments: String },
    #[serde(rename = "response.completed", alias = "response.incomplete", alias = "response.failed")]
    Ended { response: Box<Response> },
    #[serde(rename = "error")]
    Error {
        #[serde(flatten)]
        failure: Failure,
    },
    #[serde(rename = "keepalive")]
    KeepAlive,
    #[serde(other)]
    Unknown,
}

impl Decoder {
    pub(in super::super) fn new(created: u64) -> Self {
        Self {
            created,
            id: String::new(),
            model: String::new(),
            begun: false,
            refused: false,
            calls: BTreeMap::new(),
            searches: 0,
            cited: false,
        }
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
        let event =
            serde_json::from_str(data).map_err(|error| LlmError::Garbled(format!("an event: {error}")))?;
        match event {
            Event::Begun { response } => self.begin(&response, out),
            Event::Added { output_index, item } => self.added(output_index, &item, out)?,
            Event::Done { output_index, item } => self.done(output_index, item, out)?,
            Event::Text { delta } => self.text(delta, out),
            Event::Annotation { annotation } => {
                self.cited = true;
                self.cite(std::slice::from_ref(&annotation), out);
            }
            Event::Refusal { delta } => self.refusal(delta, out),
            Event::Reasoning { delta } => self.reasoning(delta, out),
            Event::SummaryPart { summary_index } if summary_index > 0 => self.reasoning("\n\n".into(), out),
            Event::Arguments { output_index, delta } => self.arguments(output_index, delta, out),
            Event::ArgumentsDone { output_index, arguments } => {
                self.all_arguments(output_index, arguments, out)
            }
            Event::Ended { response } => self.end(*response, out),
            Event::Error { failure } => out.push(failed(failure)),
            Event::KeepAlive => out.push(StreamEvent::KeepAlive),
            Event::SummaryPart { .. } | Event::Unknown => {}
        }
        Ok(())
    }

    fn begin(&mut self, response: &Response, out: &mut Vec<StreamEvent>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        self.id.clone_from(&response.id);
        self.model.clone_from(&response.model);
        // A time that no clock shows is none.
        if let Some(created) = response.created_at.filter(|created| (1.0..1e12).contains(created)) {
            self.created = created as u64;
        }
        out.push(self.chunk(Delta { role: Some("assistant".into()), ..Delta::default() }, None));
    }

    fn chunk(&self, delta: Delta, finish: Option<FinishReason>) -> StreamEvent {
        StreamEvent::Chunk(ChatChunk::new(&self.id, self.created, &self.model).with(delta, finish))
    }

    fn text(&self, text: String, out: &mut Vec<StreamEvent>) {
        if !text.is_empty() {
            out.push(self.chunk(Delta { content: Some(text), ..Delta::default() }, None));
        }
    }

    fn reasoning(&self, text: String, out: &mut Vec<StreamEvent>) {
        if !text.is_empty() {
            out.push(self.chunk(Delta { reasoning_content: Some(text), ..Delta::default() }, None));
        }
    }

    fn refusal(&mut self, text: String, out: &mut Vec<StreamEvent>) {
        self.refused = true;
        let extra = ("refusal", Value::String(text)).into();
        out.push(self.chunk(Delta { extra, ..Delta::default() }, None));
    }

    fn added(&mut self, at: u64, item: &OutputItem, out: &mut Vec<StreamEvent>) -> Result<(), LlmError> {
        if item.kind != "function_call" || self.calls.contains_key(&at) {
            return Ok(());
        }
        let (Some(id), Some(name)) = (&item.call_id, &item.name) else {
            return Err(LlmError::Garbled("a tool call without id or name".into()));
        };
        let index = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        self.calls.insert(at, Call { index, told: false });
        let function = FunctionDelta { name: Some(name.clone()), arguments: Some(String::new()) };
        let kind = Some("function".into());
        self.tool(ToolCallDelta { index, id: Some(id.clone()), kind, function, ..Default::default() }, out);
        Ok(())
    }

    /// An item is complete: the arguments that had no delta are told, the reasoning is passed on.
    fn done(&mut self, at: u64, item: Value, out: &mut Vec<StreamEvent>) -> Result<(), LlmError> {
        let known = output_item(&item)?;
        match known.kind.as_str() {
            "function_call" => {
                self.added(at, &known, out)?;
                self.all_arguments(at, known.arguments.unwrap_or_default(), out);
            }
            "web_search_call" => self.searched(known.action.as_ref(), out),
            // What was told piece by piece is not told again.
            "message" if !self.cited => {
                for part in &known.content {
                    self.cite(part.annotations.as_deref().unwrap_or_default(), out);
                }
            }
            // Without the encrypted part there is nothing that a next turn could bring along.
            "reasoning" if known.encrypted_content.is_some() => {
                let extra = json!({ "openai": { "reasoning_items": [item] } });
                let extra = ("extra_content", extra).into();
                out.push(self.chunk(Delta { extra, ..Delta::default() }, None));
            }
            _ => {}
        }
        Ok(())
    }

    /// Only searches are charged: a page that is opened, or looked through, is not.
    fn searched(&mut self, action: Option<&Value>, out: &mut Vec<StreamEvent>) {
        let action = action.unwrap_or(&Value::Null);
        if !matches!(action["type"].as_str(), None | Some("search")) {
            return;
        }
        self.searches += 1;
        let query = action["query"].as_str().unwrap_or_default().to_owned();
        let extra = search::searched(vec![query]).into();
        out.push(self.chunk(Delta { extra, ..Delta::default() }, None));
    }

    fn cite(&self, annotations: &[Value], out: &mut Vec<StreamEvent>) {
        let place = |of: &Value| Some((of["start_index"].as_u64()?, of["end_index"].as_u64()?));
        let cited = annotations.iter().filter_map(|of| Some(Source::cited(of)?.annotation(place(of))));
        let cited: Vec<Value> = cited.collect();
        if !cited.is_empty() {
            let extra = search::cited(cited).into();
            out.push(self.chunk(Delta { extra, ..Delta::default() }, None));
        }
    }

    fn arguments(&mut self, at: u64, arguments: String, out: &mut Vec<StreamEvent>) {
        let Some(call) = self.calls.get_mut(&at).filter(|_| !arguments.is_empty()) else { return };
        call.told = true;
        let index = call.index;
        let function = FunctionDelta { name: None, arguments: Some(arguments) };
        self.tool(ToolCallDelta { index, function, ..ToolCallDelta::default() }, out);
    }

    fn all_arguments(&mut self, at: u64, arguments: String, out: &mut Vec<StreamEvent>) {
        if self.calls.get(&at).is_some_and(|call| !call.told) {
            // `""` is not JSON.
            let whole = if arguments.trim().is_empty() { "{}".into() } else { arguments };
            self.arguments(at, whole, out);
        }
    }

    fn tool(&self, piece: ToolCallDelta, out: &mut Vec<StreamEvent>) {
        out.push(self.chunk(Delta { tool_calls: Some(vec![piece]), ..Delta::default() }, None));
    }

    fn end(&mut self, response: Response, out: &mut Vec<StreamEvent>) {
        self.begin(&response, out);
        let usage = response.usage.map(|usage| {
            let told = Usage::from(usage);
            let web_searches = if told.web_searches > 0 { told.web_searches } else { self.searches };
            StreamEvent::Usage(Usage { web_searches, ..told })
        });
        if matches!(response.status.as_deref(), Some("failed" | "cancelled")) || response.error.is_some() {
            out.extend(usage);
            out.push(failed(response.error.unwrap_or_default()));
            return;
        }
        let finish = match response.status.as_deref() {
            Some("incomplete") => {
                incomplete_reason(response.incomplete_details.and_then(|details| details.reason).as_deref())
            }
            _ if self.refused => FinishReason::ContentFilter,
            _ if !self.calls.is_empty() => FinishReason::ToolCalls,
            _ => FinishReason::Stop,
        };
        out.push(self.chunk(Delta::default(), Some(finish)));
        out.extend(usage);
        out.push(StreamEvent::Done(finish));
    }

    /// An item of an answer that is not a stream.
    fn whole(&mut self, at: u64, item: Value, out: &mut Vec<StreamEvent>) -> Result<(), LlmError> {
        let known = output_item(&item)?;
        let texts = |parts: Vec<AnswerPart>| parts.into_iter().filter_map(|part| part.text);
        match known.kind.as_str() {
            "reasoning" => {
                let summary = texts(known.summary).collect::<Vec<_>>().join("\n\n");
                self.reasoning(summary, out);
                self.reasoning(texts(known.content).collect(), out);
            }
            "message" => {
                for part in known.content {
                    match (part.kind.as_str(), part.text, part.refusal) {
                        ("output_text", Some(text), _) => self.text(text, out),
                        ("refusal", _, Some(refusal)) => self.refusal(refusal, out),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        self.done(at, item, out)
    }
}

fn output_item(item: &Value) -> Result<OutputItem, LlmError> {
    OutputItem::deserialize(item).map_err(|error| LlmError::Garbled(format!("an item: {error}")))
}

fn failed(failure: Failure) -> StreamEvent {
    let message = failure.message.unwrap_or_else(|| "the upstream failed and does not say why".into());
    StreamEvent::Error(UpstreamError::named(failure.code, &message))
}

pub(in super::super) fn decode_response(
    created: u64,
    body: &[u8],
) -> Result<(ChatResponse, Option<Usage>), LlmError> {
    let garbled = |error: serde_json::Error| LlmError::Garbled(format!("an answer: {error}"));
    let value: Value = serde_json::from_slice(body).map_err(garbled)?;
    let has_items = value.get("output").is_some_and(Value::is_array);
    if let Some(error) = std::str::from_utf8(body).ok().and_then(|text| failure(text.trim())) {
        return Err(LlmError::Failed(error));
    }
    let mut response: Response = serde_json::from_value(value).map_err(garbled)?;
    if !has_items {
        return Err(LlmError::Garbled("an answer without output".into()));
    }
    let mut decoder = Decoder::new(created);
    let mut events = Vec::new();
    decoder.begin(&response, &mut events);
    for (at, item) in (0..).zip(std::mem::take(&mut response.output)) {
        decoder.whole(at, item, &mut events)?;
    }
    decoder.end(response, &mut events);
    folded(events)
}
