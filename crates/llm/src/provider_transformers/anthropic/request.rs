//! Canonical request → messages request.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::wire::{
    Block, Metadata, OutputConfig, OutputFormat, Request, Source, ThinkingBudget, Tool, ToolChoice, Turn,
};
use crate::chat::{Message, Part, Role, ToolCall};
use crate::provider_transformers::WireRequest;
use crate::{ChatRequest, LlmError, ModelLimits, Thinking};

const PROVIDER: &str = "Anthropic";
const VERSION: &str = "2023-06-01";

/// Fields that have been translated; every other one is dropped, and the drop is recorded.
const TRANSLATED: [&str; 17] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "user",
    "reasoning_effort",
    "response_format",
    "n",
];

pub(in super::super) fn encode(
    request: &ChatRequest,
    upstream_model: &str,
    limits: &ModelLimits,
) -> Result<WireRequest, LlmError> {
    let mut notes = vec!["translated to Anthropic messages".to_owned()];
    refuse_inexpressible(request)?;
    let max_tokens = max_tokens(request, limits, &mut notes);
    let thinking = thinking(request, limits, max_tokens, &mut notes)?;
    let (system, messages) = turns(request.messages()?, &mut notes)?;
    let temperature = temperature(request, thinking.is_some(), &mut notes)?;
    let wire = Request {
        model: upstream_model.to_owned(),
        max_tokens,
        system,
        messages,
        tools: tools(request)?,
        tool_choice: tool_choice(request)?,
        temperature,
        top_p: request.fields.read("top_p")?,
        top_k: request.fields.read("top_k")?,
        stop_sequences: stop_sequences(request, &mut notes)?,
        thinking,
        output_config: output_config(request, limits)?,
        metadata: request.fields.read("user")?.map(|user_id| Metadata { user_id }),
        stream: true,
    };
    for name in request.fields.names().filter(|name| !TRANSLATED.contains(name)) {
        notes.push(format!("dropped {name}"));
    }
    let body = serde_json::to_vec(&wire).map_err(|error| LlmError::Malformed(error.to_string()))?;
    Ok(WireRequest {
        path: "/v1/messages".into(),
        headers: vec![("anthropic-version", VERSION.into()), ("accept", "text/event-stream".into())],
        body: body.into(),
        streamed: true,
        transformations: notes,
    })
}

fn unsupported(what: impl Into<String>) -> LlmError {
    LlmError::Unsupported { provider: PROVIDER, what: what.into() }
}

/// What would change the meaning if it were silently dropped.
fn refuse_inexpressible(request: &ChatRequest) -> Result<(), LlmError> {
    if request.fields.read::<u64>("n")?.is_some_and(|n| n > 1) {
        return Err(unsupported("more than one choice (`n`)"));
    }
    if request.fields.read::<bool>("logprobs")? == Some(true) {
        return Err(unsupported("`logprobs`"));
    }
    Ok(())
}

/// Anthropic demands a limit: the caller's, otherwise the model's own.
fn max_tokens(request: &ChatRequest, limits: &ModelLimits, notes: &mut Vec<String>) -> u64 {
    match request.max_tokens {
        Some(asked) if asked > limits.max_output_tokens => {
            notes.push(format!("lowered max_tokens from {asked} to {}", limits.max_output_tokens));
            limits.max_output_tokens
        }
        Some(asked) => asked,
        None => {
            notes.push(format!("set max_tokens to {}", limits.max_output_tokens));
            limits.max_output_tokens
        }
    }
}

/// The canonical range is 0 to 2, Anthropic's ends at 1; with thinking on, it takes no other value than its own.
fn temperature(
    request: &ChatRequest,
    thinking: bool,
    notes: &mut Vec<String>,
) -> Result<Option<f64>, LlmError> {
    let asked: Option<f64> = request.fields.read("temperature")?;
    match asked {
        Some(_) if thinking => {
            notes.push("dropped temperature: reasoning is on".into());
            Ok(None)
        }
        Some(value) if value > 1.0 => {
            notes.push(format!("lowered temperature from {value} to 1"));
            Ok(Some(1.0))
        }
        other => Ok(other),
    }
}

/// Reasoning effort as a budget of tokens. The budget has to stay below `max_tokens`.
fn thinking(
    request: &ChatRequest,
    limits: &ModelLimits,
    max_tokens: u64,
    notes: &mut Vec<String>,
) -> Result<Option<ThinkingBudget>, LlmError> {
    const LEAST: u64 = 1_024;
    let effort: Option<String> = request.fields.read("reasoning_effort")?;
    let wanted = match effort.as_deref() {
        None | Some("none" | "minimal") => return Ok(None),
        Some("low") => 2_048,
        Some("medium") => 8_192,
        Some("high" | "xhigh") => 24_576,
        Some(other) => return Err(unsupported(format!("reasoning effort `{other}`"))),
    };
    if limits.thinking == Thinking::None || max_tokens <= LEAST {
        notes.push("dropped reasoning_effort: not available for this model and limit".into());
        return Ok(None);
    }
    let budget_tokens = wanted.min(max_tokens / 2).max(LEAST);
    notes.push(format!("set thinking.budget_tokens to {budget_tokens}"));
    Ok(Some(ThinkingBudget { kind: "enabled", budget_tokens }))
}

fn stop_sequences(request: &ChatRequest, notes: &mut Vec<String>) -> Result<Vec<String>, LlmError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stop {
        One(String),
        Many(Vec<String>),
    }
    let stops = match request.fields.read("stop")? {
        None => return Ok(Vec::new()),
        Some(Stop::One(stop)) => vec![stop],
        Some(Stop::Many(stops)) => stops,
    };
    let (blank, stops): (Vec<_>, Vec<_>) = stops.into_iter().partition(|stop| stop.trim().is_empty());
    if !blank.is_empty() {
        notes.push("dropped stop sequences of white space only".into());
    }
    Ok(stops)
}

fn tools(request: &ChatRequest) -> Result<Vec<Tool>, LlmError> {
    #[derive(Deserialize)]
    struct Given {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        function: Option<GivenFunction>,
    }
    #[derive(Deserialize)]
    struct GivenFunction {
        name: String,
        #[serde(default)]
        description: Option<String>,
        #[serde(default)]
        parameters: Option<Box<RawValue>>,
    }
    let given: Vec<Given> = request.fields.read("tools")?.unwrap_or_default();
    let one = |tool: Given| {
        let function = tool.function.ok_or_else(|| unsupported(format!("tools of type `{}`", tool.kind)))?;
        let input_schema = match function.parameters {
            Some(schema) => schema,
            None => raw(r#"{"type":"object","properties":{}}"#)?,
        };
        Ok(Tool { name: function.name, description: function.description, input_schema })
    };
    given.into_iter().map(one).collect()
}

fn tool_choice(request: &ChatRequest) -> Result<Option<ToolChoice>, LlmError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Mode(String),
        Function { function: Name },
    }
    #[derive(Deserialize)]
    struct Name {
        name: String,
    }
    let serial = request.fields.read::<bool>("parallel_tool_calls")? == Some(false);
    let (kind, name) = match request.fields.read("tool_choice")? {
        None if !serial || request.fields.get("tools").is_none() => return Ok(None),
        None => ("auto", None),
        Some(Given::Mode(mode)) => match mode.as_str() {
            "auto" => ("auto", None),
            "none" => ("none", None),
            "required" => ("any", None),
            other => return Err(unsupported(format!("tool choice `{other}`"))),
        },
        Some(Given::Function { function }) => ("tool", Some(function.name)),
    };
    let disable_parallel_tool_use = (serial && kind != "none").then_some(true);
    Ok(Some(ToolChoice { kind, name, disable_parallel_tool_use }))
}

fn output_config(request: &ChatRequest, limits: &ModelLimits) -> Result<Option<OutputConfig>, LlmError> {
    #[derive(Deserialize)]
    struct Given {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        json_schema: Option<GivenSchema>,
    }
    #[derive(Deserialize)]
    struct GivenSchema {
        schema: Box<RawValue>,
    }
    let Some(given) = request.fields.read::<Given>("response_format")? else { return Ok(None) };
    match (given.kind.as_str(), given.json_schema) {
        ("text", _) => Ok(None),
        ("json_schema", Some(given)) if limits.structured_output => {
            let format = OutputFormat { kind: "json_schema", schema: given.schema };
            Ok(Some(OutputConfig { format }))
        }
        (kind, _) => Err(unsupported(format!("response format `{kind}` with this model"))),
    }
}

/// The leading system messages, and the conversation with alternating roles.
fn turns(messages: Vec<Message>, notes: &mut Vec<String>) -> Result<(Vec<Block>, Vec<Turn>), LlmError> {
    let mut system = Vec::new();
    let mut turns: Vec<Turn> = Vec::new();
    for message in messages {
        let (role, blocks) = match message.role {
            Role::System | Role::Developer if turns.is_empty() => {
                system.extend(content_blocks(message.parts()?)?);
                continue;
            }
            // Hoisting it would rewrite the cached prefix, so it stays where it was said.
            Role::System | Role::Developer => {
                notes.push("kept a later system message in place, as user text".into());
                ("user", content_blocks(message.parts()?)?)
            }
            Role::User => ("user", content_blocks(message.parts()?)?),
            Role::Tool => ("user", vec![tool_result(message)?]),
            Role::Assistant => ("assistant", assistant_blocks(message)?),
        };
        if blocks.is_empty() {
            continue;
        }
        match turns.last_mut() {
            Some(last) if last.role == role => last.content.extend(blocks),
            _ => turns.push(Turn { role, content: blocks }),
        }
    }
    for turn in &mut turns {
        // Results have to come before any text of the same turn; the sort is stable.
        turn.content.sort_by_key(|block| turn.role == "user" && !matches!(block, Block::ToolResult { .. }));
    }
    if let Some(Turn { role: "assistant", content }) = turns.last_mut()
        && let Some(Block::Text { text, .. }) = content.last_mut()
    {
        text.truncate(text.trim_end().len());
    }
    if turns.is_empty() {
        return Err(LlmError::Malformed("there is no message besides system messages".into()));
    }
    Ok((system, turns))
}

fn assistant_blocks(message: Message) -> Result<Vec<Block>, LlmError> {
    let mut blocks: Vec<Block> = message
        .extra_content
        .as_ref()
        .and_then(|extra| extra.anthropic.as_ref())
        .map(|extra| extra.thinking_blocks.iter().cloned().map(Block::Verbatim).collect())
        .unwrap_or_default();
    blocks.extend(content_blocks(message.parts()?)?);
    for call in message.tool_calls.into_iter().flatten() {
        blocks.push(tool_use(call)?);
    }
    Ok(blocks)
}

/// Arguments are text in the canonical form and an object here.
fn tool_use(call: ToolCall) -> Result<Block, LlmError> {
    let arguments = call.function.arguments.trim();
    let input = match arguments {
        "" => raw("{}")?,
        object if object.starts_with('{') => raw(object).map_err(|_| bad_arguments(&call))?,
        _ => return Err(bad_arguments(&call)),
    };
    Ok(Block::ToolUse { id: call.id, name: call.function.name, input })
}

fn bad_arguments(call: &ToolCall) -> LlmError {
    LlmError::Malformed(format!("the arguments of tool call `{}` are not a JSON object", call.id))
}

fn tool_result(message: Message) -> Result<Block, LlmError> {
    let content = content_blocks(message.parts()?)?;
    let tool_use_id = message
        .tool_call_id
        .ok_or_else(|| LlmError::Malformed("a tool message names no `tool_call_id`".into()))?;
    Ok(Block::ToolResult { tool_use_id, content })
}

fn content_blocks(parts: Vec<Part>) -> Result<Vec<Block>, LlmError> {
    parts.into_iter().filter_map(|part| content_block(part).transpose()).collect()
}

/// `None` for text that is empty or white space only, which Anthropic refuses.
fn content_block(part: Part) -> Result<Option<Block>, LlmError> {
    let cache_control = part.cache_control;
    match (
        part.kind.as_str(),
        part.text.or(part.refusal),
        part.image_url,
        part.file.and_then(|f| f.file_data),
    ) {
        ("text" | "refusal", Some(text), _, _) => {
            Ok((!text.trim().is_empty()).then_some(Block::Text { text, cache_control }))
        }
        ("image_url", _, Some(image), _) => {
            Ok(Some(Block::Image { source: source(image.url)?, cache_control }))
        }
        ("file", _, _, Some(data)) => Ok(Some(Block::Document { source: source(data)?, cache_control })),
        (kind, ..) => Err(unsupported(format!("message parts of type `{kind}` in this form"))),
    }
}

fn source(url: String) -> Result<Source, LlmError> {
    let Some(rest) = url.strip_prefix("data:") else {
        return match url.starts_with("https://") {
            true => Ok(Source::Url { url }),
            false => Err(LlmError::Malformed("an image or file must be a data: or https: URL".into())),
        };
    };
    match rest.split_once(";base64,") {
        Some((media_type, data)) if !media_type.is_empty() => {
            Ok(Source::Base64 { media_type: media_type.into(), data: data.into() })
        }
        _ => Err(LlmError::Malformed("a data URL must be `data:TYPE;base64,DATA`".into())),
    }
}

fn raw(json: &str) -> Result<Box<RawValue>, LlmError> {
    RawValue::from_string(json.to_owned()).map_err(|error| LlmError::Malformed(error.to_string()))
}
