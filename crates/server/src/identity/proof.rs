//! Proofs of possession (DPoP, RFC 9449): a client signs each request for tokens with a key of its device. What was begun with
//! a key is continued with that key alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::wire::decode;

/// The one way to sign a proof.
pub(crate) const ALGORITHM: &str = "EdDSA";
/// How far a client's clock may be off.
const CLOCKS_MS: i64 = 300_000;
/// Longest proof that is looked at, and longest name in it.
const LONGEST: usize = 4_096;
const LONGEST_ID: usize = 128;
/// Proofs that are remembered, so that none works twice.
const REMEMBERED: usize = 20_000;

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    jwk: Jwk,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    /// The private half, which never belongs here.
    #[serde(default)]
    d: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    /// Seconds.
    iat: i64,
}

/// The proofs that this node has seen. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proofs(Arc<Mutex<HashMap<[u8; 32], i64>>>);

impl Proofs {
    /// The thumbprint of the key that made a proof for a `POST` to one of `urls`; `None` when it is not good, or was seen.
    pub fn check(&self, proof: &str, urls: &[String], now_ms: i64) -> Option<String> {
        if proof.len() > LONGEST {
            return None;
        }
        let (message, signature) = proof.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let (header, claims): (Header, Claims) = (decode(header)?, decode(claims)?);
        let jwk = header.jwk;
        let kind =
            header.typ == "dpop+jwt" && header.alg == ALGORITHM && jwk.kty == "OKP" && jwk.crv == "Ed25519";
        let in_time = now_ms.abs_diff(claims.iat.saturating_mul(1_000)) <= CLOCKS_MS.unsigned_abs();
        let here = claims.htm == "POST" && urls.contains(&claims.htu);
        let named = !claims.jti.is_empty() && claims.jti.len() <= LONGEST_ID;
        if !(kind && in_time && here && named && jwk.d.is_none()) {
            return None;
        }
        let point: [u8; 32] = URL_SAFE_NO_PAD.decode(&jwk.x).ok()?.try_into().ok()?;
        let signature: [u8; 64] = URL_SAFE_NO_PAD.decode(signature).ok()?.try_into().ok()?;
        let key = VerifyingKey::from_bytes(&point).ok()?;
        key.verify_strict(message.as_bytes(), &Signature::from_bytes(&signature)).ok()?;
        let thumbprint = thumbprint(&point);
        self.is_new(&thumbprint, &claims.jti, now_ms).then_some(thumbprint)
    }

    fn is_new(&self, thumbprint: &str, id: &str, now_ms: i64) -> bool {
        let name = Sha256::new().chain_update(thumbprint).chain_update(id).finalize().into();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED {
            // A proof is of no use twice as long as clocks may be off after it was seen.
            seen.retain(|_, at| now_ms - *at <= 2 * CLOCKS_MS);
            if seen.len() >= REMEMBERED {
                // Anybody can make proofs. A flood must keep nobody from signing in; and a proof that comes twice is of use
                // to those alone who have the token as well, which works once.
                tracing::warn!("so many proofs of keys came that those seen before are forgotten");
                seen.clear();
            }
        }
        seen.insert(name, now_ms).is_none()
    }
}

/// The name of a key (RFC 7638).
fn thumbprint(point: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(point);
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_proofs_keeps_nobody_out_and_takes_no_more_room() {
        let proofs = Proofs::default();
        for number in 0..=REMEMBERED {
            assert!(proofs.is_new("key", &number.to_string(), 0));
        }
        assert!(!proofs.is_new("key", &REMEMBERED.to_string(), 0), "the last one is known");
        assert!(proofs.0.lock().unwrap().len() <= REMEMBERED);
    }

    #[test]
    fn a_thumbprint_is_that_of_the_standard() {
        // RFC 8037, A.3.
        let point = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(thumbprint(&point.try_into().unwrap()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
