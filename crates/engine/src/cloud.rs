//! The server's calls that are not chat: sign-in, account, models.

use gateway::{Fetch, Gateway, GatewayError};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// By what name servers know this program.
pub(crate) const CLIENT_ID: &str = "plantocode";

/// The answer to the start of a device sign-in (RFC 8628).
#[derive(Debug, Deserialize)]
pub(crate) struct DeviceCode {
    pub device_code: String,
    pub user_code: String,
    pub verification_uri: String,
    pub verification_uri_complete: String,
    pub expires_in: u64,
    #[serde(default = "default_interval")]
    pub interval: u64,
}

fn default_interval() -> u64 {
    5
}

/// What a server says about itself (RFC 8414).
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub issuer: String,
    #[serde(default)]
    pub authorization_endpoint: Option<String>,
}

/// Tokens.
#[derive(Debug, Deserialize)]
pub(crate) struct Tokens {
    pub access_token: SecretString,
    pub refresh_token: SecretString,
    /// Seconds.
    pub expires_in: u64,
}

/// Who is signed in.
#[derive(Debug, Deserialize)]
pub(crate) struct Account {
    pub user: AccountUser,
}

/// The person.
#[derive(Debug, Deserialize)]
pub(crate) struct AccountUser {
    pub login: String,
}

/// The models of the server.
#[derive(Debug, Deserialize)]
pub(crate) struct ServerModels {
    pub data: Vec<ServerModel>,
}

/// One model of the server.
#[derive(Debug, Deserialize)]
pub(crate) struct ServerModel {
    pub id: String,
    pub provider: String,
    #[serde(default)]
    pub context_window: u64,
    #[serde(default)]
    pub max_output_tokens: u64,
    #[serde(default)]
    pub prices: Option<crate::wire::Prices>,
    #[serde(default)]
    pub destinations: Vec<ServerDestination>,
    /// How its providers keep to a number of searches of the web; absent where none can search.
    #[serde(default)]
    pub web_search: Option<llm::SearchLimit>,
}

/// Where a model's requests may go.
#[derive(Debug, Deserialize)]
pub(crate) struct ServerDestination {
    pub provider: String,
    pub model: String,
}

/// This machine's place at the relay.
#[derive(Debug, Deserialize)]
pub(crate) struct LinkPlace {
    pub device: String,
}

fn at(server: &Url, path: &str) -> Url {
    let mut url = server.clone();
    let joined = format!("{}{path}", server.path().trim_end_matches('/'));
    url.set_path(&joined);
    url
}

pub(crate) async fn begin_device(
    gateway: &Gateway,
    server: &Url,
    client: &str,
) -> Result<DeviceCode, GatewayError> {
    gateway.post_form(&at(server, "/api/auth/device/code"), None, &[("client_name", client)]).await
}

/// Where tokens come from.
pub(crate) fn token_url(server: &Url) -> Url {
    at(server, "/api/auth/token")
}

pub(crate) async fn redeem_device(
    gateway: &Gateway,
    server: &Url,
    device_code: &str,
    proof: &str,
) -> Result<Tokens, GatewayError> {
    let form = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", device_code)];
    gateway.post_proven(&token_url(server), None, Some(proof), &form).await
}

/// What the server says about itself.
pub(crate) async fn metadata(gateway: &Gateway, server: &Url) -> Result<Metadata, GatewayError> {
    gateway.get_json(&at(server, "/.well-known/oauth-authorization-server"), None).await
}

/// Exchanges an authorisation code for tokens.
pub(crate) async fn redeem_code(
    gateway: &Gateway,
    server: &Url,
    code: &str,
    redirect_uri: &str,
    verifier: &SecretString,
    proof: &str,
) -> Result<Tokens, GatewayError> {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier.expose_secret()),
    ];
    gateway.post_proven(&token_url(server), None, Some(proof), &form).await
}

pub(crate) async fn refresh(
    gateway: &Gateway,
    server: &Url,
    token: &str,
    proof: &str,
) -> Result<Tokens, GatewayError> {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    gateway.post_proven(&token_url(server), None, Some(proof), &form).await
}

pub(crate) async fn revoke(
    gateway: &Gateway,
    server: &Url,
    token: &str,
) -> Result<serde_json::Value, GatewayError> {
    gateway.post_form(&at(server, "/api/auth/revoke"), None, &[("token", token)]).await
}

pub(crate) async fn account(
    gateway: &Gateway,
    server: &Url,
    access: &SecretString,
) -> Result<Account, GatewayError> {
    gateway.get_json(&at(server, "/api/account"), Some(access)).await
}

pub(crate) async fn models(
    gateway: &Gateway,
    server: &Url,
    access: &SecretString,
) -> Result<ServerModels, GatewayError> {
    gateway.get_json(&at(server, "/v1/models"), Some(access)).await
}

/// How long the server may take to say that it is there.
const REACH_TIME: Duration = Duration::from_secs(5);

/// Whether the server answers at all.
pub(crate) async fn reach(gateway: &Gateway, server: &Url) -> Result<(), GatewayError> {
    let url = at(server, "/healthz");
    let fetch = Fetch { url: &url, form: None, basic: None, time: REACH_TIME, limit: 64 << 10 };
    match gateway.fetch(fetch).await? {
        // Something before the server answers for it: it is being restarted or moved.
        (status @ 502..=504, _) => Err(GatewayError::Unavailable {
            provider: "the server".into(),
            status: Some(status),
            message: format!("what stands before it answers with status {status}"),
        }),
        _ => Ok(()),
    }
}

/// Says that this machine holds `link_key`; its id at the relay.
pub(crate) async fn add_device(
    gateway: &Gateway,
    server: &Url,
    access: &SecretString,
    name: &str,
    link_key: &str,
) -> Result<LinkPlace, GatewayError> {
    let body = [("name", name), ("link_key", link_key)].into_iter().collect::<BTreeMap<_, _>>();
    gateway.post_json(&at(server, "/api/devices"), Some(access), &body).await
}

/// Has the device with `link_key` refused.
pub(crate) async fn revoke_device(
    gateway: &Gateway,
    server: &Url,
    access: &SecretString,
    link_key: &str,
) -> Result<serde_json::Value, GatewayError> {
    let body = BTreeMap::from([("link_key", link_key)]);
    gateway.post_json(&at(server, "/api/devices/revoke"), Some(access), &body).await
}
