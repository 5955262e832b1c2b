//! Proofs that a request for tokens comes from this device (DPoP, RFC 9449).

use crate::Inner;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use relay::keys::DeviceKeys;
use serde_json::json;
use url::Url;

/// A proof for one `POST` to this address.
fn proof(keys: &DeviceKeys, url: &Url, id: &str, now_ms: i64) -> String {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let x = URL_SAFE_NO_PAD.encode(keys.public().link.0);
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
    let header = part(json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk }));
    let claims = part(json!({ "jti": id, "htm": "POST", "htu": url.as_str(), "iat": now_ms / 1_000 }));
    let message = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(keys.sign(message.as_bytes()).0);
    format!("{message}.{signature}")
}

impl Inner {
    /// A proof for one `POST` to this address. What a server gives for it is worth nothing without this device's key.
    pub(crate) fn proof(&self, url: &Url) -> String {
        proof(self.devices.keys(), url, &self.env.random_hex(16), self.now())
    }
}
