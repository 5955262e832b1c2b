//! The content filter: looks at every text of a request before anything leaves.

use std::fmt;

use guard::{Finding, Guard, redact};
use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::audit::Located;

/// Every finding in the texts of a body, keys included. A key that stands twice is read twice: what the last one
/// says must not hide what leaves with the first.
pub(crate) fn scan(guard: &Guard, body: &[u8]) -> Result<Vec<Located>, serde_json::Error> {
    let mut found = Vec::new();
    let mut see = |place: &str, text: &str| {
        let before = found.len();
        if is_prose(text) {
            found.extend(guard.scan(text).into_iter().map(|finding| locate(place, finding)));
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

/// Visits every text of a JSON document without building it; `see` says whether it found something.
struct Walk<'a, F> {
    place: &'a mut String,
    see: &'a mut F,
}

impl<F: FnMut(&str, &str) -> bool> Walk<'_, F> {
    fn inside(&mut self, step: &str) -> Walk<'_, F> {
        self.place.push_str(step);
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
            let name = if (self.see)(self.place, &name) { "?" } else { &name };
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
}
