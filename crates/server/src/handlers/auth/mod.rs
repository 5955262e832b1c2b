//! Setting up, signing in, and tokens.

pub(crate) mod account;
pub(crate) mod authorize;
mod cookies;
pub(crate) mod device;
pub(crate) mod issuer;
pub(crate) mod jwks;
pub(crate) mod setup;
pub(crate) mod sign_in;
pub(crate) mod token;
