//! Google's `generateContent`: whole tool calls, running totals, no sign of the end but the end.

mod media;
mod request;
mod response;
mod schema;
mod stream;
mod wire;

pub(super) use request::encode;
pub(super) use response::decode_response;
pub(super) use stream::Decoder;
