//! Canonical chunks → a responses stream.

use std::collections::BTreeMap;

use bytes::BytesMut;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::answer::{sealed, sign};
use super::{call_item, ended, given, message_item, object, reasoning_item, stem, text_part, usage_of};
use crate::inbound::carried::Carried;
use crate::inbound::pieces::{Piece, call_extra, is_whole, pieces};
use crate::inbound::{Failure, Opening, event};
use crate::stream::ToolCallDelta;
use crate::{ChatChunk, FinishReason, Usage};

/// Writes a responses stream. Items may overlap: each event names its own.
#[derive(Debug)]
pub(in crate::inbound) struct Writer {
    opening: Opening,
    echo: Map<String, Value>,
    stem: String,
    model: String,
    started: bool,
    sequence: u64,
    /// The items, in the order in which they began; `null` while they are being written.
    output: Vec<Value>,
    open: Option<Open>,
    calls: BTreeMap<u32, Call>,
    carried: Carried,
    finish: Option<FinishReason>,
}

/// What an item grows by. Nearly every event is one, so these are written without building a value first.
#[derive(Default, Serialize)]
struct Growth<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    item_id: String,
    output_index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_index: Option<usize>,
    delta: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<[u8; 0]>,
    sequence_number: u64,
}

impl<'a> Growth<'a> {
    fn of(output_index: usize, delta: &'a str) -> Self {
        Self { output_index, delta, ..Self::default() }
    }
}

/// The item that is being written besides calls.
#[derive(Debug)]
enum Open {
    Thought { at: usize, text: String },
    Message { at: usize, parts: Vec<Value>, refusal: bool, text: String },
}

#[derive(Debug, Default)]
struct Call {
    at: Option<usize>,
    id: String,
    name: String,
    arguments: String,
    closed: bool,
}

impl Writer {
    pub fn new(opening: Opening, echo: Map<String, Value>) -> Self {
        Self {
            opening,
            echo,
            stem: String::new(),
            model: String::new(),
            started: false,
            sequence: 0,
            output: Vec::new(),
            open: None,
            calls: BTreeMap::new(),
            carried: Carried::default(),
            finish: None,
        }
    }

    pub fn chunk(&mut self, chunk: ChatChunk, out: &mut BytesMut) {
        if self.model.is_empty() {
            self.stem = stem(&chunk.id, &self.opening.request_id);
            self.model = chunk.model;
        }
        self.start(out);
        for choice in chunk.choices.into_iter().filter(|choice| choice.index == 0) {
            self.finish = choice.finish_reason.or(self.finish);
            for piece in pieces(choice.delta) {
                self.piece(piece, out);
            }
        }
    }

    /// An event has reached the caller without us; ours would go on from there.
    pub fn passed(&mut self, data: &str) {
        self.sequence += 1;
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let event: Value = serde_json::from_str(data).unwrap_or_default();
        let text = |key: &str| event["response"][key].as_str().unwrap_or_default().to_owned();
        self.stem = stem(&text("id"), &self.opening.request_id);
        self.model = text("model");
    }

    pub fn done(&mut self, usage: Usage, cost_microusd: Option<u64>, out: &mut BytesMut) {
        self.start(out);
        let (status, details) = ended(self.finish.unwrap_or(FinishReason::Other));
        self.close(status, out);
        let calls: Vec<u32> = self.calls.keys().copied().collect();
        for index in calls {
            self.close_call(index, status, out);
        }
        if let Some(item) = sealed((&self.stem, self.output.len()), &self.carried, &self.echo) {
            self.whole(item, out);
        }
        let mut object = object(&self.opening, &self.echo, (&self.stem, &self.model), status);
        object.insert("incomplete_details".into(), details);
        object.insert("output".into(), Value::Array(std::mem::take(&mut self.output)));
        object.insert("usage".into(), usage_of(usage, cost_microusd));
        self.emit(json!({ "type": format!("response.{status}"), "response": object }), out);
    }

    /// `response.failed`, with what was finished until then.
    pub fn failed(&mut self, failure: &Failure<'_>, out: &mut BytesMut) {
        self.start(out);
        let mut object = object(&self.opening, &self.echo, (&self.stem, &self.model), "failed");
        let output = std::mem::take(&mut self.output).into_iter().filter(|item| !item.is_null()).collect();
        object.insert("output".into(), Value::Array(output));
        object.insert("error".into(), json!({ "code": failure.code, "message": failure.message }));
        self.emit(json!({ "type": "response.failed", "response": object }), out);
    }

    fn start(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        if self.stem.is_empty() {
            self.stem = stem("", &self.opening.request_id);
        }
        let object = object(&self.opening, &self.echo, (&self.stem, &self.model), "in_progress");
        self.emit(json!({ "type": "response.created", "response": object }), out);
        self.emit(json!({ "type": "response.in_progress", "response": object }), out);
    }

    fn piece(&mut self, piece: Piece, out: &mut BytesMut) {
        match piece {
            Piece::Thought(text) => self.thought(&text, out),
            Piece::Signed(block) => sign(&mut self.carried, block),
            Piece::Item(item) => {
                self.close("completed", out);
                self.whole(item, out);
            }
            Piece::Extra(extra) => self.carried.message.extend(extra),
            Piece::Text(text) => self.text(&text, false, out),
            Piece::Refusal(text) => self.text(&text, true, out),
            Piece::Call(call) => self.call(call, out),
        }
    }

    fn thought(&mut self, piece: &str, out: &mut BytesMut) {
        if !matches!(self.open, Some(Open::Thought { .. })) {
            self.close("completed", out);
            let at = self.begin(|place| reasoning_item(place, ""), out);
            let part = json!({ "type": "summary_text", "text": "" });
            self.emit(self.summary("part.added", at, ("part", part)), out);
            self.open = Some(Open::Thought { at, text: String::new() });
        }
        if let Some(Open::Thought { at, text }) = &mut self.open {
            text.push_str(piece);
            let at = *at;
            let growth = Growth { summary_index: Some(0), ..Growth::of(at, piece) };
            self.grow("response.reasoning_summary_text.delta", "rs", growth, out);
        }
    }

    fn text(&mut self, piece: &str, is_refusal: bool, out: &mut BytesMut) {
        if !matches!(self.open, Some(Open::Message { .. })) {
            self.close("completed", out);
            let at = self.begin(|place| message_item(place, Vec::new(), "in_progress"), out);
            self.open =
                Some(Open::Message { at, parts: Vec::new(), refusal: is_refusal, text: String::new() });
            self.emit(self.part("added", at, 0, part_of(is_refusal, "")), out);
        } else if matches!(&self.open, Some(Open::Message { refusal, .. }) if *refusal != is_refusal) {
            self.close_part(out);
            if let Some(Open::Message { at, parts, refusal, .. }) = &mut self.open {
                *refusal = is_refusal;
                let (at, index) = (*at, parts.len());
                self.emit(self.part("added", at, index, part_of(is_refusal, "")), out);
            }
        }
        if let Some(Open::Message { at, parts, text, .. }) = &mut self.open {
            text.push_str(piece);
            let (item, index) = (*at, parts.len());
            let growth = Growth { content_index: Some(index), ..Growth::of(item, piece) };
            match is_refusal {
                true => self.grow("response.refusal.delta", "msg", growth, out),
                false => {
                    let growth = Growth { logprobs: Some([]), ..growth };
                    self.grow("response.output_text.delta", "msg", growth, out);
                }
            }
        }
    }

    fn call(&mut self, mut piece: ToolCallDelta, out: &mut BytesMut) {
        let index = piece.index;
        let extra = call_extra(&mut piece);
        if !self.calls.contains_key(&index) {
            self.close("completed", out);
            let complete = |call: &Call| !call.closed && is_whole(&call.arguments);
            let before: Vec<u32> =
                self.calls.iter().filter(|(_, call)| complete(call)).map(|(index, _)| *index).collect();
            for index in before {
                self.close_call(index, "completed", out);
            }
        }
        let minted = format!("call_{}_{index}", self.opening.request_id);
        let call = self.calls.entry(index).or_insert_with(|| Call { id: minted, ..Call::default() });
        if call.closed {
            return;
        }
        if let Some(id) = piece.id.filter(|id| !id.is_empty()) {
            call.id = id;
        }
        call.name.push_str(piece.function.name.as_deref().unwrap_or_default());
        let arguments = piece.function.arguments.unwrap_or_default();
        call.arguments.push_str(&arguments);
        if let Some(extra) = extra {
            self.carried.calls.insert(call.id.clone(), extra);
        }
        self.show_call(index, arguments, out);
    }

    /// Begins the item of a call once its name is known, and streams its arguments.
    fn show_call(&mut self, index: u32, arguments: String, out: &mut BytesMut) {
        let Some(call) = self.calls.get(&index).filter(|call| !call.name.is_empty()) else { return };
        let (id, name, all) = (call.id.clone(), call.name.clone(), call.arguments.clone());
        let (at, news) = match call.at {
            Some(at) => (at, arguments),
            None => {
                let echo = self.echo.clone();
                let at = self.begin(|place| call_item(&echo, place, (&id, &name, ""), "in_progress"), out);
                (at, all)
            }
        };
        if let Some(call) = self.calls.get_mut(&index) {
            call.at = Some(at);
        }
        // The text of a custom tool is wrapped in JSON on its way here and comes out whole.
        if !news.is_empty() && !given(&self.echo, &name).custom {
            self.grow("response.function_call_arguments.delta", "fc", Growth::of(at, &news), out);
        }
    }

    fn close_call(&mut self, index: u32, status: &str, out: &mut BytesMut) {
        let Some(call) = self.calls.get_mut(&index).filter(|call| !call.closed) else { return };
        call.closed = true;
        let Some(at) = call.at else { return };
        let (id, name, arguments) = (call.id.clone(), call.name.clone(), call.arguments.clone());
        let item = call_item(&self.echo, (&self.stem, at), (&id, &name, &arguments), status);
        let item_id = item["id"].clone();
        if item["type"] == "custom_tool_call" {
            for (kind, key) in [("delta", "delta"), ("done", "input")] {
                let kind = format!("response.custom_tool_call_input.{kind}");
                let news =
                    json!({ "type": kind, "item_id": item_id, "output_index": at, key: item["input"] });
                self.emit(news, out);
            }
        } else {
            self.emit(
                json!({ "type": "response.function_call_arguments.done", "item_id": item_id,
                    "output_index": at, "name": item["name"], "arguments": arguments }),
                out,
            );
        }
        self.end(at, item, out);
    }

    /// Closes what is open besides calls.
    fn close(&mut self, status: &str, out: &mut BytesMut) {
        self.close_part(out);
        match self.open.take() {
            Some(Open::Thought { at, text }) => {
                let part = json!({ "type": "summary_text", "text": text });
                self.emit(self.summary("text.done", at, ("text", text.as_str().into())), out);
                self.emit(self.summary("part.done", at, ("part", part)), out);
                let item = reasoning_item((&self.stem, at), &text);
                self.end(at, item, out);
            }
            Some(Open::Message { at, parts, .. }) => {
                let item = message_item((&self.stem, at), parts, status);
                self.end(at, item, out);
            }
            None => {}
        }
    }

    fn close_part(&mut self, out: &mut BytesMut) {
        let Some(Open::Message { at, parts, refusal, text }) = &mut self.open else { return };
        let (at, index, refusal, text) = (*at, parts.len(), *refusal, std::mem::take(text));
        let part = part_of(refusal, &text);
        parts.push(part.clone());
        let (kind, key) = if refusal { ("refusal", "refusal") } else { ("output_text", "text") };
        let mut done = json!({
            "type": format!("response.{kind}.done"), "item_id": self.id("msg", at),
            "output_index": at, "content_index": index, key: text,
        });
        if !refusal {
            done["logprobs"] = json!([]);
        }
        self.emit(done, out);
        self.emit(self.part("done", at, index, part), out);
    }

    /// An item that is not written bit by bit.
    fn whole(&mut self, item: Value, out: &mut BytesMut) {
        let shown = item.clone();
        let at = self.begin(|_| shown, out);
        self.end(at, item, out);
    }

    fn begin(&mut self, item: impl FnOnce((&str, usize)) -> Value, out: &mut BytesMut) -> usize {
        let at = self.output.len();
        let item = item((&self.stem, at));
        self.output.push(Value::Null);
        self.emit(json!({ "type": "response.output_item.added", "output_index": at, "item": item }), out);
        at
    }

    fn end(&mut self, at: usize, item: Value, out: &mut BytesMut) {
        self.emit(json!({ "type": "response.output_item.done", "output_index": at, "item": item }), out);
        if let Some(slot) = self.output.get_mut(at) {
            *slot = item;
        }
    }

    fn id(&self, kind: &str, at: usize) -> String {
        format!("{kind}_{}_{at}", self.stem)
    }

    fn summary(&self, what: &str, at: usize, (key, value): (&str, Value)) -> Value {
        json!({
            "type": format!("response.reasoning_summary_{what}"), "item_id": self.id("rs", at),
            "output_index": at, "summary_index": 0, key: value,
        })
    }

    fn part(&self, what: &str, at: usize, index: usize, part: Value) -> Value {
        json!({
            "type": format!("response.content_part.{what}"), "item_id": self.id("msg", at),
            "output_index": at, "content_index": index, "part": part,
        })
    }

    /// Writes what an item of this kind of id grows by.
    fn grow(&mut self, kind: &'static str, id: &str, growth: Growth<'_>, out: &mut BytesMut) {
        let item_id = self.id(id, growth.output_index);
        event(Some(kind), &Growth { kind, item_id, sequence_number: self.sequence, ..growth }, out);
        self.sequence += 1;
    }

    fn emit(&mut self, mut data: Value, out: &mut BytesMut) {
        data["sequence_number"] = self.sequence.into();
        self.sequence += 1;
        event(data["type"].as_str(), &data, out);
    }
}

fn part_of(is_refusal: bool, text: &str) -> Value {
    match is_refusal {
        true => json!({ "type": "refusal", "refusal": text }),
        false => text_part(text),
    }
}
