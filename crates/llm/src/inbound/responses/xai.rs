//! A responses request to xAI, which speaks OpenAI's form but for a few things: as it came where these can be put right in place;
//! anything else is translated.

use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::pass::pass_to;
use crate::{Fields, LlmError, ModelLimits, Thinking, WireRequest};

/// Tools that xAI takes, and whose cost is known here: the caller runs the first, and what the second costs is counted. Of any
/// other the translation makes a function, leaves it out where a model can do without, or refuses it by name. xAI runs more tools
/// by itself, each of which has a price that nobody here has set aside.
const TOOLS: [&str; 2] = ["function", "web_search"];
/// What was said with such tools.
const FOREIGN_ITEMS: [&str; 2] = ["custom_tool_call", "custom_tool_call_output"];

#[derive(Deserialize)]
struct Kind {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    role: Option<String>,
}

impl Kind {
    fn instructs(&self) -> bool {
        matches!(self.role.as_deref(), Some("system" | "developer"))
    }
}

/// Whether xAI takes what is asked for: no tools but those of [`TOOLS`], and instructions in one place, at the top.
pub(in crate::inbound) fn takes(body: &[u8]) -> Result<bool, LlmError> {
    let fields = crate::inbound::fields(body)?;
    let tools: Vec<Kind> = fields.read("tools")?.unwrap_or_default();
    let known = |tool: &Kind| tool.kind.as_deref().is_some_and(|kind| TOOLS.contains(&kind));
    // The older way to ask for a search, with a price by each source.
    if !tools.iter().all(known) || fields.get("search_parameters").is_some() {
        return Ok(false);
    }
    let instructs = fields.read::<String>("instructions")?.is_some_and(|text| !text.is_empty());
    let Ok(Some(items)) = fields.read::<Vec<Kind>>("input") else {
        // A text. What cannot be read is the translation's to judge.
        return Ok(matches!(fields.read::<String>("input"), Ok(Some(_))));
    };
    let misplaced = |(at, item): (usize, &Kind)| item.instructs() && (at > 0 || instructs);
    let foreign =
        items.iter().any(|item| item.kind.as_deref().is_some_and(|kind| FOREIGN_ITEMS.contains(&kind)));
    Ok(!foreign && !items.iter().enumerate().any(misplaced))
}

/// The request for a route to xAI. Unknown fields, their order and their exact text stay.
pub(in crate::inbound) fn pass(
    original: &[u8],
    upstream_model: &str,
    limits: &ModelLimits,
) -> Result<WireRequest, LlmError> {
    let words = ("passed through as xAI's responses", "dropped reasoning that no provider sealed");
    pass_to(words, original, upstream_model, |fields, notes| {
        instructions(fields, notes)?;
        without_strict(fields, notes)?;
        effort(fields, limits, notes)?;
        text(fields, notes)
    })
}

fn raw(value: &impl Serialize) -> Result<Box<RawValue>, LlmError> {
    serde_json::value::to_raw_value(value).map_err(|error| LlmError::Malformed(error.to_string()))
}

/// xAI has not always taken the field; a message of the system at the top it has.
fn instructions(fields: &mut Fields, notes: &mut Vec<String>) -> Result<(), LlmError> {
    let text: Option<String> = fields.read("instructions")?;
    fields.remove("instructions");
    let Some(text) = text.filter(|text| !text.is_empty()) else { return first_role(fields, notes) };
    let mut items = match fields.read::<String>("input") {
        Ok(said) => vec![raw(&json!({ "role": "user", "content": said }))?],
        Err(_) => fields.read::<Vec<Box<RawValue>>>("input")?.unwrap_or_default(),
    };
    items.insert(0, raw(&json!({ "role": "system", "content": text }))?);
    fields.set("input", &items)?;
    notes.push("moved instructions to a message at the top".into());
    Ok(())
}

/// A first message of the developer is one of the system there.
fn first_role(fields: &mut Fields, notes: &mut Vec<String>) -> Result<(), LlmError> {
    let Ok(Some(mut items)) = fields.read::<Vec<Box<RawValue>>>("input") else { return Ok(()) };
    let Some(first) = items.first_mut() else { return Ok(()) };
    let mut item: Fields =
        serde_json::from_str(first.get()).map_err(|error| LlmError::Malformed(error.to_string()))?;
    if item.read::<String>("role")?.as_deref() != Some("developer") {
        return Ok(());
    }
    item.set("role", "system")?;
    *first = raw(&item)?;
    fields.set("input", &items)?;
    notes.push("set the role developer to system".into());
    Ok(())
}

/// xAI refuses tools that say whether they are strict.
fn without_strict(fields: &mut Fields, notes: &mut Vec<String>) -> Result<(), LlmError> {
    let mut tools: Vec<Fields> = fields.read("tools")?.unwrap_or_default();
    let mut changed = false;
    for tool in &mut tools {
        changed |= tool.remove("strict").is_some();
    }
    if changed {
        fields.set("tools", &tools)?;
        notes.push("dropped strict of the tools".into());
    }
    Ok(())
}

/// What xAI does not know about the answer's text.
fn text(fields: &mut Fields, notes: &mut Vec<String>) -> Result<(), LlmError> {
    let Some(mut text) = fields.read::<Fields>("text")? else { return Ok(()) };
    let mut changed = false;
    if text.remove("verbosity").is_some() {
        notes.push("dropped text.verbosity".into());
        changed = true;
    }
    if let Some(mut format) = text.read::<Fields>("format")?
        && format.remove("strict").is_some()
    {
        text.set("format", &format)?;
        notes.push("dropped strict of the answer's form".into());
        changed = true;
    }
    if changed {
        fields.set("text", &text)?;
    }
    Ok(())
}

/// Effort in xAI's words, where the model takes any.
fn effort(fields: &mut Fields, limits: &ModelLimits, notes: &mut Vec<String>) -> Result<(), LlmError> {
    let Some(mut reasoning) = fields.read::<Fields>("reasoning")? else { return Ok(()) };
    let Some(effort) = reasoning.read::<String>("effort")? else { return Ok(()) };
    let known = match effort.as_str() {
        _ if limits.thinking != Thinking::Effort => None,
        "minimal" => Some("low"),
        "xhigh" | "max" => Some("high"),
        other => Some(other),
    };
    match known {
        Some(known) if known == effort => return Ok(()),
        Some(known) => {
            reasoning.set("effort", known)?;
            notes.push(format!("set reasoning.effort to {known}"));
        }
        None => {
            reasoning.remove("effort");
            notes.push("dropped reasoning.effort: not available for this model".into());
        }
    }
    fields.set("reasoning", &reasoning)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xai_would_charge_for_unseen_or_cannot_read_does_not_pass() {
        let asked = |more: serde_json::Value| {
            let mut body = json!({ "model": "m", "input": "x" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            takes(body.to_string().as_bytes()).unwrap()
        };
        assert!(asked(json!({})));
        assert!(asked(json!({ "tools": [{ "type": "function" }, { "type": "web_search" }], "later": 1 })));
        assert!(asked(json!({ "input": [{ "role": "user", "type": null, "content": "x" }] })));
        for tool in
            ["x_search", "code_interpreter", "code_execution", "file_search", "mcp", "web_search_2", ""]
        {
            assert!(!asked(json!({ "tools": [{ "type": "function" }, { "type": tool }] })), "{tool}");
        }
        assert!(!asked(json!({ "tools": [{ "name": "of no type" }] })));
        assert!(!asked(json!({ "search_parameters": { "mode": "on" } })));
        for unreadable in [json!(null), json!(7), json!([7]), json!([{ "role": 7 }]), json!({ "a": 1 })] {
            assert!(!asked(json!({ "input": unreadable })), "{unreadable}");
        }
    }
}
