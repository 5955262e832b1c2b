//! Canonical chunks → a messages stream.

use std::collections::{BTreeMap, VecDeque};

use bytes::BytesMut;
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::list;
use super::{message_id, stop_reason, usage_of};
use crate::inbound::carried::Carried;
use crate::inbound::pieces::{Piece, call_extra, is_whole, pieces};
use crate::inbound::{Opening, event};
use crate::stream::ToolCallDelta;
use crate::{ChatChunk, FinishReason, Usage};

/// Writes a messages stream. One block is open at a time; calls whose pieces come mixed wait for their turn.
#[derive(Debug)]
pub(in crate::inbound) struct Writer {
    opening: Opening,
    id: String,
    model: String,
    started: bool,
    usage: Option<Usage>,
    /// The index of the next block.
    next: u32,
    open: Option<Open>,
    calls: BTreeMap<u32, Call>,
    /// Calls that have begun but have no block yet, in order.
    waiting: VecDeque<u32>,
    carried: Carried,
    finish: Option<FinishReason>,
    refused: bool,
}

/// What a block grows by. Nearly every event is one, so these are written without building a value first.
#[derive(Serialize)]
#[serde(tag = "type")]
enum Growth<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: &'a str },
}

#[derive(Serialize)]
struct BlockDelta<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    index: u32,
    delta: Growth<'a>,
}

/// The block that is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Text,
    Thought,
    Call(u32),
}

#[derive(Debug, Default)]
struct Call {
    id: String,
    name: String,
    arguments: String,
}

impl Writer {
    pub fn new(opening: Opening) -> Self {
        Self {
            opening,
            id: String::new(),
            model: String::new(),
            started: false,
            usage: None,
            next: 0,
            open: None,
            calls: BTreeMap::new(),
            waiting: VecDeque::new(),
            carried: Carried::default(),
            finish: None,
            refused: false,
        }
    }

    pub fn chunk(&mut self, chunk: ChatChunk, out: &mut BytesMut) {
        if self.model.is_empty() {
            (self.id, self.model) = (chunk.id, chunk.model);
        }
        for choice in chunk.choices.into_iter().filter(|choice| choice.index == 0) {
            self.finish = choice.finish_reason.or(self.finish);
            for piece in pieces(choice.delta) {
                self.start(out);
                self.piece(piece, out);
            }
        }
    }

    pub fn usage(&mut self, usage: Usage, _: &mut BytesMut) {
        self.usage = Some(usage);
    }

    /// Anthropic's own sign of life. Clients take it also before the message has begun.
    pub fn ping(&mut self, out: &mut BytesMut) {
        if !self.model.is_empty() {
            self.start(out);
        }
        write(&json!({ "type": "ping" }), out);
    }

    pub fn done(&mut self, usage: Usage, cost_microusd: Option<u64>, out: &mut BytesMut) {
        self.start(out);
        self.close_calls(out);
        self.close(out);
        self.carry(out);
        let finish = self.finish.unwrap_or(FinishReason::Other);
        let stop = if self.refused { "refusal" } else { stop_reason(finish, !self.calls.is_empty()) };
        let delta = json!({ "stop_reason": stop, "stop_sequence": null });
        write(
            &json!({ "type": "message_delta", "delta": delta, "usage": usage_of(usage, cost_microusd) }),
            out,
        );
        write(&json!({ "type": "message_stop" }), out);
    }

    /// `message_start`, as late as there is something to say: by then Anthropic has told the usage of the prompt. Others
    /// tell it at the end, so that an estimate stands here and the truth in `message_delta`.
    fn start(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let estimate =
            Usage { input_tokens: self.opening.prompt_estimate, estimated: true, ..Usage::default() };
        let message = json!({
            "id": message_id(&self.id, &self.opening.request_id),
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": usage_of(self.usage.unwrap_or(estimate), None),
        });
        write(&json!({ "type": "message_start", "message": message }), out);
    }

    fn piece(&mut self, piece: Piece, out: &mut BytesMut) {
        match piece {
            Piece::Thought(thinking) => {
                let head = json!({ "type": "thinking", "thinking": "", "signature": "" });
                self.open(Open::Thought, head, out);
                self.grow(Growth::Thinking { thinking: &thinking }, out);
            }
            Piece::Signed(block) => self.signed(block, out),
            Piece::Item(item) => list(&mut self.carried.message, item),
            Piece::Extra(extra) => self.carried.message.extend(extra),
            Piece::Text(text) => self.text(text, out),
            Piece::Refusal(text) => {
                self.refused = true;
                self.text(text, out);
            }
            Piece::Call(call) => self.call(call, out),
        }
    }

    fn text(&mut self, text: String, out: &mut BytesMut) {
        self.close_calls(out);
        if self.open != Some(Open::Text) {
            self.open(Open::Text, json!({ "type": "text", "text": "" }), out);
        }
        self.grow(Growth::Text { text: &text }, out);
    }

    /// The signature ends the thought that was streamed before it; a thought that was not is a block of its own.
    fn signed(&mut self, block: Value, out: &mut BytesMut) {
        let is_thought = block["type"] == "thinking";
        if is_thought && self.open != Some(Open::Thought) {
            let head = json!({ "type": "thinking", "thinking": "", "signature": "" });
            self.open(Open::Thought, head, out);
            if let Some(thinking) = block["thinking"].as_str().filter(|text| !text.is_empty()) {
                self.grow(Growth::Thinking { thinking }, out);
            }
        }
        if is_thought {
            let signature = block["signature"].as_str().unwrap_or_default();
            self.grow(Growth::Signature { signature }, out);
            self.close(out);
        } else {
            self.whole(&block, out);
        }
    }

    fn call(&mut self, mut piece: ToolCallDelta, out: &mut BytesMut) {
        let index = piece.index;
        let extra = call_extra(&mut piece);
        if !self.calls.contains_key(&index) {
            self.waiting.push_back(index);
        }
        let minted = format!("toolu_{}_{index}", self.opening.request_id);
        let call = self.calls.entry(index).or_insert_with(|| Call { id: minted, ..Call::default() });
        if let Some(id) = piece.id.filter(|id| !id.is_empty()) {
            call.id = id;
        }
        call.name.push_str(piece.function.name.as_deref().unwrap_or_default());
        let arguments = piece.function.arguments.unwrap_or_default();
        call.arguments.push_str(&arguments);
        if let Some(extra) = extra {
            self.carried.calls.insert(call.id.clone(), extra);
        }
        if self.open == Some(Open::Call(index)) && !arguments.is_empty() {
            self.grow(Growth::InputJson { partial_json: &arguments }, out);
        }
        self.advance(false, out);
    }

    /// Gives a block to the calls that wait, as long as the one before is known to be complete, or all of them.
    fn advance(&mut self, all: bool, out: &mut BytesMut) {
        while let Some(next) = self.waiting.front().copied() {
            let whole = |index: &u32| self.calls.get(index).is_some_and(|call| is_whole(&call.arguments));
            if !all && matches!(&self.open, Some(Open::Call(index)) if !whole(index)) {
                return;
            }
            let Some(call) = self.calls.get(&next).filter(|call| all || !call.name.is_empty()) else {
                return;
            };
            let head = json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": {} });
            let arguments = call.arguments.clone();
            self.waiting.pop_front();
            self.close(out);
            self.carry(out);
            self.open(Open::Call(next), head, out);
            if !arguments.is_empty() {
                self.grow(Growth::InputJson { partial_json: &arguments }, out);
            }
        }
    }

    fn close_calls(&mut self, out: &mut BytesMut) {
        self.advance(true, out);
        if matches!(self.open, Some(Open::Call(_))) {
            self.close(out);
        }
    }

    /// What providers want back goes into a block that clients return as it is.
    fn carry(&mut self, out: &mut BytesMut) {
        if !self.carried.is_empty() {
            let carried = std::mem::take(&mut self.carried);
            self.whole(&json!({ "type": "redacted_thinking", "data": carried.sealed() }), out);
        }
    }

    /// A block without deltas.
    fn whole(&mut self, block: &Value, out: &mut BytesMut) {
        self.close(out);
        let index = self.next;
        write(&json!({ "type": "content_block_start", "index": index, "content_block": block }), out);
        write(&json!({ "type": "content_block_stop", "index": index }), out);
        self.next += 1;
    }

    /// Opens a block, unless one of the kind is open.
    fn open(&mut self, kind: Open, head: Value, out: &mut BytesMut) {
        if self.open == Some(kind) {
            return;
        }
        self.close(out);
        write(&json!({ "type": "content_block_start", "index": self.next, "content_block": head }), out);
        self.open = Some(kind);
    }

    fn grow(&self, delta: Growth<'_>, out: &mut BytesMut) {
        let kind = "content_block_delta";
        event(Some(kind), &BlockDelta { kind, index: self.next, delta }, out);
    }

    fn close(&mut self, out: &mut BytesMut) {
        if self.open.take().is_some() {
            write(&json!({ "type": "content_block_stop", "index": self.next }), out);
            self.next += 1;
        }
    }
}

/// Appends an event under the name that its type is.
fn write(data: &Value, out: &mut BytesMut) {
    event(data["type"].as_str(), data, out);
}
