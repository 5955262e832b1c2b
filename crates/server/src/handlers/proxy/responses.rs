//! `POST /v1/responses`: OpenAI's responses, without anything that has to be stored.

use actix_web::http::StatusCode;
use actix_web::http::header::UPGRADE;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use llm::inbound::Door;

use super::serve::serve;
use crate::error::ApiError;
use crate::state::State;

pub(crate) async fn responses(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    serve(Door::Responses, request, state, body).await
}

/// Clients that would rather speak WebSocket here are told at once to send a `POST`.
pub(crate) async fn no_web_socket(request: HttpRequest) -> HttpResponse {
    if request.headers().contains_key(UPGRADE) {
        let message = "there is no WebSocket here; send a POST over HTTP";
        let refusal = ApiError::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", message);
        return refusal.with_header("upgrade", "HTTP/1.1".into()).error_response();
    }
    let message = "responses are not stored here; there is only POST";
    let refusal = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
    refusal.with_header("allow", "POST".into()).error_response()
}
