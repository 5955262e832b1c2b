//! `/api/admin/org` and `/api/admin/limits`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use server_store::OrgRow;

use super::{administrator, not_found, record};
use crate::audit::Change;
use crate::config::Rate;
use crate::error::ApiError;
use crate::state::State;

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

/// `GET /api/admin/org`
pub(crate) async fn show(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    reply(&state, &admin.org_id).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Renamed {
    name: String,
}

/// `PUT /api/admin/org`
pub(crate) async fn change(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Json<Renamed>,
) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    let name = body.name.trim();
    if name.is_empty() || name.chars().nth(LONGEST_NAME).is_some() || name.chars().any(char::is_control) {
        return Err(ApiError::invalid(format!("`name` must be from 1 to {LONGEST_NAME} characters")));
    }
    let target = admin.org_id.clone();
    record(&request, &state, &admin, Change { what: "org.rename", target, to: Some(name.to_owned()) })
        .await?;
    state.store.rename_org(&admin.org_id, name).await?;
    reply(&state, &admin.org_id).await
}

async fn reply(state: &State, id: &str) -> Result<HttpResponse, ApiError> {
    let org: Option<OrgRow> = state.store.org(id).await?;
    let org = org.ok_or_else(|| not_found("this organisation does not exist"))?;
    Ok(HttpResponse::Ok().json(json!({ "id": org.id, "name": org.name, "created_ms": org.created_ms })))
}

/// `GET /api/admin/limits`: what the configuration sets; 0 is no limit.
pub(crate) async fn limits(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    administrator(&request, &state).await?;
    let (limits, budgets) = (&state.settings.limits, &state.settings.budgets);
    let rate = |rate: Rate| -> Value {
        json!({
            "requests_per_minute": rate.requests_per_minute, "tokens_per_minute": rate.tokens_per_minute,
            "concurrent": rate.concurrent,
        })
    };
    let person = Rate {
        requests_per_minute: limits.requests_per_minute,
        tokens_per_minute: limits.tokens_per_minute,
        concurrent: limits.concurrent,
    };
    Ok(HttpResponse::Ok().json(json!({
        "rates": {
            "user": rate(person), "device": rate(limits.device), "token": rate(limits.token), "model": rate(limits.model),
            "address": rate(limits.address),
        },
        "budgets": {
            "user_day_microusd": budgets.user_day_microusd, "user_month_microusd": budgets.user_month_microusd,
            "org_day_microusd": budgets.org_day_microusd, "org_month_microusd": budgets.org_month_microusd,
        },
        "body_mib": limits.body_mib, "body_s": limits.body_s,
        "shared_by_nodes": !state.settings.redis.url.is_empty(),
    })))
}
