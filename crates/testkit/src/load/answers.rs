//! The providers' wire forms, as the simulator writes them, with every byte made in advance.

use serde_json::{Value, json};

use super::Kind;

/// Pieces of text: with the role, the end and the usage that makes 54 events of a chat.
const LONG: usize = 51;
const SHORT: usize = 8;
const MODEL: &str = "gpt-4.1-mini";
/// As long as the microseconds that take its place.
const MOMENT: &str = "@@@@@@@@@@@@@@@@";

/// Events that a stream has, `[DONE]` not counted.
pub(super) const EVENTS: usize = LONG + 3;

/// An answer in both forms.
pub(super) struct Answer {
    /// Head and body, when no stream is asked for.
    pub whole: Vec<u8>,
    /// Chunks of a chunked body, an event each, the last with the end of the body.
    pub events: Vec<Vec<u8>>,
}

/// The text of a short answer: a client that finds it has the answer whole.
pub(super) fn text() -> String {
    (0..SHORT).map(|at| format!("piece {at} of the answer, ")).collect()
}

pub(super) fn answer(kind: Kind) -> Answer {
    let events = match kind {
        Kind::Anthropic => messages(),
        Kind::Short => chat((0..SHORT).map(|at| format!("piece {at} of the answer, ")).collect()),
        Kind::Burst => chat((0..LONG).map(|at| format!(" and piece {at} of it")).collect()),
        Kind::Paced | Kind::Slow => chat(vec![format!("{MOMENT} "); LONG]),
    };
    let whole = json!({
        "id": "chatcmpl-measured", "object": "chat.completion", "created": 1_700_000_000, "model": MODEL,
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": text(), "refusal": null },
            "logprobs": null, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 250, "completion_tokens": 50, "total_tokens": 300 },
    })
    .to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
    let whole = format!("{head}{}\r\n\r\n{whole}", whole.len()).into_bytes();
    let mut events: Vec<Vec<u8>> =
        events.iter().map(|event| format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()).collect();
    events.last_mut().expect("there are events").extend_from_slice(b"0\r\n\r\n");
    Answer { whole, events }
}

/// Puts the present moment into an event that has room for one.
pub(super) fn stamp(event: &mut [u8], now_us: u64) {
    let room = event.windows(MOMENT.len()).position(|window| window == MOMENT.as_bytes());
    if let Some(at) = room {
        event[at..at + MOMENT.len()].copy_from_slice(format!("{now_us:016}").as_bytes());
    }
}

fn chat(pieces: Vec<String>) -> Vec<String> {
    let chunk = |choices: Value, usage: Value| {
        json!({ "id": "chatcmpl-measured", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": MODEL,
            "system_fingerprint": "fp_measured", "choices": choices, "usage": usage })
    };
    let delta = |delta: Value, finish: Value| {
        let choice = json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }]);
        chunk(choice, Value::Null)
    };
    let mut chunks = vec![delta(json!({ "role": "assistant", "content": "", "refusal": null }), Value::Null)];
    chunks.extend(pieces.iter().map(|piece| delta(json!({ "content": piece }), Value::Null)));
    chunks.push(delta(json!({}), "stop".into()));
    let usage = json!({ "prompt_tokens": 250, "completion_tokens": 50, "total_tokens": 300 });
    chunks.push(chunk(json!([]), usage));
    let mut events: Vec<String> = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    events.push("data: [DONE]\n\n".into());
    events
}

fn messages() -> Vec<String> {
    let usage = json!({ "input_tokens": 250, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0,
        "output_tokens": 1 });
    let mut events = vec![
        json!({ "type": "message_start", "message": { "id": "msg_measured", "type": "message", "role": "assistant",
            "model": "claude-sonnet-4-5", "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage } }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        json!({ "type": "ping" }),
    ];
    events.extend((0..SHORT).map(|at| {
        let text = format!("piece {at} of the answer, ");
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } })
    }));
    events.extend([
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null },
            "usage": { "output_tokens": 50 } }),
        json!({ "type": "message_stop" }),
    ]);
    let name = |event: &Value| event["type"].as_str().unwrap_or_default().to_owned();
    events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", name(event))).collect()
}
