//! Addresses in messages: a provider would fetch them, so content would come from, and a request go to, where nobody
//! looked.

use std::fmt;

use actix_web::http::StatusCode;
use llm::inbound::Door;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::ApiError;

/// The parts of a body in which addresses may stand. What is given twice is refused: nobody knows which one counts.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body<'a> {
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(borrow)]
    system: Option<&'a RawValue>,
    #[serde(borrow)]
    mcp_servers: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
}

/// Refuses a request with an image or file that is given by its address instead of as a `data:` URL, and one that names a
/// server which the provider is to connect to.
pub(super) fn check(door: Door, body: &[u8]) -> Result<(), ApiError> {
    let body: Body<'_> =
        serde_json::from_slice(body).map_err(|error| ApiError::invalid(error.to_string()))?;
    let places = match door {
        Door::Chat => vec![(body.messages, Place::Around)],
        // A server for tools is an address that the provider connects to.
        Door::Messages => vec![
            (body.messages, Place::Around),
            (body.system, Place::Content),
            (body.mcp_servers, Place::Content),
        ],
        Door::Responses => vec![(body.input, Place::Content), (body.tools, Place::Tools)],
    };
    for (value, place) in places {
        let Some(value) = value else { continue };
        let mut found = false;
        let mut json = serde_json::Deserializer::from_str(value.get());
        let walk = Walk { name: "", place, arguments: door == Door::Messages, found: &mut found };
        let walked = walk.deserialize(&mut json);
        if found {
            let message = "an image, a file or a server is given by its address, which this server does not allow; \
                           send images and files as `data:` URLs or in base64";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "url_not_allowed", message));
        }
        walked.map_err(|error| ApiError::invalid(error.to_string()))?;
    }
    Ok(())
}

/// What a value belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Not to content, but content may be inside.
    Around,
    /// To the content of a message: its addresses are fetched.
    Content,
    /// To the arguments of a call that the model made: whatever stands there, nobody fetches it.
    Arguments,
    /// To the list of tools, whose schemas may describe addresses of their own.
    Tools,
}

/// Visits every value, also those of keys that stand twice: which one counts is the provider's choice. Stops with an
/// error at the first address.
struct Walk<'a> {
    /// The name the value stands under; items of a list have that of the list.
    name: &'a str,
    place: Place,
    /// Whether `input` in content holds the arguments of a call.
    arguments: bool,
    found: &'a mut bool,
}

impl Walk<'_> {
    /// Whether a text under this name is, or may be, an address that is fetched.
    fn is_address(&self, text: &str) -> bool {
        let name = self.name;
        let named = |end: &str| name.strip_suffix(end).is_some_and(|s| s.is_empty() || s.ends_with('_'));
        match self.place {
            _ if text.starts_with("data:") => false,
            Place::Around | Place::Arguments => false,
            Place::Tools => name == "server_url",
            // Plain base64, which some send as data of a file, has no colon.
            Place::Content => named("url") || named("uri") || (name == "file_data" && text.contains(':')),
        }
    }

    /// The place of what stands under a name.
    fn inside(&self, name: &str) -> Place {
        match self.place {
            Place::Around if name == "content" => Place::Content,
            Place::Content if name == "input" && self.arguments => Place::Arguments,
            same => same,
        }
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
        let Walk { name, place, arguments, found } = self;
        while items.next_element_seed(Walk { name, place, arguments, found: &mut *found })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            let (place, arguments) = (self.inside(&name), self.arguments);
            fields.next_value_seed(Walk { name: &name, place, arguments, found: &mut *self.found })?;
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
