//! Golden files, in `tests/golden/DIALECT/CASE/`: a `request.json` and the `wire.json` it becomes, a `stream.txt` and the
//! `events.json` it means, an `answer.json` and the `response.json` it means; a case has one pair or more.
//!
//! `UPDATE_EXPECT=1` rewrites the second files. A provider is added with a folder and no line of code here.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use llm::{
    Catalogue, Dialect, LlmError, ModelLimits, StreamDecoder, StreamEvent, UpstreamError, Usage,
    decode_response, encode,
};
use serde_json::{Value, json};

/// Where the cases are.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.is_dir());
    all.sort();
    all
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Every case of every dialect.
pub fn cases() -> Vec<(Dialect, PathBuf)> {
    let of = |folder: PathBuf| {
        let dialect: Dialect = name(&folder).parse().unwrap();
        folders(&folder).into_iter().map(move |case| (dialect, case))
    };
    folders(&root()).into_iter().flat_map(of).collect()
}

/// What the catalogue calls the provider behind a dialect.
pub fn provider(dialect: Dialect) -> &'static str {
    match dialect.name() {
        name if name.starts_with("openai") => "openai",
        name if name.starts_with("xai") => "xai",
        name => name,
    }
}

/// The limits of a model, as the server looks them up.
pub fn limits(dialect: Dialect, model: &str) -> ModelLimits {
    let catalogue = Catalogue::builtin().unwrap();
    catalogue.find(provider(dialect), model).map(|model| model.limits.clone()).unwrap_or_default()
}

fn wire(dialect: Dialect, canonical: &[u8]) -> String {
    let request: Value = serde_json::from_slice(canonical).unwrap();
    let model = request["model"].as_str().unwrap();
    let shown = match encode(dialect, canonical, model, &limits(dialect, model)) {
        Ok(wire) => json!({
            "path": wire.path,
            "headers": wire.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>(),
            "body": serde_json::from_slice::<Value>(&wire.body).unwrap(),
            "transformations": wire.transformations,
        }),
        Err(error) => json!({ "refused": error.to_string() }),
    };
    format!("{shown:#}\n")
}

fn error(error: &UpstreamError) -> Value {
    let mut shown = json!({ "status": error.status, "code": error.code, "message": error.message });
    if let Some(after) = error.retry_after {
        shown["retry_after_ms"] = (after.as_millis() as u64).into();
    }
    shown
}

fn event(event: &StreamEvent) -> Value {
    match event {
        StreamEvent::Chunk(chunk) => json!({ "chunk": chunk }),
        StreamEvent::Usage(usage) => json!({ "usage": usage }),
        StreamEvent::Done(reason) => json!({ "done": reason }),
        StreamEvent::Error(failed) => json!({ "error": error(failed) }),
        StreamEvent::KeepAlive => "keep-alive".into(),
    }
}

/// The events of a stream, one a line.
fn events(dialect: Dialect, stream: &[u8]) -> String {
    let mut decoder = StreamDecoder::new(dialect, 7).seeded(|| b"seed");
    let mut all = decoder.push(stream).unwrap();
    all.extend(decoder.finish().unwrap());
    let mut out = String::from("[");
    for (at, one) in all.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        write!(out, "{comma}\n  {}", event(one)).unwrap();
    }
    out + "\n]\n"
}

fn response(dialect: Dialect, body: &[u8]) -> String {
    let shown = match decode_response(dialect, 7, body) {
        Ok((response, usage)) => json!({ "response": response, "usage": usage }),
        Err(LlmError::Failed(failed)) => json!({ "failed": error(&failed) }),
        Err(other) => json!({ "refused": other.to_string() }),
    };
    format!("{shown:#}\n")
}

/// What a given file becomes.
type Translate = fn(Dialect, &[u8]) -> String;

#[test]
fn every_case_gives_what_its_golden_file_says() {
    let mut compared = 0;
    for (dialect, case) in cases() {
        let pairs: [(&str, &str, Translate); 3] = [
            ("request.json", "wire.json", wire),
            ("stream.txt", "events.json", events),
            ("answer.json", "response.json", response),
        ];
        let mut found = 0;
        for (given, expected, make) in pairs {
            if let Ok(bytes) = fs::read(case.join(given)) {
                found += 1;
                expect_test::expect_file![case.join(expected)].assert_eq(&make(dialect, &bytes));
            }
        }
        assert!(found > 0, "{} has nothing to compare", case.display());
        compared += found;
    }
    assert!(compared > 20, "{compared}");
}

/// A whole answer says what its stream says, but for ids that are made from the bytes.
#[test]
fn a_whole_answer_and_its_stream_say_the_same() {
    for (dialect, case) in cases() {
        let (Ok(stream), Ok(answer)) =
            (fs::read(case.join("stream.txt")), fs::read(case.join("answer.json")))
        else {
            continue;
        };
        let mut decoder = StreamDecoder::new(dialect, 7);
        let mut all = decoder.push(&stream).unwrap();
        all.extend(decoder.finish().unwrap());
        let (streamed, usage) = super::folded(&all);
        let Ok((whole, whole_usage)) = decode_response(dialect, 7, &answer) else { continue };
        let strip = |mut answer: Value| {
            for call in answer["choices"][0]["message"]["tool_calls"].as_array_mut().into_iter().flatten() {
                let made_here = call["extra_content"]["google"]["function_call_id"].is_null();
                if made_here && dialect == Dialect::Gemini {
                    call["id"] = Value::Null;
                }
            }
            answer
        };
        let context = case.display();
        assert_eq!(strip(serde_json::to_value(whole).unwrap()), strip(streamed), "{context}");
        assert_eq!(whole_usage.unwrap_or_default(), Usage { estimated: false, ..usage }, "{context}");
    }
}
