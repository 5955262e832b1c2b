//! Small documents of others, with narrow limits: what an issuer says about itself, its keys, its tokens.

use std::time::Duration;

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::send::read_limited;
use crate::{Gateway, GatewayError};

/// What is fetched, and how long and large it may be.
#[derive(Debug)]
pub struct Fetch<'a> {
    /// From where. No redirect is followed.
    pub url: &'a Url,
    /// A form to post; otherwise it is got.
    pub form: Option<&'a [(&'a str, &'a str)]>,
    /// Name and secret for basic authentication.
    pub basic: Option<(&'a str, &'a SecretString)>,
    /// For all of it.
    pub time: Duration,
    /// Bytes of the answer.
    pub limit: usize,
}

impl Gateway {
    /// Status and body of the answer, whatever the status is.
    pub async fn fetch(&self, fetch: Fetch<'_>) -> Result<(u16, Bytes), GatewayError> {
        let name = fetch.url.host_str().unwrap_or("the server").to_owned();
        let client = self.clients.for_url(fetch.url);
        let mut request = match fetch.form {
            Some(fields) => {
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                let request = client.post(fetch.url.clone()).body(body);
                request.header("content-type", "application/x-www-form-urlencoded")
            }
            None => client.get(fetch.url.clone()),
        };
        if let Some((user, secret)) = fetch.basic {
            request = request.basic_auth(user, Some(secret.expose_secret()));
        }
        let request = request.header("accept", "application/json");
        let answer = async {
            let response =
                request.send().await.map_err(|error| GatewayError::from_transport(&name, error))?;
            let status = response.status().as_u16();
            Ok((status, read_limited(response, fetch.limit, &name).await?))
        };
        tokio::time::timeout(fetch.time, answer).await.unwrap_or_else(|_| {
            Err(GatewayError::Unavailable {
                provider: name.clone(),
                status: None,
                message: "it did not answer in time".into(),
            })
        })
    }
}
