//! The other dialects in and out, in `tests/inbound/DOOR/CASE/`: a `request.json` and the `canonical.json` and `wire.json` it
//! becomes, a `from.DIALECT.txt` that a provider streams and the `stream.txt` and `answer.json` that the caller gets.
//!
//! `UPDATE_EXPECT=1` rewrites what is expected.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use expect_test::expect_file;
use llm::inbound::{Door, Failure, Inbound, Opening, Writer};
use llm::{Dialect, Fold, LlmError, StreamDecoder, StreamEvent, Tally};
use serde_json::{Value, json};

use super::golden::limits;

const DOORS: [(&str, Door); 2] = [("messages", Door::Messages), ("responses", Door::Responses)];

fn cases(door: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inbound").join(door);
    let mut all: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

/// A provider and the model that is asked there.
const TO: [(Dialect, &str); 6] = [
    (Dialect::OpenAi, "gpt-4.1-mini"),
    (Dialect::OpenAiResponses, "gpt-5-mini"),
    (Dialect::Anthropic, "claude-sonnet-4-5"),
    (Dialect::Gemini, "gemini-2.5-flash"),
    (Dialect::Xai, "grok-4.3"),
    (Dialect::Compatible, "local"),
];

/// What each provider gets. The bodies are shown where they are made here: where the request passes, and where it is made
/// plain; the others are the business of the provider's own translation.
fn wire(inbound: &Inbound) -> String {
    let mut shown = serde_json::Map::new();
    for (dialect, model) in TO {
        let one = match inbound.encode(dialect, model, &limits(dialect, model)) {
            Ok(wire) => {
                let mut one = json!({ "transformations": wire.transformations });
                if inbound.passes_through(dialect) || dialect == Dialect::OpenAi {
                    one["body"] = serde_json::from_slice(&wire.body).unwrap();
                }
                one
            }
            Err(error) => json!({ "refused": error.to_string() }),
        };
        shown.insert(dialect.name().to_owned(), one);
    }
    format!("{:#}\n", Value::Object(shown))
}

fn opening() -> Opening {
    Opening { request_id: "r-1".into(), created: 7, prompt_estimate: 100 }
}

/// A request of the door, whatever it asks.
pub fn asked(door: Door, more: Value) -> Inbound {
    let mut body = match door {
        Door::Chat => json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }] }),
        Door::Messages => {
            json!({ "model": "m", "max_tokens": 9, "messages": [{ "role": "user", "content": "x" }] })
        }
        Door::Responses => json!({ "model": "m", "input": "x" }),
    };
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Inbound::parse(door, Bytes::from(body.to_string())).unwrap()
}

/// The stream that the caller gets for the events of a provider, as the server writes it.
pub fn written(inbound: &Inbound, events: &[StreamEvent]) -> String {
    let mut out = BytesMut::new();
    let (mut writer, mut tally) = (Writer::new(inbound, opening()), Tally::new(400));
    for event in events {
        tally.observe(event);
        match event {
            StreamEvent::Done(_) => writer.done(tally.usage(), Some(12), &mut out),
            StreamEvent::Error(error) => {
                let (code, message) = ("upstream_cut", error.message.as_str());
                writer.failed(&Failure { status: error.status, code, message, request_id: "r-1" }, &mut out);
            }
            event => writer.event(event.clone(), &mut out),
        }
    }
    String::from_utf8(out.to_vec()).unwrap()
}

fn answer(inbound: &Inbound, events: &[StreamEvent]) -> Value {
    let (mut fold, mut tally) = (Fold::default(), Tally::new(400));
    for event in events {
        tally.observe(event);
        if let StreamEvent::Chunk(chunk) = event {
            fold.push(chunk.clone());
        }
    }
    let document = inbound.answer(&opening(), &fold.finish(), tally.usage(), Some(12));
    serde_json::from_slice(&document).unwrap()
}

fn upstream(case: &Path) -> Option<Vec<StreamEvent>> {
    TO.into_iter().find_map(|(dialect, _)| {
        let bytes = fs::read(case.join(format!("from.{}.txt", dialect.name()))).ok()?;
        let mut decoder = StreamDecoder::new(dialect, 7).seeded(|| b"seed");
        let mut events = decoder.push(&bytes).unwrap();
        events.extend(decoder.finish().unwrap());
        Some(events)
    })
}

#[test]
fn every_case_is_read_and_written_as_its_golden_files_say() {
    let mut compared = 0;
    for (name, door) in DOORS {
        for case in cases(name) {
            let (request, events) = (fs::read(case.join("request.json")).ok(), upstream(&case));
            assert!(request.is_some() || events.is_some(), "{} has nothing to compare", case.display());
            if let Some(request) = request {
                let inbound = Inbound::parse(door, request.into()).unwrap();
                let canonical: Value = serde_json::from_slice(&inbound.canonical).unwrap();
                expect_file![case.join("canonical.json")].assert_eq(&format!("{canonical:#}\n"));
                expect_file![case.join("wire.json")].assert_eq(&wire(&inbound));
                compared += 1;
            }
            if let Some(events) = events {
                let inbound = asked(door, json!({ "include": ["reasoning.encrypted_content"] }));
                expect_file![case.join("stream.txt")].assert_eq(&written(&inbound, &events));
                if !events.iter().any(|event| matches!(event, StreamEvent::Error(_))) {
                    let answer = format!("{:#}\n", answer(&inbound, &events));
                    expect_file![case.join("answer.json")].assert_eq(&answer);
                }
                compared += 1;
            }
        }
    }
    assert!(compared > 20, "{compared}");
}

/// Whoever passes through gets back what it sent, to the letter, but for the model and the stream.
#[test]
fn what_passes_keeps_its_text() {
    let text = r#"{"model":"a","max_tokens":5,"new":{"a":[1.0,2e3]},"messages":[{"role":"user","content":"x","odd":1.50}],"stream":false}"#;
    let mut inbound = Inbound::parse(Door::Messages, Bytes::from(text)).unwrap();
    inbound.keep_header("anthropic-beta", "one,two");
    inbound.keep_header("anthropic-version", "2024-01-01");
    inbound.keep_header("cookie", "no");
    let (dialect, model) = (Dialect::Anthropic, "b");
    let wire = inbound.encode(dialect, model, &limits(dialect, model)).unwrap();
    let expected = text.replace(r#""a","max"#, r#""b","max"#).replace("\"stream\":false", "\"stream\":true");
    assert_eq!(String::from_utf8(wire.body.to_vec()).unwrap(), expected);
    let headers: Vec<_> = wire.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(
        headers,
        ["accept: text/event-stream", "anthropic-beta: one,two", "anthropic-version: 2024-01-01"]
    );
    assert_eq!(
        wire.transformations,
        ["passed through as Anthropic messages", "set model to b", "set stream to true"]
    );
}

#[test]
fn what_is_malformed_is_refused_with_a_reason() {
    let refused = |door, body: &str| {
        let error = Inbound::parse(door, Bytes::from(body.to_owned())).unwrap_err();
        assert!(matches!(error, LlmError::Malformed(_) | LlmError::Unsupported { .. }), "{error:?}");
        error.to_string()
    };
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let message = |content: &str| {
        format!(r#"{{"model":"m","max_tokens":5,"messages":[{{"role":"user","content":{content}}}]}}"#)
    };
    for (body, reason) in [
        ("[]".to_owned(), "JSON object"),
        ("{\"model\":\"m\"".into(), "EOF"),
        (r#"{"model":"m","max_tokens":5}"#.into(), "`messages` must not be empty"),
        (r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#.into(), "`max_tokens`"),
        (r#"{"model":"m","max_tokens":"5","messages":[]}"#.into(), "`max_tokens`"),
        (r#"{"max_tokens":5,"messages":[{"role":"user","content":"x"}]}"#.into(), "`model` is missing"),
        (r#"{"model":"m","model":"n"}"#.into(), "given twice"),
        (message("7"), "messages.0.content"),
        (message(r#"[{"type":"text"}]"#), "has no content"),
        (message(r#"[{"type":"image","source":{"type":"base64"}}]"#), "unusable source"),
        (message(r#"[{"type":"tool_result"}]"#), "tool_use_id"),
        (message(&deep), "messages.0.content"),
        (message("\"x\"").replace("user", "tool"), "messages.0.role"),
        (
            message("\"x\"").replace("}]}", r#"}],"tool_choice":{"type":"some"},"tools":[{"name":"a"}]}"#),
            "tool_choice",
        ),
        (
            message(r#"[{"type":"tool_use","id":"a","name":"b","input":[1]}]"#).replace("user", "assistant"),
            "not an object",
        ),
    ] {
        let told = refused(Door::Messages, &body);
        assert!(told.contains(reason), "{}: {told}", body.chars().take(100).collect::<String>());
    }
    for (body, reason) in [
        (r#"{"model":"m"}"#.to_owned(), "`input` must not be empty"),
        (r#"{"model":"m","input":[]}"#.into(), "`input` must not be empty"),
        (r#"{"model":"m","input":7}"#.into(), "`input`"),
        (r#"{"model":"m","input":"x","previous_response_id":"resp_1"}"#.into(), "`previous_response_id`"),
        (r#"{"model":"m","input":"x","conversation":"c"}"#.into(), "`conversation`"),
        (r#"{"model":"m","input":"x","background":true}"#.into(), "`background`"),
        (r#"{"model":"m","input":"x","stream":"yes"}"#.into(), "`stream`"),
        (r#"{"model":"m","input":[{"type":"function_call","name":"f"}]}"#.into(), "input.0"),
        (r#"{"model":"m","input":[{"role":"nobody","content":"x"}]}"#.into(), "`nobody` is not a role"),
        (r#"{"model":"m","input":"x","tools":[{"type":"function"}]}"#.into(), "has no name"),
        (format!(r#"{{"model":"m","input":[{{"role":"user","content":{deep}}}]}}"#), "input.0"),
    ] {
        let told = refused(Door::Responses, &body);
        assert!(told.contains(reason), "{}: {told}", body.chars().take(100).collect::<String>());
    }
}

#[test]
fn errors_are_said_in_each_dialect() {
    let failure = |status, code| Failure { status, code, message: "Why.", request_id: "r-1" };
    let shown = Door::Messages.error(&failure(403, "secret_blocked"));
    assert_eq!(
        shown.to_string(),
        r#"{"type":"error","error":{"type":"permission_error","message":"Why.","code":"secret_blocked"},"request_id":"r-1"}"#
    );
    let shown = Door::Responses.error(&failure(429, "rate_limited"));
    assert_eq!(
        shown.to_string(),
        r#"{"error":{"message":"Why.","type":"rate_limit_error","param":null,"code":"rate_limited"}}"#
    );
    let overloaded = failure(503, "upstream_overloaded");
    assert_eq!((Door::Messages.status(&overloaded), Door::Responses.status(&overloaded)), (529, 503));
    assert_eq!(Door::Messages.error(&overloaded)["error"]["type"], "overloaded_error");
}

/// Tools that take free text or stand in a namespace go out as functions, and what the model makes of them comes back as
/// the caller knows them.
#[test]
fn tools_come_back_as_they_were_given() {
    let long = "n".repeat(60);
    let tools = json!([
        { "type": "custom", "name": "apply_patch" },
        { "type": "namespace", "name": "agents", "tools": [{ "type": "function", "name": "spawn" }] },
        { "type": "namespace", "name": long, "tools": [{ "type": "function", "name": "a" }] },
    ]);
    let input = json!([
        { "role": "user", "content": "x" },
        { "type": "function_call", "namespace": "agents", "name": "spawn", "arguments": "{}", "call_id": "c0" },
        { "type": "function_call_output", "call_id": "c0", "output": "y" },
    ]);
    let inbound = asked(Door::Responses, json!({ "tools": tools, "input": input }));
    let canonical: Value = serde_json::from_slice(&inbound.canonical).unwrap();
    let names: Vec<&str> = canonical["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["function"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names[..2], ["apply_patch", "agents__spawn"]);
    assert!(names[2].len() <= 64 && names[2].ends_with("__a"), "{names:?}");
    assert_eq!(canonical["messages"][1]["tool_calls"][0]["function"]["name"], "agents__spawn");
    let call = |index: usize, name: &str, arguments: &str| json!({ "index": index, "id": format!("c{index}"), "type": "function", "function": { "name": name, "arguments": arguments } });
    let calls = [
        call(0, "apply_patch", r#"{"input":"*** Begin"}"#),
        call(1, "agents__spawn", "{}"),
        call(2, names[2], "{}"),
    ];
    let chunk = json!({ "id": "r", "model": "m", "choices": [{ "index": 0, "delta": { "tool_calls": calls }, "finish_reason": "tool_calls" }] });
    let events = [
        StreamEvent::Chunk(serde_json::from_value(chunk).unwrap()),
        StreamEvent::Done(llm::FinishReason::ToolCalls),
    ];
    let whole = answer(&inbound, &events);
    let stream = written(&inbound, &events);
    let last = stream.rsplit("data: ").next().unwrap();
    assert_eq!(serde_json::from_str::<Value>(last).unwrap()["response"]["output"], whole["output"]);
    let told: Vec<Value> = whole["output"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| json!([item["type"], item["namespace"], item["name"], item["input"], item["arguments"]]))
        .collect();
    assert_eq!(
        json!(told),
        json!([
            ["custom_tool_call", null, "apply_patch", "*** Begin", null],
            ["function_call", "agents", "spawn", null, "{}"],
            ["function_call", long, "a", null, "{}"],
        ])
    );
    assert!(stream.contains("event: response.custom_tool_call_input.done"), "{stream}");
}
