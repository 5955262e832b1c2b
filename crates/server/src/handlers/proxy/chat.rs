//! `POST /v1/chat/completions`: the canonical request.

use actix_web::{HttpRequest, HttpResponse, web};
use llm::inbound::Door;

use super::serve::serve;
use crate::error::ApiError;
use crate::state::State;

pub(crate) async fn chat(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    serve(Door::Chat, request, state, body).await
}
