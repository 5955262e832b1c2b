use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use gateway::{Fetch, Gateway};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::{Host, Url};

use super::claims::{Unverified, Use, Vouched};
use super::keys::{Key, parse};
use crate::ServerError;
use crate::config;
use crate::env::Env;

/// How long what an issuer says about itself is kept, and how long its keys: then they are fetched again when they are needed.
const DOCUMENT_MS: i64 = 24 * 3_600_000;
const KEYS_MS: i64 = 3_600_000;
/// How long keys work when they cannot be fetched again.
const STALE_MS: i64 = 6 * 3_600_000;
/// Between two fetches of the same thing, whoever asks however often.
const PAUSE_MS: i64 = 30_000;
/// For a fetch as a whole.
const FETCH: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const LIMIT: usize = 512 * 1024;

/// Somebody who vouches for people.
pub(crate) struct Issuer {
    pub settings: config::Issuer,
    secret: Option<SecretString>,
    gateway: Gateway,
    env: Env,
    document: Cached<Endpoints>,
    keys: Cached<Vec<Key>>,
}

/// What was fetched, and when.
struct Cached<T> {
    kept: RwLock<Option<(Arc<T>, i64)>>,
    /// When the last fetch began. Held while one runs, so that those who want the same wait for it.
    tried: Mutex<Option<i64>>,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self { kept: RwLock::new(None), tried: Mutex::new(None) }
    }
}

impl<T> Cached<T> {
    fn kept(&self) -> Option<(Arc<T>, i64)> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where an issuer does what.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    pub authorization: Url,
    token: Url,
    jwks: Url,
    /// Whether its answers name it.
    pub names_itself: bool,
    basic: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Answer {
    id_token: String,
}

/// Why an issuer is of no use now, in words for the log; people are told less.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssuerError {
    #[error("it cannot be reached: {0}")]
    Away(String),
    #[error("{0}")]
    Wrong(String),
}

impl Issuer {
    pub fn new(settings: config::Issuer, gateway: Gateway, env: Env) -> Result<Self, ServerError> {
        let wrong =
            |problem: &str| ServerError::Config(format!("identity.issuers, {:?}: {problem}", settings.id));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if settings.id.is_empty() || settings.id.len() > 32 || !settings.id.chars().all(plain) {
            return Err(wrong("its id must consist of small letters, digits and -"));
        }
        if settings.name.is_empty() || settings.client_id.is_empty() {
            return Err(wrong("it needs a name and a client_id"));
        }
        let url: Option<Url> = settings.issuer.parse().ok();
        if !url.is_some_and(|url| is_safe(&url) && url.query().is_none() && url.fragment().is_none()) {
            return Err(wrong("its issuer must be an https:// address (http:// on this machine alone)"));
        }
        if settings.algorithms.is_empty() || !settings.scopes.iter().any(|scope| scope == "openid") {
            return Err(wrong("it needs algorithms, and the scope openid"));
        }
        if settings.audiences.contains(&settings.client_id) {
            return Err(wrong(
                "its ID tokens are for the client_id, so that is no audience of access tokens",
            ));
        }
        let secret = match (settings.client_secret_env.as_str(), settings.client_secret_file.as_str()) {
            ("", "") => None,
            (name, "") => Some(std::env::var(name).map_err(|_| wrong(&format!("{name} is not set")))?),
            ("", path) => {
                let text =
                    std::fs::read_to_string(path).map_err(|error| wrong(&format!("{path}: {error}")))?;
                Some(text.trim_end().to_owned())
            }
            _ => return Err(wrong("its secret is either in the environment or in a file")),
        };
        if secret.as_ref().is_some_and(String::is_empty) {
            return Err(wrong("its secret is empty"));
        }
        let secret = secret.map(SecretString::from);
        Ok(Self { settings, secret, gateway, env, document: Cached::default(), keys: Cached::default() })
    }

    /// Where it does what.
    pub async fn endpoints(&self) -> Result<Arc<Endpoints>, IssuerError> {
        self.cached(&self.document, DOCUMENT_MS, i64::MAX, async || self.discover().await).await
    }

    /// Whom an access token of this issuer is for; `None` when it is not good.
    pub async fn access_token(&self, token: &str) -> Result<Option<Vouched>, IssuerError> {
        self.verified(token, Use::Access).await
    }

    /// Exchanges a code; who has signed in there.
    pub async fn redeem(
        &self,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        nonce: &str,
    ) -> Result<Vouched, IssuerError> {
        let endpoints = self.endpoints().await?;
        let client = self.settings.client_id.as_str();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let mut basic = None;
        match &self.secret {
            Some(secret) if endpoints.basic => basic = Some(secret),
            Some(secret) => form.extend([("client_id", client), ("client_secret", secret.expose_secret())]),
            None => form.push(("client_id", client)),
        }
        // Both are form-encoded before they are joined (RFC 6749, 2.3.1).
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let (user, secret) =
            (encoded(client), basic.map(|secret| SecretString::from(encoded(secret.expose_secret()))));
        let basic = secret.as_ref().map(|secret| (user.as_str(), secret));
        let fetch = Fetch { url: &endpoints.token, form: Some(&form), basic, time: FETCH, limit: LIMIT };
        let body = self.fetch(fetch).await?;
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|_| IssuerError::Wrong("its answer to the code has no ID token".into()))?;
        let vouched = self.verified(&answer.id_token, Use::Id { nonce }).await?;
        vouched.ok_or_else(|| IssuerError::Wrong("its ID token is not good".into()))
    }

    async fn verified(&self, token: &str, used: Use<'_>) -> Result<Option<Vouched>, IssuerError> {
        let Some(unverified) = Unverified::parse(token, &self.settings) else { return Ok(None) };
        let mut keys = self.keys(None).await?;
        if unverified.key(&keys).is_none() {
            // It may be newer than what is known here.
            keys = self.keys(Some(&keys)).await?;
        }
        let now_s = self.env.now_ms() / 1_000;
        Ok(unverified.key(&keys).and_then(|key| unverified.verify(key, &self.settings, used, now_s)))
    }

    /// Its keys; others than `seen` if there are any by now.
    async fn keys(&self, seen: Option<&Arc<Vec<Key>>>) -> Result<Arc<Vec<Key>>, IssuerError> {
        let fetch = async || {
            let endpoints = self.endpoints().await?;
            let fetch = Fetch { url: &endpoints.jwks, form: None, basic: None, time: FETCH, limit: LIMIT };
            let keys = parse(&self.fetch(fetch).await?);
            keys.ok_or_else(|| IssuerError::Wrong("its key set cannot be read".into()))
        };
        match (seen, self.keys.kept()) {
            (Some(seen), Some((kept, _))) if Arc::ptr_eq(seen, &kept) => {
                self.cached(&self.keys, i64::MIN, STALE_MS, fetch).await
            }
            _ => self.cached(&self.keys, KEYS_MS, STALE_MS, fetch).await,
        }
    }

    /// What is kept if it is younger than `fresh_ms`; else it is fetched, at most once in a while. When that fails, what is kept
    /// does until it is older than `stale_ms`.
    async fn cached<T>(
        &self,
        cache: &Cached<T>,
        fresh_ms: i64,
        stale_ms: i64,
        fetch: impl AsyncFnOnce() -> Result<T, IssuerError>,
    ) -> Result<Arc<T>, IssuerError> {
        let before = cache.kept();
        let younger = |kept: &Option<(Arc<T>, i64)>, than: i64| {
            let now = self.env.now_ms();
            kept.as_ref().filter(|(_, at)| now.saturating_sub(*at) < than).map(|(value, _)| Arc::clone(value))
        };
        if let Some(value) = younger(&before, fresh_ms) {
            return Ok(value);
        }
        let mut tried = cache.tried.lock().await;
        let now = self.env.now_ms();
        let kept = cache.kept();
        // Another one has fetched it while this one waited.
        if kept.as_ref().map(|(_, at)| at) != before.as_ref().map(|(_, at)| at)
            && let Some((value, _)) = kept
        {
            return Ok(value);
        }
        let failure = if tried.is_some_and(|at| now.saturating_sub(at) < PAUSE_MS) {
            IssuerError::Away("it was asked a moment ago".into())
        } else {
            *tried = Some(now);
            match fetch().await {
                Ok(value) => {
                    let value = Arc::new(value);
                    *cache.kept.write().unwrap_or_else(PoisonError::into_inner) =
                        Some((Arc::clone(&value), now));
                    return Ok(value);
                }
                Err(error) => {
                    tracing::warn!(issuer = self.settings.id, %error, "an issuer is of no use now");
                    error
                }
            }
        };
        younger(&kept, stale_ms).ok_or(failure)
    }

    async fn discover(&self) -> Result<Endpoints, IssuerError> {
        let wrong = |text: String| IssuerError::Wrong(text);
        let address =
            format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
        let url: Url = address.parse().map_err(|error| wrong(format!("{address}: {error}")))?;
        let fetch = Fetch { url: &url, form: None, basic: None, time: FETCH, limit: LIMIT };
        let document: Document = serde_json::from_slice(&self.fetch(fetch).await?)
            .map_err(|error| wrong(format!("what it says about itself cannot be read: {error}")))?;
        if document.issuer != self.settings.issuer {
            return Err(wrong(format!(
                "it calls itself {:?}, the configuration another name",
                document.issuer
            )));
        }
        let safe = |text: &str| {
            let url: Option<Url> = text.parse().ok();
            url.filter(is_safe).ok_or_else(|| wrong(format!("its address {text:?} is not https")))
        };
        let methods = document.token_endpoint_auth_methods_supported;
        Ok(Endpoints {
            authorization: safe(&document.authorization_endpoint)?,
            token: safe(&document.token_endpoint)?,
            jwks: safe(&document.jwks_uri)?,
            names_itself: document.authorization_response_iss_parameter_supported,
            // What is not said is basic (OpenID Connect Discovery, 3).
            basic: methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic")),
        })
    }

    async fn fetch(&self, fetch: Fetch<'_>) -> Result<bytes::Bytes, IssuerError> {
        let place = fetch.url.path().to_owned();
        match self.gateway.fetch(fetch).await {
            Ok((200, body)) => Ok(body),
            Ok((status, _)) => Err(IssuerError::Wrong(format!("it answered {status} at {place}"))),
            Err(error) => Err(IssuerError::Away(error.to_string())),
        }
    }
}

/// Whether what is sent there is read by nobody on the way.
fn is_safe(url: &Url) -> bool {
    let local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let plain = url.username().is_empty() && url.password().is_none();
    plain && (url.scheme() == "https" || (url.scheme() == "http" && local))
}
