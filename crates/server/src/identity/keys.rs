use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use server_store::{SigningKeyRow, Store};
use sha2::{Digest as _, Sha256};

use crate::ServerError;
use crate::env::Env;
use crate::vault::Vault;

/// How long others may keep the key set: a new key is published so long before it signs, so that everybody knows it by then.
pub(crate) const CACHE_MS: i64 = 300_000;
/// Clocks of those who verify may differ by this much.
const CLOCKS_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// Signatures that a key remembers to be good; 32 bytes each.
const REMEMBERED: usize = 4_096;

/// The keys that sign and verify access tokens. The newest that is active signs; all that are not retired verify.
#[derive(Clone)]
pub(crate) struct KeyRing(Arc<RwLock<Ring>>);

struct Ring {
    /// Newest first; never empty.
    keys: Vec<Key>,
}

struct Key {
    kid: String,
    active_ms: i64,
    created_ms: i64,
    signing: SigningKey,
    verifying: VerifyingKey,
    good: Good,
}

/// Signatures that were found good before. A client sends the same token for minutes, and checking its signature takes more
/// time than all else that is done to let a request in. It lives and ends with its key, and says nothing about claims.
#[derive(Default)]
struct Good(Mutex<HashSet<[u8; 32]>>);

impl Good {
    /// Whether `signature` over `message` is good; `verify` is asked unless it has said so of the same bytes before.
    fn check(&self, message: &[u8], signature: &Signature, verify: impl FnOnce() -> bool) -> bool {
        // The signature has a fixed length, so nothing else hashes to the same bytes.
        let hash = Sha256::new().chain_update(signature.to_bytes()).chain_update(message).finalize().into();
        let good = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if good().contains(&hash) {
            return true;
        }
        if !verify() {
            return false;
        }
        let mut good = good();
        // Those in use come back at once.
        if good.len() >= REMEMBERED {
            good.clear();
        }
        good.insert(hash);
        true
    }
}

/// How keys are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// The old keys verify what they have signed until it has expired.
    Overlapping,
    /// The old keys are void at once, and everybody signs in again: they may be in wrong hands.
    AtOnce,
}

impl KeyRing {
    /// A ring of one key that stands in no database, for functions that are tried with any bytes whatever.
    pub fn of_one(kid: &str, signing: SigningKey) -> Self {
        let verifying = signing.verifying_key();
        let key =
            Key { kid: kid.into(), active_ms: 0, created_ms: 0, signing, verifying, good: Good::default() };
        Self(Arc::new(RwLock::new(Ring { keys: vec![key] })))
    }

    /// Loads the keys; makes the first one.
    pub async fn open(store: &Store, vault: &Vault, env: &Env) -> Result<Self, ServerError> {
        let mut rows = store.signing_keys().await?;
        if rows.is_empty() {
            store.add_signing_key(&generate(vault, env, env.now_ms())?).await?;
            rows = store.signing_keys().await?;
        }
        Ok(Self(Arc::new(RwLock::new(Ring { keys: open(&rows, vault)? }))))
    }

    /// Takes over what other processes have changed.
    pub async fn reload(&self, store: &Store, vault: &Vault) -> Result<(), ServerError> {
        let rows = store.signing_keys().await?;
        let same = {
            let ring = self.read();
            ring.keys.iter().map(|key| &key.kid).eq(rows.iter().map(|row| &row.kid))
        };
        if !same && !rows.is_empty() {
            let keys = open(&rows, vault)?;
            tracing::info!(keys = keys.len(), "signing keys loaded");
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Ring { keys };
        }
        Ok(())
    }

    /// Makes a new key when the newest is older than `days`, and retires those whose last tokens have expired.
    pub async fn rotate_when_due(
        &self,
        store: &Store,
        vault: &Vault,
        env: &Env,
        tokens: crate::config::Tokens,
    ) -> Result<(), ServerError> {
        let now = env.now_ms();
        let newest = self.read().keys.first().map(|key| key.created_ms).unwrap_or_default();
        let days = i64::from(tokens.rotate_days);
        if days > 0 && newest + days * DAY_MS <= now {
            rotate(store, vault, env, Rotation::Overlapping).await?;
        }
        let lifetime = i64::from(tokens.access_minutes) * 60_000 + CLOCKS_MS;
        let over: Vec<String> = {
            let ring = self.read();
            // A key has signed until the next one became active.
            let next = ring.keys.iter().map(|key| key.active_ms);
            let older = ring.keys.iter().skip(1).zip(next);
            older.filter(|(_, next)| next + lifetime <= now).map(|(key, _)| key.kid.clone()).collect()
        };
        for kid in over {
            store.retire_signing_key(&kid, now).await?;
        }
        self.reload(store, vault).await
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Ring> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs what `message` makes of the key's name.
    pub fn sign(&self, now_ms: i64, message: impl FnOnce(&str) -> String) -> Option<(String, Signature)> {
        let ring = self.read();
        // Where none is active yet the oldest is the one that everybody knows longest.
        let active = ring.keys.iter().find(|key| key.active_ms <= now_ms).or(ring.keys.last())?;
        let message = message(&active.kid);
        let signature = active.signing.sign(message.as_bytes());
        Some((message, signature))
    }

    /// Whether `signature` over `message` was made by the key named `kid`.
    pub fn verify(&self, kid: &str, message: &[u8], signature: &Signature) -> bool {
        let ring = self.read();
        let key = ring.keys.iter().find(|key| key.kid == kid);
        key.is_some_and(|key| {
            let verify = || key.verifying.verify_strict(message, signature).is_ok();
            key.good.check(message, signature, verify)
        })
    }

    /// The public halves as a JWK set; behind those for tokens the one for checkpoints of the audit, which verifies no token.
    pub fn jwks(&self, (audit_kid, audit_key): &(String, VerifyingKey)) -> Value {
        let ring = self.read();
        let jwk = |kid: &str, key: &VerifyingKey| {
            let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
            json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x })
        };
        let mut keys: Vec<Value> = ring.keys.iter().map(|key| jwk(&key.kid, &key.verifying)).collect();
        let mut audit = jwk(audit_kid, audit_key);
        audit["plantocode_purpose"] = "audit".into();
        keys.push(audit);
        json!({ "keys": keys })
    }
}

/// Puts a new key into the database; running servers take it over within a second. Its name.
pub(crate) async fn rotate(
    store: &Store,
    vault: &Vault,
    env: &Env,
    how: Rotation,
) -> Result<String, ServerError> {
    let now = env.now_ms();
    let active_ms = if how == Rotation::AtOnce { now } else { now + CACHE_MS };
    let row = generate(vault, env, active_ms)?;
    store.add_signing_key(&row).await?;
    if how == Rotation::AtOnce {
        store.retire_signing_keys_but(&row.kid, now).await?;
    }
    tracing::warn!(kid = row.kid, ?how, "a new key signs access tokens");
    Ok(row.kid)
}

fn open(rows: &[SigningKeyRow], vault: &Vault) -> Result<Vec<Key>, ServerError> {
    let key = |row: &SigningKeyRow| {
        let secret = vault.open_signing_key(&row.kid, &row.sealed)?;
        let signing = SigningKey::from_bytes(secret.expose_secret());
        let verifying = signing.verifying_key();
        // The public half in the row is for people; a row where it is another one was tampered with.
        if row.public_key != verifying.as_bytes() {
            return Err(ServerError::Sealed("public key"));
        }
        let (active_ms, created_ms) = (row.active_ms, row.created_ms);
        let good = Good::default();
        Ok(Key { kid: row.kid.clone(), active_ms, created_ms, signing, verifying, good })
    };
    rows.iter().map(key).collect()
}

fn generate(vault: &Vault, env: &Env, active_ms: i64) -> Result<SigningKeyRow, ServerError> {
    let secret = env.random::<32>()?;
    let kid = env.id();
    Ok(SigningKeyRow {
        public_key: SigningKey::from_bytes(&secret).verifying_key().as_bytes().to_vec(),
        sealed: vault.seal_signing_key(&kid, &secret)?,
        created_ms: env.now_ms(),
        active_ms,
        retired_ms: None,
        kid,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_verified_is_remembered() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let (good, signature) = (Good::default(), key.sign(b"message"));
        assert!(!good.check(b"message", &signature, || false));
        assert!(good.check(b"message", &signature, || true));
        assert!(good.check(b"message", &signature, || panic!("it is known")));
        assert!(!good.check(b"massage", &signature, || false));
        assert!(!good.check(b"message", &key.sign(b"massage"), || false));
        for number in 0..=REMEMBERED {
            assert!(good.check(&number.to_be_bytes(), &signature, || true));
        }
        assert!(good.0.lock().unwrap().len() <= REMEMBERED);
    }
}
