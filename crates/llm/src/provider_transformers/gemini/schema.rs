//! JSON Schema → the part of it that Gemini's older models know.
//!
//! Their `Schema` is a selection from OpenAPI 3.0: <https://ai.google.dev/api/caching#Schema>. What a schema demands
//! beyond it is left out, so the model may answer more freely than was asked; the caller's own check still holds.

use serde_json::{Map, Value, json};

use crate::LlmError;
use crate::provider_transformers::given::unsupported;

/// Keywords that mean the same there.
const KEPT: [&str; 16] = [
    "title",
    "description",
    "nullable",
    "maxItems",
    "minItems",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "example",
    "minimum",
    "maximum",
    "propertyOrdering",
    "required",
    "format",
];
/// Formats that are not refused.
const FORMATS: [&str; 6] = ["enum", "date-time", "int32", "int64", "float", "double"];
/// References are written out where they stand, and a few lines can stand for millions.
const MOST_NODES: usize = 5_000;
const DEEPEST: usize = 32;

/// The reduced schema.
pub(super) fn reduced(schema: &Value, provider: &'static str) -> Result<Value, LlmError> {
    let mut reduction = Reduction { root: schema, nodes: 0, open: Vec::new(), provider };
    reduction.node(schema, 0)
}

struct Reduction<'s> {
    root: &'s Value,
    nodes: usize,
    /// References that are being written out.
    open: Vec<String>,
    provider: &'static str,
}

impl Reduction<'_> {
    fn node(&mut self, schema: &Value, depth: usize) -> Result<Value, LlmError> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(unsupported(self.provider, "a JSON schema of this size with this model"));
        }
        // `true` allows anything.
        let Value::Object(schema) = schema else { return Ok(json!({})) };
        if depth > DEEPEST {
            return Ok(json!({ "type": "object" }));
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.reference(reference, schema, depth);
        }
        let mut out = Map::new();
        self.kind(schema, &mut out, depth)?;
        for (key, value) in schema {
            if !KEPT.contains(&key.as_str()) || (key == "format" && !known_format(value)) {
                continue;
            }
            out.insert(key.clone(), value.clone());
        }
        self.choices(schema, &mut out);
        self.parts(schema, &mut out, depth)?;
        Ok(Value::Object(out))
    }

    /// Writes out what a reference points at, under the description that stands beside it.
    fn reference(
        &mut self,
        reference: &str,
        beside: &Map<String, Value>,
        depth: usize,
    ) -> Result<Value, LlmError> {
        let root = self.root;
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        let Some(target) = target else {
            return Err(unsupported(
                self.provider,
                "a JSON schema with a reference out of it with this model",
            ));
        };
        // A schema that contains itself has to end somewhere.
        if self.open.iter().any(|open| open == reference) {
            return Ok(json!({ "type": "object" }));
        }
        self.open.push(reference.to_owned());
        let mut written = self.node(target, depth + 1)?;
        self.open.pop();
        if let (Some(description), Some(written)) = (beside.get("description"), written.as_object_mut()) {
            written.insert("description".into(), description.clone());
        }
        Ok(written)
    }

    /// `type`: a list of several becomes a choice, `null` in it a flag.
    fn kind(
        &mut self,
        schema: &Map<String, Value>,
        out: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), LlmError> {
        let Some(Value::Array(kinds)) = schema.get("type") else {
            out.extend(schema.get("type").map(|kind| ("type".to_owned(), kind.clone())));
            return Ok(());
        };
        let (nulls, kinds): (Vec<&Value>, Vec<&Value>) = kinds.iter().partition(|kind| *kind == "null");
        if !nulls.is_empty() {
            out.insert("nullable".into(), true.into());
        }
        match kinds[..] {
            [] => {}
            [kind] => drop(out.insert("type".into(), kind.clone())),
            _ => {
                let mut of_each = Vec::new();
                for kind in kinds {
                    let mut one = schema.clone();
                    one.insert("type".into(), kind.clone());
                    one.remove("description");
                    // Each kind takes along only what is said of it.
                    let foreign = match kind.as_str() {
                        Some("object") => &["items"][..],
                        Some("array") => &["properties", "required"],
                        _ => &["items", "properties", "required"],
                    };
                    one.retain(|key, _| {
                        !foreign.contains(&key.as_str())
                            && !matches!(key.as_str(), "anyOf" | "oneOf" | "allOf")
                    });
                    of_each.push(self.node(&Value::Object(one), depth + 1)?);
                }
                out.insert("anyOf".into(), of_each.into());
            }
        }
        Ok(())
    }

    /// `enum` and `const`: only text may be listed.
    fn choices(&self, schema: &Map<String, Value>, out: &mut Map<String, Value>) {
        let listed = match (schema.get("enum"), schema.get("const")) {
            (Some(Value::Array(list)), _) => list.clone(),
            (_, Some(only)) => vec![only.clone()],
            _ => return,
        };
        if listed.contains(&Value::Null) {
            out.insert("nullable".into(), true.into());
        }
        let texts: Vec<Value> = listed.into_iter().filter(|value| !value.is_null()).collect();
        if let Some(kind) = texts.first().and_then(kind_of) {
            out.entry("type").or_insert_with(|| kind.into());
        }
        if !texts.is_empty() && texts.iter().all(Value::is_string) {
            out.insert("enum".into(), texts.into());
        }
    }

    /// Schemas inside the schema.
    fn parts(
        &mut self,
        schema: &Map<String, Value>,
        out: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), LlmError> {
        if let Some(Value::Object(properties)) = schema.get("properties")
            && !properties.is_empty()
            && !out.contains_key("anyOf")
        {
            let mut reduced = Map::new();
            for (name, property) in properties {
                reduced.insert(name.clone(), self.node(property, depth + 1)?);
            }
            out.insert("properties".into(), reduced.into());
        }
        if let Some(items) = schema.get("items").filter(|_| !out.contains_key("anyOf")) {
            out.insert("items".into(), self.node(items, depth + 1)?);
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(Value::Array(choices)) = schema.get(key) {
                self.alternatives(choices, out, depth)?;
            }
        }
        if let Some(Value::Array(all)) = schema.get("allOf") {
            for part in all {
                let part = self.node(part, depth + 1)?;
                join(out, part);
            }
        }
        only_known_required(out);
        typed(out);
        Ok(())
    }

    /// `anyOf`; a choice of one thing or `null` is that thing with a flag.
    fn alternatives(
        &mut self,
        choices: &[Value],
        out: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), LlmError> {
        let (nulls, choices): (Vec<&Value>, Vec<&Value>) =
            choices.iter().partition(|choice| choice["type"] == "null");
        if !nulls.is_empty() {
            out.insert("nullable".into(), true.into());
        }
        let mut reduced = Vec::new();
        for choice in choices {
            reduced.push(self.node(choice, depth + 1)?);
        }
        match reduced.len() {
            1 => reduced.into_iter().for_each(|only| join(out, only)),
            _ => drop(out.insert("anyOf".into(), reduced.into())),
        }
        Ok(())
    }
}

fn kind_of(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(_) => Some("string"),
        Value::Bool(_) => Some("boolean"),
        Value::Number(number) if number.is_f64() => Some("number"),
        Value::Number(_) => Some("integer"),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A type has to be named, and a list has to say what is in it.
fn typed(out: &mut Map<String, Value>) {
    if !out.contains_key("type") {
        let kind = if out.contains_key("properties") { "object" } else { "array" };
        if out.contains_key("properties") || out.contains_key("items") {
            out.insert("type".into(), kind.into());
        }
    }
    if out.get("type").is_some_and(|kind| kind == "array") {
        out.entry("items").or_insert_with(|| json!({ "type": "string" }));
    }
}

fn known_format(format: &Value) -> bool {
    format.as_str().is_some_and(|format| FORMATS.contains(&format))
}

/// Adds what another schema says; what is already said stays.
fn join(out: &mut Map<String, Value>, more: Value) {
    let Value::Object(more) = more else { return };
    for (key, value) in more {
        match (out.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
            (Some(Value::Array(old)), Value::Array(new)) if key == "required" => old.extend(new),
            (Some(_), _) => {}
            (None, value) => drop(out.insert(key, value)),
        }
    }
}

/// A required property that is not described is an error there.
fn only_known_required(out: &mut Map<String, Value>) {
    let known: Vec<String> = out
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|all| all.keys().cloned())
        .collect();
    let Some(Value::Array(required)) = out.get_mut("required") else { return };
    required.retain(|name| name.as_str().is_some_and(|name| known.iter().any(|known| known == name)));
    if required.is_empty() {
        out.remove("required");
    }
}
