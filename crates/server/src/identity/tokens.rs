use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signature;
use server_store::Role;

use super::wire::{Claims, Header, decode, encode};
use super::{KeyRing, Principal};

/// Who may use our tokens: the API of this server.
const AUDIENCE: &str = "plantocode";
const TYPE: &str = "at+jwt";
/// Longest token that is looked at.
const LONGEST: usize = 4_096;

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("the access token has expired")]
    Expired,
    #[error("the access token is not valid")]
    Invalid,
}

/// Issues and checks access tokens: JWS with EdDSA and nothing else.
#[derive(Clone)]
pub(crate) struct Tokens {
    keys: KeyRing,
    issuer: String,
}

impl Tokens {
    pub fn new(keys: KeyRing, issuer: String) -> Self {
        Self { keys, issuer }
    }

    /// A signed token for these claims; issuer and audience are set here.
    pub fn issue(&self, principal: &Principal, now_ms: i64) -> String {
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.into(),
            sub: principal.user_id.clone(),
            sid: principal.device_id.clone(),
            org: principal.org_id.clone(),
            role: principal.role.as_str().into(),
            iat: now_ms / 1_000,
            exp: principal.expires_ms / 1_000,
        };
        let signed = self.keys.sign(now_ms, |kid| {
            let header = Header { alg: "EdDSA".into(), typ: TYPE.into(), kid: kid.to_owned() };
            format!("{}.{}", encode(&header), encode(&claims))
        });
        // A ring without keys signs nothing, and what is empty is accepted nowhere.
        signed.map_or_else(String::new, |(message, signature)| {
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
        })
    }

    /// Who a token stands for. The header chooses among our own keys by `kid` and has no other say: `jku`, `jwk`,
    /// `x5u` and foreign algorithms are never looked at.
    pub fn check(&self, token: &str, now_ms: i64) -> Result<Principal, TokenError> {
        let claims = self.verified(token).ok_or(TokenError::Invalid)?;
        if claims.iss != self.issuer || claims.aud != AUDIENCE || claims.iat > now_ms / 1_000 + 60 {
            return Err(TokenError::Invalid);
        }
        if claims.exp <= now_ms / 1_000 {
            return Err(TokenError::Expired);
        }
        Ok(Principal {
            role: Role::parse(&claims.role).ok_or(TokenError::Invalid)?,
            user_id: claims.sub,
            org_id: claims.org,
            device_id: claims.sid,
            expires_ms: claims.exp * 1_000,
            grant: None,
        })
    }

    fn verified(&self, token: &str) -> Option<Claims> {
        if token.len() > LONGEST {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header: Header = decode(header)?;
        if header.alg != "EdDSA" || header.typ != TYPE {
            return None;
        }
        let signature: [u8; 64] = URL_SAFE_NO_PAD.decode(signature).ok()?.try_into().ok()?;
        let good = self.keys.verify(&header.kid, message.as_bytes(), &Signature::from_bytes(&signature));
        if good { decode(claims) } else { None }
    }
}
