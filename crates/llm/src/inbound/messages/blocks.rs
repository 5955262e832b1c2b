//! Content blocks of a request → canonical messages.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::LlmError;
use crate::inbound::canonical::{Call, Content, File, Image, Message, Part, Translated};
use crate::inbound::carried::Carried;

/// The kinds of which more than the kind is read.
const KNOWN: [&str; 8] = [
    "text",
    "image",
    "document",
    "search_result",
    "tool_use",
    "tool_result",
    "thinking",
    "redacted_thinking",
];

/// A block, as far as any kind of it is read.
#[derive(Default, Deserialize)]
pub(super) struct Block {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    source: Option<Box<RawValue>>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    input: Option<Box<RawValue>>,
    #[serde(default)]
    tool_use_id: Option<String>,
    #[serde(default)]
    content: Option<Box<RawValue>>,
    #[serde(default)]
    is_error: Option<bool>,
    #[serde(default)]
    thinking: Option<String>,
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    data: Option<String>,
    #[serde(default)]
    cache_control: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    data: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    content: Option<Box<RawValue>>,
}

/// A text, or blocks.
pub(super) fn read(content: Option<&RawValue>, place: &str) -> Result<Vec<Block>, LlmError> {
    let malformed = |error: serde_json::Error| LlmError::Malformed(format!("{place}: {error}"));
    let Some(raw) = content else { return Ok(Vec::new()) };
    match raw.get().as_bytes().first() {
        Some(b'"') => {
            let text: String = serde_json::from_str(raw.get()).map_err(malformed)?;
            let block = json!({ "type": "text", "text": text });
            Ok(vec![serde_json::from_value(block).map_err(malformed)?])
        }
        Some(b'n') => Ok(Vec::new()),
        _ => {
            let blocks: Vec<Box<RawValue>> = serde_json::from_str(raw.get()).map_err(malformed)?;
            blocks.iter().map(|block| one(block).map_err(malformed)).collect()
        }
    }
}

/// A block. What kinds that nobody here knows are made of is nobody's business.
fn one(raw: &RawValue) -> Result<Block, serde_json::Error> {
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: String,
    }
    let Kind { kind } = serde_json::from_str(raw.get())?;
    match KNOWN.contains(&kind.as_str()) {
        true => serde_json::from_str(raw.get()),
        false => Ok(Block { kind, ..Block::default() }),
    }
}

/// A block that is text, image or document as parts; anything else is left out and noted.
pub(super) fn parts(block: Block, out: &mut Translated) -> Result<Vec<Part>, LlmError> {
    let cache_control = block.cache_control;
    match (block.kind.as_str(), block.text, block.source) {
        ("text", Some(text), _) => Ok(match text.is_empty() && cache_control.is_none() {
            true => Vec::new(),
            false => vec![Part::Text { text, cache_control }],
        }),
        ("image", _, Some(source)) => match address(&source, "image", out)? {
            Given::Url(url) => {
                Ok(vec![Part::ImageUrl { image_url: Image { url, detail: None }, cache_control }])
            }
            Given::Parts(parts) => Ok(parts),
        },
        ("document", _, Some(source)) => match address(&source, "document", out)? {
            Given::Url(file_data) => {
                Ok(vec![Part::File { file: File { filename: block.title, file_data }, cache_control }])
            }
            Given::Parts(parts) => Ok(parts),
        },
        ("search_result", ..) => {
            let texts = read(block.content.as_deref(), "a search result")?;
            out.note("passed search results on as text");
            texts.into_iter().map(|block| parts(block, out)).collect::<Result<Vec<_>, _>>().map(flat)
        }
        ("text" | "image" | "document", ..) => {
            Err(LlmError::Malformed(format!("a block of type `{}` has no content", block.kind)))
        }
        (kind, ..) => {
            out.note(format!("dropped blocks of type {}", short(kind)));
            Ok(Vec::new())
        }
    }
}

enum Given {
    Url(String),
    Parts(Vec<Part>),
}

fn address(source: &RawValue, what: &str, out: &mut Translated) -> Result<Given, LlmError> {
    let source: Source = serde_json::from_str(source.get())
        .map_err(|error| LlmError::Malformed(format!("the source of a {what}: {error}")))?;
    match (source.kind.as_str(), source.media_type, source.data, source.url) {
        ("base64", Some(media_type), Some(data), _) => {
            Ok(Given::Url(format!("data:{media_type};base64,{data}")))
        }
        ("url", _, _, Some(url)) => Ok(Given::Url(url)),
        ("text", _, Some(text), _) => Ok(Given::Parts(vec![Part::text(text)])),
        ("content", ..) => {
            let blocks = read(source.content.as_deref(), "the content of a document")?;
            let all: Result<Vec<_>, _> = blocks.into_iter().map(|block| parts(block, out)).collect();
            Ok(Given::Parts(flat(all?)))
        }
        ("file", ..) => {
            out.cannot_say(format!("a {what} that is stored at Anthropic"));
            Ok(Given::Parts(Vec::new()))
        }
        (kind, ..) => Err(LlmError::Malformed(format!("a {what} has an unusable source `{}`", short(kind)))),
    }
}

fn flat(nested: Vec<Vec<Part>>) -> Vec<Part> {
    nested.into_iter().flatten().collect()
}

/// What a person says: results of tools first, each a message, then the rest.
pub(super) fn user(blocks: Vec<Block>, out: &mut Translated) -> Result<(), LlmError> {
    let mut said = Vec::new();
    for block in blocks {
        if block.kind != "tool_result" {
            said.extend(parts(block, out)?);
            continue;
        }
        let id = block.tool_use_id;
        let id = id.ok_or_else(|| LlmError::Malformed("a tool_result names no `tool_use_id`".into()))?;
        if block.is_error == Some(true) {
            out.note("dropped is_error of results of tools");
        }
        let mut result = Vec::new();
        for inner in read(block.content.as_deref(), "the content of a tool_result")? {
            result.extend(parts(inner, out)?);
        }
        let content = Content::of(result).unwrap_or(Content::Text(String::new()));
        let message = Message { tool_call_id: Some(id), ..Message::new("tool", Some(content)) };
        out.messages.push(message);
    }
    if let Some(content) = Content::of(said) {
        out.messages.push(Message::new("user", Some(content)));
    }
    Ok(())
}

/// What the model has said: text, calls, and the thoughts that their provider wants back.
pub(super) fn assistant(
    blocks: Vec<Block>,
    raw: &[Box<RawValue>],
    out: &mut Translated,
) -> Result<(), LlmError> {
    let mut said = Vec::new();
    let mut thoughts: Vec<Value> = Vec::new();
    let mut carried = Carried::default();
    let mut message = Message::new("assistant", None);
    for (at, block) in blocks.into_iter().enumerate() {
        match block.kind.as_str() {
            "tool_use" => message.tool_calls.push(call(block)?),
            "thinking" if block.signature.as_deref().is_none_or(str::is_empty) => {
                let thought = block.thinking.unwrap_or_default();
                message.reasoning_content.get_or_insert_default().push_str(&thought);
            }
            "redacted_thinking" if block.data.as_deref().and_then(Carried::open).is_some() => {
                carried.extend(block.data.as_deref().and_then(Carried::open).unwrap_or_default());
            }
            "thinking" | "redacted_thinking" => {
                let verbatim = raw.get(at).and_then(|raw| serde_json::from_str(raw.get()).ok());
                thoughts.extend(verbatim);
            }
            _ => said.extend(parts(block, out)?),
        }
    }
    if !thoughts.is_empty() {
        message.extra_content.insert("anthropic".into(), json!({ "thinking_blocks": thoughts }));
    }
    carried.put_back(&mut message);
    message.content = Content::of(said);
    if message.content.is_some() || !message.tool_calls.is_empty() || !message.extra_content.is_empty() {
        out.messages.push(message);
    }
    Ok(())
}

fn call(block: Block) -> Result<Call, LlmError> {
    let (Some(id), Some(name)) = (block.id, block.name) else {
        return Err(LlmError::Malformed("a tool_use has no `id` or no `name`".into()));
    };
    let arguments = block.input.map_or_else(|| "{}".to_owned(), |input| input.get().to_owned());
    if !arguments.starts_with('{') {
        return Err(LlmError::Malformed(format!("the input of tool_use `{}` is not an object", short(&id))));
    }
    Ok(Call::new(id, name, arguments))
}

/// A word of the caller's, cut to what fits into a note or an error.
pub(super) fn short(word: &str) -> String {
    word.chars().take(60).collect()
}
