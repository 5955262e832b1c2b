//! `GET /api/usage`: what was used and what it cost; administrators and auditors see everybody's.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::state::State;

#[derive(Deserialize)]
pub(crate) struct Query {
    /// Only usage since this moment, milliseconds since 1970.
    #[serde(default)]
    since_ms: i64,
    /// How many single requests to list.
    #[serde(default)]
    limit: Option<i64>,
}

pub(crate) async fn usage(
    request: HttpRequest,
    state: web::Data<State>,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let principal = state.principal(&request)?;
    // A token asks for models; what others have used is no business of it, whosever it is.
    let all = principal.sees_everything() && state.person(&request).is_ok();
    let user = (!all).then_some(principal.user_id.as_str());
    let sums = state.store.usage_by_model(&principal.org_id, user, query.since_ms).await?;
    let limit = query.limit.unwrap_or(50).clamp(0, 500);
    let requests = state.store.recent_usage(&principal.org_id, user, limit).await?;
    let by_model = sums.iter().map(|sum| {
        json!({
            "provider": sum.provider, "model": sum.model, "requests": sum.requests,
            "input_tokens": sum.input_tokens, "output_tokens": sum.output_tokens,
            "cost_microusd": sum.cost_microusd,
        })
    });
    let requests = requests.iter().map(|row| {
        json!({
            "request_id": row.request_id, "user": row.user_id, "token": row.token_id, "job": row.job, "at_ms": row.at_ms,
            "provider": row.provider, "model": row.model, "outcome": row.outcome,
            "input_tokens": row.input_tokens, "output_tokens": row.output_tokens,
            "cache_read_tokens": row.cache_read_tokens, "cache_write_tokens": row.cache_write_tokens,
            "reasoning_tokens": row.reasoning_tokens, "estimated": row.estimated,
            "cost_microusd": row.cost_microusd,
        })
    });
    let days = state.store.spent_by_day(&principal.org_id, user, query.since_ms).await?;
    let by_day: Vec<_> = days
        .iter()
        .map(|(day_ms, user, microusd)| json!({ "day_ms": day_ms, "user": user, "cost_microusd": microusd }))
        .collect();
    let body = json!({ "by_day": by_day, "by_model": by_model.collect::<Vec<_>>(), "requests": requests.collect::<Vec<_>>() });
    Ok(HttpResponse::Ok().json(body))
}
