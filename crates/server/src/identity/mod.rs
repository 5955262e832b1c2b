//! Who is asking: passwords, signing keys, access tokens, sign-ins and their end.

mod keys;
mod password;
mod refresh;
mod revoked;
mod tokens;
mod wire;

pub(crate) use keys::KeyRing;
pub(crate) use password::{Passwords, shortest as password_shortest};
pub(crate) use refresh::{Refreshed, SignIns, TokenPair};
pub(crate) use revoked::Revoked;
pub(crate) use tokens::{TokenError, Tokens};

use server_store::Role;
use sha2::{Digest as _, Sha256};

/// Who is asking, as a valid access token says.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub user_id: String,
    pub org_id: String,
    pub device_id: String,
    pub role: Role,
    /// When the token ends, milliseconds since 1970.
    pub expires_ms: i64,
}

impl Principal {
    /// Whether this person may see what others did.
    pub fn sees_everything(&self) -> bool {
        matches!(self.role, Role::Admin | Role::Auditor)
    }
}

/// What is stored of a token: its SHA-256, hex.
pub(crate) fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
