//! The responses API of OpenAI, and xAI's, which differs in little.

mod request;
mod stream;
mod wire;

pub(super) use request::encode;
pub(super) use stream::{Decoder, decode_response};

/// Whose responses API it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Vendor {
    OpenAi,
    Xai,
}
