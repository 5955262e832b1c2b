//! `GET /api/audit`: the newest audit records, for administrators and auditors.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::state::State;

#[derive(Deserialize)]
pub(crate) struct Query {
    #[serde(default)]
    limit: Option<i64>,
}

pub(crate) async fn audit(
    request: HttpRequest,
    state: web::Data<State>,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let principal = state.person(&request)?;
    if !principal.sees_everything() {
        return Err(ApiError::forbidden("only administrators and auditors see the audit"));
    }
    let limit = query.limit.unwrap_or(50).clamp(1, 500);
    let rows = state.store.recent_audit(&principal.org_id, limit).await?;
    let record = |bytes: &[u8]| serde_json::from_slice::<Box<RawValue>>(bytes).ok();
    let records: Vec<_> = rows
        .iter()
        .map(|row| json!({ "node": row.node, "seq": row.seq, "hash": row.hash, "record": record(&row.record) }))
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "records": records })))
}
