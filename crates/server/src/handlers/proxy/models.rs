//! `GET /v1/models`: the models the caller's organisation has keys for, with what a client needs to choose.

use actix_web::{HttpRequest, HttpResponse, web};
use llm::Prices;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::routes::Model;
use crate::state::State;

pub(crate) async fn models(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let principal = state.principal(&request)?;
    let table = state.routes.table();
    let data: Vec<_> = table.models(&principal.org_id).iter().map(describe).collect();
    Ok(HttpResponse::Ok().json(json!({ "object": "list", "data": data })))
}

fn describe(model: &Model<'_>) -> Value {
    let first = model.routes.first();
    let destinations: Vec<_> = model
        .routes
        .iter()
        .map(|route| json!({ "provider": route.provider, "model": route.upstream_model }))
        .collect();
    json!({
        "id": model.alias,
        "object": "model",
        "created": model.created_s,
        "owned_by": first.map(|route| route.provider.as_str()),
        "provider": first.map(|route| route.provider.as_str()),
        "context_window": first.map(|route| route.limits.context_window),
        "max_output_tokens": first.map(|route| route.limits.max_output_tokens),
        "prices": model.prices.map(prices),
        "destinations": destinations,
    })
}

/// Micro-dollars per million tokens.
fn prices(prices: Prices) -> Value {
    json!({
        "input": prices.input,
        "output": prices.output,
        "cache_read": prices.cache_read.unwrap_or(prices.input),
        "cache_write": prices.cache_write.unwrap_or(prices.input),
    })
}
