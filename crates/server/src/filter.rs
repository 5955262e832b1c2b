//! The content filter: looks at every text of a request before anything leaves.

use guard::{Finding, Guard, redact};
use serde::Serialize;
use serde_json::Value;

/// A finding and where in the request it was made. Says nothing about the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Located {
    /// Path in the JSON body, such as `messages[1].content`.
    pub place: String,
    pub line: usize,
    pub rule: String,
    pub class: String,
    /// Lowered by a comment on its line: shown, not blocked.
    pub allowed: bool,
}

/// Every finding in the texts of a body.
pub(crate) fn scan(guard: &Guard, body: &Value) -> Vec<Located> {
    let mut found = Vec::new();
    walk(body, &mut String::new(), &mut |place, text| {
        found.extend(guard.scan(text).into_iter().map(|finding| locate(place, finding)));
    });
    found
}

/// Replaces every finding that is not allowed.
pub(crate) fn redact_body(guard: &Guard, body: &mut Value) {
    match body {
        Value::String(text) if is_prose(text) => {
            let findings = guard.scan(text);
            if !findings.is_empty() {
                *text = redact(text, &findings);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact_body(guard, item)),
        Value::Object(fields) => fields.values_mut().for_each(|value| redact_body(guard, value)),
        _ => {}
    }
}

fn locate(place: &str, finding: Finding) -> Located {
    Located {
        place: place.to_owned(),
        line: finding.line,
        rule: finding.rule,
        class: finding.class,
        allowed: finding.allowed,
    }
}

fn walk(value: &Value, place: &mut String, see: &mut impl FnMut(&str, &str)) {
    let length = place.len();
    match value {
        Value::String(text) if is_prose(text) => see(place, text),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                place.push_str(&format!("[{at}]"));
                walk(item, place, see);
                place.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                if !place.is_empty() {
                    place.push('.');
                }
                place.push_str(name);
                walk(item, place, see);
                place.truncate(length);
            }
        }
        _ => {}
    }
}

/// Images and files in base64 are noise to the rules.
fn is_prose(text: &str) -> bool {
    !(text.starts_with("data:") && text.get(..200).unwrap_or(text).contains(";base64,"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_found_by_place_and_line_and_can_be_removed() {
        let guard = Guard::builtin().unwrap();
        let key = ["gh", "p_", "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0sYaQeUi"].concat();
        let mut body = json!({ "model": "m", "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": [{ "type": "text", "text": format!("one\ntwo {key}") }] },
        ]});
        let found = scan(&guard, &body);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].place.as_str(), found[0].line), ("messages[1].content[0].text", 2));
        assert!(!format!("{found:?}").contains(&key));
        redact_body(&guard, &mut body);
        assert!(!body.to_string().contains(&key) && body["model"] == "m");
        assert_eq!(scan(&guard, &body), []);
    }
}
