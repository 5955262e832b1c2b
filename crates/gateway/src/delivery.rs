//! Posts to places that are no providers, such as a collector of telemetry.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use url::Url;

use crate::client::Clients;
use crate::{GatewayConfig, GatewayError};

/// Delivers messages by HTTP. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Delivery {
    clients: Clients,
    limit: Duration,
}

impl Delivery {
    /// With connections of its own; a message takes at most `limit`.
    pub fn new(config: &GatewayConfig, limit: Duration) -> Result<Self, GatewayError> {
        Ok(Self { clients: Clients::new(config)?, limit })
    }

    /// Posts a message; the status of the answer, whose body is not read.
    pub async fn post(
        &self,
        url: &Url,
        content_type: &'static str,
        headers: &[(String, String)],
        body: Bytes,
    ) -> Result<u16, GatewayError> {
        let mut request = self.clients.for_url(url).post(url.clone()).timeout(self.limit);
        request = request.header(CONTENT_TYPE, HeaderValue::from_static(content_type));
        for (name, value) in headers {
            let wrong = || GatewayError::Setup(format!("the header `{name}` cannot be sent"));
            let parsed = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
            let mut value = HeaderValue::try_from(value.as_str()).map_err(|_| wrong())?;
            value.set_sensitive(true);
            request = request.header(parsed, value);
        }
        let host = url.host_str().unwrap_or_default();
        let reply = request.body(body).send().await;
        Ok(reply.map_err(|error| GatewayError::from_transport(host, error))?.status().as_u16())
    }
}
