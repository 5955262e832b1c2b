//! `GET /api/llm/status/{id}`: where one's own request stands.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::error::ApiError;
use crate::state::State;

pub(crate) async fn status(
    request: HttpRequest,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let principal = state.principal(&request)?;
    if let Some(started_ms) = state.in_flight.started(&principal.user_id, &id) {
        let running_ms = state.env.now_ms() - started_ms;
        return Ok(HttpResponse::Ok()
            .json(json!({ "request_id": *id, "state": "running", "running_ms": running_ms })));
    }
    // Another person's request is as good as none.
    let row = state.store.usage_of(&id).await?.filter(|row| row.user_id == principal.user_id);
    let row = row.ok_or_else(|| {
        let message = "there is no such request of yours that runs or has used anything";
        ApiError::new(StatusCode::NOT_FOUND, "not_found", message)
    })?;
    Ok(HttpResponse::Ok().json(json!({
        "request_id": row.request_id, "state": row.outcome, "ended_ms": row.at_ms,
        "provider": row.provider, "model": row.model,
        "input_tokens": row.input_tokens, "output_tokens": row.output_tokens,
        "cost_microusd": row.cost_microusd, "estimated": row.estimated,
    })))
}
