//! How many tokens a messages request has, roughly.

use serde::Deserialize;
use serde_json::Value;

use crate::LlmError;
use crate::usage::tokens_of_bytes;

/// What an image or a page takes, whatever its size: providers scale images to about so many tokens at most.
const MEDIA_TOKENS: u64 = 1_600;

/// Our own estimate of the tokens of a prompt, from the bytes of its texts. It is not what Anthropic would count.
///
/// The body is that of a messages request; `max_tokens` may be missing.
pub fn estimate(body: &[u8]) -> Result<(String, u64), LlmError> {
    #[derive(Deserialize)]
    struct Given {
        #[serde(default)]
        system: Value,
        #[serde(default)]
        messages: Value,
        #[serde(default)]
        tools: Value,
    }
    let fields = crate::inbound::fields(body)?;
    let model: String = fields.read("model")?.unwrap_or_default();
    let given: Given =
        serde_json::from_slice(body).map_err(|error| LlmError::Malformed(error.to_string()))?;
    if given.messages.as_array().is_none_or(Vec::is_empty) {
        return Err(LlmError::Malformed("field `messages` must not be empty".into()));
    }
    let (mut bytes, mut media) = (0, 0);
    for value in [&given.system, &given.messages, &given.tools] {
        weigh(value, &mut bytes, &mut media);
    }
    Ok((model, tokens_of_bytes(bytes) + media * MEDIA_TOKENS))
}

fn weigh(value: &Value, bytes: &mut u64, media: &mut u64) {
    match value {
        Value::String(text) => *bytes += text.len() as u64,
        Value::Array(items) => items.iter().for_each(|item| weigh(item, bytes, media)),
        Value::Object(fields) if fields.get("type").and_then(Value::as_str) == Some("base64") => *media += 1,
        Value::Object(fields) => {
            for (name, value) in fields {
                // Names of arguments and of what a schema describes are read by the model like text.
                *bytes += name.len() as u64;
                weigh(value, bytes, media);
            }
        }
        Value::Number(_) | Value::Bool(_) => *bytes += 4,
        Value::Null => {}
    }
}
