//! What a canonical request asks for, read once for all the forms that are not the canonical one.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::chat::{Message, Role, ToolCall};
use crate::{ChatRequest, LlmError, WebSearch};

/// A function that the model may call.
pub(super) struct FunctionTool {
    pub name: String,
    pub description: Option<String>,
    pub parameters: Option<Box<RawValue>>,
    pub strict: Option<bool>,
}

/// Whether and which tool is to be called.
pub(super) enum Choice {
    Auto,
    Never,
    Required,
    Function(String),
}

/// What form the answer is to have.
pub(super) enum Format {
    Text,
    Json,
    Schema(AnswerSchema),
}

/// `response_format.json_schema`.
#[derive(Deserialize)]
pub(super) struct AnswerSchema {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    pub schema: Box<RawValue>,
    #[serde(default)]
    pub strict: Option<bool>,
}

/// Whether a schema says at its root that it is about an object.
pub(super) fn is_object_schema(schema: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Root {
        #[serde(rename = "type", default)]
        kind: Value,
    }
    serde_json::from_str::<Root>(schema.get()).is_ok_and(|root| root.kind == "object")
}

/// Where the bytes of an image or a file are.
pub(super) enum Source<'a> {
    Inline { media_type: &'a str, data: &'a str },
    Remote(&'a str),
}

pub(super) fn unsupported(provider: &'static str, what: impl Into<String>) -> LlmError {
    LlmError::Unsupported { provider, what: what.into() }
}

/// What would change the meaning if it were silently dropped.
pub(super) fn refuse_inexpressible(request: &ChatRequest, provider: &'static str) -> Result<(), LlmError> {
    if request.fields.read::<u64>("n")?.is_some_and(|n| n > 1) {
        return Err(unsupported(provider, "more than one choice (`n`)"));
    }
    if request.fields.read::<bool>("logprobs")? == Some(true) {
        return Err(unsupported(provider, "`logprobs`"));
    }
    Ok(())
}

/// What the request has looked up on the web. `able` is what the catalogue knows of the model.
pub(super) fn web_search<'r>(
    request: &'r ChatRequest,
    able: bool,
    provider: &'static str,
) -> Result<Option<&'r WebSearch>, LlmError> {
    match &request.web_search {
        Some(_) if !able => Err(unsupported(provider, "a web search with this model")),
        search => Ok(search.as_ref()),
    }
}

/// For providers that have no search: to leave it out would give an answer that looks as if it had been looked up.
pub(super) fn refuse_search(request: &ChatRequest, provider: &'static str) -> Result<(), LlmError> {
    match request.web_search {
        Some(_) => Err(unsupported(provider, "a web search (`web_search`)")),
        None => Ok(()),
    }
}

/// Records the fields that were not translated.
pub(super) fn note_dropped(request: &ChatRequest, translated: &[&str], notes: &mut Vec<String>) {
    for name in request.fields.names().filter(|name| !translated.contains(name)) {
        notes.push(format!("dropped {name}"));
    }
}

/// The limit the caller set, lowered to the model's own.
pub(super) fn lowered_max_tokens(
    request: &ChatRequest,
    most: u64,
    field: &str,
    notes: &mut Vec<String>,
) -> Option<u64> {
    let asked = request.max_tokens?;
    if asked > most {
        notes.push(format!("lowered {field} from {asked} to {most}"));
    }
    Some(asked.min(most))
}

/// `stop`, as a list.
pub(super) fn stops(request: &ChatRequest) -> Result<Vec<String>, LlmError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stop {
        One(String),
        Many(Vec<String>),
    }
    Ok(match request.fields.read("stop")? {
        None => Vec::new(),
        Some(Stop::One(stop)) => vec![stop],
        Some(Stop::Many(stops)) => stops,
    })
}

pub(super) fn tools(request: &ChatRequest, provider: &'static str) -> Result<Vec<FunctionTool>, LlmError> {
    #[derive(Deserialize)]
    struct Given {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        function: Option<Function>,
    }
    #[derive(Deserialize)]
    struct Function {
        name: String,
        #[serde(default)]
        description: Option<String>,
        #[serde(default)]
        parameters: Option<Box<RawValue>>,
        #[serde(default)]
        strict: Option<bool>,
    }
    let given: Vec<Given> = request.fields.read("tools")?.unwrap_or_default();
    let one = |tool: Given| {
        let what = || unsupported(provider, format!("tools of type `{}`", tool.kind));
        let Function { name, description, parameters, strict } = tool.function.ok_or_else(what)?;
        Ok(FunctionTool { name, description, parameters, strict })
    };
    given.into_iter().map(one).collect()
}

pub(super) fn tool_choice(request: &ChatRequest, provider: &'static str) -> Result<Option<Choice>, LlmError> {
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
    Ok(match request.fields.read("tool_choice")? {
        None => None,
        Some(Given::Function { function }) => Some(Choice::Function(function.name)),
        Some(Given::Mode(mode)) => Some(match mode.as_str() {
            "auto" => Choice::Auto,
            "none" => Choice::Never,
            "required" => Choice::Required,
            other => return Err(unsupported(provider, format!("tool choice `{other}`"))),
        }),
    })
}

pub(super) fn format(request: &ChatRequest, provider: &'static str) -> Result<Format, LlmError> {
    #[derive(Deserialize)]
    struct Given {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        json_schema: Option<AnswerSchema>,
    }
    let Some(given) = request.fields.read::<Given>("response_format")? else { return Ok(Format::Text) };
    match (given.kind.as_str(), given.json_schema) {
        ("text", _) => Ok(Format::Text),
        ("json_object", _) => Ok(Format::Json),
        ("json_schema", Some(schema)) => Ok(Format::Schema(schema)),
        (kind, _) => Err(unsupported(provider, format!("response format `{kind}`"))),
    }
}

/// The leading system messages, and the rest. A later one stays where it was said: hoisting it would rewrite the
/// prefix that the provider has cached.
pub(super) fn instructions(mut messages: Vec<Message>) -> (Vec<Message>, Vec<Message>) {
    let leading = |message: &Message| matches!(message.role, Role::System | Role::Developer);
    let at = messages.iter().position(|message| !leading(message)).unwrap_or(messages.len());
    let rest = messages.split_off(at);
    (messages, rest)
}

/// The arguments of a call as the text of an object; nothing stands for an empty one.
pub(super) fn arguments(call: &ToolCall) -> Result<&str, LlmError> {
    match call.function.arguments.trim() {
        "" => Ok("{}"),
        object if object.starts_with('{') && serde_json::from_str::<&RawValue>(object).is_ok() => Ok(object),
        _ => Err(LlmError::Malformed(format!(
            "the arguments of tool call `{}` are not a JSON object",
            call.id
        ))),
    }
}

/// The id that a tool message answers.
pub(super) fn answered(message: &Message) -> Result<&str, LlmError> {
    let id = message.tool_call_id.as_deref();
    id.ok_or_else(|| LlmError::Malformed("a tool message names no `tool_call_id`".into()))
}

pub(super) fn source(url: &str) -> Result<Source<'_>, LlmError> {
    let Some(rest) = url.strip_prefix("data:") else {
        return match url.starts_with("https://") {
            true => Ok(Source::Remote(url)),
            false => Err(LlmError::Malformed("an image or file must be a data: or https: URL".into())),
        };
    };
    match rest.split_once(";base64,") {
        Some((media_type, data)) if !media_type.is_empty() => Ok(Source::Inline { media_type, data }),
        _ => Err(LlmError::Malformed("a data URL must be `data:TYPE;base64,DATA`".into())),
    }
}

pub(super) fn raw(json: &str) -> Result<Box<RawValue>, LlmError> {
    RawValue::from_string(json.to_owned()).map_err(|error| LlmError::Malformed(error.to_string()))
}
