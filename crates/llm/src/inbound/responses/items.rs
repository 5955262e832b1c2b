//! Input items → canonical messages.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::full_name;
use crate::inbound::canonical::{Call, Content, File, Image, Message, Part, Translated};
use crate::inbound::carried::Carried;
use crate::response::merge;
use crate::{Fields, LlmError};

/// Items about what OpenAI did itself; a model can do without them.
const DROPPED_ITEMS: [&str; 4] =
    ["web_search_call", "image_generation_call", "tool_search_call", "tool_search_output"];

/// An item, as far as any kind of it is read.
#[derive(Deserialize)]
struct Item {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    content: Option<Box<RawValue>>,
    #[serde(default)]
    call_id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    arguments: Option<String>,
    #[serde(default)]
    input: Option<String>,
    #[serde(default)]
    output: Option<Box<RawValue>>,
    #[serde(default)]
    summary: Option<Vec<Value>>,
    #[serde(default)]
    encrypted_content: Option<String>,
}

/// One part of the content of an item.
#[derive(Deserialize)]
struct Given {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    image_url: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    filename: Option<String>,
    #[serde(default)]
    file_data: Option<String>,
    #[serde(default)]
    file_url: Option<String>,
}

/// What the model said last, until somebody else speaks: text, calls and reasoning of it are one message.
#[derive(Default)]
struct Turn {
    parts: Vec<Part>,
    calls: Vec<Call>,
    reasoning: String,
    items: Vec<Value>,
    carried: Carried,
}

/// Translates `input`.
pub(super) fn conversation(given: &Fields, out: &mut Translated) -> Result<(), LlmError> {
    let raw = given.get("input").map(RawValue::get).unwrap_or("null");
    if raw.starts_with('"') {
        let text: String = given.read("input")?.unwrap_or_default();
        out.messages.push(Message::new("user", Some(Content::Text(text))));
        return Ok(());
    }
    let items: Vec<Box<RawValue>> = given.read("input")?.unwrap_or_default();
    if items.is_empty() {
        return Err(LlmError::Malformed("field `input` must not be empty".into()));
    }
    let mut turn = Turn::default();
    for (at, raw) in items.iter().enumerate() {
        let item: Item = serde_json::from_str(raw.get())
            .map_err(|error| LlmError::Malformed(format!("input.{at}: {error}")))?;
        one(item, raw, &mut turn, out).map_err(|error| match error {
            LlmError::Malformed(what) => LlmError::Malformed(format!("input.{at}: {what}")),
            other => other,
        })?;
    }
    turn.end(out);
    Ok(())
}

fn one(item: Item, raw: &RawValue, turn: &mut Turn, out: &mut Translated) -> Result<(), LlmError> {
    let kind = item.kind.as_deref().unwrap_or("message");
    let missing =
        |what: &str| LlmError::Malformed(format!("an item of type `{}` has no `{what}`", short(kind)));
    match kind {
        "message" => {
            let role = item.role.as_deref().ok_or_else(|| missing("role"))?;
            let parts = parts(item.content.as_deref(), out)?;
            let role = match role {
                "assistant" => {
                    turn.parts.extend(parts);
                    return Ok(());
                }
                "user" => "user",
                "system" => "system",
                "developer" => "developer",
                other => return Err(LlmError::Malformed(format!("`{}` is not a role", short(other)))),
            };
            turn.end(out);
            if let Some(content) = Content::of(parts) {
                out.messages.push(Message::new(role, Some(content)));
            }
        }
        "function_call" | "custom_tool_call" => {
            let id = item.call_id.ok_or_else(|| missing("call_id"))?;
            let name = item.name.ok_or_else(|| missing("name"))?;
            let arguments = match (item.arguments, item.input) {
                (Some(arguments), _) if kind == "function_call" => arguments,
                (_, Some(input)) if kind == "custom_tool_call" => json!({ "input": input }).to_string(),
                _ => return Err(missing(if kind == "function_call" { "arguments" } else { "input" })),
            };
            let name = full_name(item.namespace.as_deref(), &name);
            turn.calls.push(Call::new(id, name, arguments));
        }
        "function_call_output" | "custom_tool_call_output" => {
            let id = item.call_id.ok_or_else(|| missing("call_id"))?;
            turn.end(out);
            let output = parts(item.output.as_deref(), out)?;
            let content = Content::of(output).unwrap_or(Content::Text(String::new()));
            let message = Message { tool_call_id: Some(id), ..Message::new("tool", Some(content)) };
            out.messages.push(message);
        }
        "reasoning" => turn.reason(item, raw),
        kind if DROPPED_ITEMS.contains(&kind) => out.note(format!("dropped items of type {kind}")),
        kind => out.cannot_say(format!("items of type `{}`", short(kind))),
    }
    Ok(())
}

impl Turn {
    /// Reasoning goes back to whom it belongs; of what nobody sealed only the text is kept.
    fn reason(&mut self, item: Item, raw: &RawValue) {
        match item.encrypted_content.as_deref() {
            Some(sealed) => match Carried::open(sealed) {
                Some(carried) => self.carried.extend(carried),
                None => self.items.extend(serde_json::from_str(raw.get())),
            },
            None => {
                let texts = item.summary.into_iter().flatten();
                for text in texts.filter_map(|part| part["text"].as_str().map(str::to_owned)) {
                    self.reasoning.push_str(&text);
                }
            }
        }
    }

    /// Somebody else speaks.
    fn end(&mut self, out: &mut Translated) {
        let turn = std::mem::take(self);
        let mut message = Message::new("assistant", Content::of(turn.parts));
        message.tool_calls = turn.calls;
        message.reasoning_content = Some(turn.reasoning).filter(|text| !text.is_empty());
        if !turn.items.is_empty() {
            let items = json!({ "reasoning_items": turn.items });
            merge(message.extra_content.entry("openai").or_insert(Value::Null), items);
        }
        turn.carried.put_back(&mut message);
        if message.content.is_some() || !message.tool_calls.is_empty() || !message.extra_content.is_empty() {
            out.messages.push(message);
        }
    }
}

/// A text, or parts.
fn parts(content: Option<&RawValue>, out: &mut Translated) -> Result<Vec<Part>, LlmError> {
    let malformed = |error: serde_json::Error| LlmError::Malformed(format!("its content: {error}"));
    let Some(raw) = content else { return Ok(Vec::new()) };
    match raw.get().as_bytes().first() {
        Some(b'"') => Ok(vec![Part::text(serde_json::from_str::<String>(raw.get()).map_err(malformed)?)]),
        Some(b'n') => Ok(Vec::new()),
        _ => {
            let given: Vec<Given> = serde_json::from_str(raw.get()).map_err(malformed)?;
            let parts: Result<Vec<_>, _> = given.into_iter().map(|given| part(given, out)).collect();
            Ok(parts?.into_iter().flatten().collect())
        }
    }
}

fn part(given: Given, out: &mut Translated) -> Result<Option<Part>, LlmError> {
    let missing = || LlmError::Malformed(format!("a part of type `{}` has no content", short(&given.kind)));
    Ok(match given.kind.as_str() {
        "input_text" | "output_text" | "text" | "summary_text" => {
            Some(Part::text(given.text.clone().ok_or_else(missing)?))
        }
        "refusal" => Some(Part::Refusal { refusal: given.refusal.clone().ok_or_else(missing)? }),
        "input_image" => match given.image_url.clone() {
            Some(url) => {
                let image_url = Image { url, detail: given.detail.clone() };
                Some(Part::ImageUrl { image_url, cache_control: None })
            }
            None => {
                out.cannot_say("an image that is stored at OpenAI");
                None
            }
        },
        "input_file" => match given.file_data.clone().or(given.file_url.clone()) {
            Some(file_data) => {
                let file = File { filename: given.filename.clone(), file_data };
                Some(Part::File { file, cache_control: None })
            }
            None => {
                out.cannot_say("a file that is stored at OpenAI");
                None
            }
        },
        kind => {
            out.cannot_say(format!("parts of type `{}`", short(kind)));
            None
        }
    })
}

/// A word of the caller's, cut to what fits into a note or an error.
pub(super) fn short(word: &str) -> String {
    word.chars().take(60).collect()
}
