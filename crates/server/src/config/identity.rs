//! Who may sign people in, and for whom.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Clients and issuers beside the server's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Identity {
    /// Clients that may sign people in by a browser, beside PlanToCode's own.
    pub clients: Vec<Client>,
    /// Who else vouches for people.
    pub issuers: Vec<Issuer>,
}

/// A client without a secret: a program on a person's machine, or a page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// What people are asked about.
    pub name: String,
    /// Where answers may go: exactly these; any port where the host is 127.0.0.1 or [::1].
    pub redirect_uris: Vec<String>,
}

/// Somebody who vouches for people, by OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Issuer {
    /// A short word for addresses and names.
    pub id: String,
    /// What people read.
    pub name: String,
    /// Its address, exactly as its tokens have it.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// Environment variable of the client's secret; empty for none.
    pub client_secret_env: String,
    /// Path of a file with the client's secret; empty for none.
    pub client_secret_file: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Signatures that are accepted.
    pub algorithms: Vec<Algorithm>,
    /// Claims that have to have this value, such as the tenant.
    pub claims: BTreeMap<String, String>,
    /// What happens when somebody comes for the first time.
    pub newcomers: Newcomers,
    /// The organisation they join, by its id; empty for the first.
    pub org: String,
    /// Audiences of its access tokens that are accepted as they are; empty accepts none.
    pub audiences: Vec<String>,
}

impl Default for Issuer {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            issuer: String::new(),
            client_id: String::new(),
            client_secret_env: String::new(),
            client_secret_file: String::new(),
            scopes: vec!["openid".into(), "profile".into()],
            algorithms: vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA],
            claims: BTreeMap::new(),
            newcomers: Newcomers::Refuse,
            org: String::new(),
            audiences: Vec::new(),
        }
    }
}

/// A way to sign, by its name in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// RSA, PKCS #1.
    RS256,
    /// RSA, PSS.
    PS256,
    /// ECDSA over P-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

/// What happens when somebody comes for the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Newcomers {
    /// Nobody gets in.
    #[default]
    Refuse,
    /// They become members.
    Join,
}
