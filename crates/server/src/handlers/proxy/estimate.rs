//! `POST /api/models/estimate`: what a request would use and cost, before it is sent. Nothing leaves.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use llm::{ChatRequest, Tally, Usage};
use serde_json::{Value, json};

use super::body;
use crate::error::ApiError;
use crate::policy::Most;
use crate::routes::Model;
use crate::state::State;

pub(crate) async fn estimate(
    request: HttpRequest,
    state: web::Data<State>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let principal = state.principal(&request)?;
    // It counts as a request: reading and parsing a body is most of the work of one.
    let address = crate::state::address(&request);
    let _permit = state.policy.admit_alone(&principal, &address, state.env.now_ms()).await?;
    let read = body::read(&request, payload, &state.settings.limits).await?;
    let chat = ChatRequest::parse(&read)?;
    let table = state.routes.table();
    let models = table.models(&principal.org_id);
    let model = models.iter().find(|model| model.alias == chat.model).ok_or_else(|| {
        let message = format!("the model `{}` does not exist here or you may not use it", chat.model);
        ApiError::new(StatusCode::NOT_FOUND, "model_not_found", message)
    })?;
    let bytes = llm::counted_bytes(&read);
    let prompt = Tally::new(bytes).usage().input_tokens;
    let destinations: Vec<Value> = destinations(&state, model, &chat, bytes, prompt);
    Ok(HttpResponse::Ok().json(json!({
        "model": chat.model,
        // From the size of the body; the provider's own count comes with the answer.
        "estimated": true,
        "input_tokens": prompt,
        "destinations": destinations,
    })))
}

/// For each route what the prompt alone costs, and what the longest answer would make of it.
fn destinations(
    state: &State,
    model: &Model<'_>,
    chat: &ChatRequest,
    body: usize,
    prompt: u64,
) -> Vec<Value> {
    let catalogue = state.routes.catalogue();
    let one = |route: &&gateway::Route| {
        let prices = catalogue.find(&route.provider, &route.upstream_model).map(|model| model.prices);
        let most =
            Most::of(body, (chat.max_tokens, chat.answers), &route.limits, prices, chat.web_search.as_ref());
        let answer = chat.max_tokens.unwrap_or(route.limits.max_output_tokens);
        let answer = answer.min(route.limits.max_output_tokens).saturating_mul(chat.answers);
        let alone = Usage { input_tokens: prompt, ..Usage::default() };
        json!({
            "provider": route.provider,
            "model": route.upstream_model,
            "context_window": route.limits.context_window,
            "fits": prompt < route.limits.context_window,
            "most_output_tokens": answer,
            "least_cost_microusd": prices.map(|prices| prices.cost_microusd(&alone)),
            "most_cost_microusd": most.microusd,
        })
    };
    model.routes.iter().map(one).collect()
}
