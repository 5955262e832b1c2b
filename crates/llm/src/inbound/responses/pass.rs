//! A responses request to OpenAI itself: as it came, with another model and nothing to be stored.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::inbound::carried::Carried;
use crate::{Fields, LlmError, WireRequest};

/// The request for a route that speaks responses. Unknown fields, their order and their exact text stay.
pub(in crate::inbound) fn pass(original: &[u8], upstream_model: &str) -> Result<WireRequest, LlmError> {
    let words = ("passed through as OpenAI responses", "dropped reasoning that is not OpenAI's");
    pass_to(words, original, upstream_model, |_, _| Ok(()))
}

/// The same for whoever speaks responses nearly as OpenAI does: `adjust` puts the rest right. The first of the words says that it
/// passes through, the second that reasoning was dropped.
pub(super) fn pass_to(
    (passed, dropped): (&str, &str),
    original: &[u8],
    upstream_model: &str,
    adjust: impl FnOnce(&mut Fields, &mut Vec<String>) -> Result<(), LlmError>,
) -> Result<WireRequest, LlmError> {
    let mut fields = crate::inbound::fields(original)?;
    let mut notes = vec![passed.to_owned()];
    if fields.set("model", upstream_model)? {
        notes.push(format!("set model to {upstream_model}"));
    }
    if fields.set("stream", &true)? {
        notes.push("set stream to true".into());
    }
    // The conversation is the caller's: nothing of it is to stay there.
    if fields.set("store", &false)? {
        notes.push("set store to false".into());
    }
    if drop_foreign_reasoning(&mut fields)? {
        notes.push(dropped.into());
    }
    adjust(&mut fields, &mut notes)?;
    let body = serde_json::to_vec(&fields).map_err(|error| LlmError::Malformed(error.to_string()))?;
    Ok(WireRequest {
        path: "/responses".into(),
        headers: vec![("accept", "text/event-stream".into())],
        body: body.into(),
        streamed: true,
        transformations: notes,
    })
}

/// Takes out reasoning that is not sealed by OpenAI: without its seal it could only be found in what is stored.
fn drop_foreign_reasoning(fields: &mut Fields) -> Result<bool, LlmError> {
    #[derive(Deserialize)]
    struct Item {
        #[serde(default, rename = "type")]
        kind: String,
        #[serde(default)]
        encrypted_content: Option<String>,
    }
    let may_hold = |raw: &RawValue| raw.get().starts_with('[') && raw.get().contains("\"reasoning\"");
    if !fields.get("input").is_some_and(may_hold) {
        return Ok(false);
    }
    let mut items: Vec<Box<RawValue>> = fields.read("input")?.unwrap_or_default();
    let before = items.len();
    items.retain(|raw| {
        serde_json::from_str::<Item>(raw.get()).map_or(true, |item| {
            let sealed = item.encrypted_content.is_some_and(|sealed| Carried::open(&sealed).is_none());
            item.kind != "reasoning" || sealed
        })
    });
    let changed = items.len() < before;
    if changed {
        fields.set("input", &items)?;
    }
    Ok(changed)
}
