//! The content filter: looks at every text of a request before anything leaves.

use std::fmt;

use guard::{Finding, Guard, redact};
use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::audit::Located;

/// The most findings that are told of one body.
const MAX_FINDINGS: usize = 100;

/// The longest name that becomes part of a place, and the longest place, in bytes.
const MAX_NAME: usize = 60;
const MAX_PLACE: usize = 400;

/// The findings in the texts of a body, keys included, at most [`MAX_FINDINGS`]. A key that stands twice is read twice: what the last one
/// says must not hide what leaves with the first.
pub(crate) fn scan(guard: &Guard, body: &[u8]) -> Result<Vec<Located>, serde_json::Error> {
    let mut found = Vec::new();
    let mut see = |place: &str, text: &str| {
        // Enough to refuse and to record; a body of nothing but secrets must not fill the memory with places.
        if found.len() >= MAX_FINDINGS {
            return true;
        }
        let before = found.len();
        if is_prose(place, text) {
            let room = MAX_FINDINGS - before;
            found.extend(guard.scan(text).into_iter().take(room).map(|finding| locate(place, finding)));
        }
        found.len() > before
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    Walk { place: &mut String::new(), see: &mut see }.deserialize(&mut json)?;
    json.end()?;
    Ok(found)
}

/// Replaces every finding that is not allowed.
pub(crate) fn redact_body(guard: &Guard, body: &mut Value) {
    redact_at(guard, "", body);
}

/// `place` is the end of the value's own, as far as it matters.
fn redact_at(guard: &Guard, place: &str, body: &mut Value) {
    match body {
        Value::String(text) if is_prose(place, text) => {
            let findings = guard.scan(text);
            if !findings.is_empty() {
                *text = redact(text, &findings);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact_at(guard, "", item)),
        Value::Object(fields) => {
            let parent = place.rsplit('.').next().unwrap_or_default();
            for (name, value) in fields {
                redact_at(guard, &format!("{parent}.{name}"), value);
            }
        }
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

/// Visits every text of a JSON document without building it; `see` says whether it found something.
struct Walk<'a, F> {
    place: &'a mut String,
    see: &'a mut F,
}

impl<F: FnMut(&str, &str) -> bool> Walk<'_, F> {
    fn inside(&mut self, step: &str) -> Walk<'_, F> {
        if self.place.len() + step.len() <= MAX_PLACE {
            self.place.push_str(step);
        }
        Walk { place: self.place, see: self.see }
    }
}

impl<'de, F: FnMut(&str, &str) -> bool> DeserializeSeed<'de> for Walk<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(&str, &str) -> bool> Visitor<'de> for Walk<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        (self.see)(self.place, text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let length = self.place.len();
        for at in 0.. {
            let more = items.next_element_seed(self.inside(&format!("[{at}]")))?;
            self.place.truncate(length);
            if more.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        let length = self.place.len();
        while let Some(name) = fields.next_key::<String>()? {
            // A name with a secret in it must not become part of a place.
            let name = if (self.see)(self.place, &name) || name.len() > MAX_NAME { "?" } else { &name };
            let dot = if length == 0 { "" } else { "." };
            fields.next_value_seed(self.inside(&format!("{dot}{name}")))?;
            self.place.truncate(length);
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A text of base64 that is shorter may be a key; an image is not.
const LEAST_BYTES: usize = 256;

/// Where Anthropic's images and files have their bytes.
const BYTES: &str = "source.data";

/// Images and files in base64 are noise to the rules. Nothing but a whole data URL counts as one, and a text of nothing but
/// base64 where Anthropic's dialect has it: text after a prefix that looks like it is text.
fn is_prose(place: &str, text: &str) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if place.ends_with(BYTES) && text.len() >= LEAST_BYTES && text.bytes().all(base64) {
        return false;
    }
    let data = text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    !data.is_some_and(|(kind, data)| {
        let media = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'-' | b'.' | b';' | b'=')
        };
        kind.len() <= 100 && kind.bytes().all(media) && data.bytes().all(base64)
    })
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
        let found = scan(&guard, body.to_string().as_bytes()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].place.as_str(), found[0].line), ("messages[1].content[0].text", 2));
        assert!(!format!("{found:?}").contains(&key));
        redact_body(&guard, &mut body);
        assert!(!body.to_string().contains(&key) && body["model"] == "m");
        assert_eq!(scan(&guard, body.to_string().as_bytes()).unwrap(), []);
    }

    #[test]
    fn nothing_hides_behind_a_repeated_key_or_in_a_name() {
        let guard = Guard::builtin().unwrap();
        let key = ["gh", "p_", "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0sYaQeUi"].concat();
        let twice = format!(r#"{{"messages":[{{"content":"{key}","content":"harmless"}}]}}"#);
        assert_eq!(scan(&guard, twice.as_bytes()).unwrap()[0].place, "messages[0].content");
        let name = format!(r#"{{"metadata":{{"{key}":["{key}"]}}}}"#);
        let found = scan(&guard, name.as_bytes()).unwrap();
        assert_eq!(found.iter().map(|f| f.place.as_str()).collect::<Vec<_>>(), ["metadata", "metadata.?[0]"]);
        assert!(scan(&guard, b"{} trailing").is_err());
    }

    #[test]
    fn only_a_whole_data_url_is_passed_over() {
        let guard = Guard::builtin().unwrap();
        let key = ["gh", "p_", "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0sYaQeUi"].concat();
        let found =
            |text: &str| scan(&guard, json!({ "content": text }).to_string().as_bytes()).unwrap().len();
        assert_eq!(found("data:image/png;base64,iVBORw0KGgo="), 0);
        assert_eq!(found(&format!("data:x;base64,\n{key}")), 1);
        assert_eq!(found(&format!("data: a manifest\nü;base64,\n{key}")), 1);
    }

    #[test]
    fn a_body_of_nothing_but_secrets_is_told_in_part() {
        let guard = Guard::builtin().unwrap();
        let key = |n: usize| format!("{}{}{n:06}", ["gh", "p_"].concat(), "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0s");
        let text: Vec<String> = (0..5_000).map(key).collect();
        let body = json!({ "n".repeat(1 << 20): text.join(" ") });
        let found = scan(&guard, body.to_string().as_bytes()).unwrap();
        assert_eq!(found.len(), MAX_FINDINGS);
        assert!(found.iter().all(|f| f.place.len() <= MAX_PLACE));
    }
}
