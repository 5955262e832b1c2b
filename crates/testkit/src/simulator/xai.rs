//! What differs at xAI.

use serde_json::{Value, json};

use super::openai;
use super::plans::Answer;
use super::serve::Reply;
use super::shape::Shape;
use super::{Behaviour, serve};

/// Tokens of reasoning in an answer of chat completions.
const REASONING: u64 = 3;

/// Refuses what reasoning models refuse there.
pub(super) fn refusal(body: &Value) -> Option<String> {
    let refused = ["presencePenalty", "frequencyPenalty", "presence_penalty", "frequency_penalty", "stop"];
    if let Some(name) = refused.into_iter().find(|name| !body[*name].is_null()) {
        return Some(format!("Argument not supported on this model: {name}"));
    }
    let tools = body["tools"].as_array().into_iter().flatten();
    let strict = |tool: &Value| !tool["strict"].is_null() || !tool["function"]["strict"].is_null();
    tools.into_iter().any(strict).then(|| "unknown field `strict`".into())
}

pub(super) fn error(status: u16, message: &str) -> Value {
    let code = match status {
        400 => "Client specified an invalid argument",
        401 | 403 => "The caller does not have permission to execute the specified operation",
        429 => "Some resource has been exhausted",
        _ => "The service is currently unavailable",
    };
    json!({ "code": code, "error": message })
}

/// Chat completions, with the reasoning counted beside the answer.
pub(super) fn reply(body: &Value, raw_length: usize, answer: &Answer, behaviour: &Behaviour) -> Reply {
    let reply = openai::reply(body, raw_length, answer, behaviour);
    serve::changed(reply, Shape::XaiChat, |event| {
        let usage = &mut event["usage"];
        if let Some(told) = usage["completion_tokens"].as_u64() {
            usage["completion_tokens"] = told.saturating_sub(REASONING).into();
            usage["completion_tokens_details"]["reasoning_tokens"] = told.min(REASONING).into();
        }
    })
}
