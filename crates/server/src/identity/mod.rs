//! Who is asking: passwords, signing keys, access tokens, sign-ins and their end.

mod clients;
mod grants;
mod issuers;
mod keys;
mod password;
mod proof;
mod refresh;
mod revoked;
mod tokens;
mod wire;

pub(crate) use clients::{Client, Clients};
pub(crate) use grants::{Grant, Grants, PREFIX as GRANT_PREFIX};
pub(crate) use issuers::{Issuer, Issuers, Vouched};
pub(crate) use keys::{CACHE_MS as KEY_CACHE_MS, KeyRing, Rotation, rotate as rotate_keys};
pub(crate) use password::{Passwords, shortest as password_shortest};
pub(crate) use proof::{ALGORITHM as PROOF_ALGORITHM, Proofs};
pub(crate) use refresh::{Collected, Refreshed, SignIns, TokenPair};
pub(crate) use revoked::Revoked;
pub(crate) use tokens::{TokenError, Tokens};

use std::sync::Arc;

use server_store::Role;
use sha2::{Digest as _, Sha256};

/// Who is asking, as a valid token says.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub user_id: String,
    pub org_id: String,
    pub device_id: String,
    pub role: Role,
    /// When the token ends, milliseconds since 1970.
    pub expires_ms: i64,
    /// What a token for programs may do; `None` for a person who is signed in.
    pub grant: Option<Arc<Grant>>,
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
