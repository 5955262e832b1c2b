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
    /// Collects every text of the request and looks for `<task>` and `<file path="…">` in it.
    pub fn of(body: &Value) -> Self {
        let mut text = String::new();
        collect(&body["system"], &mut text);
        for message in body["messages"].as_array().into_iter().flatten() {
            collect(&message["content"], &mut text);
        }
        Self::of_text(&text)
    }

    fn of_text(text: &str) -> Self {
        let task = between(text, "<task>", "</task>").map_or("", |(task, _)| task).trim().to_owned();
        let mut files = Vec::new();
        let mut rest = text;
        while let Some((attributes, after)) = between(rest, "<file ", ">") {
            let path = between(attributes, "path=\"", "\"").map(|(path, _)| unescape(path));
            match (path, after.split_once("</file>")) {
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
fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, &'a str)> {
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
    fn both_request_forms_give_the_same_prompt() {
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
        assert_eq!(Prompt::of(&openai), expected);
        assert_eq!(Prompt::of(&anthropic), expected);
    }
}
