//! `GET /metrics`, for Prometheus: by the token of the configuration, or for administrators and auditors.

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, web};
use sha2::{Digest as _, Sha256};

use crate::error::ApiError;
use crate::metrics::Now;
use crate::state::State;

/// The media type of OpenMetrics.
const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) async fn metrics(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    if !has_token(&request, &state.settings.metrics_token) && !state.person(&request)?.sees_everything() {
        return Err(ApiError::forbidden("only administrators and auditors see the metrics"));
    }
    let table = state.routes.table();
    let now = Now {
        in_flight: state.in_flight.count(),
        database: state.store.ping().await.is_ok(),
        redis: state.policy.redis_is_up().unwrap_or(true),
        routes: state.gateway.health(&table.routes()),
    };
    let text =
        state.metrics.text(&now).map_err(|_| ApiError::unavailable("the metrics cannot be written"))?;
    Ok(HttpResponse::Ok().content_type(TYPE).body(text))
}

/// Digests are compared, so that the time taken tells nothing about the token.
fn has_token(request: &HttpRequest, token: &str) -> bool {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    !token.is_empty() && given.is_some_and(|given| Sha256::digest(given) == Sha256::digest(token))
}
