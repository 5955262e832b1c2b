//! Golden tests of the translations. Each names the trap it covers by what it is about.
#![allow(clippy::unwrap_used, clippy::panic)]

mod anthropic_request;
mod anthropic_stream;
mod chat_request;
mod chat_stream;
mod fuzz;
mod golden;
mod inbound;
mod round_trip;
mod splits;
mod traps_errors;
mod traps_requests;
mod traps_requests_gemini_xai;
mod traps_streams;
mod traps_table;
mod traps_usage;

use llm::{Catalogue, Dialect, Fold, ModelLimits, StreamDecoder, StreamEvent, Tally, WireRequest, encode};

/// The limits of a model that can do everything.
fn able() -> ModelLimits {
    Catalogue::builtin().unwrap().find("anthropic", "claude-sonnet-4-5").unwrap().limits.clone()
}

fn request(dialect: Dialect, body: &str) -> WireRequest {
    encode(dialect, body.as_bytes(), "m-upstream", &able()).unwrap()
}

/// Body and notes of a request, for comparing.
fn shown(wire: &WireRequest) -> String {
    let body: serde_json::Value = serde_json::from_slice(&wire.body).unwrap();
    format!("{body:#}\n-- {}", wire.transformations.join("\n-- "))
}

fn decode(dialect: Dialect, bytes: &str) -> Vec<StreamEvent> {
    let mut decoder = StreamDecoder::new(dialect, 7);
    let mut events = decoder.push(bytes.as_bytes()).unwrap();
    events.extend(decoder.finish().unwrap());
    events
}

/// One line per event.
fn told(events: &[StreamEvent]) -> String {
    let line = |event: &StreamEvent| match event {
        StreamEvent::Chunk(chunk) => format!("chunk {}", serde_json::to_string(chunk).unwrap()),
        StreamEvent::Usage(usage) => format!("usage {}", serde_json::to_string(usage).unwrap()),
        StreamEvent::Done(reason) => format!("done {reason:?}"),
        StreamEvent::Error(error) => format!("error {} {:?} {}", error.status, error.code, error.message),
        StreamEvent::KeepAlive => "keep-alive".to_owned(),
    };
    events.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The whole answer, and its usage.
fn folded(events: &[StreamEvent]) -> (serde_json::Value, llm::Usage) {
    let (mut fold, mut tally) = (Fold::default(), Tally::new(0));
    for event in events {
        tally.observe(event);
        if let StreamEvent::Chunk(chunk) = event {
            fold.push(chunk.clone());
        }
    }
    (serde_json::to_value(fold.finish()).unwrap(), tally.usage())
}
