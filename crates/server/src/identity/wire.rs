//! The parts of an access token: a JWS in compact form.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub iss: String,
    pub aud: String,
    /// User.
    pub sub: String,
    /// Device, which is what a revocation names.
    pub sid: String,
    pub org: String,
    pub role: String,
    /// Seconds.
    pub iat: i64,
    /// Seconds.
    pub exp: i64,
}

/// What stands before the claims.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub alg: String,
    pub typ: String,
    pub kid: String,
}

/// A part of a token.
pub(super) fn encode(value: &impl Serialize) -> String {
    // Both structures consist of strings and numbers, which always serialise.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap_or_default())
}

/// Reads a part of a token; `None` when it is not one.
pub(super) fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
