//! Configuration: one commented file, overridden by flags and environment.

mod identity;

pub use identity::{Algorithm, Client, Identity, Issuer, Newcomers};

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway::{GatewayConfig, HealthConfig};
use ipnet::IpNet;
use serde::Deserialize;
use url::Url;

use crate::ServerError;
use crate::env::Env;

/// The example file, which documents and equals the defaults.
pub const EXAMPLE: &str = include_str!("config.example.toml");

/// Everything a server is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Directory of key, configuration and (by default) database.
    pub data: PathBuf,
    /// The settings.
    pub settings: Settings,
    /// Clock, ids and randomness.
    pub env: Env,
}

/// The content of the configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Address that clients use; empty for the one listened on.
    pub public_url: String,
    /// TLS of the server itself.
    pub tls: Tls,
    /// Database URL; empty for SQLite in the data directory.
    pub database: String,
    /// Path of a further catalogue; empty for none.
    pub catalogue: String,
    /// Networks of the proxies in front, whose word about a client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose pages may use the API; their tokens, never cookies.
    pub cors_origins: Vec<String>,
    /// The form of the log's lines.
    pub log: Log,
    /// Bearer token for `/metrics`; empty leaves it to administrators and auditors.
    pub metrics_token: String,
    /// Limits of rates.
    pub limits: Limits,
    /// Limits of money.
    pub budgets: Budgets,
    /// Content filter.
    pub filter: Filter,
    /// Time-outs towards providers.
    pub upstream: Upstream,
    /// Lifetimes of tokens.
    pub tokens: Tokens,
    /// The record of what left.
    pub audit: Audit,
    /// Traces.
    pub telemetry: Telemetry,
    /// What several nodes share besides the database.
    pub redis: Redis,
    /// Clients and issuers beside the server's own.
    pub identity: Identity,
}

/// The form of the log's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Log {
    /// Words, for people.
    #[default]
    Text,
    /// JSON, for programs.
    Json,
}

/// Traces, for operators who have a collector.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Base URL of a collector that takes OTLP over HTTP; empty for none.
    pub otlp_endpoint: String,
    /// Headers of every message to it, such as a key.
    pub headers: BTreeMap<String, String>,
    /// The name of this service in traces.
    pub service_name: String,
    /// Whether providers are told the trace that a request belongs to.
    pub propagate: bool,
}

/// Rates and budgets that several nodes share.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// `redis://` or `rediss://`; empty for none, and each node counts for itself.
    pub url: String,
    /// What happens while it does not answer.
    pub on_failure: OnFailure,
    /// Seconds after which what a killed node had running counts no more.
    pub lease_s: u64,
}

/// What happens to requests while Redis does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// They are refused.
    #[default]
    Refuse,
    /// Each node counts for itself.
    Local,
}

/// The record of what left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// Path of a file that checkpoints are appended to; empty for none.
    pub sink: String,
}

/// TLS of the server itself; both or neither.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Path of the certificate and those between it and a root, PEM.
    pub certificate: String,
    /// Path of its key, PEM.
    pub key: String,
}

/// Limits of rates; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests per person and minute.
    pub requests_per_minute: u32,
    /// Tokens per person and minute.
    pub tokens_per_minute: u32,
    /// Requests of a person at the same time.
    pub concurrent: u32,
    /// Of each sign-in.
    pub device: Rate,
    /// Of each token for programs.
    pub token: Rate,
    /// Of each model, for all people together.
    pub model: Rate,
    /// Of each address.
    pub address: Rate,
    /// Largest body in MiB.
    pub body_mib: usize,
    /// Largest recording, with the form around it, in MiB.
    pub audio_mib: usize,
    /// Seconds in which a body has to arrive.
    pub body_s: u64,
}

/// How much of one thing; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rate {
    /// Requests per minute.
    pub requests_per_minute: u32,
    /// Tokens per minute.
    pub tokens_per_minute: u32,
    /// Requests at the same time.
    pub concurrent: u32,
}

/// Limits of money, in micro-dollars by days and months of UTC; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budgets {
    /// Of each person in a day.
    pub user_day_microusd: u64,
    /// Of each person in a month.
    pub user_month_microusd: u64,
    /// Of all people together in a day.
    pub org_day_microusd: u64,
    /// Of all people together in a month.
    pub org_month_microusd: u64,
}

/// Content filter.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// What happens to secrets nobody approved.
    pub secrets: SecretPolicy,
    /// What happens to findings of a class, where that is something else.
    pub classes: BTreeMap<String, SecretPolicy>,
    /// What happens to all findings on the way to a provider, or to `provider/model`, where that is something else.
    pub destinations: BTreeMap<String, SecretPolicy>,
    /// Models that nobody may ask for, as patterns.
    pub deny_models: Vec<String>,
    /// Files that may not be in a request that names them, as patterns.
    pub deny_files: Vec<String>,
    /// Whether images and files may be given by an address that the provider fetches.
    pub allow_urls: bool,
}

/// What happens to secrets in a request, from mild to strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretPolicy {
    /// The audit says so.
    Warn,
    /// The secret is replaced, and the audit says so. A request that was approved is refused: it is sent as it is or not at
    /// all.
    Redact,
    /// The request is refused.
    #[default]
    Block,
}

/// Time-outs towards providers, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Upstream {
    /// To connect.
    pub connect_s: u64,
    /// To the first event of an answer.
    pub first_byte_s: u64,
    /// Of silence inside an answer.
    pub idle_s: u64,
    /// For a whole answer.
    pub total_s: u64,
    /// Failures in a row before an upstream is left alone for a while; 0 leaves nothing alone, neither keys.
    pub rest_after_failures: u32,
    /// The longest that it is left alone, in seconds.
    pub longest_rest_s: u64,
    /// Whether administrators may aim a key at a private network over HTTP.
    pub private_over_http: bool,
}

/// Lifetimes of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// Minutes of an access token.
    pub access_minutes: u32,
    /// Days of a sign-in without use.
    pub refresh_days: u32,
    /// Days after which another key signs; 0 leaves it to the operator.
    pub rotate_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            public_url: String::new(),
            tls: Tls::default(),
            database: String::new(),
            catalogue: String::new(),
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            log: Log::default(),
            metrics_token: String::new(),
            limits: Limits::default(),
            budgets: Budgets::default(),
            filter: Filter::default(),
            upstream: Upstream::default(),
            tokens: Tokens::default(),
            audit: Audit::default(),
            telemetry: Telemetry::default(),
            redis: Redis::default(),
            identity: Identity::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_minute: 120,
            tokens_per_minute: 0,
            concurrent: 16,
            device: Rate::default(),
            token: Rate::default(),
            model: Rate::default(),
            address: Rate::default(),
            body_mib: 32,
            audio_mib: 25,
            body_s: 60,
        }
    }
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            connect_s: 10,
            first_byte_s: 300,
            idle_s: 180,
            total_s: 3_600,
            rest_after_failures: 5,
            longest_rest_s: 120,
            private_over_http: false,
        }
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            otlp_endpoint: String::new(),
            headers: BTreeMap::new(),
            service_name: "plantocode-server".into(),
            propagate: false,
        }
    }
}

impl Default for Redis {
    fn default() -> Self {
        Self { url: String::new(), on_failure: OnFailure::default(), lease_s: 15 }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self { access_minutes: 15, refresh_days: 30, rotate_days: 90 }
    }
}

impl Config {
    /// Defaults in this data directory.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into(), settings: Settings::default(), env: Env::system() }
    }

    /// Reads `config.toml` of the data directory; without one, the defaults apply.
    pub fn load(data: impl Into<PathBuf>) -> Result<Self, ServerError> {
        let mut config = Self::new(data);
        let path = config.data.join("config.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                config.settings = toml::from_str(&text)
                    .map_err(|error| ServerError::Config(format!("{}: {error}", path.display())))?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(ServerError::Config(format!("{}: {error}", path.display()))),
        }
        Ok(config)
    }

    /// The database URL in use.
    pub fn database_url(&self) -> String {
        match self.settings.database.as_str() {
            "" => sqlite_url(&self.data.join("server.db")),
            url => url.to_owned(),
        }
    }

    /// The address that clients use, given the one that was bound.
    pub(crate) fn public_url(&self, bound: SocketAddr) -> Result<Url, ServerError> {
        let text = match self.settings.public_url.as_str() {
            "" if self.settings.tls == Tls::default() => format!("http://{bound}"),
            "" => format!("https://{bound}"),
            url => url.trim_end_matches('/').to_owned(),
        };
        text.parse().map_err(|error| ServerError::Config(format!("public_url: {error}")))
    }

    pub(crate) fn gateway(&self) -> GatewayConfig {
        let upstream = self.settings.upstream;
        GatewayConfig {
            connect: Duration::from_secs(upstream.connect_s),
            first_byte: Duration::from_secs(upstream.first_byte_s),
            idle: Duration::from_secs(upstream.idle_s),
            total: Duration::from_secs(upstream.total_s),
            health: (upstream.rest_after_failures > 0).then(|| HealthConfig {
                failures: upstream.rest_after_failures,
                longest: Duration::from_secs(upstream.longest_rest_s),
                ..HealthConfig::default()
            }),
            user_agent: concat!("plantocode-server/", env!("CARGO_PKG_VERSION")).into(),
            ..GatewayConfig::default()
        }
    }
}

fn sqlite_url(path: &Path) -> String {
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite://{escaped}?mode=rwc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_shows_the_defaults() {
        assert_eq!(toml::from_str::<Settings>(EXAMPLE).unwrap(), Settings::default());
    }

    #[test]
    fn a_misspelt_setting_is_an_error() {
        assert!(toml::from_str::<Settings>("[limits]\nconcurent = 3").is_err());
    }
}
