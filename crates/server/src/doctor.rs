//! What an operator should know before others notice: each thing that a server needs, whether it is there, and what to do.

use std::net::TcpListener;
use std::time::Duration;

use llm::Catalogue;

use crate::ServerError;
use crate::admin::Admin;
use crate::config::{Config, OnFailure};
use crate::metrics::Metrics;
use crate::policy::SharedRates;

/// How long Redis may take to answer.
const REDIS: Duration = Duration::from_secs(2);

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// The server runs, and something is worth knowing.
    Warning,
    /// The server does not run, or does not do what it is for.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub verdict: Verdict,
    /// What was looked at, and what to do.
    pub text: String,
}

fn good(text: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Good, text: text.into() }
}

fn warning(text: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Warning, text: text.into() }
}

fn bad(text: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Bad, text: text.into() }
}

/// Looks at everything. It changes nothing, but makes the data directory and the database where there are none, as a start
/// would.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![address(config), public_url(config)];
    findings.extend(redis(config).await);
    match Admin::open(config).await {
        Ok(admin) => {
            findings.push(good(format!("data directory {}", config.data.display())));
            findings
                .extend(inside(config, &admin).await.unwrap_or_else(|error| vec![bad(error.to_string())]));
            admin.close().await;
        }
        Err(error) => findings.push(bad(format!("{error}; nothing else can be looked at"))),
    }
    findings
}

fn address(config: &Config) -> Finding {
    let listen = config.settings.listen;
    match TcpListener::bind(listen) {
        Ok(_) => good(format!("address {listen} is free")),
        Err(error) => {
            warning(format!("address {listen}: {error}; if the server runs there, that is as it should be"))
        }
    }
}

fn public_url(config: &Config) -> Finding {
    match config.settings.public_url.as_str() {
        "" if config.settings.listen.ip().is_loopback() => {
            good("only this machine reaches the server; set public_url for others")
        }
        "" => warning("other machines reach the server without TLS: put a proxy in front and set public_url"),
        url if url.starts_with("https://") => good(format!("public_url {url}")),
        url => warning(format!("public_url {url} is not https: passwords and tokens travel in the clear")),
    }
}

async fn redis(config: &Config) -> Option<Finding> {
    let settings = &config.settings.redis;
    let shared = match SharedRates::start(settings, config.env.id(), Metrics::new()) {
        Ok(shared) => shared?,
        Err(error) => return Some(bad(error.to_string())),
    };
    Some(match shared.answers_within(REDIS).await {
        true => good("Redis answers, and understands what is asked of it"),
        false if settings.on_failure == OnFailure::Local => {
            warning("Redis does not answer: limits hold for each node alone")
        }
        false => {
            bad("Redis does not answer: requests to models are refused; see [redis] in the configuration")
        }
    })
}

async fn inside(config: &Config, admin: &Admin) -> Result<Vec<Finding>, ServerError> {
    let mut findings = vec![good("the database answers, and its schema is that of this version")];
    findings.push(match admin.has_admin().await? {
        true => good("there is an administrator"),
        false => warning("nobody administers yet: `serve` prints a link for the first one, or `user add NAME --role admin`"),
    });
    let keys = admin.keys().await?;
    if keys.is_empty() {
        findings.push(bad("there is no provider key, so no model can be asked: `keys add`"));
    }
    match admin.opens_everything().await {
        Ok(count) => findings.push(good(format!("the master key opens all {count} sealed records"))),
        Err(error) => {
            findings.push(bad(format!("{error}; put the master key back that they were sealed under")))
        }
    }
    let catalogue = catalogue(config)?;
    for key in &keys {
        let models: Vec<String> = serde_json::from_str(&key.models).unwrap_or_default();
        let upstream =
            models.iter().map(|model| model.split_once('=').map_or(model.as_str(), |(_, name)| name));
        let unknown: Vec<&str> =
            upstream.filter(|model| catalogue.find(&key.provider, model).is_none()).collect();
        if !unknown.is_empty() {
            let names = unknown.join(", ");
            findings.push(warning(format!(
                "no price is known for {names} of {}: its cost is not counted and budgets refuse it; add it to a catalogue",
                key.provider
            )));
        }
    }
    let report = admin.verify_audit().await?;
    let broken = report.chains.iter().filter(|chain| chain.broken.is_some()).count();
    let checkpoints = report.checkpoints;
    findings.push(match (broken, checkpoints.broken) {
        (0, None) => good(format!("the audit is in order, with {} checkpoints", checkpoints.checkpoints)),
        _ => bad("the audit is not intact: `audit verify` says where"),
    });
    Ok(findings)
}

fn catalogue(config: &Config) -> Result<Catalogue, ServerError> {
    crate::server::catalogue(config)
}
