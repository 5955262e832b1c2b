//! The public keys of an issuer, and signatures by them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

use crate::config::Algorithm;

/// Keys of one issuer that are looked at.
const MOST: usize = 64;

/// A key that verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub kid: Option<String>,
    /// The one algorithm it is for, if the issuer says so.
    only: Option<String>,
    public: Public,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Public {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

/// Reads a key set. Keys that are not for signatures, or of a kind that is not known here, are passed over: a secret key among
/// them, too, so that nothing public is ever taken for one.
pub(super) fn parse(body: &[u8]) -> Option<Vec<Key>> {
    let set: Set = serde_json::from_slice(body).ok()?;
    Some(
        set.keys
            .into_iter()
            .take(MOST)
            .filter_map(|key| serde_json::from_value(key).ok().and_then(key_of))
            .collect(),
    )
}

fn key_of(jwk: Jwk) -> Option<Key> {
    if jwk.usage.is_some_and(|usage| usage != "sig") {
        return None;
    }
    let bytes = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
    let public = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => Public::Rsa { n: bytes(jwk.n)?, e: bytes(jwk.e)? },
        ("EC", Some("P-256")) => {
            let (x, y) = (bytes(jwk.x)?, bytes(jwk.y)?);
            Public::P256([&[4][..], &x, &y].concat())
        }
        ("OKP", Some("Ed25519")) => Public::Ed25519(bytes(jwk.x)?),
        _ => return None,
    };
    Some(Key { kid: jwk.kid, only: jwk.alg, public })
}

/// The name of an algorithm in tokens.
pub(super) fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RS256 => "RS256",
        Algorithm::PS256 => "PS256",
        Algorithm::ES256 => "ES256",
        Algorithm::EdDSA => "EdDSA",
    }
}

impl Key {
    /// Whether it may verify signatures of this algorithm. What kind a key is decides, not what a token says.
    pub fn is_for(&self, algorithm: Algorithm) -> bool {
        let kind = matches!(
            (&self.public, algorithm),
            (Public::Rsa { .. }, Algorithm::RS256 | Algorithm::PS256)
                | (Public::P256(_), Algorithm::ES256)
                | (Public::Ed25519(_), Algorithm::EdDSA)
        );
        // RFC 9864 has a second name for the same.
        let named =
            |only: &str| only == name(algorithm) || (only == "Ed25519" && algorithm == Algorithm::EdDSA);
        kind && self.only.as_deref().is_none_or(named)
    }

    /// Whether the signature over `message` is good.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.is_for(algorithm) {
            return false;
        }
        let good = match &self.public {
            Public::Rsa { n, e } => {
                let rules = match algorithm {
                    Algorithm::PS256 => &RSA_PSS_2048_8192_SHA256,
                    _ => &RSA_PKCS1_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n, e }.verify(rules, message, signature)
            }
            Public::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            Public::Ed25519(point) => UnparsedPublicKey::new(&ED25519, point).verify(message, signature),
        };
        good.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, A.3, and RFC 8037, A.4.
    const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    const ED: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn keys(list: &str) -> Vec<Key> {
        parse(format!(r#"{{"keys":[{list}]}}"#).as_bytes()).unwrap()
    }

    fn verifies(key: &Key, algorithm: Algorithm, token: &str) -> bool {
        let (message, signature) = token.rsplit_once('.').unwrap();
        key.verifies(algorithm, message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
    }

    #[test]
    fn the_standards_own_signatures_are_good_and_others_are_not() {
        let es = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let ed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let both = keys(&format!("{P256},{ED}"));
        assert!(verifies(&both[0], Algorithm::ES256, es) && verifies(&both[1], Algorithm::EdDSA, ed));
        assert!(!verifies(&both[0], Algorithm::EdDSA, es) && !verifies(&both[1], Algorithm::ES256, ed));
        assert!(!verifies(&both[0], Algorithm::ES256, &es.replacen("eyJpc3M", "eyJpc3N", 1)));
    }

    #[test]
    fn what_is_no_key_for_signatures_is_passed_over() {
        let sig = P256.replacen('{', r#"{"use":"enc","#, 1);
        let secret = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"}"#;
        assert_eq!(keys(&format!("{sig},{secret},7,{{\"kty\":\"RSA\"}},{ED}")), keys(ED));
        let other = keys(&ED.replacen('{', r#"{"alg":"ES256","#, 1));
        assert!(!other[0].is_for(Algorithm::EdDSA) && !other[0].is_for(Algorithm::ES256));
        assert_eq!(parse(b"not json"), None);
    }
}
