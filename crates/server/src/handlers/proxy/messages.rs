//! `POST /v1/messages` and `POST /v1/messages/count_tokens`: Anthropic's messages.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use actix_web::{HttpRequest, HttpResponse, web};
use llm::inbound::{Door, estimate_messages};
use serde_json::json;

use super::{admission, body, serve};
use crate::error::ApiError;
use crate::request_id::RequestId;
use crate::state::{State, address};

/// Says of a number that it is an estimate.
const HEADER_ESTIMATE: &str = "x-plantocode-estimate";

pub(crate) async fn messages(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    serve::serve(Door::Messages, request, state, body).await
}

/// The tokens of a request by our own estimate: nothing leaves, so nothing is recorded.
pub(crate) async fn count_tokens(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let request_id = RequestId::of(&request);
    let counted = count(&request, &state, body).await;
    let tokens = counted.map_err(|error| error.at(Door::Messages, &request_id))?;
    Ok(HttpResponse::Ok()
        .insert_header((HeaderName::from_static(HEADER_ESTIMATE), "bytes"))
        .insert_header((HeaderName::from_static(serve::HEADER_REQUEST), request_id))
        .json(json!({ "input_tokens": tokens })))
}

async fn count(request: &HttpRequest, state: &web::Data<State>, body: web::Payload) -> Result<u64, ApiError> {
    let principal = admission::principal(Door::Messages, request, state)?;
    let _permit = state.policy.admit_alone(&principal, &address(request), state.env.now_ms()).await?;
    let body = body::read(request, body, &state.settings.limits).await?;
    let (model, tokens) = estimate_messages(&body)?;
    admission::may_ask(&principal, &model, true)?;
    if state.routes.table().find(&principal.org_id, &model).is_empty() {
        let status = StatusCode::NOT_FOUND;
        return Err(ApiError::new(status, "model_not_found", admission::no_such_model(&model)));
    }
    Ok(tokens)
}
