//! A JSON value as a plan. A member that has no place here is kept as it is among [`Document::outside`].

use super::text::{line_range, numbers};
use crate::document::{Document, Operation, OperationKind, Step};
use serde_json::{Map, Value};

const TITLE: &[&str] = &["title", "name", "heading", "summary", "step", "task", "goal"];
const WHY: &[&str] =
    &["why", "reason", "rationale", "description", "explanation", "details", "purpose", "motivation"];
const OPERATIONS: &[&str] =
    &["operations", "files", "changes", "edits", "file_changes", "filechanges", "file_operations", "actions"];
const COMMANDS: &[&str] = &["commands", "command", "run", "cmd", "shell"];
const CHECKS: &[&str] = &[
    "checks",
    "check",
    "verification",
    "verify",
    "validation",
    "acceptance_criteria",
    "acceptance",
    "tests",
    "test",
    "success_criteria",
];
const DEPENDS: &[&str] = &["depends", "depends_on", "dependson", "dependencies", "requires", "after"];
const STEPS: &[&str] = &["steps", "plan", "implementation_plan", "implementation_steps", "tasks", "phases"];
const PATH: &[&str] =
    &["path", "file", "filename", "file_path", "filepath", "from", "old_path", "source", "src"];
const TO: &[&str] = &["to", "new_path", "newpath", "destination", "target", "dest", "rename_to", "move_to"];
const KIND: &[&str] = &["kind", "action", "type", "operation", "op", "change_type", "changetype", "status"];
const CHANGE: &[&str] = &[
    "change",
    "changes",
    "content",
    "contents",
    "code",
    "diff",
    "patch",
    "new_content",
    "newcontent",
    "instructions",
    "description",
    "details",
    "edit",
    "text",
    "snippet",
];

/// Takes members out one by one, so that what is left is known.
struct Members<'a>(Vec<(&'a str, &'a Value)>);

impl<'a> Members<'a> {
    fn of(map: &'a Map<String, Value>) -> Members<'a> {
        Members(map.iter().map(|(key, value)| (key.as_str(), value)).filter(|(_, v)| !v.is_null()).collect())
    }

    /// The first member with one of these names, in the order of the names.
    fn take(&mut self, names: &[&str], fits: fn(&Value) -> bool) -> Option<&'a Value> {
        let at = names.iter().find_map(|name| {
            self.0.iter().position(|(key, value)| key.eq_ignore_ascii_case(name) && fits(value))
        })?;
        Some(self.0.remove(at).1)
    }

    fn text(&mut self, names: &[&str]) -> Option<String> {
        self.take(names, |value| value.is_string() || value.is_number()).map(plain)
    }

    /// One line for each member that is left.
    fn rest(self, place: &str) -> impl Iterator<Item = String> {
        self.0.into_iter().map(move |(key, value)| format!("{place}{key}: {}", plain(value)))
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(map) => {
            let one = ["command", "cmd", "run", "check", "description", "text"]
                .iter()
                .find_map(|key| map.get(*key));
            vec![one.map_or_else(|| value.to_string(), plain)]
        }
        other => vec![plain(other)],
    }
}

/// A value that is a plan, or holds one.
pub(super) fn plan(value: &Value) -> Option<Document> {
    match value {
        Value::Array(items) => {
            let mut document = Document::default();
            document.take_steps(items);
            document.is_plan().then_some(document)
        }
        Value::Object(map) => {
            let mut members = Members::of(map);
            // A call of a tool: the plan is what it is called with.
            for name in
                ["arguments", "input", "parameters", "plan", "implementation_plan", "result", "response"]
            {
                let inner = match map.get(name) {
                    Some(Value::String(text)) => super::json::read(text).map(|(document, _)| document),
                    Some(inner @ Value::Object(_)) => plan(inner),
                    _ => None,
                };
                if let Some(mut document) = inner {
                    members.take(&[name], |_| true);
                    if document.title.is_empty() {
                        document.title = members.text(&["title", "goal", "summary"]).unwrap_or_default();
                    }
                    document.outside.extend(members.rest(""));
                    return Some(document);
                }
            }
            let steps = members.take(STEPS, Value::is_array)?;
            let mut document = Document {
                title: members.text(&["title", "name", "goal", "summary"]).unwrap_or_default(),
                ..Document::default()
            };
            document.take_steps(steps.as_array()?);
            document.outside.extend(members.rest(""));
            document.is_plan().then_some(document)
        }
        _ => None,
    }
}

impl Document {
    fn is_plan(&self) -> bool {
        self.steps.iter().any(|step| !step.operations.is_empty() || !step.title.is_empty())
    }

    fn take_steps(&mut self, items: &[Value]) {
        for item in items {
            match item {
                Value::Object(map) => {
                    let number = self.steps.len() + 1;
                    let (step, rest) = step(map, number);
                    self.steps.push(step);
                    self.outside.extend(rest);
                }
                other => self.steps.push(Step { title: plain(other), complete: true, ..Step::default() }),
            }
        }
    }
}

fn step(map: &Map<String, Value>, number: usize) -> (Step, Vec<String>) {
    let mut members = Members::of(map);
    let mut step = Step { complete: true, ..Step::default() };
    // The number is the place; words in it say nothing more.
    members.take(&["id", "number", "step_number", "order", "index"], |v| v.is_number() || v.is_string());
    step.title = members.text(TITLE).unwrap_or_default();
    step.confidence = members.text(&["confidence"]).unwrap_or_default().to_ascii_lowercase();
    step.depends = members.take(DEPENDS, |_| true).map(|v| numbers(&texts(v).join(","))).unwrap_or_default();
    let listed = |value: &Value| value.is_array() || value.is_object();
    while let Some(found) = members.take(OPERATIONS, listed) {
        let items: Vec<&Value> = match found {
            Value::Array(items) => items.iter().collect(),
            one => vec![one],
        };
        step.operations.extend(items.into_iter().flat_map(operations));
    }
    if step.operations.is_empty()
        && map.keys().any(|key| PATH.iter().any(|path| key.eq_ignore_ascii_case(path)))
    {
        // The step is the operation; what it says why is not its change.
        let own: Map<String, Value> = members
            .0
            .iter()
            .filter(|(key, _)| {
                !WHY.iter().chain(COMMANDS).chain(CHECKS).any(|name| key.eq_ignore_ascii_case(name))
            })
            .map(|(key, value)| ((*key).to_owned(), (*value).clone()))
            .collect();
        members.0.retain(|(key, _)| !own.contains_key(*key));
        step.operations.extend(operations(&Value::Object(own)));
    }
    while let Some(value) = members.take(COMMANDS, |_| true) {
        step.commands.extend(texts(value));
    }
    while let Some(value) = members.take(CHECKS, |_| true) {
        step.checks.extend(texts(value));
    }
    let mut why = Vec::new();
    while let Some(text) = members.text(WHY) {
        why.push(text);
    }
    step.why = why.join("\n\n");
    if step.title.is_empty() {
        step.title = step.why.lines().next().unwrap_or_default().to_owned();
    }
    (step, members.rest(&format!("Step {number}, ")).collect())
}

fn operations(value: &Value) -> Vec<Operation> {
    let map = match value {
        Value::String(path) => {
            return vec![Operation { path: path.trim().to_owned(), ..Operation::default() }];
        }
        Value::Object(map) => map,
        _ => return Vec::new(),
    };
    let mut members = Members::of(map);
    let mut operation = Operation {
        kind: OperationKind::from_word(&members.text(KIND).unwrap_or_default()),
        path: members.text(PATH).unwrap_or_default().trim().to_owned(),
        to: members.text(TO).map(|to| to.trim().to_owned()),
        symbol: members.text(&["symbol", "function", "anchor", "class"]),
        ..Operation::default()
    };
    if operation.path.is_empty()
        && let [(path, change)] = members.0.as_slice()
        && path.contains(['.', '/'])
    {
        // `{"src/a.rs": "…"}`
        return vec![Operation { path: path.trim().to_owned(), change: plain(change), ..operation }];
    }
    operation.lines = members.take(&["lines", "line_range", "range", "line"], |_| true).and_then(range);
    let number = |value: &Value| value.is_number() || value.is_string();
    if let Some(first) = members.take(&["start_line", "startline", "line_start", "first"], number) {
        let last = members.take(&["end_line", "endline", "line_end", "last"], number).unwrap_or(first);
        operation.lines = line_range(&format!("{}-{}", plain(first), plain(last)));
    }
    let mut change = Vec::new();
    while let Some(value) = members.take(CHANGE, |_| true) {
        change.push(texts(value).join("\n\n"));
    }
    // Whatever else is said about the operation belongs to its change.
    change.extend(members.rest(""));
    operation.change = super::text::change(&change.join("\n\n"));
    vec![operation]
}

fn range(value: &Value) -> Option<(u32, u32)> {
    match value {
        Value::Object(map) => {
            let of = |names: &[&str]| names.iter().find_map(|name| map.get(*name)).map(plain);
            line_range(&format!("{}-{}", of(&["start", "first", "from"])?, of(&["end", "last", "to"])?))
        }
        other => line_range(&texts(other).join("-")),
    }
}
