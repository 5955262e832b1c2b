//! A messages request → the canonical request.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::blocks::{self, short};
use crate::inbound::canonical::{Content, Message, Schema, SchemaFormat, Tool, ToolFunction, Translated};
use crate::{Fields, LlmError};

/// Fields that are translated. Every other one is dropped, and the drop is recorded.
const TRANSLATED: [&str; 16] = [
    "model",
    "messages",
    "system",
    "max_tokens",
    "stream",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "tools",
    "tool_choice",
    "metadata",
    "thinking",
    "output_config",
    "output_format",
    "betas",
];

#[derive(Deserialize)]
struct Turn {
    role: String,
    #[serde(default)]
    content: Option<Box<RawValue>>,
}

/// Translates a body. What other providers have no words for is left out and noted.
pub(in crate::inbound) fn translate(body: &[u8]) -> Result<Translated, LlmError> {
    let given = crate::inbound::fields(body)?;
    let mut out = Translated::default();
    out.set("model", given.read::<String>("model")?)?;
    let max_tokens: Option<u64> = given.read("max_tokens")?;
    if max_tokens.is_none_or(|tokens| tokens == 0) {
        return Err(LlmError::Malformed("field `max_tokens` must be at least 1".into()));
    }
    conversation(&given, &mut out)?;
    out.set("max_tokens", max_tokens)?;
    out.set("stream", given.read::<bool>("stream")?)?;
    out.set("temperature", given.read::<f64>("temperature")?.map(|_| given.get("temperature")))?;
    out.set("top_p", given.read::<f64>("top_p")?.map(|_| given.get("top_p")))?;
    out.set("top_k", given.read::<u64>("top_k")?)?;
    let stops: Option<Vec<String>> = given.read("stop_sequences")?;
    out.set("stop", stops.filter(|stops| !stops.is_empty()))?;
    tools(&given, &mut out)?;
    user(&given, &mut out)?;
    effort(&given, &mut out)?;
    format(&given, &mut out)?;
    for name in given.names().filter(|name| !TRANSLATED.contains(name)) {
        out.note(format!("dropped {}", short(name)));
    }
    Ok(out)
}

fn conversation(given: &Fields, out: &mut Translated) -> Result<(), LlmError> {
    let mut system = Vec::new();
    for block in blocks::read(given.get("system"), "field `system`")? {
        system.extend(blocks::parts(block, out)?);
    }
    if let Some(content) = Content::of(system) {
        out.messages.push(Message::new("system", Some(content)));
    }
    let turns: Vec<Turn> = given.read("messages")?.unwrap_or_default();
    if turns.is_empty() {
        return Err(LlmError::Malformed("field `messages` must not be empty".into()));
    }
    for (at, turn) in turns.into_iter().enumerate() {
        let content = turn.content.as_deref();
        let read = blocks::read(content, &format!("messages.{at}.content"))?;
        match turn.role.as_str() {
            "user" => blocks::user(read, out)?,
            "assistant" => {
                // A plain text is one block, and has none to give back.
                let raw: Vec<Box<RawValue>> =
                    content.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
                blocks::assistant(read, &raw, out)?;
            }
            "system" => {
                let mut parts = Vec::new();
                for block in read {
                    parts.extend(blocks::parts(block, out)?);
                }
                out.messages.push(Message::new("system", Content::of(parts)));
            }
            _ => {
                return Err(LlmError::Malformed(format!("messages.{at}.role must be `user` or `assistant`")));
            }
        }
    }
    Ok(())
}

fn tools(given: &Fields, out: &mut Translated) -> Result<(), LlmError> {
    #[derive(Deserialize)]
    struct Given {
        #[serde(default, rename = "type")]
        kind: Option<String>,
        name: String,
        #[serde(default)]
        description: Option<String>,
        #[serde(default)]
        input_schema: Option<Box<RawValue>>,
        #[serde(default)]
        strict: Option<bool>,
    }
    #[derive(Deserialize)]
    struct Choice {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        disable_parallel_tool_use: Option<bool>,
    }
    let mut tools = Vec::new();
    for tool in given.read::<Vec<Given>>("tools")?.unwrap_or_default() {
        match tool.kind.as_deref() {
            None | Some("custom") => tools.push(Tool {
                kind: "function",
                function: ToolFunction {
                    name: tool.name,
                    description: tool.description,
                    parameters: tool.input_schema,
                    strict: tool.strict,
                },
            }),
            // Anthropic runs or knows these itself, by their type.
            Some(kind) => out.note(format!("dropped the tool {} ({})", short(&tool.name), short(kind))),
        }
    }
    let has_tools = !tools.is_empty();
    out.set("tools", has_tools.then_some(tools))?;
    let Some(choice) = given.read::<Choice>("tool_choice")?.filter(|_| has_tools) else { return Ok(()) };
    let canonical = match (choice.kind.as_str(), choice.name) {
        ("auto", _) => json!("auto"),
        ("any", _) => json!("required"),
        ("none", _) => json!("none"),
        ("tool", Some(name)) => json!({ "type": "function", "function": { "name": name } }),
        (kind, _) => {
            return Err(LlmError::Malformed(format!("field `tool_choice`: `{}` is not one", short(kind))));
        }
    };
    out.set("tool_choice", Some(canonical))?;
    out.set("parallel_tool_calls", (choice.disable_parallel_tool_use == Some(true)).then_some(false))
}

fn user(given: &Fields, out: &mut Translated) -> Result<(), LlmError> {
    #[derive(Deserialize)]
    struct Metadata {
        #[serde(default)]
        user_id: Option<String>,
    }
    let metadata: Option<Metadata> = given.read("metadata")?;
    out.set("user", metadata.and_then(|metadata| metadata.user_id))
}

/// How hard to think: said in words, or by a budget of tokens that is nearest to one.
fn effort(given: &Fields, out: &mut Translated) -> Result<(), LlmError> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(default)]
        effort: Option<String>,
    }
    #[derive(Deserialize)]
    struct Thinking {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        budget_tokens: Option<u64>,
    }
    let config: Option<Config> = given.read("output_config")?;
    let thinking: Option<Thinking> = given.read("thinking")?;
    let kind = thinking.as_ref().map(|thinking| thinking.kind.as_str());
    let named = config.and_then(|config| config.effort);
    let effort = match (named.as_deref(), kind) {
        (_, Some("disabled")) => None,
        (Some("max"), _) => Some("xhigh"),
        (Some(named @ ("low" | "medium" | "high" | "xhigh")), _) => Some(named),
        (Some(other), _) => {
            return Err(LlmError::Malformed(format!(
                "field `output_config`: no effort is called `{}`",
                short(other)
            )));
        }
        (None, Some("enabled")) => match thinking.and_then(|thinking| thinking.budget_tokens).unwrap_or(0) {
            0..=4_096 => Some("low"),
            4_097..=16_384 => Some("medium"),
            _ => Some("high"),
        },
        (None, Some("adaptive")) => Some("high"),
        (None, _) => None,
    };
    out.set("reasoning_effort", effort)
}

fn format(given: &Fields, out: &mut Translated) -> Result<(), LlmError> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(default)]
        format: Option<Format>,
    }
    #[derive(Deserialize)]
    struct Format {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        schema: Option<Box<RawValue>>,
    }
    let config: Option<Config> = given.read("output_config")?;
    // The field's name before it moved into `output_config`.
    let format = match config.and_then(|config| config.format) {
        Some(format) => Some(format),
        None => given.read("output_format")?,
    };
    match format {
        None => Ok(()),
        Some(Format { kind, schema: Some(schema) }) if kind == "json_schema" => {
            let strict = Some(serde_json::from_str(schema.get()).is_ok_and(|schema| is_strict(&schema)));
            let json_schema = Schema { name: "answer".into(), description: None, schema, strict };
            out.set("response_format", Some(SchemaFormat { kind: "json_schema", json_schema }))
        }
        Some(Format { kind, .. }) => {
            Err(LlmError::Malformed(format!("the output format `{}` is not one with a schema", short(&kind))))
        }
    }
}

/// Whether OpenAI would take a schema as a strict one: every object closed, every property required. Anthropic lets
/// properties be left out.
fn is_strict(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            let closed = match fields.get("properties") {
                Some(Value::Object(properties)) => {
                    let required = fields.get("required").and_then(Value::as_array);
                    let named = |name: &String| required.is_some_and(|list| list.iter().any(|r| r == name));
                    fields.get("additionalProperties") == Some(&Value::Bool(false))
                        && properties.keys().all(named)
                }
                _ => true,
            };
            closed && fields.values().all(is_strict)
        }
        Value::Array(items) => items.iter().all(is_strict),
        _ => true,
    }
}
