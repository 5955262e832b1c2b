//! Anthropic messages: another request, another stream, the same meaning.

mod request;
mod stream;
mod wire;

pub(super) use request::encode;
pub(super) use stream::{Decoder, decode_response};
