//! What goes wrong in answers, by the numbers of the list of traps (wire forms of providers).

use std::collections::BTreeSet;
use std::fs;

use llm::sse::SseDecoder;
use llm::{ChatChunk, Dialect, FinishReason, LlmError, StreamDecoder, StreamEvent, UpstreamError, Usage};
use serde_json::{Value, json};

use super::golden::cases;
use super::{decode, folded};

/// The events as a stream of this dialect carries them.
pub fn stream(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

pub fn gemini(events: &[Value]) -> Vec<StreamEvent> {
    decode(Dialect::Gemini, &stream(events))
}

pub fn candidate(parts: Value, finish: Value) -> Value {
    json!({ "candidates": [{ "content": { "parts": parts, "role": "model" }, "finishReason": finish }], "responseId": "r", "modelVersion": "g" })
}

fn anthropic(stop: &str) -> Vec<StreamEvent> {
    decode(
        Dialect::Anthropic,
        &stream(&[
            json!({ "type": "message_start", "message": { "id": "m", "model": "c", "usage": { "input_tokens": 1 } } }),
            json!({ "type": "message_delta", "delta": { "stop_reason": stop }, "usage": { "output_tokens": 2 } }),
            json!({ "type": "message_stop" }),
        ]),
    )
}

fn responses(status: &str, reason: Option<&str>) -> Vec<StreamEvent> {
    let response = json!({ "id": "r", "model": "o", "status": status, "output": [], "incomplete_details": reason.map(|reason| json!({ "reason": reason })) });
    decode(
        Dialect::OpenAiResponses,
        &stream(&[json!({ "type": format!("response.{status}"), "response": response })]),
    )
}

pub fn chat(finish: &str) -> Vec<StreamEvent> {
    let chunk = json!({ "id": "c", "choices": [{ "index": 0, "delta": { "content": "x" }, "finish_reason": finish }] });
    decode(Dialect::Compatible, &stream(&[chunk]))
}

fn end(events: &[StreamEvent]) -> &StreamEvent {
    events.last().unwrap()
}

pub fn last_usage(events: &[StreamEvent]) -> Usage {
    let usage = |event: &StreamEvent| match event {
        StreamEvent::Usage(usage) => Some(*usage),
        _ => None,
    };
    events.iter().rev().find_map(usage).unwrap()
}

#[test]
fn trap_22_errors_in_a_list() {
    let error = |dialect| {
        end(&decode(dialect, &stream(&[json!([{ "error": { "code": 503, "message": "m" } }])]))).clone()
    };
    for dialect in [Dialect::Gemini, Dialect::Compatible, Dialect::OpenAi] {
        assert!(
            matches!(error(dialect), StreamEvent::Error(error) if error.status == 503 && error.message == "m")
        );
    }
}

#[test]
fn trap_23_every_reason_to_end_in_the_canonical_words() {
    use FinishReason::{ContentFilter, Length, Other, Stop, ToolCalls};
    let done = |events: Vec<StreamEvent>, reason: FinishReason, what: &str| {
        assert_eq!(*end(&events), StreamEvent::Done(reason), "{what}");
        let (answer, _) = folded(&events);
        assert_eq!(answer["choices"][0]["finish_reason"], json!(reason), "{what}");
    };
    for (stop, reason) in [
        ("end_turn", Stop),
        ("stop_sequence", Stop),
        ("max_tokens", Length),
        ("model_context_window_exceeded", Length),
        ("tool_use", ToolCalls),
        ("refusal", ContentFilter),
        ("pause_turn", FinishReason::PauseTurn),
    ] {
        done(anthropic(stop), reason, stop);
    }
    for (stop, reason) in [
        ("STOP", Stop),
        ("MAX_TOKENS", Length),
        ("SAFETY", ContentFilter),
        ("RECITATION", ContentFilter),
        ("BLOCKLIST", ContentFilter),
        ("PROHIBITED_CONTENT", ContentFilter),
        ("SPII", ContentFilter),
        ("SOMETHING_NEW", Other),
    ] {
        done(gemini(&[candidate(json!([{ "text": "x" }]), stop.into())]), reason, stop);
    }
    let called = candidate(json!([{ "functionCall": { "name": "f" } }]), "STOP".into());
    done(gemini(&[called]), ToolCalls, "STOP after a call");
    done(responses("completed", None), Stop, "completed");
    done(responses("incomplete", Some("max_output_tokens")), Length, "incomplete");
    done(responses("incomplete", Some("content_filter")), ContentFilter, "filtered");
    done(chat("stop"), Stop, "stop");
    done(chat("content_filter"), ContentFilter, "content_filter");
    for failed in ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"] {
        let events = gemini(&[candidate(json!([{ "text": "x" }]), failed.into())]);
        assert!(
            matches!(end(&events), StreamEvent::Error(error) if error.message.contains(failed)),
            "{events:?}"
        );
    }
    assert!(matches!(end(&chat("error")), StreamEvent::Error(error) if error.status == 502));
}

#[test]
fn trap_24_blocked_prompts_bare_usage_bare_signatures_and_thoughts() {
    let blocked = gemini(&[
        json!({ "promptFeedback": { "blockReason": "SAFETY" }, "usageMetadata": { "promptTokenCount": 4 } }),
    ]);
    assert_eq!(*end(&blocked), StreamEvent::Done(FinishReason::ContentFilter));
    assert_eq!((last_usage(&blocked).input_tokens, last_usage(&blocked).output_tokens), (4, 0));
    let events = gemini(&[
        candidate(json!([{ "text": "I think", "thought": true }]), Value::Null),
        candidate(json!([{ "text": "" }]), Value::Null),
        candidate(json!([{ "text": "So" }, { "thoughtSignature": "s==" }]), Value::Null),
        candidate(json!([{ "text": "." }]), "STOP".into()),
        json!({ "usageMetadata": { "promptTokenCount": 4, "candidatesTokenCount": 1 } }),
    ]);
    let message = folded(&events).0["choices"][0]["message"].clone();
    assert_eq!((&message["content"], &message["reasoning_content"]), (&json!("So."), &json!("I think")));
    assert_eq!(message["extra_content"]["google"]["thought_signature"], "s==");
    assert_eq!(last_usage(&events).output_tokens, 1);
}

#[test]
fn trap_31_what_is_held_has_a_limit_and_a_large_signature_fits() {
    let signature = "s".repeat(3_000_000);
    let event =
        candidate(json!([{ "functionCall": { "name": "f" }, "thoughtSignature": signature }]), "STOP".into());
    let events = gemini(&[event]);
    assert_eq!(*end(&events), StreamEvent::Done(FinishReason::ToolCalls));
    let mut decoder = StreamDecoder::new(Dialect::Gemini, 7);
    let endless = vec![b'x'; SseDecoder::DEFAULT_LIMIT + 1];
    assert!(matches!(decoder.push(&endless), Err(LlmError::TooLarge { .. })));
}

#[test]
fn trap_32_a_gemini_stream_ends_with_a_reason_and_no_other_sign() {
    let text = |finish: Value| candidate(json!([{ "text": "x" }]), finish);
    assert_eq!(*end(&gemini(&[text("STOP".into())])), StreamEvent::Done(FinishReason::Stop));
    assert!(matches!(end(&gemini(&[text(Value::Null)])), StreamEvent::Error(error) if error.is_cut()));
    let list = json!([text(Value::Null), text("STOP".into())]).to_string();
    let (whole, _) = llm::decode_response(Dialect::Gemini, 7, list.as_bytes()).unwrap();
    assert_eq!(whole.text(), "xx");
}

#[test]
fn trap_33_pings_unknown_events_and_calls_without_arguments() {
    let path = super::golden::root().join("anthropic/thinking_text_and_two_tools/stream.txt");
    let events = decode(Dialect::Anthropic, &fs::read_to_string(path).unwrap());
    assert!(events.contains(&StreamEvent::KeepAlive));
    let calls = folded(&events).0["choices"][0]["message"]["tool_calls"].clone();
    assert_eq!(calls[1]["function"], json!({ "name": "list", "arguments": "{}" }));
    let indexes: BTreeSet<u64> = events
        .iter()
        .filter_map(|event| match event {
            StreamEvent::Chunk(chunk) => {
                chunk.choices[0].delta.tool_calls.as_ref().map(|calls| u64::from(calls[0].index))
            }
            _ => None,
        })
        .collect();
    assert_eq!(indexes, BTreeSet::from([0, 1]));
}

#[test]
fn trap_34_geminis_calls_are_counted_over_the_stream_and_their_ids_are_stable_and_unique() {
    let call =
        json!([{ "functionCall": { "name": "f", "args": { "a": 1 } } }, { "functionCall": { "name": "f" } }]);
    let bytes = stream(&[candidate(call.clone(), Value::Null), candidate(call, "STOP".into())]);
    let calls = |seed: &[u8]| {
        let mut decoder = StreamDecoder::new(Dialect::Gemini, 7).seeded(|| seed);
        let mut events = decoder.push(bytes.as_bytes()).unwrap();
        events.extend(decoder.finish().unwrap());
        folded(&events).0["choices"][0]["message"]["tool_calls"].as_array().unwrap().clone()
    };
    let ids =
        |seed: &[u8]| -> BTreeSet<String> { calls(seed).iter().map(|call| call["id"].to_string()).collect() };
    assert_eq!(ids(b"one").len(), 4);
    assert_eq!(ids(b"one"), ids(b"one"));
    assert!(ids(b"one").is_disjoint(&ids(b"another turn")));
    assert_eq!(calls(b"one")[3]["function"]["arguments"], "{}");
}

#[test]
fn trap_35_one_role_one_id_one_time_and_names_only_in_the_first_piece() {
    for (dialect, case) in cases() {
        let Ok(bytes) = fs::read_to_string(case.join("stream.txt")) else { continue };
        let events = decode(dialect, &bytes);
        let chunks: Vec<&ChatChunk> = events
            .iter()
            .filter_map(|event| match event {
                StreamEvent::Chunk(chunk) => Some(chunk),
                _ => None,
            })
            .collect();
        let context = case.display();
        let mut named = BTreeSet::new();
        for (at, chunk) in chunks.iter().enumerate() {
            assert_eq!(
                (&chunk.id, chunk.created, &chunk.model),
                (&chunks[0].id, chunks[0].created, &chunks[0].model),
                "{context}"
            );
            assert!(!chunk.id.is_empty() && chunk.created > 0, "{context}");
            let delta = &chunk.choices[0].delta;
            assert_eq!(delta.role.is_some(), at == 0, "{context}: {chunk:?}");
            for call in delta.tool_calls.iter().flatten() {
                let first = named.insert(call.index);
                assert_eq!(
                    (call.id.is_some(), call.function.name.is_some()),
                    (first, first),
                    "{context}: {call:?}"
                );
            }
        }
    }
}

#[test]
fn trap_36_nothing_follows_an_error_and_nothing_says_that_all_went_well() {
    let after = [
        (Dialect::OpenAi, json!({ "error": { "message": "m", "type": "server_error" } }), 502),
        (
            Dialect::OpenRouter,
            json!({ "error": { "message": "m", "code": 503 }, "choices": [{ "delta": {}, "finish_reason": "error" }] }),
            503,
        ),
        (
            Dialect::Anthropic,
            json!({ "type": "error", "error": { "type": "overloaded_error", "message": "m" } }),
            529,
        ),
        (Dialect::Gemini, json!({ "error": { "code": 500, "status": "INTERNAL", "message": "m" } }), 500),
        (Dialect::OpenAiResponses, json!({ "type": "error", "code": "server_error", "message": "m" }), 502),
        (
            Dialect::Xai,
            json!({ "type": "response.failed", "response": { "status": "failed", "error": { "code": "server_error", "message": "m" } } }),
            502,
        ),
    ];
    for (dialect, error, status) in after {
        let bytes = stream(&[error]) + "data: [DONE]\n\n" + &stream(&[json!({ "type": "message_stop" })]);
        let events = decode(dialect, &bytes);
        let last = end(&events);
        assert!(
            matches!(last, StreamEvent::Error(error) if error.status == status && error.message == "m"),
            "{dialect:?}: {last:?}"
        );
        let well = |event: &StreamEvent| match event {
            StreamEvent::Done(_) => true,
            StreamEvent::Chunk(chunk) => chunk.choices.iter().any(|choice| choice.finish_reason.is_some()),
            _ => false,
        };
        assert!(!events.iter().any(well), "{dialect:?}: {events:?}");
    }
    assert!(UpstreamError::cut().is_cut());
}

/// The first event that a reader would notice: until then another provider may be tried.
#[test]
fn trap_37_no_stream_begins_with_something_that_closes_the_way_to_another_provider() {
    for (dialect, case) in cases() {
        let Ok(bytes) = fs::read_to_string(case.join("stream.txt")) else { continue };
        let events = decode(dialect, &bytes);
        if dialect == Dialect::OpenAi || dialect == Dialect::Compatible {
            continue;
        }
        let first = events.iter().find_map(|event| match event {
            StreamEvent::Chunk(chunk) => Some(chunk),
            _ => None,
        });
        // OpenRouter and xAI's chat may begin with text at once.
        let begins_with_text = matches!(dialect, Dialect::OpenRouter | Dialect::XaiChat);
        assert!(begins_with_text || first.is_none_or(|chunk| !chunk.is_content()), "{}", case.display());
    }
}

#[test]
fn trap_39_comments_and_pings_are_signs_of_life() {
    for dialect in Dialect::ALL {
        assert_eq!(decode(dialect, ": busy\n\n")[0], StreamEvent::KeepAlive, "{dialect:?}");
    }
    assert!(decode(Dialect::Anthropic, "data: {\"type\":\"ping\"}\n\n").contains(&StreamEvent::KeepAlive));
    assert!(
        decode(Dialect::OpenAiResponses, "data: {\"type\":\"keepalive\"}\n\n")
            .contains(&StreamEvent::KeepAlive)
    );
}
