//! Addresses in messages: a provider would fetch them, so content would come from, and a request go to, where nobody
//! looked.

use std::fmt;

use actix_web::http::StatusCode;
use llm::ChatRequest;
use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use crate::error::ApiError;

/// Refuses a request with an image or file that is given by its address instead of as a `data:` URL.
pub(super) fn check(chat: &ChatRequest) -> Result<(), ApiError> {
    let Some(messages) = chat.fields.get("messages") else { return Ok(()) };
    let mut found = false;
    let mut json = serde_json::Deserializer::from_str(messages.get());
    let walk = Walk { name: "", inside: false, found: &mut found };
    let walked = walk.deserialize(&mut json);
    if found {
        let message = "an image or file in the messages is given by its address, which this server does not allow; \
                       send it as a `data:` URL";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "url_not_allowed", message));
    }
    walked.map_err(|error| ApiError::invalid(format!("field `messages`: {error}")))
}

/// Visits every value, also those of keys that stand twice: which one counts is the provider's choice. Stops with an
/// error at the first address.
struct Walk<'a> {
    /// The name the value stands under; items of a list have that of the list.
    name: &'a str,
    /// Whether the value belongs to the content of a message.
    inside: bool,
    found: &'a mut bool,
}

impl Walk<'_> {
    /// Whether a text under this name is, or may be, an address that is fetched.
    fn is_address(&self, text: &str) -> bool {
        if !self.inside || text.starts_with("data:") {
            return false;
        }
        let name = self.name;
        let named = |end: &str| name.strip_suffix(end).is_some_and(|s| s.is_empty() || s.ends_with('_'));
        // Plain base64, which some send as data of a file, has no colon.
        named("url") || named("uri") || (name == "file_data" && text.contains(':'))
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if self.is_address(text) {
            *self.found = true;
            return Err(E::custom("an address"));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Walk { name, inside, found } = self;
        while items.next_element_seed(Walk { name, inside, found: &mut *found })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            let inside = self.inside || name == "content";
            fields.next_value_seed(Walk { name: &name, inside, found: &mut *self.found })?;
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
