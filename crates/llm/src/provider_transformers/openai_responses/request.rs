//! Canonical request → responses request.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::Vendor;
use super::wire::{ContentPart, Filters, Item, OutputContent, Tool};
use crate::chat::{Message, Part, Role};
use crate::provider_transformers::WireRequest;
use crate::provider_transformers::given::{self, Choice, Format};
use crate::{ChatRequest, Fields, LlmError, ModelLimits, Thinking};

/// Fields that mean the same there.
const KEPT: [&str; 9] = [
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "user",
    "prompt_cache_key",
    "metadata",
    "safety_identifier",
    "service_tier",
    "prompt_cache_retention",
];
/// How many of them xAI knows.
const KEPT_BY_XAI: usize = 5;

/// Fields that have been translated; every other one that is not kept is dropped, and the drop is recorded.
const TRANSLATED: [&str; 15] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "tools",
    "tool_choice",
    "reasoning_effort",
    "response_format",
    "verbosity",
    "n",
    "store",
    crate::search::FIELD,
];

/// The least limit that OpenAI takes.
const LEAST_OUTPUT: u64 = 16;

impl Vendor {
    fn name(self) -> &'static str {
        match self {
            Vendor::OpenAi => "OpenAI's responses API",
            Vendor::Xai => "xAI",
        }
    }

    fn kept(self) -> &'static [&'static str] {
        match self {
            Vendor::OpenAi => &KEPT,
            Vendor::Xai => &KEPT[..KEPT_BY_XAI],
        }
    }
}

pub(in super::super) fn encode(
    request: &ChatRequest,
    upstream_model: &str,
    limits: &ModelLimits,
    vendor: Vendor,
) -> Result<WireRequest, LlmError> {
    let mut notes = vec!["translated to responses".to_owned()];
    refuse_inexpressible(request, vendor)?;
    let (leading, rest) = given::instructions(request.messages()?);
    let mut wire = Fields::default();
    wire.set("model", upstream_model)?;
    let mut input = input(rest, vendor, &mut notes)?;
    match (instructions(&leading, vendor)?, vendor) {
        (Some(instructions), Vendor::OpenAi) => drop(wire.set("instructions", &instructions)?),
        // xAI has not always taken the field; one message at the top it has.
        (Some(instructions), Vendor::Xai) => input.insert(0, Item::said("system", instructions)),
        (None, _) => {}
    }
    wire.set("input", &input)?;
    tools(request, &mut wire, limits, &mut notes, vendor)?;
    reasoning(request, &mut wire, limits, &mut notes, vendor)?;
    text(request, &mut wire, vendor)?;
    if let Some(most) =
        given::lowered_max_tokens(request, limits.max_output_tokens, "max_output_tokens", &mut notes)
    {
        let least = if vendor == Vendor::OpenAi { LEAST_OUTPUT } else { 1 };
        if most < least {
            notes.push(format!("raised max_output_tokens from {most} to {least}"));
        }
        wire.set("max_output_tokens", &most.max(least))?;
    }
    for name in vendor.kept() {
        if let Some(raw) = request.fields.get(name).filter(|raw| raw.get() != "null") {
            wire.set(name, raw)?;
        }
    }
    // The conversation is the caller's: nothing of it is to stay there.
    wire.set("store", &false)?;
    if request.fields.read::<bool>("store")? == Some(true) {
        notes.push("set store to false".into());
    }
    wire.set("stream", &true)?;
    let known: Vec<&str> = TRANSLATED.iter().chain(vendor.kept()).copied().collect();
    given::note_dropped(request, &known, &mut notes);
    let body = serde_json::to_vec(&wire).map_err(|error| LlmError::Malformed(error.to_string()))?;
    Ok(WireRequest {
        path: "/responses".into(),
        headers: vec![("accept", "text/event-stream".into())],
        body: body.into(),
        streamed: true,
        transformations: notes,
    })
}

fn unsupported(vendor: Vendor, what: impl Into<String>) -> LlmError {
    given::unsupported(vendor.name(), what)
}

fn refuse_inexpressible(request: &ChatRequest, vendor: Vendor) -> Result<(), LlmError> {
    given::refuse_inexpressible(request, vendor.name())?;
    match given::stops(request)?.is_empty() {
        true => Ok(()),
        false => Err(unsupported(vendor, "stop sequences (`stop`)")),
    }
}

/// The leading system messages as one text.
fn instructions(leading: &[Message], vendor: Vendor) -> Result<Option<String>, LlmError> {
    let mut texts = Vec::new();
    for message in leading {
        texts.push(plain_text(message, vendor)?);
    }
    texts.retain(|text| !text.is_empty());
    Ok((!texts.is_empty()).then(|| texts.join("\n\n")))
}

/// The text of a message that can only be text.
fn plain_text(message: &Message, vendor: Vendor) -> Result<String, LlmError> {
    let mut text = String::new();
    for part in message.parts()? {
        match part.text.or(part.refusal) {
            Some(piece) => text.push_str(&piece),
            None => return Err(unsupported(vendor, format!("`{}` in a message of this role", part.kind))),
        }
    }
    Ok(text)
}

fn input(messages: Vec<Message>, vendor: Vendor, notes: &mut Vec<String>) -> Result<Vec<Item>, LlmError> {
    let mut items = Vec::new();
    for message in messages {
        match message.role {
            // A later instruction stays where it was said: at OpenAI with a role of its own, which xAI has only at the
            // top.
            Role::System | Role::Developer => {
                let text = plain_text(&message, vendor)?;
                if vendor == Vendor::Xai {
                    notes.push("kept a later system message in place, as user text".into());
                }
                items.push(Item::said(if vendor == Vendor::Xai { "user" } else { "developer" }, text));
            }
            Role::User => {
                let parts = message.parts()?.into_iter().map(|part| content_part(part, vendor));
                items.push(Item::Message { role: "user", content: parts.collect::<Result<_, _>>()? });
            }
            Role::Tool => {
                let call_id = given::answered(&message)?.to_owned();
                items.push(Item::FunctionCallOutput { call_id, output: output(&message, vendor)? });
            }
            Role::Assistant => said_by_the_model(message, &mut items, vendor)?,
        }
    }
    match items.is_empty() {
        true => Err(LlmError::Malformed("there is no message besides system messages".into())),
        false => Ok(items),
    }
}

/// Reasoning first, then text, then calls: the order in which they came.
fn said_by_the_model(message: Message, items: &mut Vec<Item>, vendor: Vendor) -> Result<(), LlmError> {
    let reasoning = message.extra_content.as_ref().and_then(|extra| extra.openai.as_ref());
    items.extend(reasoning.iter().flat_map(|extra| &extra.reasoning_items).cloned().map(Item::Verbatim));
    let text = plain_text(&message, vendor)?;
    if !text.is_empty() {
        items.push(Item::said("assistant", text));
    }
    for call in message.tool_calls.iter().flatten() {
        items.push(Item::FunctionCall {
            call_id: call.id.clone(),
            name: call.function.name.clone(),
            arguments: given::arguments(call)?.to_owned(),
        });
    }
    Ok(())
}

/// Plain text where that is all there is.
fn output(message: &Message, vendor: Vendor) -> Result<OutputContent, LlmError> {
    let parts = message.parts()?;
    if parts.iter().all(|part| part.text.is_some()) {
        return plain_text(message, vendor).map(OutputContent::Text);
    }
    let parts: Result<Vec<_>, _> = parts.into_iter().map(|part| content_part(part, vendor)).collect();
    parts.map(OutputContent::Parts)
}

fn content_part(part: Part, vendor: Vendor) -> Result<ContentPart, LlmError> {
    match (part.kind.as_str(), part.text.or(part.refusal), part.image_url, part.file) {
        ("text" | "refusal", Some(text), ..) => Ok(ContentPart::Text { text }),
        ("image_url", _, Some(image), _) => {
            given::source(&image.url)?;
            Ok(ContentPart::Image { image_url: image.url, detail: image.detail })
        }
        ("file", _, _, Some(file)) if file.file_data.is_some() => {
            let file_data = file.file_data.unwrap_or_default();
            given::source(&file_data)?;
            Ok(ContentPart::File { filename: file.filename.unwrap_or_else(|| "file".into()), file_data })
        }
        (kind, ..) => Err(unsupported(vendor, format!("message parts of type `{kind}` in this form"))),
    }
}

fn tools(
    request: &ChatRequest,
    wire: &mut Fields,
    limits: &ModelLimits,
    notes: &mut Vec<String>,
    vendor: Vendor,
) -> Result<(), LlmError> {
    let mut tools = Vec::new();
    for tool in given::tools(request, vendor.name())? {
        // OpenAI is strict unless told otherwise, which chat completions is not; xAI refuses the word.
        let strict = match vendor {
            Vendor::OpenAi => Some(tool.strict.unwrap_or(false)),
            Vendor::Xai => None,
        };
        if vendor == Vendor::Xai && tool.strict.is_some() {
            notes.push(format!("dropped strict of tool {}", tool.name));
        }
        tools.push(Tool::Function {
            name: tool.name,
            description: tool.description,
            parameters: tool.parameters,
            strict,
        });
    }
    if let Some(search) = given::web_search(request, limits.web_search, vendor.name())? {
        let allowed_domains = search.allowed_domains.clone();
        let filters = (!allowed_domains.is_empty()).then_some(Filters { allowed_domains });
        tools.push(Tool::WebSearch { filters });
        match vendor {
            // It counts pages that are opened too, so there may be fewer searches.
            Vendor::OpenAi => drop(wire.set("max_tool_calls", &search.max_uses)?),
            Vendor::Xai => notes.push("left out max_uses of web_search: xAI takes no limit".into()),
        }
    }
    if tools.is_empty() {
        return Ok(());
    }
    wire.set("tools", &tools)?;
    match given::tool_choice(request, vendor.name())? {
        None => false,
        Some(Choice::Auto) => wire.set("tool_choice", "auto")?,
        Some(Choice::Never) => wire.set("tool_choice", "none")?,
        Some(Choice::Required) => wire.set("tool_choice", "required")?,
        Some(Choice::Function(name)) => {
            wire.set("tool_choice", &json!({ "type": "function", "name": name }))?
        }
    };
    Ok(())
}

/// How much to reason, and that the reasoning is to be handed out, encrypted: nothing is stored there, so the next
/// turn has to bring it along.
fn reasoning(
    request: &ChatRequest,
    wire: &mut Fields,
    limits: &ModelLimits,
    notes: &mut Vec<String>,
    vendor: Vendor,
) -> Result<(), LlmError> {
    let effort: Option<String> = request.fields.read("reasoning_effort")?;
    if let Some(effort) = effort {
        // OpenAI's words are the canonical ones, and it says itself which of them a model does not take.
        let known = match (vendor, effort.as_str()) {
            (Vendor::OpenAi, effort) => Some(effort),
            (Vendor::Xai, _) if limits.thinking != Thinking::Effort => None,
            (Vendor::Xai, "minimal") => Some("low"),
            (Vendor::Xai, "xhigh" | "max") => Some("high"),
            (Vendor::Xai, effort) => Some(effort),
        };
        match known {
            Some(known) => drop(wire.set("reasoning", &json!({ "effort": known }))?),
            None => notes.push("dropped reasoning_effort: not available for this model".into()),
        }
    }
    if limits.thinking.reasons() {
        wire.set("include", &["reasoning.encrypted_content"])?;
    }
    Ok(())
}

/// The form of the answer's text.
fn text(request: &ChatRequest, wire: &mut Fields, vendor: Vendor) -> Result<(), LlmError> {
    #[derive(Serialize)]
    struct Schema<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        schema: Box<RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    }
    let mut text = Fields::default();
    match given::format(request, vendor.name())? {
        Format::Text => false,
        Format::Json => text.set("format", &json!({ "type": "json_object" }))?,
        Format::Schema(given) => {
            let name = given.name.unwrap_or_else(|| "answer".into());
            let (description, schema) = (given.description, given.schema);
            let strict = given.strict.filter(|_| vendor == Vendor::OpenAi);
            text.set("format", &Schema { kind: "json_schema", name, description, schema, strict })?
        }
    };
    if let Some(verbosity) = request.fields.read::<Value>("verbosity")?.filter(|_| vendor == Vendor::OpenAi) {
        text.set("verbosity", &verbosity)?;
    }
    if text.names().next().is_some() {
        let raw = to_raw_value(&text).map_err(|error| LlmError::Malformed(error.to_string()))?;
        wire.set("text", &raw)?;
    }
    Ok(())
}
