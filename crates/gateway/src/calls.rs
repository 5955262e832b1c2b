//! Plain calls: sign-in, account and model lists of our own server.

use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::Whose;
use crate::retry::retry_after;
use crate::send::read_limited;
use crate::{Gateway, GatewayError};

impl Gateway {
    /// `GET` with an optional bearer token; the answer is JSON.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        url: &Url,
        bearer: Option<&SecretString>,
    ) -> Result<T, GatewayError> {
        self.call(url, bearer, self.clients.for_url(url).get(url.clone())).await
    }

    /// `POST` of a JSON body with an optional bearer token; the answer is JSON.
    pub async fn post_json<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        url: &Url,
        bearer: Option<&SecretString>,
        body: &B,
    ) -> Result<T, GatewayError> {
        self.call(url, bearer, self.clients.for_url(url).post(url.clone()).json(body)).await
    }

    /// `POST` of a form, as OAuth endpoints take it; the answer is JSON. An OAuth error such as
    /// `authorization_pending` is [`GatewayError::Rejected`] with that code.
    pub async fn post_form<T: DeserializeOwned>(
        &self,
        url: &Url,
        bearer: Option<&SecretString>,
        fields: &[(&str, &str)],
    ) -> Result<T, GatewayError> {
        self.post_proven(url, bearer, None, fields).await
    }

    /// The same with a proof of the device's key (DPoP, RFC 9449).
    pub async fn post_proven<T: DeserializeOwned>(
        &self,
        url: &Url,
        bearer: Option<&SecretString>,
        proof: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Result<T, GatewayError> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = self
            .clients
            .for_url(url)
            .post(url.clone())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        if let Some(proof) = proof {
            request = request.header("dpop", proof);
        }
        self.call(url, bearer, request).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        url: &Url,
        bearer: Option<&SecretString>,
        mut request: RequestBuilder,
    ) -> Result<T, GatewayError> {
        let name = url.host_str().unwrap_or("the server").to_owned();
        if let Some(token) = bearer {
            request = request.bearer_auth(token.expose_secret());
        }
        let transport = |error| GatewayError::from_transport(&name, error);
        let response = request.timeout(self.config.call).send().await.map_err(transport)?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let body = read_limited(response, self.config.max_answer, &name).await?;
        if !(200..300).contains(&status) {
            let error = llm::decode_error(status, &body);
            return Err(GatewayError::from_upstream(&name, error, retry_after, Whose::Ours));
        }
        serde_json::from_slice(&body).map_err(|error| GatewayError::Unavailable {
            provider: name,
            status: Some(status),
            message: format!("its answer cannot be read: {error}"),
        })
    }
}
