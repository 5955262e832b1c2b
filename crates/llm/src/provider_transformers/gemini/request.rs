//! Canonical request → `generateContent` request.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::media;
use super::schema::reduced;
use super::wire::{
    Blob, Content, Function, FunctionCall, FunctionCalling, FunctionResponse, GenerationConfig, NoSettings,
    Part, Request, ThinkingConfig, Tool, ToolConfig,
};
use crate::chat::{self, GoogleExtra, Message, Role};
use crate::provider_transformers::WireRequest;
use crate::provider_transformers::given::{self, Choice, Format, FunctionTool, Source, raw};
use crate::{ChatRequest, LlmError, ModelLimits, Thinking};

const PROVIDER: &str = "Gemini";

/// What stands for a signature that was lost, or that never was because another model made the call:
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// Fields that have been translated; every other one is dropped, and the drop is recorded.
const TRANSLATED: [&str; 19] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "stop",
    "tools",
    "tool_choice",
    "reasoning_effort",
    "response_format",
    "n",
    crate::search::FIELD,
];

pub(in super::super) fn encode(
    request: &ChatRequest,
    upstream_model: &str,
    limits: &ModelLimits,
) -> Result<WireRequest, LlmError> {
    let mut notes = vec!["translated to Gemini generateContent".to_owned()];
    given::refuse_inexpressible(request, PROVIDER)?;
    let path = path(upstream_model)?;
    let (leading, rest) = given::instructions(request.messages()?);
    let mut system = Vec::new();
    for message in leading {
        system.extend(parts(&message)?);
    }
    let mut contents = turns(rest, limits, &mut notes)?;
    media::keep_to(&mut contents, limits, &mut notes);
    let mut tools = tools(request, limits, &mut notes)?;
    let searches = search(request, limits, !tools.is_empty(), &mut notes)?;
    let tool_config = if tools.is_empty() { None } else { tool_config(request)? };
    tools.extend(searches);
    let wire = Request {
        system_instruction: (!system.is_empty()).then_some(Content { role: None, parts: system }),
        contents,
        tools,
        tool_config,
        generation_config: generation_config(request, limits, &mut notes)?,
    };
    given::note_dropped(request, &TRANSLATED, &mut notes);
    let body = serde_json::to_vec(&wire).map_err(|error| LlmError::Malformed(error.to_string()))?;
    Ok(WireRequest {
        path,
        headers: vec![("accept", "text/event-stream".into())],
        body: body.into(),
        streamed: true,
        transformations: notes,
    })
}

fn unsupported(what: impl Into<String>) -> LlmError {
    given::unsupported(PROVIDER, what)
}

/// The model stands in the path, so its name must not be able to lead elsewhere. Without `alt=sse` the answer is one
/// JSON list and not a stream.
fn path(model: &str) -> Result<String, LlmError> {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '.' | '/' | '@');
    if model.is_empty()
        || !model.chars().all(plain)
        || model.split('/').any(|part| matches!(part, "" | "." | ".."))
    {
        return Err(unsupported("a model name of this form"));
    }
    let folder = if model.contains('/') { "" } else { "models/" };
    Ok(format!("/v1beta/{folder}{model}:streamGenerateContent?alt=sse"))
}

/// The conversation. All results of one turn stand together, in a turn of their own: their number must be that of the
/// calls before them.
fn turns(
    messages: Vec<Message>,
    limits: &ModelLimits,
    notes: &mut Vec<String>,
) -> Result<Vec<Content>, LlmError> {
    let mut calls: BTreeMap<String, (String, Option<String>)> = BTreeMap::new();
    let mut turns: Vec<(Role, Content)> = Vec::new();
    for message in messages {
        let (kind, role, parts) = match message.role {
            Role::System | Role::Developer => {
                notes.push("kept a later system message in place, as user text".into());
                (Role::User, "user", parts(&message)?)
            }
            Role::User => (Role::User, "user", parts(&message)?),
            Role::Tool => (Role::Tool, "user", vec![function_response(&message, &calls, limits)?]),
            Role::Assistant => {
                for call in message.tool_calls.iter().flatten() {
                    let own_id =
                        google(&call.extra_content).and_then(|google| google.function_call_id.clone());
                    calls.insert(call.id.clone(), (call.function.name.clone(), own_id));
                }
                (Role::Assistant, "model", model_parts(&message, limits, notes)?)
            }
        };
        if parts.is_empty() {
            continue;
        }
        match turns.last_mut() {
            Some((last, content)) if *last == kind => content.parts.extend(parts),
            _ => turns.push((kind, Content { role: Some(role), parts })),
        }
    }
    if turns.is_empty() {
        return Err(LlmError::Malformed("there is no message besides system messages".into()));
    }
    Ok(turns.into_iter().map(|(_, content)| content).collect())
}

fn google(extra: &Option<chat::ExtraContent>) -> Option<&GoogleExtra> {
    extra.as_ref()?.google.as_ref()
}

fn model_parts(
    message: &Message,
    limits: &ModelLimits,
    notes: &mut Vec<String>,
) -> Result<Vec<Part>, LlmError> {
    let mut parts = parts(message)?;
    if let (Some(last), Some(google)) = (parts.last_mut(), google(&message.extra_content)) {
        last.thought_signature = google.thought_signature.clone();
    }
    for (at, call) in message.tool_calls.iter().flatten().enumerate() {
        let google = google(&call.extra_content);
        let mut thought_signature = google.and_then(|google| google.thought_signature.clone());
        // Of parallel calls only the first has one, and there these models insist on it.
        if at == 0 && thought_signature.is_none() && limits.thinking == Thinking::Level {
            notes.push(format!("set a stand-in for the missing thought signature of call `{}`", call.id));
            thought_signature = Some(NO_SIGNATURE.into());
        }
        let function_call = FunctionCall {
            id: google.and_then(|google| google.function_call_id.clone()),
            name: call.function.name.clone(),
            args: raw(given::arguments(call)?)?,
        };
        parts.push(Part { function_call: Some(function_call), thought_signature, ..Part::default() });
    }
    Ok(parts)
}

/// A result is found by the name of its function; the canonical form only knows the id of the call.
fn function_response(
    message: &Message,
    calls: &BTreeMap<String, (String, Option<String>)>,
    limits: &ModelLimits,
) -> Result<Part, LlmError> {
    let id = given::answered(message)?;
    let (name, own_id) = calls
        .get(id)
        .ok_or_else(|| LlmError::Malformed(format!("no earlier message makes the tool call `{id}`")))?;
    let (texts, images): (Vec<Part>, Vec<Part>) =
        parts(message)?.into_iter().partition(|part| part.text.is_some());
    if !images.is_empty() && limits.thinking != Thinking::Level {
        return Err(unsupported("images in tool results with this model"));
    }
    let text: String = texts.into_iter().filter_map(|part| part.text).collect();
    let is_object =
        text.trim_start().starts_with('{') && serde_json::from_str::<&RawValue>(text.trim()).is_ok();
    let response = match is_object {
        true => raw(text.trim())?,
        false => to_raw(&serde_json::json!({ "output": text }))?,
    };
    let response = FunctionResponse { id: own_id.clone(), name: name.clone(), response, parts: images };
    Ok(Part { function_response: Some(response), ..Part::default() })
}

/// The content of a message; empty text is refused there.
fn parts(message: &Message) -> Result<Vec<Part>, LlmError> {
    message.parts()?.into_iter().filter_map(|part| one_part(part).transpose()).collect()
}

fn one_part(part: chat::Part) -> Result<Option<Part>, LlmError> {
    let file = part.file.and_then(|file| file.file_data);
    let mut media_resolution = None;
    let url = match (part.kind.as_str(), part.text.or(part.refusal), part.image_url, &file) {
        ("text" | "refusal", Some(text), _, _) => {
            let text = (!text.is_empty()).then_some(text);
            return Ok(text.map(|text| Part { text: Some(text), ..Part::default() }));
        }
        ("image_url", _, Some(image), _) => {
            media_resolution = media::resolution(image.detail.as_deref())?;
            image.url
        }
        ("file", _, _, Some(data)) => data.clone(),
        (kind, ..) => return Err(unsupported(format!("message parts of type `{kind}` in this form"))),
    };
    match given::source(&url)? {
        // Google fetches only from its own storage, and to fetch it here would be a request of somebody's choice.
        Source::Remote(_) => Err(unsupported("images and files by their address; send them as data: URLs")),
        Source::Inline { media_type, data } => {
            let blob = Blob { mime_type: media_type.into(), data: data.into() };
            Ok(Some(Part { inline_data: Some(blob), media_resolution, ..Part::default() }))
        }
    }
}

fn tools(
    request: &ChatRequest,
    limits: &ModelLimits,
    notes: &mut Vec<String>,
) -> Result<Vec<Tool>, LlmError> {
    let mut function_declarations = Vec::new();
    for FunctionTool { name, description, parameters, .. } in given::tools(request, PROVIDER)? {
        let mut function = Function { name, description, parameters: None, parameters_json_schema: None };
        match parameters {
            Some(schema) if limits.json_schema => function.parameters_json_schema = Some(schema),
            Some(schema) => function.parameters = parameters_schema(&schema, &function.name, notes)?,
            None => {}
        }
        function_declarations.push(function);
    }
    let none = function_declarations.is_empty();
    Ok(if none { Vec::new() } else { vec![Tool::Functions { function_declarations }] })
}

/// Google's search, which stands alone and takes no settings.
fn search(
    request: &ChatRequest,
    limits: &ModelLimits,
    has_tools: bool,
    notes: &mut Vec<String>,
) -> Result<Option<Tool>, LlmError> {
    let Some(asked) = given::web_search(request, limits.web_search, PROVIDER)? else { return Ok(None) };
    if has_tools {
        return Err(unsupported("a web search beside tools"));
    }
    if !asked.allowed_domains.is_empty() {
        return Err(unsupported("a web search of some hosts only"));
    }
    if !matches!(given::format(request, PROVIDER)?, Format::Text) {
        return Err(unsupported("a web search with a response format"));
    }
    notes.push("left out max_uses of web_search: Gemini takes no limit".into());
    Ok(Some(Tool::Search { search: NoSettings {} }))
}

/// `None` for an object without properties, which is refused there and means the same as no parameters.
fn parameters_schema(
    schema: &RawValue,
    of: &str,
    notes: &mut Vec<String>,
) -> Result<Option<Box<RawValue>>, LlmError> {
    let whole = value(schema)?;
    let mut schema = reduced(&whole, PROVIDER)?;
    if schema != whole {
        notes.push(format!("reduced the JSON schema of `{of}`"));
    }
    if schema.get("properties").is_none() {
        return Ok(None);
    }
    if let Some(schema) = schema.as_object_mut() {
        schema.entry("type").or_insert_with(|| "object".into());
    }
    to_raw(&schema).map(Some)
}

fn tool_config(request: &ChatRequest) -> Result<Option<ToolConfig>, LlmError> {
    let (mode, allowed_function_names) = match given::tool_choice(request, PROVIDER)? {
        None => return Ok(None),
        Some(Choice::Auto) => ("AUTO", Vec::new()),
        Some(Choice::Never) => ("NONE", Vec::new()),
        Some(Choice::Required) => ("ANY", Vec::new()),
        Some(Choice::Function(name)) => ("ANY", vec![name]),
    };
    Ok(Some(ToolConfig { function_calling_config: FunctionCalling { mode, allowed_function_names } }))
}

fn generation_config(
    request: &ChatRequest,
    limits: &ModelLimits,
    notes: &mut Vec<String>,
) -> Result<GenerationConfig, LlmError> {
    const MOST_STOPS: usize = 5;
    let stop_sequences: Vec<String> =
        given::stops(request)?.into_iter().filter(|stop| !stop.is_empty()).collect();
    if stop_sequences.len() > MOST_STOPS {
        return Err(unsupported("more than five stop sequences"));
    }
    let max_output_tokens =
        given::lowered_max_tokens(request, limits.max_output_tokens, "maxOutputTokens", notes);
    let mut config = GenerationConfig {
        max_output_tokens,
        temperature: request.fields.read("temperature")?,
        top_p: request.fields.read("top_p")?,
        top_k: request.fields.read("top_k")?,
        seed: request.fields.read("seed")?,
        presence_penalty: request.fields.read("presence_penalty")?,
        frequency_penalty: request.fields.read("frequency_penalty")?,
        stop_sequences,
        thinking_config: thinking(request, limits, max_output_tokens, notes)?,
        ..GenerationConfig::default()
    };
    match given::format(request, PROVIDER)? {
        Format::Text => return Ok(config),
        Format::Json => {}
        Format::Schema(given) if limits.json_schema => config.response_json_schema = Some(given.schema),
        Format::Schema(given) => {
            notes.push("reduced the JSON schema of the answer".into());
            config.response_schema = Some(to_raw(&reduced(&value(&given.schema)?, PROVIDER)?)?);
        }
    }
    config.response_mime_type = Some("application/json");
    Ok(config)
}

/// Reasoning effort as Google's own table has it: <https://ai.google.dev/gemini-api/docs/openai>. Thoughts count as
/// output here, so a budget leaves at least half of the limit to the answer.
fn thinking(
    request: &ChatRequest,
    limits: &ModelLimits,
    max_output_tokens: Option<u64>,
    notes: &mut Vec<String>,
) -> Result<Option<ThinkingConfig>, LlmError> {
    let Some(effort) = request.fields.read::<String>("reasoning_effort")? else { return Ok(None) };
    let (budget, level) = match effort.as_str() {
        "none" => (0, "low"),
        "minimal" | "low" => (1_024, "low"),
        "medium" => (8_192, "medium"),
        "high" | "xhigh" | "max" => (24_576, "high"),
        other => return Err(unsupported(format!("reasoning effort `{other}`"))),
    };
    let include_thoughts = (effort != "none").then_some(true);
    match limits.thinking {
        Thinking::Budget => {
            let half = max_output_tokens.map_or(u64::MAX, |most| most / 2);
            let budget = budget.min(half).max(limits.thinking_min);
            notes.push(format!("set thinkingConfig.thinkingBudget to {budget}"));
            Ok(Some(ThinkingConfig { thinking_budget: Some(budget), thinking_level: None, include_thoughts }))
        }
        Thinking::Level => {
            notes.push(format!("set thinkingConfig.thinkingLevel to {level}"));
            let thinking_level = Some(level);
            Ok(Some(ThinkingConfig { thinking_budget: None, thinking_level, include_thoughts }))
        }
        Thinking::None | Thinking::Effort | Thinking::Fixed => {
            notes.push("dropped reasoning_effort: not available for this model".into());
            Ok(None)
        }
    }
}

fn value(raw: &RawValue) -> Result<Value, LlmError> {
    serde_json::from_str(raw.get()).map_err(|error| LlmError::Malformed(error.to_string()))
}

fn to_raw(value: &Value) -> Result<Box<RawValue>, LlmError> {
    to_raw_value(value).map_err(|error| LlmError::Malformed(error.to_string()))
}
