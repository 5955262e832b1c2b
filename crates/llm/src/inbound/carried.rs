//! What one provider wants back unchanged, carried through a dialect that has no place for it.
//!
//! Both other dialects have one opaque text that clients return as it was: the data of a redacted thought, the
//! encrypted content of a reasoning item. What is ours in there begins with [`MARK`], and is taken out again before
//! a provider sees it.

use serde_json::{Map, Value, json};

use super::canonical::Message;
use crate::response::merge;

/// How an opaque text of ours begins.
pub(super) const MARK: &str = "plantocode-extra-v1:";

/// What an answer has to carry: of the message, and of each call by its id.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Carried {
    pub message: Map<String, Value>,
    pub calls: Map<String, Value>,
}

impl Carried {
    pub fn is_empty(&self) -> bool {
        self.message.is_empty() && self.calls.is_empty()
    }

    /// As one opaque text.
    pub fn sealed(&self) -> String {
        format!("{MARK}{}", json!({ "message": self.message, "calls": self.calls }))
    }

    /// What an opaque text of ours carries; `None` for a text of somebody else.
    pub fn open(text: &str) -> Option<Self> {
        let mut value: Value = serde_json::from_str(text.strip_prefix(MARK)?).ok()?;
        let mut take = |key: &str| match value.get_mut(key).map(Value::take) {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        Some(Self { message: take("message"), calls: take("calls") })
    }

    /// Puts everything back on the message that it came with.
    pub fn put_back(&self, message: &mut Message) {
        for (key, value) in &self.message {
            merge(message.extra_content.entry(key.as_str()).or_insert(Value::Null), value.clone());
        }
        for call in &mut message.tool_calls {
            if let Some(Value::Object(extra)) = self.calls.get(&call.id) {
                call.extra_content = extra.clone();
            }
        }
    }

    /// Adds what another block carries.
    pub fn extend(&mut self, other: Carried) {
        for (mine, theirs) in [(&mut self.message, other.message), (&mut self.calls, other.calls)] {
            for (key, value) in theirs {
                merge(mine.entry(key).or_insert(Value::Null), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_and_what_is_not_ours_does_not() {
        let extra = json!({ "google": { "thought_signature": "s==" } });
        let carried =
            Carried { message: Map::new(), calls: Map::from_iter([("call_1".to_owned(), extra.clone())]) };
        assert_eq!(Carried::open(&carried.sealed()), Some(carried));
        assert_eq!(Carried::open("EmwKAhgB"), None);
        assert_eq!(Carried::open("plantocode-extra-v1:{"), None);
        assert_eq!(Carried::open("plantocode-extra-v1:7"), Some(Carried::default()));
    }
}
