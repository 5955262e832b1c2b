//! `/api/admin/limits` and `/api/admin/users/{id}/limits`: what may be asked for, by everybody and by one person.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use server_store::OwnLimits;

use super::users::somebody;
use super::{administrator, record};
use crate::audit::Change;
use crate::config::Rate;
use crate::error::ApiError;
use crate::identity::Principal;
use crate::policy::{InForce, shown_limits};
use crate::state::State;

/// Limits to be set, in the place of those that were: what is not given is as by default, 0 is no limit.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Given {
    requests_per_minute: Option<u32>,
    tokens_per_minute: Option<u32>,
    concurrent: Option<u32>,
    day_microusd: Option<u64>,
    month_microusd: Option<u64>,
}

impl From<Given> for OwnLimits {
    fn from(given: Given) -> Self {
        let Given { requests_per_minute, tokens_per_minute, concurrent, day_microusd, month_microusd } =
            given;
        Self { requests_per_minute, tokens_per_minute, concurrent, day_microusd, month_microusd }
    }
}

/// `GET /api/admin/limits`: what the configuration sets, what was set for everybody, and for whom something else was; 0 is no limit.
pub(crate) async fn show(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    reply(&state, &admin).await
}

/// `PUT /api/admin/limits`: limits of each person who has none of their own.
pub(crate) async fn set_for_everybody(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Json<Given>,
) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    change(&request, &state, &admin, None, Some(*body)).await?;
    reply(&state, &admin).await
}

/// `DELETE /api/admin/limits`: those of the configuration hold again.
pub(crate) async fn reset_for_everybody(
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    change(&request, &state, &admin, None, None).await?;
    reply(&state, &admin).await
}

/// `GET /api/admin/users/{id}/limits`: what was set for a person, and what holds.
pub(crate) async fn of_user(
    request: HttpRequest,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (admin, user) = somebody(&request, &state, &id).await?;
    reply_of(&state, &admin, &user.id).await
}

/// `PUT /api/admin/users/{id}/limits`
pub(crate) async fn set_for_user(
    request: HttpRequest,
    state: web::Data<State>,
    id: web::Path<String>,
    body: web::Json<Given>,
) -> Result<HttpResponse, ApiError> {
    let (admin, user) = somebody(&request, &state, &id).await?;
    change(&request, &state, &admin, Some(&user.id), Some(*body)).await?;
    reply_of(&state, &admin, &user.id).await
}

/// `DELETE /api/admin/users/{id}/limits`: the defaults hold again.
pub(crate) async fn reset_for_user(
    request: HttpRequest,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (admin, user) = somebody(&request, &state, &id).await?;
    change(&request, &state, &admin, Some(&user.id), None).await?;
    reply_of(&state, &admin, &user.id).await
}

/// Sets or takes away the limits of one person or, without one, of each. They act on this node at once.
async fn change(
    request: &HttpRequest,
    state: &State,
    admin: &Principal,
    user_id: Option<&str>,
    given: Option<Given>,
) -> Result<(), ApiError> {
    let limits = given.map(OwnLimits::from);
    let (what, to) = match &limits {
        Some(limits) => ("limits.set", Some(shown_limits(limits).to_string())),
        None => ("limits.reset", None),
    };
    let target = user_id.unwrap_or(&admin.org_id).to_owned();
    record(request, state, admin, Change { what, target, to }).await?;
    match &limits {
        Some(limits) => {
            let now_ms = state.env.now_ms();
            state.store.set_own_limits(&admin.org_id, user_id, limits, now_ms).await?;
        }
        None => state.store.reset_own_limits(&admin.org_id, user_id).await?,
    }
    state.policy.reload(&state.store, state.env.now_ms(), false).await?;
    Ok(())
}

async fn reply_of(state: &State, admin: &Principal, user_id: &str) -> Result<HttpResponse, ApiError> {
    let own = state.store.own_limits_of(&admin.org_id, Some(user_id)).await?;
    let InForce { rate, day_microusd, month_microusd } = state.policy.in_force(&admin.org_id, user_id);
    let mut in_force = shown_rate(rate);
    (in_force["day_microusd"], in_force["month_microusd"]) = (day_microusd.into(), month_microusd.into());
    Ok(HttpResponse::Ok().json(json!({ "own": own.as_ref().map(shown_limits), "in_force": in_force })))
}

async fn reply(state: &State, admin: &Principal) -> Result<HttpResponse, ApiError> {
    let (limits, budgets) = (&state.settings.limits, &state.settings.budgets);
    let person = Rate {
        requests_per_minute: limits.requests_per_minute,
        tokens_per_minute: limits.tokens_per_minute,
        concurrent: limits.concurrent,
    };
    let everybody = state.store.own_limits_of(&admin.org_id, None).await?;
    let rows = state.store.own_limits().await?;
    let ours = rows.into_iter().filter(|row| row.org_id == admin.org_id);
    let mut people: Vec<_> = ours.filter_map(|row| Some((row.user_id?, row.limits))).collect();
    people.sort_by(|(one, _), (other, _)| one.cmp(other));
    let people: Vec<Value> =
        people.iter().map(|(id, own)| json!({ "user_id": id, "own": shown_limits(own) })).collect();
    let rate = shown_rate;
    Ok(HttpResponse::Ok().json(json!({
        "rates": {
            "user": rate(person), "device": rate(limits.device), "token": rate(limits.token), "model": rate(limits.model),
            "address": rate(limits.address),
        },
        "budgets": {
            "user_day_microusd": budgets.user_day_microusd, "user_month_microusd": budgets.user_month_microusd,
            "org_day_microusd": budgets.org_day_microusd, "org_month_microusd": budgets.org_month_microusd,
        },
        "everybody": everybody.as_ref().map(shown_limits), "people": people,
        "body_mib": limits.body_mib, "body_s": limits.body_s,
        "shared_by_nodes": !state.settings.redis.url.is_empty(),
    })))
}

fn shown_rate(rate: Rate) -> Value {
    json!({
        "requests_per_minute": rate.requests_per_minute, "tokens_per_minute": rate.tokens_per_minute,
        "concurrent": rate.concurrent,
    })
}
