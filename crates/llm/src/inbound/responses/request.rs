//! A responses request → the canonical request.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{full_name, items};
use crate::inbound::canonical::{Content, Message, Schema, SchemaFormat, Tool, ToolFunction, Translated};
use crate::{Fields, LlmError};

/// Fields that pass under the same name.
const SAME: [&str; 8] = [
    "model",
    "stream",
    "temperature",
    "top_p",
    "user",
    "prompt_cache_key",
    "safety_identifier",
    "service_tier",
];

/// Fields that are translated, or that ask for nothing. Every other one is dropped, and the drop is recorded.
const TRANSLATED: [&str; 14] = [
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "text",
    "reasoning",
    "max_output_tokens",
    "store",
    "include",
    "previous_response_id",
    "conversation",
    "prompt",
    "background",
];

/// Tools that OpenAI runs itself and a model can do without.
const DROPPED_TOOLS: [&str; 6] = [
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "image_generation",
    "tool_search",
];

/// Fields of the request that the response repeats.
const ECHOED: [&str; 15] = [
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "temperature",
    "top_p",
    "max_output_tokens",
    "reasoning",
    "text",
    "metadata",
    "user",
    "prompt_cache_key",
    "safety_identifier",
    "max_tool_calls",
    "include",
];

/// What the response repeats of its request.
pub(in crate::inbound) fn echo(body: &[u8]) -> Result<Map<String, Value>, LlmError> {
    let given = crate::inbound::fields(body)?;
    let mut echo = Map::new();
    for name in ECHOED {
        if let Some(value) = given.read::<Value>(name)? {
            echo.insert(name.to_owned(), value);
        }
    }
    Ok(echo)
}

/// Translates a body.
pub(in crate::inbound) fn translate(body: &[u8]) -> Result<Translated, LlmError> {
    let given = crate::inbound::fields(body)?;
    refuse_storage(&given)?;
    let mut out = Translated::default();
    if let Some(instructions) = given.read::<String>("instructions")?.filter(|text| !text.is_empty()) {
        out.messages.push(Message::new("system", Some(Content::Text(instructions))));
    }
    items::conversation(&given, &mut out)?;
    given.read::<bool>("stream")?;
    for name in SAME {
        out.set(name, given.get(name).filter(|raw| raw.get() != "null"))?;
    }
    out.set("max_completion_tokens", given.read::<u64>("max_output_tokens")?)?;
    tools(&given, &mut out)?;
    effort(&given, &mut out)?;
    text(&given, &mut out)?;
    for name in given.names().filter(|name| !SAME.contains(name) && !TRANSLATED.contains(name)) {
        out.note(format!("dropped {}", items::short(name)));
    }
    if given.read::<bool>("store")? == Some(true) {
        out.note("set store to false");
    }
    Ok(out)
}

/// There is no state between two requests here.
fn refuse_storage(given: &Fields) -> Result<(), LlmError> {
    let refused = |what: &str| LlmError::Unsupported { provider: "this server", what: what.into() };
    for name in ["previous_response_id", "conversation", "prompt"] {
        if given.get(name).is_some_and(|raw| raw.get() != "null") {
            return Err(refused(&format!(
                "`{name}`, because it stores no responses; send the whole conversation as `input`"
            )));
        }
    }
    match given.read::<bool>("background")? {
        Some(true) => Err(refused("`background`, because it stores no responses")),
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
struct Given {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    parameters: Option<Box<RawValue>>,
    #[serde(default)]
    strict: Option<bool>,
    #[serde(default)]
    format: Option<Value>,
    /// Of a namespace.
    #[serde(default)]
    tools: Vec<Given>,
}

fn tools(given: &Fields, out: &mut Translated) -> Result<(), LlmError> {
    let mut tools = Vec::new();
    for tool in given.read::<Vec<Given>>("tools")?.unwrap_or_default() {
        match tool.kind.as_str() {
            "namespace" => {
                out.note("made the tools of namespaces plain functions");
                let namespace = tool.name.unwrap_or_default();
                for inner in tool.tools {
                    tools.extend(one(inner, Some(&namespace), out)?);
                }
            }
            _ => tools.extend(one(tool, None, out)?),
        }
    }
    let has_tools = !tools.is_empty();
    out.set("tools", has_tools.then_some(tools))?;
    if !has_tools {
        return Ok(());
    }
    choice(given, out)?;
    out.set("parallel_tool_calls", given.read::<bool>("parallel_tool_calls")?)
}

/// A tool as a function; `None` for one that is left out.
fn one(tool: Given, namespace: Option<&str>, out: &mut Translated) -> Result<Option<Tool>, LlmError> {
    let kind = tool.kind.as_str();
    if !matches!(kind, "function" | "custom") {
        match DROPPED_TOOLS.contains(&kind) {
            true => out.note(format!("dropped the tool {kind}")),
            false => out.cannot_say(format!("tools of type `{}`", items::short(kind))),
        }
        return Ok(None);
    }
    let name =
        tool.name.ok_or_else(|| LlmError::Malformed(format!("a tool of type `{kind}` has no name")))?;
    let name = full_name(namespace, &name);
    let function = if kind == "custom" {
        out.note("made custom tools functions with one text");
        custom(name, tool.description, tool.format)?
    } else {
        let (description, parameters, strict) = (tool.description, tool.parameters, tool.strict);
        ToolFunction { name, description, parameters, strict }
    };
    Ok(Some(Tool { kind: "function", function }))
}

/// A tool that takes free text, as a function. Its grammar can only be described.
fn custom(
    name: String,
    description: Option<String>,
    format: Option<Value>,
) -> Result<ToolFunction, LlmError> {
    let schema = json!({
        "type": "object",
        "properties": { "input": { "type": "string", "description": "The whole input of the tool, as free text." } },
        "required": ["input"],
        "additionalProperties": false,
    });
    let parameters = serde_json::value::to_raw_value(&schema)
        .map_err(|error| LlmError::Malformed(format!("a custom tool: {error}")))?;
    let definition = format.as_ref().and_then(|format| format["definition"].as_str());
    let description = match (description, definition) {
        (text, None) => text,
        (text, Some(definition)) => {
            Some(format!("{}\n\nThe input must follow this grammar:\n{definition}", text.unwrap_or_default()))
        }
    };
    Ok(ToolFunction { name, description, parameters: Some(parameters), strict: None })
}

fn choice(given: &Fields, out: &mut Translated) -> Result<(), LlmError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Choice {
        Mode(String),
        Tool {
            #[serde(rename = "type")]
            kind: String,
            #[serde(default)]
            name: Option<String>,
            #[serde(default)]
            mode: Option<String>,
        },
    }
    let canonical = match given.read::<Choice>("tool_choice")? {
        None => return Ok(()),
        Some(Choice::Mode(mode)) => json!(mode),
        Some(Choice::Tool { kind, name: Some(name), .. })
            if matches!(kind.as_str(), "function" | "custom") =>
        {
            json!({ "type": "function", "function": { "name": name } })
        }
        Some(Choice::Tool { kind, mode, .. }) if kind == "allowed_tools" => {
            out.note("allowed all tools");
            json!(mode.unwrap_or_else(|| "auto".into()))
        }
        Some(Choice::Tool { kind, .. }) => {
            out.cannot_say(format!("the tool choice `{}`", items::short(&kind)));
            return Ok(());
        }
    };
    out.set("tool_choice", Some(canonical))
}

fn effort(given: &Fields, out: &mut Translated) -> Result<(), LlmError> {
    #[derive(Deserialize)]
    struct Reasoning {
        #[serde(default)]
        effort: Option<String>,
        #[serde(default)]
        summary: Option<Value>,
    }
    let Some(reasoning) = given.read::<Reasoning>("reasoning")? else { return Ok(()) };
    if reasoning.summary.is_some() {
        out.note("dropped reasoning.summary");
    }
    out.set("reasoning_effort", reasoning.effort)
}

fn text(given: &Fields, out: &mut Translated) -> Result<(), LlmError> {
    #[derive(Deserialize)]
    struct Text {
        #[serde(default)]
        format: Option<Format>,
        #[serde(default)]
        verbosity: Option<String>,
    }
    #[derive(Deserialize)]
    struct Format {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        description: Option<String>,
        #[serde(default)]
        schema: Option<Box<RawValue>>,
        #[serde(default)]
        strict: Option<bool>,
    }
    let Some(text) = given.read::<Text>("text")? else { return Ok(()) };
    out.set("verbosity", text.verbosity)?;
    let Some(format) = text.format else { return Ok(()) };
    match (format.kind.as_str(), format.schema) {
        ("text", _) => Ok(()),
        ("json_object", _) => out.set("response_format", Some(json!({ "type": "json_object" }))),
        ("json_schema", Some(schema)) => {
            let json_schema = Schema {
                name: format.name.unwrap_or_else(|| "answer".into()),
                description: format.description,
                schema,
                strict: format.strict,
            };
            out.set("response_format", Some(SchemaFormat { kind: "json_schema", json_schema }))
        }
        (kind, _) => {
            let kind = items::short(kind);
            Err(LlmError::Malformed(format!("field `text`: the format `{kind}` is not one with a schema")))
        }
    }
}
