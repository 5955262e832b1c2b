//! What stands in a request, whichever provider's form it has.

use serde_json::Value;

/// The parts of a prompt that an answer is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Prompt {
    pub task: String,
    pub files: Vec<File>,
}

/// A file block of the prompt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    pub path: String,
    pub text: String,
}

impl Prompt {
    /// Collects what the user says and looks for `<task>` and `<file path="…">` in it. Instructions may mention these
    /// tags without meaning them, so system messages are passed over.
    pub fn of(body: &Value) -> Self {
        Self::of_text(&said(body))
    }

    fn of_text(text: &str) -> Self {
        // A sender may end the names with a boundary that it drew for this request: `<task-1f0c>`, `<file-1f0c …>`.
        let opening = text.find("<task").map_or("", |at| &text[at + "<task".len()..]);
        let boundary = opening.split('>').next().unwrap_or_default();
        let tag = |name: &str| format!("{name}{boundary}");
        let (task_open, task_close) = (format!("<{}>", tag("task")), format!("</{}>", tag("task")));
        let (file_open, file_close) = (format!("<{} ", tag("file")), format!("</{}>", tag("file")));
        let task = between(text, &task_open, &task_close).map_or("", |(task, _)| task).trim().to_owned();
        let mut files = Vec::new();
        let mut rest = text;
        while let Some((attributes, after)) = between(rest, &file_open, ">") {
            let path = between(attributes, "path=\"", "\"").map(|(path, _)| unescape(path));
            match (path, after.split_once(file_close.as_str())) {
                (Some(path), Some((text, after))) => {
                    files.push(File { path, text: text.trim_matches('\n').to_owned() });
                    rest = after;
                }
                _ => rest = after,
            }
        }
        Self { task, files }
    }
}

/// What the user says.
pub(super) fn said(body: &Value) -> String {
    let mut text = String::new();
    // Gemini has `contents` with `parts`, the responses API has `input`.
    let messages = ["messages", "contents", "input"].map(|name| body[name].as_array());
    for message in messages.into_iter().flatten().flatten().filter(|m| m["role"] == "user") {
        collect(&message["content"], &mut text);
        collect(&message["parts"], &mut text);
    }
    text
}

fn collect(content: &Value, out: &mut String) {
    match content {
        Value::String(text) => {
            out.push_str(text);
            out.push('\n');
        }
        Value::Array(parts) => parts.iter().for_each(|part| collect(&part["text"], out)),
        _ => {}
    }
}

/// The text between two marks, and what follows the second.
pub(super) fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, &'a str)> {
    text.split_once(open)?.1.split_once(close)
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_request_form_gives_the_same_prompt() {
        let text = "<task>\nAdd retries\n</task>\n<file path=\"src/a.rs\">\nfn a() {}\n</file>";
        let openai = json!({ "messages": [{ "role": "system", "content": "You plan." }, { "role": "user", "content": text }] });
        let anthropic = json!({
            "system": [{ "type": "text", "text": "You plan." }],
            "messages": [{ "role": "user", "content": [{ "type": "text", "text": text }] }],
        });
        let expected = Prompt {
            task: "Add retries".into(),
            files: vec![File { path: "src/a.rs".into(), text: "fn a() {}".into() }],
        };
        let gemini = json!({ "contents": [{ "role": "user", "parts": [{ "text": text }] }] });
        let responses =
            json!({ "input": [{ "role": "user", "content": [{ "type": "input_text", "text": text }] }] });
        assert_eq!(Prompt::of(&gemini), expected);
        assert_eq!(Prompt::of(&responses), expected);
        assert_eq!(Prompt::of(&openai), expected);
        assert_eq!(Prompt::of(&anthropic), expected);
    }

    #[test]
    fn a_boundary_in_the_names_is_followed() {
        let text = "<task-7f>\nDo </task> it\n</task-7f>\n<file-7f path=\"a\">\n</file>\n</file-7f>";
        let prompt = Prompt::of_text(text);
        assert_eq!(prompt.task, "Do </task> it");
        assert_eq!(prompt.files, [File { path: "a".into(), text: "</file>".into() }]);
    }
}
