//! What must hold for any bytes whatever, as functions that panic when it does not.
//!
//! This module is for the fuzz targets in `fuzz/` and for the test that runs the same functions over their corpus and
//! over mutations of it; nothing else uses it, and it is no part of the crate's interface.
#![allow(clippy::panic, reason = "a rule that does not hold ends a fuzz run by a panic")]

use bytes::{Bytes, BytesMut};

use crate::catalogue::Prices;
use crate::inbound::multipart as form;
use crate::inbound::recording::length;
use crate::inbound::transcription::Transcription;
use crate::inbound::{Door, Failure, Gathered, Inbound, Opening, Verbatim, Writer};
use crate::sse::{SseDecoder, SseEvent};
use crate::{
    Catalogue, Dialect, Fold, LlmError, ModelLimits, StreamDecoder, StreamEvent, Tally, UpstreamError, Usage,
    decode_error, decode_response, encode,
};

/// Where the bytes are cut, once or into many pieces: their own sum says it.
fn pieces(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let sum: usize = data.iter().map(|byte| usize::from(*byte)).sum();
    data.chunks(sum % 13 + 1)
}

/// Events are the same wherever the bytes are cut, and are no longer than what came in.
pub fn sse(data: &[u8]) {
    let decoded = |pieces: &mut dyn Iterator<Item = &[u8]>| -> Result<Vec<SseEvent>, LlmError> {
        let mut decoder = SseDecoder::with_limit(4_096);
        let mut events = Vec::new();
        for piece in pieces {
            events.extend(decoder.push(piece)?);
        }
        events.extend(decoder.finish()?);
        Ok(events)
    };
    let whole = decoded(&mut std::iter::once(data));
    let cut = decoded(&mut pieces(data));
    match (&whole, &cut) {
        (Ok(whole), Ok(cut)) => assert_eq!(whole, cut),
        // How large an event may be is told at the first piece that is too much, wherever that ends.
        (Err(_), Err(_)) => {}
        (whole, cut) => panic!("{whole:?} at once, {cut:?} in pieces"),
    }
    let length = |event: &SseEvent| match event {
        SseEvent::Message { name, data } => name.len() + data.len(),
        SseEvent::Comment => 0,
    };
    let told: usize = whole.iter().flatten().map(length).sum();
    assert!(told <= data.len(), "{told} bytes of events from {}", data.len());
}

/// A stream of OpenAI's chat completions and of those that follow it loosely.
pub fn chat_stream(data: &[u8]) {
    for dialect in [Dialect::OpenAi, Dialect::XaiChat, Dialect::OpenRouter, Dialect::Compatible] {
        stream(dialect, data);
    }
}

/// A stream of Anthropic messages.
pub fn anthropic_stream(data: &[u8]) {
    stream(Dialect::Anthropic, data);
}

/// A stream of Google's `generateContent`.
pub fn gemini_stream(data: &[u8]) {
    stream(Dialect::Gemini, data);
}

/// A stream of responses.
pub fn responses_stream(data: &[u8]) {
    stream(Dialect::OpenAiResponses, data);
    stream(Dialect::Xai, data);
}

/// Any stream ends with exactly one end, says the same wherever it is cut, can be folded and billed; and the same bytes
/// as an answer that is no stream give an answer or an error.
fn stream(dialect: Dialect, data: &[u8]) {
    let whole = decoded(dialect, &mut std::iter::once(data));
    let cut = decoded(dialect, &mut pieces(data));
    assert_eq!(whole.is_some(), cut.is_some(), "{dialect:?}");
    if let (Some(whole), Some(cut)) = (whole, cut) {
        assert_eq!(whole, cut, "{dialect:?}");
        check(dialect, data.len(), &whole);
    }
    if let Ok((response, usage)) = decode_response(dialect, 7, data) {
        usable(usage.unwrap_or_default());
        response.into_chunk().content_bytes();
    }
}

/// `None` for a stream that is not one of this dialect.
fn decoded(dialect: Dialect, pieces: &mut dyn Iterator<Item = &[u8]>) -> Option<Vec<StreamEvent>> {
    let mut decoder = StreamDecoder::new(dialect, 7).seeded(|| b"seed");
    let mut events = Vec::new();
    for piece in pieces {
        events.extend(decoder.push(piece).ok()?);
    }
    events.extend(decoder.finish().ok()?);
    assert!(decoder.is_closed());
    Some(events)
}

fn check(dialect: Dialect, length: usize, events: &[StreamEvent]) {
    let is_end = |event: &StreamEvent| matches!(event, StreamEvent::Done(_) | StreamEvent::Error(_));
    let ends = events.iter().filter(|event| is_end(event)).count();
    assert!(ends == 1 && events.last().is_some_and(is_end), "{dialect:?}: {events:?}");
    let (mut fold, mut tally) = (Fold::default(), Tally::new(length));
    for event in events {
        tally.observe(event);
        match event {
            StreamEvent::Chunk(chunk) => {
                assert!(!chunk.extra.contains_key("usage"), "{dialect:?}: {chunk:?}");
                fold.push(chunk.clone());
            }
            StreamEvent::Usage(usage) => usable(*usage),
            StreamEvent::Error(error) => described(error),
            StreamEvent::Done(_) | StreamEvent::KeepAlive => {}
        }
    }
    usable(tally.usage());
    fold.finish().into_chunk().content_bytes();
}

/// No number that a provider sends is too large to be added, priced and shown.
fn usable(usage: Usage) {
    let dear = Prices {
        input: u64::MAX,
        output: u64::MAX,
        cache_write: Some(1),
        web_search: Some(u64::MAX),
        ..Prices::default()
    };
    let cost = dear.cost_microusd(&usage);
    assert!(usage.to_openai(Some(cost))["total_tokens"].is_u64());
}

fn described(error: &UpstreamError) {
    assert!(error.message.chars().count() <= UpstreamError::MESSAGE_LIMIT, "{error:?}");
    assert!((300..=599).contains(&error.status), "{error:?}");
}

/// Whatever stands in the body of an error, the error is described, and briefly.
pub fn error_body(data: &[u8]) {
    for status in [200, 400, 401, 429, 500, 529] {
        let error = decode_error(status, data);
        described(&error);
        assert!(status == 200 || error.status == status || error.status == 401, "{error:?}");
        assert!(!(error.is_exhausted() && error.retry_after.is_some() && error.status != 402), "{error:?}");
    }
}

/// A canonical request is refused or becomes JSON that every call makes the same, for every provider and whatever the
/// model is able to do.
pub fn request(data: &[u8]) {
    let Ok(catalogue) = Catalogue::builtin() else { panic!("the catalogue is sound") };
    let models = ["gemini-2.5-pro", "gemini-2.0-flash", "gemini-3.8-flash", "grok-4.3", "claude-opus-4-6"];
    let known = catalogue.models().iter().filter(|model| models.contains(&model.id.as_str()));
    let mut limits: Vec<ModelLimits> = known.map(|model| model.limits.clone()).collect();
    limits.push(ModelLimits::default());
    for dialect in Dialect::ALL {
        for limits in &limits {
            let once = encode(dialect, data, "m", limits);
            let Ok(wire) = once else { continue };
            assert!(serde_json::from_slice::<serde_json::Value>(&wire.body).is_ok(), "{dialect:?}");
            assert!(encode(dialect, data, "m", limits).is_ok_and(|again| again == wire), "{dialect:?}");
        }
    }
}

/// A request in Anthropic's dialect.
pub fn inbound_messages(data: &[u8]) {
    inbound(Door::Messages, data);
}

/// A request in the dialect of responses.
pub fn inbound_responses(data: &[u8]) {
    inbound(Door::Responses, data);
}

/// A request in another dialect is refused, or is a canonical one, and every provider gets JSON that is always the same.
fn inbound(door: Door, data: &[u8]) {
    let Ok(inbound) = Inbound::parse(door, Bytes::copy_from_slice(data)) else { return };
    let Ok(catalogue) = Catalogue::builtin() else { panic!("the catalogue is sound") };
    let known = catalogue.models().iter().find(|model| model.id == "claude-opus-4-6");
    for limits in [ModelLimits::default(), known.map(|model| model.limits.clone()).unwrap_or_default()] {
        for dialect in Dialect::ALL {
            let Ok(wire) = inbound.encode(dialect, "m", &limits) else { continue };
            assert!(serde_json::from_slice::<serde_json::Value>(&wire.body).is_ok(), "{dialect:?}");
            assert!(inbound.encode(dialect, "m", &limits).is_ok_and(|again| again == wire), "{dialect:?}");
        }
    }
}

/// Whatever a provider streams, it can be told in every dialect, and passed on as it is.
pub fn outbound(data: &[u8]) {
    let asked: [(Door, &[u8]); 3] = [
        (Door::Chat, br#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#),
        (Door::Messages, br#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#),
        (Door::Responses, br#"{"model":"m","input":"x","include":["reasoning.encrypted_content"]}"#),
    ];
    for (door, request) in asked {
        let Ok(inbound) = Inbound::parse(door, Bytes::from_static(request)) else {
            panic!("it is a request")
        };
        for dialect in [Dialect::Compatible, Dialect::Anthropic, Dialect::Gemini, Dialect::OpenAiResponses] {
            let events = decoded(dialect, &mut std::iter::once(data));
            told(&inbound, events.unwrap_or_default());
        }
    }
    let (mut splitter, mut gathered) = (Verbatim::default(), Gathered::default());
    for piece in pieces(data) {
        let Ok(events) = splitter.push(piece) else { return };
        events.iter().for_each(|event| gathered.push(event));
    }
    assert!(read_document(&gathered.finish()).is_object());
}

fn told(inbound: &Inbound, events: Vec<StreamEvent>) {
    let opening = Opening { request_id: "r".into(), created: 7, prompt_estimate: 1 };
    let (mut writer, mut out) = (Writer::new(inbound, opening.clone()), BytesMut::new());
    let mut fold = Fold::default();
    for event in events {
        match event {
            StreamEvent::Done(_) => writer.done(Usage::default(), None, &mut out),
            StreamEvent::Error(error) => {
                let (status, message) = (error.status, error.message.as_str());
                writer.failed(&Failure { status, code: "c", message, request_id: "r" }, &mut out);
            }
            event => {
                if let StreamEvent::Chunk(chunk) = &event {
                    fold.push(chunk.clone());
                }
                writer.event(event, &mut out);
            }
        }
    }
    assert!(out.is_empty() || out.ends_with(b"\n\n"));
    let answer = read_document(&inbound.answer(&opening, &fold.finish(), Usage::default(), None));
    assert!(answer.is_object());
}

/// The length of a recording: told or not, and if it is told, one that so many bytes can have.
pub fn recording(data: &[u8]) {
    let (read, bits) = (length(data), data.len() as u64 * 8);
    if let Some(ms) = read.told_ms {
        assert!((bits / 10_000..=bits).contains(&ms), "{} bytes in {ms} ms", data.len());
        assert!((ms..=ms.max(bits / 32)).contains(&read.counted_ms), "{read:?}");
    } else {
        assert_eq!(read.counted_ms, bits / 32);
    }
}

/// A form with a recording: refused, or read the same each time, and changed in nothing but the model's name. The first line says
/// the content type.
pub fn multipart(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let Ok(content_type) = std::str::from_utf8(&data[..at]) else { return };
    let body = Bytes::copy_from_slice(data.get(at + 1..).unwrap_or_default());
    let Ok(parts) = form::parse(content_type, &body) else {
        assert!(Transcription::parse(content_type, body).is_err());
        return;
    };
    let mut end = 0;
    for part in &parts {
        assert!(part.content.start > end && part.content.end <= body.len(), "{part:?} is no part of its own");
        end = part.content.end;
    }
    let Ok(read) = Transcription::parse(content_type, body) else { return };
    // A provider's name for a model is an operator's word, and no boundary.
    let Ok(pieces) = read.encode("another-model") else { panic!("a plain name is refused") };
    let sent = Bytes::from(pieces.concat());
    let again = match Transcription::parse(content_type, sent.clone()) {
        Ok(again) => again,
        Err(error) => panic!("what was made of it cannot be read: {error}"),
    };
    assert_eq!(again.model, "another-model");
    assert_eq!((again.audio_bytes, again.stream, again.form), (read.audio_bytes, read.stream, read.form));
    let others = |texts: &serde_json::Map<String, serde_json::Value>| {
        texts
            .iter()
            .filter(|(name, _)| *name != "model")
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(others(&again.texts), others(&read.texts));
    let back = again.encode(&read.model).map(|pieces| pieces.concat());
    if let Ok(back) = back {
        assert_eq!(Some(back.as_slice()), data.get(at + 1..), "more than the name was changed");
    }
}

/// A document that was made here, which is one whatever it was made of.
fn read_document(document: &[u8]) -> serde_json::Value {
    serde_json::from_slice(document).unwrap_or_default()
}
