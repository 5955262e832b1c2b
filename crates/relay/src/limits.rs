//! Bounds on the texts of an envelope: an id or a name is short, a reason is a sentence.

use serde::{Deserialize, Deserializer, de};

/// The longest id, name, alias or token, in bytes.
const NAME: usize = 256;
/// The longest reason, in bytes.
const SENTENCE: usize = 1024;

fn bounded<'de, D: Deserializer<'de>>(from: D, most: usize) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if text.len() > most {
        return Err(de::Error::custom("a text is too long"));
    }
    Ok(text)
}

pub(crate) fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    bounded(from, NAME)
}

pub(crate) fn optional_name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    if text.as_ref().is_some_and(|t| t.len() > NAME) {
        return Err(de::Error::custom("a text is too long"));
    }
    Ok(text)
}

pub(crate) fn sentence<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    bounded(from, SENTENCE)
}
