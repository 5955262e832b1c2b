//! What must hold for any bytes whatever that a client can send, as functions that panic when it does not.
//!
//! This module is for the fuzz targets in `fuzz/` and for the test that runs the same functions over their corpus and
//! over mutations of it; nothing else uses it, and it is no part of the crate's interface.
#![allow(clippy::panic, reason = "a rule that does not hold ends a fuzz run by a panic")]

use std::sync::LazyLock;

use ed25519_dalek::SigningKey;
use server_store::Role;

use crate::identity::{KeyRing, Principal, Tokens};
use crate::telemetry::parse_traceparent;

const NOW_MS: i64 = 1_800_000_000_000;

/// A server's tokens, and the only one that it has signed.
static ISSUED: LazyLock<(Tokens, String)> = LazyLock::new(|| {
    let keys = KeyRing::of_one("k1", SigningKey::from_bytes(&[7; 32]));
    let tokens = Tokens::new(keys, "https://models.example".into());
    let ada = Principal {
        user_id: "ada".into(),
        org_id: "org".into(),
        device_id: "d1".into(),
        role: Role::Member,
        expires_ms: NOW_MS + 900_000,
        grant: None,
    };
    let token = tokens.issue(&ada, NOW_MS);
    (tokens, token)
});

/// The token that is accepted: what a corpus for [`access_token`] begins with.
pub fn issued_token() -> &'static str {
    &ISSUED.1
}

/// Nothing is accepted but the very token that was signed, and that until it has expired.
pub fn access_token(data: &[u8]) {
    let (tokens, issued) = &*ISSUED;
    let Ok(text) = std::str::from_utf8(data) else { return };
    let accepted = tokens.check(text, NOW_MS);
    assert_eq!(accepted.is_ok(), text == issued, "{text}");
    assert!(tokens.check(text, NOW_MS + 900_000).is_err(), "it has expired");
}

/// What is read as a `traceparent` is one: written in its only form, it is the same text, but for flags and versions of later days.
pub fn traceparent(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(parent) = parse_traceparent(text) else { return };
    let ids = format!("-{}-{}-", hex::encode(parent.trace_id), hex::encode(parent.span_id));
    assert_eq!(text.get(2..53), Some(ids.as_str()), "{text}");
    let written = format!("00{ids}{:02x}", u8::from(parent.sampled));
    assert_eq!(parse_traceparent(&written), Some(parent));
    assert!(parent.trace_id != [0; 16] && parent.span_id != [0; 8]);
}
