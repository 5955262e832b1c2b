//! `GET /v1/models`: the models the caller's organisation has keys for, with what a client needs to choose.

use actix_web::{HttpRequest, HttpResponse, web};
use llm::inbound::Door;
use llm::{Prices, SearchLimit};
use serde_json::{Value, json};

use super::admission;
use crate::error::ApiError;
use crate::request_id::RequestId;
use crate::routes::Model;
use crate::state::State;

/// Anthropic's clients send their version with every request, and get what they need beside the usual members.
const HEADER_VERSION: &str = "anthropic-version";

pub(crate) async fn models(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let door = if request.headers().contains_key(HEADER_VERSION) { Door::Messages } else { Door::Chat };
    let principal = admission::principal(door, &request, &state)
        .map_err(|error| error.at(door, &RequestId::of(&request)))?;
    let table = state.routes.table();
    let data: Vec<_> = table.models(&principal.org_id).iter().map(describe).collect();
    let ends = [data.first(), data.last()].map(|model| model.map(|model| &model["id"]));
    let list =
        json!({ "object": "list", "has_more": false, "first_id": ends[0], "last_id": ends[1], "data": data });
    Ok(HttpResponse::Ok().json(list))
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
        "type": "model",
        "display_name": model.alias,
        "created": model.created_s,
        "owned_by": first.map(|route| route.provider.as_str()),
        "provider": first.map(|route| route.provider.as_str()),
        "context_window": first.map(|route| route.limits.context_window),
        "max_output_tokens": first.map(|route| route.limits.max_output_tokens),
        "prices": model.prices.map(prices),
        "destinations": destinations,
        "web_search": web_search(model),
    })
}

/// How the routes that can search the web keep to the most searches; `null` where none can.
fn web_search(model: &Model<'_>) -> Option<SearchLimit> {
    let limits = model.routes.iter().filter_map(|route| admission::for_search(route)?.dialect.search_limit());
    limits.reduce(|one, other| if one == SearchLimit::Kept { other } else { one })
}

/// Micro-dollars per million tokens, and for searches of the web micro-dollars each.
fn prices(prices: Prices) -> Value {
    json!({
        "input": prices.input,
        "output": prices.output,
        "cache_read": prices.cache_read.unwrap_or(prices.input),
        "cache_write": prices.cache_write.unwrap_or(prices.input),
        "long": prices.long,
        "web_search": prices.web_search,
        "web_search_request": prices.web_search_request,
    })
}
