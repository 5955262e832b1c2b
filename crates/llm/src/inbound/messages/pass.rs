//! A messages request to Anthropic itself: as it came, with another model.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::inbound::carried::{Carried, MARK};
use crate::{Fields, LlmError, WireRequest};

/// The version that is asked for when the caller names none.
const VERSION: &str = "2023-06-01";

/// The request for a route that speaks messages. Unknown fields, their order and their exact text stay.
pub(in crate::inbound) fn pass(
    original: &[u8],
    headers: &[(&'static str, String)],
    upstream_model: &str,
) -> Result<WireRequest, LlmError> {
    let mut fields = crate::inbound::fields(original)?;
    let mut notes = vec!["passed through as Anthropic messages".to_owned()];
    if fields.set("model", upstream_model)? {
        notes.push(format!("set model to {upstream_model}"));
    }
    if fields.set("stream", &true)? {
        notes.push("set stream to true".into());
    }
    if may_hold_foreign_thoughts(&fields) && drop_foreign_thoughts(&mut fields)? {
        notes.push("dropped thoughts that are not Anthropic's".into());
    }
    let body = serde_json::to_vec(&fields).map_err(|error| LlmError::Malformed(error.to_string()))?;
    let mut sent = vec![("accept", "text/event-stream".to_owned())];
    if !headers.iter().any(|(name, _)| *name == "anthropic-version") {
        sent.push(("anthropic-version", VERSION.into()));
    }
    sent.extend(headers.iter().cloned());
    Ok(WireRequest {
        path: "/v1/messages".into(),
        headers: sent,
        body: body.into(),
        streamed: true,
        transformations: notes,
    })
}

/// Nearly every request is spared the look into its messages.
fn may_hold_foreign_thoughts(fields: &Fields) -> bool {
    let unsigned = ["\"signature\":\"\"", "\"signature\": \"\"", MARK];
    fields.get("messages").is_some_and(|messages| unsigned.iter().any(|sign| messages.get().contains(sign)))
}

/// Takes out thoughts that another provider had earlier in the conversation: Anthropic refuses what it did not sign.
fn drop_foreign_thoughts(fields: &mut Fields) -> Result<bool, LlmError> {
    #[derive(Deserialize)]
    struct Thought {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        signature: Option<String>,
        #[serde(default)]
        data: Option<String>,
    }
    let foreign = |block: &RawValue| {
        serde_json::from_str::<Thought>(block.get()).is_ok_and(|thought| match thought.kind.as_str() {
            "thinking" => thought.signature.is_none_or(|signature| signature.is_empty()),
            "redacted_thinking" => thought.data.as_deref().is_some_and(|data| Carried::open(data).is_some()),
            _ => false,
        })
    };
    let mut messages: Vec<Fields> = fields.read("messages")?.unwrap_or_default();
    let mut changed = false;
    for message in &mut messages {
        let content = message.get("content").map(|content| content.get().to_owned());
        let blocks = content.and_then(|content| serde_json::from_str::<Vec<Box<RawValue>>>(&content).ok());
        let Some(mut blocks) = blocks else { continue };
        let before = blocks.len();
        blocks.retain(|block| !foreign(block));
        if blocks.len() < before {
            message.set("content", &blocks)?;
            changed = true;
        }
    }
    if changed {
        messages.retain(|message| message.get("content").is_none_or(|content| content.get() != "[]"));
        fields.set("messages", &messages)?;
    }
    Ok(changed)
}
