use std::sync::Arc;

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use url::{Host, Url};

use crate::{GatewayConfig, GatewayError};

/// Connections to one place that are kept while nothing goes over them. Without a limit, what a thousand streams needed for a
/// minute would stay open, with its buffers, for a minute and a half more.
const IDLE_CONNECTIONS: usize = 64;

/// The HTTP clients: the system's proxy settings apply, except for this machine itself.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    tls: ClientConfig,
    direct: reqwest::Client,
    proxied: reqwest::Client,
}

impl Clients {
    pub(crate) fn new(config: &GatewayConfig) -> Result<Self, GatewayError> {
        Self::with(config, tls()?)
    }

    /// The same with no connections yet.
    pub(crate) fn renewed(&self, config: &GatewayConfig) -> Result<Self, GatewayError> {
        Self::with(config, self.tls.clone())
    }

    fn with(config: &GatewayConfig, tls: ClientConfig) -> Result<Self, GatewayError> {
        let build = |direct: bool| {
            let builder = reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(config.connect)
                .tcp_nodelay(true)
                .pool_max_idle_per_host(IDLE_CONNECTIONS)
                .user_agent(&config.user_agent);
            let builder = if direct { builder.no_proxy() } else { builder };
            builder.build().map_err(|error| GatewayError::Setup(error.to_string()))
        };
        let (direct, proxied) = (build(true)?, build(false)?);
        Ok(Self { tls, direct, proxied })
    }

    pub(crate) fn for_url(&self, url: &Url) -> &reqwest::Client {
        let local = match url.host() {
            Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if local { &self.direct } else { &self.proxied }
    }
}

/// TLS by ring and the system's trust store, without a process-wide default.
fn tls() -> Result<ClientConfig, GatewayError> {
    let setup = |error: rustls::Error| GatewayError::Setup(error.to_string());
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(setup)?
        .with_platform_verifier()
        .map_err(setup)?
        .with_no_client_auth();
    Ok(config)
}
