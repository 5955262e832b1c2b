//! Every reply carries `x-request-id`, and so does every line of the log that is about its request.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpRequest, web};
use tracing::Instrument as _;

use crate::state::{State, bearer};
use crate::telemetry::log_span;

/// The id of a request; ours, never the client's.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub String);

impl RequestId {
    /// The id that [`stamp`] gave to this request.
    pub fn of(request: &HttpRequest) -> String {
        request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
    }
}

/// Gives each request an id and names it in the reply; forbids guessing of content types.
pub(crate) async fn stamp(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let state = request.app_data::<web::Data<State>>().cloned();
    let id = state.as_ref().map(|state| state.env.id()).unwrap_or_default();
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = log_span(&id, request.headers());
    if let Some(state) = &state {
        look_at_token(&request, state).instrument(span.clone()).await;
    }
    let mut reply = next.call(request).instrument(span).await?;
    let headers = reply.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    Ok(reply)
}

/// Issuers' tokens may need to be looked at over the network, which the handlers do not wait for.
async fn look_at_token(request: &ServiceRequest, state: &State) {
    if let Some(token) = bearer(request.headers())
        && let Err(error) = state.issuers.look(token, &state.store).await
    {
        tracing::error!(%error, "a token of an issuer cannot be looked at");
    }
}
