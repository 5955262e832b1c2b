//! `POST /api/llm/cancel`: stops one's own requests by request id or job.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::state::State;

#[derive(Deserialize)]
pub(crate) struct Cancel {
    #[serde(default)]
    request_id: Option<String>,
    #[serde(default)]
    job: Option<String>,
}

pub(crate) async fn cancel(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Json<Cancel>,
) -> Result<HttpResponse, ApiError> {
    let principal = state.principal(&request)?;
    let name = body.request_id.as_deref().or(body.job.as_deref());
    let name = name.ok_or_else(|| ApiError::invalid("`request_id` or `job` is needed"))?;
    let canceled = state.in_flight.cancel(&principal.user_id, name);
    // Here it has been stopped already; a job may run on several nodes.
    let others_told = state.nodes.cancel(&principal.user_id, name);
    Ok(HttpResponse::Ok().json(json!({ "canceled": canceled, "others_told": others_told })))
}
