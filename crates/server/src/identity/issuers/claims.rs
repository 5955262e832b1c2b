//! What a token of an issuer says, and when that is believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::keys::{Key, name};
use crate::config::{Algorithm, Issuer};

/// Longest token that is looked at.
const LONGEST: usize = 16 * 1024;
/// Clocks of issuers may differ by this much.
const CLOCKS_S: i64 = 60;

/// A token, taken apart and not believed yet.
pub(super) struct Unverified<'t> {
    pub kid: Option<String>,
    pub algorithm: Algorithm,
    typ: String,
    claims: Claims,
    message: &'t [u8],
    signature: Vec<u8>,
}

/// The head of a token. `jku`, `jwk`, `x5u` and `x5c` are never looked at: keys come from the issuer's address alone.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    /// Extensions that must be understood (RFC 7515, 4.1.11); none is.
    #[serde(default)]
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: OneOrMany,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    azp: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

/// Somebody whom an issuer vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vouched {
    pub subject: String,
    /// What the issuer would call the person; no more than a suggestion.
    pub suggested: Option<String>,
    /// Seconds.
    pub expires: i64,
}

/// What a token is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use<'a> {
    /// Says who has signed in, to us, in answer to this nonce.
    Id { nonce: &'a str },
    /// Lets a program in.
    Access,
}

impl<'t> Unverified<'t> {
    /// Takes a token apart; `None` when it is none, or signed in a way that this issuer may not.
    pub fn parse(token: &'t str, issuer: &Issuer) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header: Header = decode(header)?;
        let algorithm = issuer.algorithms.iter().find(|algorithm| name(**algorithm) == header.alg)?;
        if header.crit.is_some() {
            return None;
        }
        Some(Self {
            kid: header.kid,
            algorithm: *algorithm,
            typ: header.typ.unwrap_or_default().to_ascii_lowercase(),
            claims: decode(claims)?,
            message: message.as_bytes(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// The key among these that it claims to be signed with. A token that names none can only be meant for the one there is.
    pub fn key<'k>(&self, keys: &'k [Key]) -> Option<&'k Key> {
        let mut fitting = keys
            .iter()
            .filter(|key| key.is_for(self.algorithm) && (self.kid.is_none() || key.kid == self.kid));
        let key = fitting.next()?;
        (self.kid.is_some() || fitting.next().is_none()).then_some(key)
    }

    /// Whom it vouches for, if it is signed with this key, by this issuer, for us, now, and for this use.
    pub fn verify(&self, key: &Key, issuer: &Issuer, used: Use<'_>, now_s: i64) -> Option<Vouched> {
        if !key.verifies(self.algorithm, self.message, &self.signature) {
            return None;
        }
        let claims = &self.claims;
        let early = |time: Option<i64>| time.is_some_and(|time| time > now_s + CLOCKS_S);
        let in_time = claims.exp > now_s - CLOCKS_S && !early(claims.nbf) && !early(claims.iat);
        let pinned = issuer.claims.iter().all(|(name, value)| self.says(name, value));
        let subject = !claims.sub.is_empty() && claims.sub.len() <= 255;
        let good = claims.iss == issuer.issuer && in_time && pinned && subject && self.is_for(issuer, used);
        good.then(|| Vouched {
            subject: claims.sub.clone(),
            suggested: self.suggested(),
            expires: claims.exp,
        })
    }

    fn is_for(&self, issuer: &Issuer, used: Use<'_>) -> bool {
        let audiences = self.claims.aud.as_slice();
        let access = matches!(self.typ.as_str(), "at+jwt" | "application/at+jwt");
        match used {
            Use::Id { nonce } => {
                let ours = audiences.contains(&issuer.client_id);
                // A token for several has to say which of them asked (OpenID Connect Core, 3.1.3.7).
                let asked = match &self.claims.azp {
                    Some(party) => *party == issuer.client_id,
                    None => audiences.len() == 1,
                };
                !access && ours && asked && self.claims.nonce.as_deref() == Some(nonce)
            }
            // An ID token says who somebody is, to a client that may hand it around; it lets nobody in.
            Use::Access => access && audiences.iter().any(|audience| issuer.audiences.contains(audience)),
        }
    }

    fn says(&self, name: &str, value: &str) -> bool {
        match self.claims.others.get(name) {
            Some(Value::String(text)) => text == value,
            Some(Value::Bool(flag)) => flag.to_string() == value,
            Some(Value::Number(number)) => number.to_string() == value,
            _ => false,
        }
    }

    fn suggested(&self) -> Option<String> {
        let text = |name: &str| self.claims.others.get(name)?.as_str().map(str::to_owned);
        text("preferred_username").or_else(|| text("email")).or_else(|| text("name"))
    }
}

/// By whom a token says it was issued.
pub(super) fn issuer_of(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Issued {
        iss: String,
    }
    if token.len() > LONGEST {
        return None;
    }
    let claims: Issued = decode(token.split('.').nth(1)?)?;
    Some(claims.iss)
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::keys::parse;
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};
    use serde_json::json;

    const NOW: i64 = 1_000_000;

    fn issuer() -> Issuer {
        Issuer {
            issuer: "https://i.example".into(),
            client_id: "us".into(),
            audiences: vec!["api".into()],
            claims: [("tid".to_owned(), "t1".to_owned())].into(),
            ..Issuer::default()
        }
    }

    fn token(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = SigningKey::from_bytes(&[7; 32]).sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    fn believed(header: &Value, claims: &Value, used: Use<'_>) -> Option<Vouched> {
        let point = URL_SAFE_NO_PAD.encode(SigningKey::from_bytes(&[7; 32]).verifying_key().as_bytes());
        let keys = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": point }] });
        let keys = parse(keys.to_string().as_bytes()).unwrap();
        let (issuer, token) = (issuer(), token(header, claims));
        let unverified = Unverified::parse(&token, &issuer)?;
        unverified.verify(unverified.key(&keys)?, &issuer, used, NOW)
    }

    fn changed(base: &Value, changes: Value) -> Value {
        let mut value = base.clone();
        for (name, change) in changes.as_object().unwrap() {
            value[name] = change.clone();
        }
        value
    }

    #[test]
    fn an_id_token_is_believed_when_all_of_it_is_right() {
        let header = json!({ "alg": "EdDSA", "kid": "k", "typ": "JWT" });
        let claims = json!({
            "iss": "https://i.example", "sub": "s", "aud": "us", "exp": NOW + 60, "iat": NOW, "nonce": "n", "tid": "t1",
            "email": "ada@i.example",
        });
        let used = Use::Id { nonce: "n" };
        let good = believed(&header, &claims, used).unwrap();
        assert_eq!((good.subject.as_str(), good.suggested.as_deref()), ("s", Some("ada@i.example")));
        let fine = [
            json!({ "aud": ["us"] }),
            json!({ "aud": ["us", "them"], "azp": "us" }),
            json!({ "exp": NOW - 59 }),
        ];
        for change in fine {
            assert!(believed(&header, &changed(&claims, change.clone()), used).is_some(), "{change}");
        }
        for change in [
            json!({ "iss": "https://i.example/" }),
            json!({ "iss": "https://evil.example" }),
            json!({ "aud": "them" }),
            json!({ "aud": ["us", "them"] }),
            json!({ "aud": ["us", "them"], "azp": "them" }),
            json!({ "azp": "them" }),
            json!({ "exp": NOW - 60 }),
            json!({ "exp": "later" }),
            json!({ "nbf": NOW + 61 }),
            json!({ "iat": NOW + 61 }),
            json!({ "nonce": "m" }),
            json!({ "nonce": null }),
            json!({ "sub": "" }),
            json!({ "sub": "s".repeat(256) }),
            json!({ "tid": "t2" }),
            json!({ "tid": null }),
        ] {
            assert!(believed(&header, &changed(&claims, change.clone()), used).is_none(), "{change}");
        }
        for change in [
            json!({ "alg": "none" }),
            json!({ "alg": "HS256" }),
            json!({ "alg": "ES256" }),
            json!({ "alg": "PS256" }),
            json!({ "kid": "other" }),
            json!({ "typ": "at+jwt" }),
            json!({ "crit": ["exp"] }),
        ] {
            assert!(believed(&changed(&header, change.clone()), &claims, used).is_none(), "{change}");
        }
        let unnamed = json!({ "alg": "EdDSA" });
        assert!(believed(&unnamed, &claims, used).is_some(), "there is only one key");
    }

    #[test]
    fn an_access_token_is_none_by_its_type_alone() {
        let header = json!({ "alg": "EdDSA", "kid": "k", "typ": "at+JWT" });
        let claims =
            json!({ "iss": "https://i.example", "sub": "s", "aud": "api", "exp": NOW + 60, "tid": "t1" });
        assert!(believed(&header, &claims, Use::Access).is_some());
        for typ in [json!("JWT"), json!(null), json!("id+jwt")] {
            assert!(
                believed(&changed(&header, json!({ "typ": typ })), &claims, Use::Access).is_none(),
                "{typ}"
            );
        }
        assert!(believed(&header, &changed(&claims, json!({ "aud": "us" })), Use::Access).is_none());
    }
}
