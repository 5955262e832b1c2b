//! The wire form of Google's `generateContent`.

use serde_json::{Value, json};

use super::openai::pieces;
use super::plans::Answer;
use super::search::{RESULT_TOKENS, Search};
use super::serve::Reply;
use super::shape::Shape;
use super::{Behaviour, Style};

/// Every field the real endpoint accepts; another one is an error there.
const FIELDS: [&str; 7] = [
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "generationConfig",
    "safetySettings",
    "cachedContent",
];
/// Keywords of JSON Schema that `parameters` and `responseSchema` do not have.
const NOT_IN_SCHEMA: [&str; 7] =
    ["$schema", "$ref", "$defs", "additionalProperties", "const", "exclusiveMinimum", "exclusiveMaximum"];

/// The model in a path.
pub(super) fn model(path: &str) -> Option<&str> {
    path.strip_prefix("/gemini/v1beta/models/")?.strip_suffix(":streamGenerateContent")
}

/// Refuses what the real endpoint refuses, and a key in the address, which it would take.
pub(super) fn refusal(body: &Value, target: &str) -> Option<String> {
    if target.contains("key=") {
        return Some("a key does not belong into an address".into());
    }
    if let Some(unknown) = body.as_object()?.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return Some(format!(
            "Invalid JSON payload received. Unknown name \"{unknown}\": Cannot find field."
        ));
    }
    let contents = body["contents"].as_array().filter(|contents| !contents.is_empty());
    let Some(contents) = contents else {
        return Some("* GenerateContentRequest.contents: contents is not specified".into());
    };
    let mut calls = 0;
    for content in contents {
        let parts = content["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !matches!(content["role"].as_str(), Some("user" | "model")) {
            return Some("Please use a valid role: user, model.".into());
        }
        if parts.is_empty() || parts.iter().any(|part| part["text"] == "") {
            return Some("Unable to submit request because it must have a text parameter.".into());
        }
        let results = parts.iter().filter(|part| !part["functionResponse"].is_null()).count();
        if results > 0 && results != calls {
            return Some("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.".into());
        }
        if parts.iter().any(|part| part["functionResponse"]["name"] == "") {
            return Some("Function response name cannot be empty".into());
        }
        let called: Vec<&Value> = parts.iter().filter(|part| !part["functionCall"].is_null()).collect();
        if called.first().is_some_and(|first| first["thoughtSignature"].is_null()) {
            return Some("Function call is missing a thought_signature in functionCall parts.".into());
        }
        calls = called.len();
    }
    let foreign = |tool: &Value| tool["functionDeclarations"].is_null() && tool["google_search"].is_null();
    if body["tools"].as_array().is_some_and(|tools| tools.iter().any(foreign)) {
        return Some("Invalid JSON payload received. Unknown name at 'tools[0]': Cannot find field.".into());
    }
    if body["tools"].as_array().is_some_and(|tools| tools.len() > 1) {
        return Some("Multiple tools are supported only when they are all search tools.".into());
    }
    let functions = body["tools"][0]["functionDeclarations"].as_array().into_iter().flatten();
    let schemas = functions.map(|function| &function["parameters"]);
    let mut schemas = schemas.chain([&body["generationConfig"]["responseSchema"]]);
    schemas.find_map(foreign_keyword).map(|keyword| {
        format!("Invalid JSON payload received. Unknown name \"{keyword}\" at 'tools[0]': Cannot find field.")
    })
}

fn foreign_keyword(schema: &Value) -> Option<&'static str> {
    match schema {
        Value::Object(fields) => NOT_IN_SCHEMA
            .into_iter()
            .find(|keyword| fields.contains_key(*keyword))
            .or_else(|| fields.values().find_map(foreign_keyword)),
        Value::Array(list) => list.iter().find_map(foreign_keyword),
        _ => None,
    }
}

pub(super) fn error(status: u16, message: &str) -> Value {
    let name = match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    json!({ "error": { "code": status, "message": message, "status": name } })
}

fn grounding(search: &Search, text: &str) -> Value {
    let chunks = search.pages.iter().map(|page| json!({ "web": { "uri": page.url, "title": page.title } }));
    let all: Vec<usize> = (0..search.pages.len()).collect();
    let support = json!({ "segment": { "startIndex": 0, "endIndex": text.len(), "text": text }, "groundingChunkIndices": all });
    json!({ "webSearchQueries": search.queries, "groundingChunks": chunks.collect::<Vec<_>>(),
        "groundingSupports": [support], "searchEntryPoint": { "renderedContent": "<div></div>" } })
}

/// A running total in every event, and at last an event that has nothing else. Without `alt=sse` the same events are
/// one list.
pub(super) fn reply(target: &str, raw_length: usize, answer: &Answer, behaviour: &Behaviour) -> Reply {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let model = model(path).unwrap_or_default();
    let prompt = raw_length.div_ceil(4);
    let found = answer.search.as_ref().map_or(0, |search| search.count() * RESULT_TOKENS);
    let mut said = 0;
    let mut events = Vec::new();
    let mut event = |candidate: Option<Value>, bytes: usize| {
        said += bytes;
        let mut event = json!({ "modelVersion": model, "responseId": "simulated" });
        if let Some(candidate) = candidate {
            event["candidates"] = json!([candidate]);
        }
        if !behaviour.no_usage {
            let told = said.div_ceil(4);
            event["usageMetadata"] = json!({ "promptTokenCount": prompt, "candidatesTokenCount": told,
                "totalTokenCount": prompt + told, "cachedContentTokenCount": behaviour.cached_tokens });
            if found > 0 {
                event["usageMetadata"]["toolUsePromptTokenCount"] = found.into();
            }
        }
        events.push(event);
    };
    let content = |parts: Value| json!({ "content": { "parts": parts, "role": "model" }, "index": 0 });
    if behaviour.style == Style::Tools {
        event(Some(content(json!([{ "text": "Let me look." }]))), 12);
        let calls = json!([
            { "functionCall": { "name": "read_file", "args": { "path": "src/ä.rs" } }, "thoughtSignature": "c2lt" },
            { "functionCall": { "name": "list_files" } },
        ]);
        event(Some(content(calls)), 40);
    } else {
        for piece in pieces(&answer.text) {
            event(Some(content(json!([{ "text": piece }]))), piece.len());
        }
    }
    if let Some(search) = &answer.search {
        // Some events have a part of it only.
        let mut first = content(json!([{ "text": "" }]));
        first["groundingMetadata"] = json!({ "webSearchQueries": search.queries[..1] });
        event(Some(first), 0);
    }
    let mut end = content(json!([{ "text": "", "thoughtSignature": "c2lt" }]));
    if let Some(search) = &answer.search {
        end["groundingMetadata"] = grounding(search, &answer.text);
    }
    end["finishReason"] = if answer.cut { "MAX_TOKENS" } else { "STOP" }.into();
    event(Some(end), 0);
    event(None, 0);
    match query.split('&').any(|pair| pair == "alt=sse") {
        true => Reply::events(Shape::Gemini, events.iter().map(Value::to_string).collect()),
        false => Reply::json(200, &Value::Array(events)),
    }
}
