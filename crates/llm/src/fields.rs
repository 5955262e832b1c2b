use std::fmt;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::LlmError;

/// A JSON object whose order is kept and whose values stay the exact text they arrived as.
///
/// It is how unknown fields of a request survive a change of the known ones: nothing that is not named here is
/// parsed, renumbered or reordered. An object that names a key twice is refused, because two readers could then
/// see two different requests in the same approved bytes.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// The raw text of a field; `None` when absent.
    pub fn get(&self, key: &str) -> Option<&RawValue> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| &**value)
    }

    /// Reads a field as `T`. Absent and `null` are both `None`; a wrong type is [`LlmError::Malformed`].
    pub fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, LlmError> {
        match self.get(key) {
            None => Ok(None),
            Some(raw) => serde_json::from_str(raw.get())
                .map_err(|error| LlmError::Malformed(format!("field `{key}`: {error}"))),
        }
    }

    /// Sets a field in place, or appends it. Says whether the text changed.
    pub fn set<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<bool, LlmError> {
        let raw = serde_json::value::to_raw_value(value)
            .map_err(|error| LlmError::Malformed(format!("field `{key}`: {error}")))?;
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) if old.get() == raw.get() => Ok(false),
            Some((_, old)) => {
                *old = raw;
                Ok(true)
            }
            None => {
                self.0.push((key.to_owned(), raw));
                Ok(true)
            }
        }
    }

    /// Removes a field and returns its raw text.
    pub fn remove(&mut self, key: &str) -> Option<Box<RawValue>> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(at).1)
    }

    /// Renames a field in place. Says whether it was there.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        match self.0.iter_mut().find(|(name, _)| name == from) {
            Some((name, _)) => {
                *name = to.to_owned();
                true
            }
            None => false,
        }
    }

    /// The names of the fields, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// The most fields an object may have at its top. Requests have some thirty; a million are an attack.
const MAX_FIELDS: usize = 256;

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields: Vec<(String, Box<RawValue>)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    // Few enough that looking through them for each name costs nothing.
                    if fields.len() == MAX_FIELDS {
                        return Err(A::Error::custom(format!("there are more than {MAX_FIELDS} fields")));
                    }
                    if fields.iter().any(|(name, _)| *name == key) {
                        let shown: String = key.chars().take(80).collect();
                        return Err(A::Error::custom(format!("field `{shown}` is given twice")));
                    }
                    fields.push((key, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_keep_their_exact_text_and_order() {
        let text = r#"{"b":1.50,"model":"x","a":{"deep":[1e3, 2]}}"#;
        let mut fields: Fields = serde_json::from_str(text).unwrap();
        assert!(fields.set("model", "y").unwrap());
        assert_eq!(serde_json::to_string(&fields).unwrap(), text.replace("\"x\"", "\"y\""));
    }

    #[test]
    fn a_million_fields_are_refused_without_comparing_them() {
        let many: Vec<String> = (0..1_000_000).map(|n| format!("\"f{n}\":0")).collect();
        let error = serde_json::from_str::<Fields>(&format!("{{{}}}", many.join(","))).unwrap_err();
        assert!(error.to_string().contains("more than 256 fields"), "{error}");
    }

    #[test]
    fn a_field_given_twice_is_refused() {
        let error = serde_json::from_str::<Fields>(r#"{"model":"cheap","model":"dear"}"#).unwrap_err();
        assert!(error.to_string().contains("`model` is given twice"), "{error}");
    }
}
