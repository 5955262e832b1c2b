//! OpenAI's `POST /v1/audio/transcriptions`, in the forms that it answers in.

use serde_json::{Value, json};

use super::serve::Reply;
use super::shape::Shape;
use super::{Behaviour, openai};
use crate::http::Request;

pub(super) const PATH: &str = "/openai/v1/audio/transcriptions";

/// The fields of a form, by the boundary alone.
fn fields(request: &Request) -> Option<Vec<(String, Vec<u8>)>> {
    let kind = request.header("content-type")?;
    let boundary = kind.strip_prefix("multipart/form-data; boundary=")?.trim_matches('"');
    let separator = format!("\r\n--{boundary}").into_bytes();
    let mut body = [b"\r\n".as_slice(), &request.body].concat();
    let mut fields = Vec::new();
    loop {
        let start = find(&body, &separator)? + separator.len();
        if body[start..].starts_with(b"--") {
            return Some(fields);
        }
        let rest = body.split_off(start + 2);
        let head_end = find(&rest, b"\r\n\r\n")?;
        let head = String::from_utf8(rest[..head_end].to_vec()).ok()?;
        let name = head.split("name=\"").nth(1)?.split('"').next()?.to_owned();
        let end = head_end + 4 + find(&rest[head_end + 4..], &separator)?;
        fields.push((name, rest[head_end + 4..end].to_vec()));
        body = rest[end..].to_vec();
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

pub(super) fn reply(request: &Request, behaviour: &Behaviour) -> Reply {
    let refused = |message: &str| Reply::json(400, &openai::error(400, message));
    let Some(fields) = fields(request) else { return refused("the form cannot be read") };
    let text_of = |name: &str| {
        let value = fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
        value.map(|value| String::from_utf8_lossy(&value).into_owned())
    };
    let Some(model) = text_of("model") else { return refused("model is missing") };
    if !fields.iter().any(|(name, value)| name == "file" && !value.is_empty()) {
        return refused("Invalid file format.");
    }
    let text = behaviour.text.clone().unwrap_or_else(|| "Good morning.".to_owned());
    let form = text_of("response_format").unwrap_or_else(|| "json".to_owned());
    // whisper-1 counts seconds and nothing else does; it does not stream.
    let whisper = model.starts_with("whisper");
    if !whisper && !["json", "text"].contains(&form.as_str()) {
        return refused(&format!("response_format '{form}' is not compatible with model '{model}'"));
    }
    let usage = match (behaviour.no_usage, whisper) {
        (true, _) => Value::Null,
        (_, true) => json!({ "type": "duration", "seconds": 9 }),
        _ => json!({ "type": "tokens", "input_tokens": 90, "output_tokens": 7, "total_tokens": 97,
            "input_token_details": { "text_tokens": 0, "audio_tokens": 90 } }),
    };
    if text_of("stream").as_deref() == Some("true") && !whisper {
        let mut events: Vec<String> = text
            .split_inclusive(' ')
            .map(|word| json!({ "type": "transcript.text.delta", "delta": word }).to_string())
            .collect();
        events.push(json!({ "type": "transcript.text.done", "text": text, "usage": usage }).to_string());
        return Reply::events(Shape::OpenAi, events);
    }
    match form.as_str() {
        "text" => Reply::text(format!("{text}\n")),
        "srt" => Reply::text(format!("1\n00:00:00,000 --> 00:00:09,000\n{text}\n\n")),
        "vtt" => Reply::text(format!("WEBVTT\n\n00:00:00.000 --> 00:00:09.000\n{text}\n\n")),
        "verbose_json" => Reply::json(
            200,
            &json!({ "task": "transcribe", "language": "english", "duration": 8.47, "text": text, "usage": usage,
                "segments": [{ "id": 0, "start": 0.0, "end": 8.47, "text": text, "seek": 0, "tokens": [], "temperature": 0.0,
                    "avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.0 }] }),
        ),
        _ => Reply::json(200, &json!({ "text": text, "usage": usage })),
    }
}
