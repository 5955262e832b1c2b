//! A credential in an envelope: redacted everywhere but on the wire.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serializer, de};

/// The longest access token, in bytes.
const LONGEST: usize = 16 * 1024;

pub(crate) fn serialize<S: Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose_secret())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
    let text = String::deserialize(from)?;
    if text.len() > LONGEST {
        return Err(de::Error::custom("a text is too long"));
    }
    Ok(SecretString::from(text))
}
