//! Canonical request → messages request.

use super::wire::{
    ANSWER_TOOL, Block, Metadata, OutputConfig, OutputFormat, Reasoning, Request, SEARCH_NAME, SEARCH_TOOL,
    Source, Tool, ToolChoice, Turn,
};
use crate::chat::{Message, Part, Role, ToolCall};
use crate::provider_transformers::WireRequest;
use crate::provider_transformers::given::{self, Choice, Format, raw};
use crate::{ChatRequest, LlmError, ModelLimits, Thinking};

const PROVIDER: &str = "Anthropic";
const VERSION: &str = "2023-06-01";

/// Fields that have been translated; every other one is dropped, and the drop is recorded.
const TRANSLATED: [&str; 18] = [
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
    crate::search::FIELD,
];

pub(in super::super) fn encode(
    request: &ChatRequest,
    upstream_model: &str,
    limits: &ModelLimits,
) -> Result<WireRequest, LlmError> {
    let mut notes = vec!["translated to Anthropic messages".to_owned()];
    given::refuse_inexpressible(request, PROVIDER)?;
    let max_tokens = max_tokens(request, limits, &mut notes);
    let (thinking, effort) = thinking(request, limits, max_tokens, &mut notes)?;
    let (system, messages) = turns(request.messages()?, &mut notes)?;
    if !limits.prefill && messages.last().is_some_and(|turn| turn.role == "assistant") {
        return Err(unsupported("a conversation that ends with the assistant's own words with this model"));
    }
    let temperature = temperature(request, thinking.is_some(), &mut notes)?;
    let (mut tools, tool_choice) = tools_and_answer(request, limits, thinking.is_some(), &mut notes)?;
    tools.extend(search(request, limits, &tools)?);
    let wire = Request {
        model: upstream_model.to_owned(),
        max_tokens,
        system,
        messages,
        tools,
        tool_choice,
        temperature,
        top_p: request.fields.read("top_p")?,
        top_k: request.fields.read("top_k")?,
        stop_sequences: stop_sequences(request, &mut notes)?,
        thinking,
        output_config: output_config(request, limits, effort)?,
        metadata: request.fields.read("user")?.map(|user_id| Metadata { user_id }),
        stream: true,
    };
    given::note_dropped(request, &TRANSLATED, &mut notes);
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
    given::unsupported(PROVIDER, what)
}

/// Anthropic demands a limit: the caller's, otherwise the model's own.
fn max_tokens(request: &ChatRequest, limits: &ModelLimits, notes: &mut Vec<String>) -> u64 {
    given::lowered_max_tokens(request, limits.max_output_tokens, "max_tokens", notes).unwrap_or_else(|| {
        notes.push(format!("set max_tokens to {}", limits.max_output_tokens));
        limits.max_output_tokens
    })
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

/// Reasoning effort as a budget of tokens, which has to stay below `max_tokens`, or in words on newer models.
fn thinking(
    request: &ChatRequest,
    limits: &ModelLimits,
    max_tokens: u64,
    notes: &mut Vec<String>,
) -> Result<(Option<Reasoning>, Option<&'static str>), LlmError> {
    const LEAST: u64 = 1_024;
    let effort: Option<String> = request.fields.read("reasoning_effort")?;
    let (wanted, word) = match effort.as_deref() {
        None | Some("none" | "minimal") => return Ok((None, None)),
        Some("low") => (2_048, "low"),
        Some("medium") => (8_192, "medium"),
        Some("high" | "xhigh" | "max") => (24_576, "high"),
        Some(other) => return Err(unsupported(format!("reasoning effort `{other}`"))),
    };
    if limits.thinking == Thinking::Effort {
        notes.push(format!("set output_config.effort to {word}"));
        return Ok((Some(Reasoning { kind: "adaptive", budget_tokens: None }), Some(word)));
    }
    if limits.thinking != Thinking::Budget || max_tokens <= LEAST {
        notes.push("dropped reasoning_effort: not available for this model and limit".into());
        return Ok((None, None));
    }
    let budget_tokens = wanted.min(max_tokens / 2).max(LEAST);
    notes.push(format!("set thinking.budget_tokens to {budget_tokens}"));
    Ok((Some(Reasoning { kind: "enabled", budget_tokens: Some(budget_tokens) }), None))
}

fn stop_sequences(request: &ChatRequest, notes: &mut Vec<String>) -> Result<Vec<String>, LlmError> {
    let (blank, stops): (Vec<_>, Vec<_>) =
        given::stops(request)?.into_iter().partition(|stop| stop.trim().is_empty());
    if !blank.is_empty() {
        notes.push("dropped stop sequences of white space only".into());
    }
    Ok(stops)
}

fn tools(request: &ChatRequest) -> Result<Vec<Tool>, LlmError> {
    let one = |tool: given::FunctionTool| {
        let input_schema = match tool.parameters {
            Some(schema) => schema,
            None => raw(r#"{"type":"object","properties":{}}"#)?,
        };
        Ok(Tool::Function { name: tool.name, description: tool.description, input_schema })
    };
    given::tools(request, PROVIDER)?.into_iter().map(one).collect()
}

fn tool_choice(request: &ChatRequest) -> Result<Option<ToolChoice>, LlmError> {
    let serial = request.fields.read::<bool>("parallel_tool_calls")? == Some(false);
    let (kind, name) = match given::tool_choice(request, PROVIDER)? {
        None if !serial || request.fields.get("tools").is_none() => return Ok(None),
        None | Some(Choice::Auto) => ("auto", None),
        Some(Choice::Never) => ("none", None),
        Some(Choice::Required) => ("any", None),
        Some(Choice::Function(name)) => ("tool", Some(name)),
    };
    let disable_parallel_tool_use = (serial && kind != "none").then_some(true);
    Ok(Some(ToolChoice { kind, name, disable_parallel_tool_use }))
}

/// The tools, with one more where the answer is to follow a schema and the model takes none: its input is the answer.
fn tools_and_answer(
    request: &ChatRequest,
    limits: &ModelLimits,
    thinking: bool,
    notes: &mut Vec<String>,
) -> Result<(Vec<Tool>, Option<ToolChoice>), LlmError> {
    let (mut tools, choice) = (tools(request)?, tool_choice(request)?);
    let Format::Schema(asked) = given::format(request, PROVIDER)? else { return Ok((tools, choice)) };
    // Whoever wants one certain function called wants no answer yet.
    if limits.structured_output || choice.as_ref().is_some_and(|choice| choice.kind == "tool") {
        return Ok((tools, choice));
    }
    if thinking {
        return Err(unsupported("response format `json_schema` together with reasoning with this model"));
    }
    if !given::is_object_schema(&asked.schema) {
        return Err(unsupported("a response format whose schema is not that of an object with this model"));
    }
    if tools.iter().any(|tool| tool.name() == ANSWER_TOOL) {
        return Err(unsupported(format!("a tool called `{ANSWER_TOOL}` beside a response format")));
    }
    // With tools of the caller's the model may still choose one of them first.
    let own = tools.is_empty() || choice.as_ref().is_some_and(|choice| choice.kind == "none");
    let (kind, name) = if own { ("tool", Some(ANSWER_TOOL.to_owned())) } else { ("any", None) };
    let serial = choice.and_then(|choice| choice.disable_parallel_tool_use);
    let disable_parallel_tool_use = if own { Some(true) } else { serial };
    let description = "Gives the final answer. Call it once, with the whole answer.".to_owned();
    let description = asked.description.map_or(description.clone(), |said| format!("{description} {said}"));
    let description = Some(description);
    tools.push(Tool::Function { name: ANSWER_TOOL.into(), description, input_schema: asked.schema });
    notes.push(format!("asked for response_format as the input of the tool {ANSWER_TOOL}"));
    Ok((tools, Some(ToolChoice { kind, name, disable_parallel_tool_use })))
}

/// The provider's own tool for the web, under a name that no other tool may have.
fn search(request: &ChatRequest, limits: &ModelLimits, tools: &[Tool]) -> Result<Option<Tool>, LlmError> {
    let Some(asked) = given::web_search(request, limits.web_search, PROVIDER)? else { return Ok(None) };
    if tools.iter().any(|tool| tool.name() == SEARCH_NAME) {
        return Err(unsupported(format!("a tool called `{SEARCH_NAME}` beside a web search")));
    }
    if tools.iter().any(|tool| tool.name() == ANSWER_TOOL) {
        return Err(unsupported("response format `json_schema` beside a web search with this model"));
    }
    Ok(Some(Tool::Search {
        kind: SEARCH_TOOL,
        name: SEARCH_NAME,
        max_uses: asked.max_uses,
        allowed_domains: asked.allowed_domains.clone(),
    }))
}

fn output_config(
    request: &ChatRequest,
    limits: &ModelLimits,
    effort: Option<&'static str>,
) -> Result<Option<OutputConfig>, LlmError> {
    let format = match given::format(request, PROVIDER)? {
        Format::Text => None,
        Format::Schema(given) if limits.structured_output => {
            Some(OutputFormat { kind: "json_schema", schema: given.schema })
        }
        // Asked for as the input of a tool instead.
        Format::Schema(_) => None,
        Format::Json => return Err(unsupported("response format `json_object` with this model")),
    };
    Ok((format.is_some() || effort.is_some()).then_some(OutputConfig { format, effort }))
}

/// The leading system messages, and the conversation with alternating roles.
fn turns(messages: Vec<Message>, notes: &mut Vec<String>) -> Result<(Vec<Block>, Vec<Turn>), LlmError> {
    let (leading, rest) = given::instructions(messages);
    let mut system = Vec::new();
    for message in leading {
        system.extend(content_blocks(message.parts()?)?);
    }
    let mut turns: Vec<Turn> = Vec::new();
    for message in rest {
        let (role, blocks) = match message.role {
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
    let input = raw(given::arguments(&call)?)?;
    Ok(Block::ToolUse { id: call.id, name: call.function.name, input })
}

fn tool_result(message: Message) -> Result<Block, LlmError> {
    let content = content_blocks(message.parts()?)?;
    Ok(Block::ToolResult { tool_use_id: given::answered(&message)?.to_owned(), content })
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
            Ok(Some(Block::Image { source: source(&image.url)?, cache_control }))
        }
        ("file", _, _, Some(data)) => Ok(Some(Block::Document { source: source(&data)?, cache_control })),
        (kind, ..) => Err(unsupported(format!("message parts of type `{kind}` in this form"))),
    }
}

fn source(url: &str) -> Result<Source, LlmError> {
    Ok(match given::source(url)? {
        given::Source::Remote(url) => Source::Url { url: url.into() },
        given::Source::Inline { media_type, data } => {
            Source::Base64 { media_type: media_type.into(), data: data.into() }
        }
    })
}
