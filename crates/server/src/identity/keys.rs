use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use server_store::{SigningKeyRow, Store};

use crate::ServerError;
use crate::env::Env;
use crate::vault::Vault;

/// The keys that sign and verify access tokens. The newest signs; all that are not retired verify.
#[derive(Clone)]
pub(crate) struct KeyRing(Arc<RwLock<Ring>>);

struct Ring {
    kid: String,
    signing: SigningKey,
    verifying: HashMap<String, VerifyingKey>,
}

impl KeyRing {
    /// Loads the keys; makes the first one.
    pub async fn open(store: &Store, vault: &Vault, env: &Env) -> Result<Self, ServerError> {
        let mut rows = store.signing_keys().await?;
        if rows.is_empty() {
            let row = generate(vault, env)?;
            store.add_signing_key(&row).await?;
            rows.push(row);
        }
        let newest = &rows[0];
        let secret = vault.open_signing_key(&newest.kid, &newest.sealed)?;
        let mut verifying = HashMap::new();
        for row in &rows {
            let bytes =
                row.public_key.as_slice().try_into().map_err(|_| ServerError::Sealed("public key"))?;
            let key = VerifyingKey::from_bytes(bytes).map_err(|_| ServerError::Sealed("public key"))?;
            verifying.insert(row.kid.clone(), key);
        }
        let signing = SigningKey::from_bytes(secret.expose_secret());
        if verifying.get(&newest.kid) != Some(&signing.verifying_key()) {
            return Err(ServerError::Sealed("public key"));
        }
        Ok(Self(Arc::new(RwLock::new(Ring { kid: newest.kid.clone(), signing, verifying }))))
    }

    /// Signs, and says with which key.
    pub fn sign(&self, message: impl FnOnce(&str) -> String) -> (String, Signature) {
        let ring = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let message = message(&ring.kid);
        let signature = ring.signing.sign(message.as_bytes());
        (message, signature)
    }

    /// Whether `signature` over `message` was made by the key named `kid`.
    pub fn verify(&self, kid: &str, message: &[u8], signature: &Signature) -> bool {
        let ring = self.0.read().unwrap_or_else(PoisonError::into_inner);
        ring.verifying.get(kid).is_some_and(|key| key.verify_strict(message, signature).is_ok())
    }

    /// The public halves as a JWK set.
    pub fn jwks(&self) -> Value {
        let ring = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys: Vec<_> = ring.verifying.iter().collect();
        keys.sort_by_key(|(kid, _)| *kid);
        let jwk = |(kid, key): (&String, &VerifyingKey)| {
            let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
            json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x })
        };
        json!({ "keys": keys.into_iter().map(jwk).collect::<Vec<_>>() })
    }
}

fn generate(vault: &Vault, env: &Env) -> Result<SigningKeyRow, ServerError> {
    let secret = env.random::<32>()?;
    let kid = env.id();
    Ok(SigningKeyRow {
        public_key: SigningKey::from_bytes(&secret).verifying_key().as_bytes().to_vec(),
        sealed: vault.seal_signing_key(&kid, &secret)?,
        created_ms: env.now_ms(),
        retired_ms: None,
        kid,
    })
}
