//! Fields that this version does not know, kept as they came.

use std::ops::Index;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// Fields of a piece of an answer that this version does not know, in the order in which they came.
///
/// A list and not a map: every chunk of an answer has one or two of them at each level, and a map that hashes costs three
/// allocations for what a list takes one for. As names are looked for from the first on, whoever reads an object takes at most
/// [`Extra::MOST`] of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra(Vec<(String, Value)>);

impl Extra {
    /// More than any provider has ever sent in one object, by far.
    pub(crate) const MOST: usize = 128;

    /// Without a field.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Their names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.iter().find_map(|(own, value)| (own == name).then_some(value))
    }

    /// Whether there is a field of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets a field: in its place if it is there, else as the last.
    pub fn insert(&mut self, name: impl Into<String> + AsRef<str>, value: Value) {
        match self.0.iter_mut().find(|(own, _)| own == name.as_ref()) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.into(), value)),
        }
    }

    /// Takes a field out. The others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.keys().position(|own| own == name)?;
        Some(self.0.remove(at).1)
    }
}

impl Index<&str> for Extra {
    type Output = Value;

    /// The value of a field, and null for one that is not there, as in [`Value`].
    fn index(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&Value::Null)
    }
}

impl IntoIterator for Extra {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A map has each name once.
impl From<Map<String, Value>> for Extra {
    fn from(fields: Map<String, Value>) -> Self {
        Self(fields.into_iter().collect())
    }
}

/// A field alone.
impl<N: Into<String>> From<(N, Value)> for Extra {
    fn from((name, value): (N, Value)) -> Self {
        Self(vec![(name.into(), value)])
    }
}

/// As the fields of an object.
impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_map_that_keeps_the_order() {
        let mut extra = Extra::from(("b", Value::from(1)));
        extra.insert("a", Value::from(2));
        extra.insert("c", Value::Null);
        extra.insert("b", Value::from(3));
        assert_eq!(serde_json::to_string(&extra).unwrap(), r#"{"b":3,"a":2,"c":null}"#);
        assert_eq!((extra.len(), &extra["a"], &extra["d"]), (3, &Value::from(2), &Value::Null));
        assert!(extra.contains_key("c") && !extra.contains_key("d"));
        assert_eq!((extra.remove("b"), extra.remove("b")), (Some(Value::from(3)), None));
        assert_eq!(extra.keys().collect::<Vec<_>>(), ["a", "c"]);
        let map: Map<String, Value> = extra.clone().into_iter().collect();
        assert_eq!(Extra::from(map), extra);
    }
}
