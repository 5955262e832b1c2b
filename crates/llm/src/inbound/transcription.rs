//! Speech to text: OpenAI's form, which goes on as it came but for the name of the model.

use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::multipart::{self, Part};
use super::recording::{self, Length};
use crate::{LlmError, Usage, speech};

/// The path behind a provider's base URL.
pub const PATH: &str = "/audio/transcriptions";

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    /// `json`, `verbose_json` and `diarized_json`.
    Json,
    /// `text`, `srt` and `vtt`.
    Text,
}

/// A request for a transcript, and what is known of it.
#[derive(Clone, Debug)]
pub struct Transcription {
    /// The model that was asked for.
    pub model: String,
    /// Whether the caller wants a stream of events.
    pub stream: bool,
    /// The form of the answer.
    pub form: AnswerForm,
    /// The header that the body came with; its boundary belongs to the body.
    pub content_type: String,
    /// Length of the recording.
    pub audio_bytes: usize,
    /// How long it is, as far as it says so itself.
    length: Length,
    /// The fields that are text, for those who look for secrets in them.
    pub texts: Map<String, Value>,
    body: Bytes,
    model_at: Range<usize>,
}

impl Transcription {
    /// Reads a form. Nothing of it is copied but its short fields.
    pub fn parse(content_type: &str, body: Bytes) -> Result<Self, LlmError> {
        let parts = multipart::parse(content_type, &body)?;
        let one = |name: &str| one(&parts, name);
        let text = |part: &Part| text(&body, part);
        let file = one("file")?.ok_or_else(|| missing("file"))?;
        if file.file_name.is_none() {
            return Err(LlmError::Malformed("field `file` must be a file with a name".into()));
        }
        let model = one("model")?.ok_or_else(|| missing("model"))?;
        let form = match one("response_format")?.map(text).transpose()?.as_deref() {
            None | Some("json" | "verbose_json" | "diarized_json") => AnswerForm::Json,
            Some("text" | "srt" | "vtt") => AnswerForm::Text,
            Some(_) => {
                let message =
                    "field `response_format` must be json, text, srt, verbose_json, diarized_json or vtt";
                return Err(LlmError::Malformed(message.into()));
            }
        };
        let stream = match one("stream")?.map(text).transpose()?.as_deref() {
            None | Some("false" | "False" | "0" | "") => false,
            Some("true" | "True" | "1") => true,
            Some(_) => return Err(LlmError::Malformed("field `stream` must be true or false".into())),
        };
        let mut texts = Map::new();
        for part in parts.iter().filter(|part| part.file_name.is_none()) {
            texts.insert(part.name.clone(), text(part)?.into());
        }
        if parts.iter().filter(|part| part.file_name.is_some()).count() > 1 {
            return Err(LlmError::Malformed("there must be one file".into()));
        }
        Ok(Self {
            model: text(model)?,
            stream,
            form,
            content_type: content_type.to_owned(),
            audio_bytes: file.content.len(),
            length: recording::length(&body[file.content.clone()]),
            texts,
            model_at: model.content.clone(),
            body,
        })
    }

    /// The body for a provider, in pieces of the one that came.
    pub fn encode(&self, upstream_model: &str) -> Result<Vec<Bytes>, LlmError> {
        // It would end the part.
        if upstream_model.contains(['\r', '\n']) {
            return Err(LlmError::Malformed("the name of the model has a line break".into()));
        }
        let (before, after) = (self.body.slice(..self.model_at.start), self.body.slice(self.model_at.end..));
        Ok(vec![before, Bytes::copy_from_slice(upstream_model.as_bytes()), after])
    }

    /// What it counts as where the provider has not said: as long as its head says, but never shorter than plain speech of so many
    /// bytes is. Who asks for a form of answer that says no length could name any.
    pub fn estimate(&self) -> Usage {
        of_length(self.length.counted_ms)
    }

    /// What it has used: what the provider says, and the rest by an estimate.
    pub fn used(&self, said: &Counted) -> Usage {
        let length = said.seconds.map(|seconds| (seconds * 1e3).ceil() as u64);
        let estimate = length.map_or_else(|| self.estimate(), of_length);
        Usage { audio_ms: estimate.audio_ms, ..said.usage.unwrap_or(estimate) }
    }

    /// The longest that it may be, in milliseconds: what its head says, or what it is at the least rate that speech takes. Where the
    /// answer says no length, it is no less than what will count.
    pub fn longest_ms(&self) -> u64 {
        let longest = self.length.told_ms.unwrap_or_else(|| recording::longest_ms(self.audio_bytes));
        match self.form {
            AnswerForm::Json => longest,
            AnswerForm::Text => longest.max(self.length.counted_ms),
        }
    }
}

/// What a recording of so many bytes counts as, of which nothing else is known.
pub fn estimate(bytes: usize) -> Usage {
    of_length(recording::speech_ms(bytes))
}

fn of_length(audio_ms: u64) -> Usage {
    let tokens = speech::tokens(audio_ms);
    Usage { input_tokens: tokens, audio_tokens: tokens, audio_ms, estimated: true, ..Usage::default() }
}

fn missing(field: &str) -> LlmError {
    LlmError::Malformed(format!("field `{field}` is missing"))
}

/// The only part of this name.
fn one<'p>(parts: &'p [Part], name: &str) -> Result<Option<&'p Part>, LlmError> {
    let mut named = parts.iter().filter(|part| part.name == name);
    match (named.next(), named.next()) {
        (first, None) => Ok(first),
        _ => Err(LlmError::Malformed(format!("field `{name}` is there twice"))),
    }
}

fn text(body: &Bytes, part: &Part) -> Result<String, LlmError> {
    let text = std::str::from_utf8(&body[part.content.clone()]);
    let wrong = || LlmError::Malformed(format!("field `{}` is not UTF-8", part.name));
    text.map(str::to_owned).map_err(|_| wrong())
}

/// SHA-256 over the pieces of a body.
pub fn pieces_hash(pieces: &[Bytes]) -> [u8; 32] {
    let mut hash = Sha256::new();
    pieces.iter().for_each(|piece| hash.update(piece));
    hash.finalize().into()
}

/// What a provider says of a transcript's cost, in whichever way it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counted {
    /// In tokens.
    pub usage: Option<Usage>,
    /// In seconds of speech.
    pub seconds: Option<f64>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    usage: Option<SaidUsage>,
    /// Of `verbose_json`; some write it as text.
    #[serde(default)]
    duration: Option<Value>,
}

#[derive(Deserialize)]
struct SaidUsage {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    input_token_details: Option<SaidTokens>,
    #[serde(default)]
    seconds: Option<f64>,
}

#[derive(Deserialize)]
struct SaidTokens {
    #[serde(default)]
    text_tokens: Option<u64>,
}

/// Reads it from an answer in JSON, or from an event of a stream; what is not there is nothing.
pub fn counted(json: &[u8]) -> Counted {
    let Ok(Said { usage, duration }) = serde_json::from_slice(json) else { return Counted::default() };
    let duration = duration.and_then(|value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    });
    let seconds = usage.as_ref().and_then(|usage| usage.seconds).or(duration);
    let usage = usage.and_then(|usage| {
        let (input_tokens, output_tokens) = (usage.input_tokens?, usage.output_tokens?);
        // What is not said to be text is sound, which is not the cheaper of the two.
        let text = usage.input_token_details.and_then(|details| details.text_tokens).unwrap_or_default();
        let audio_tokens = input_tokens.saturating_sub(text);
        Some(Usage { input_tokens, output_tokens, audio_tokens, ..Usage::default() })
    });
    Counted { usage, seconds: seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=xx";

    fn form(fields: &[(&str, &str)]) -> Bytes {
        let mut body = String::new();
        for (name, value) in fields {
            let file = if *name == "file" { "; filename=\"a.mp3\"" } else { "" };
            body +=
                &format!("--xx\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n");
        }
        (body + "--xx--\r\n").into()
    }

    #[test]
    fn only_the_model_is_changed_and_the_recording_is_not_copied() {
        let body = form(&[("file", "sound"), ("model", "alias"), ("chunking_strategy", "auto")]);
        let read = Transcription::parse(TYPE, body.clone()).unwrap();
        assert_eq!(
            (read.model.as_str(), read.stream, read.form, read.audio_bytes),
            ("alias", false, AnswerForm::Json, 5)
        );
        let pieces = read.encode("whisper-1").unwrap();
        let sent = pieces.concat();
        assert_eq!(
            String::from_utf8(sent.clone()).unwrap(),
            std::str::from_utf8(&body).unwrap().replace("alias", "whisper-1")
        );
        assert_eq!(pieces_hash(&pieces), crate::body_hash(&sent));
        assert_eq!(pieces[0].as_ptr(), body.as_ptr(), "a piece of what came");
        assert!(read.encode("a\r\n--xx--").is_err());
        let streamed = form(&[("file", "s"), ("model", "m"), ("stream", "true"), ("response_format", "vtt")]);
        let read = Transcription::parse(TYPE, streamed).unwrap();
        assert!(read.stream && read.form == AnswerForm::Text);
    }

    #[test]
    fn a_form_that_says_too_little_or_two_things_is_refused() {
        for fields in [
            &[("file", "s")][..],
            &[("model", "m")],
            &[("file", "s"), ("model", "m"), ("model", "n")],
            &[("file", "s"), ("file", "t"), ("model", "m")],
            &[("file", "s"), ("model", "m"), ("stream", "maybe")],
            &[("file", "s"), ("model", "m"), ("response_format", "mp3")],
        ] {
            assert!(Transcription::parse(TYPE, form(fields)).is_err(), "{fields:?}");
        }
    }

    #[test]
    fn what_was_used_is_read_in_both_ways_of_counting() {
        let tokens = counted(br#"{"text":"a","usage":{"type":"tokens","input_tokens":14,"output_tokens":3,"total_tokens":17}}"#);
        assert_eq!(
            tokens.usage.map(|usage| (usage.input_tokens, usage.output_tokens, usage.estimated)),
            Some((14, 3, false))
        );
        let duration = counted(br#"{"text":"a","usage":{"type":"duration","seconds":9}}"#);
        assert_eq!((duration.usage, duration.seconds), (None, Some(9.0)));
        assert_eq!(counted(br#"{"text":"a","duration":"8.47"}"#).seconds, Some(8.47));
        assert_eq!(counted(br#"{"duration":-1}"#), Counted::default());
        assert_eq!(counted(b"1\n00:00:00,000"), Counted::default());
    }
}
