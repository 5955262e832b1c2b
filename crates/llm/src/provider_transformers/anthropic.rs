//! Anthropic messages: another request, another stream, the same meaning.

mod request;
mod response;
mod search;
mod stream;
mod wire;

pub(super) use request::encode;
pub(super) use response::decode_response;
pub(super) use stream::Decoder;
