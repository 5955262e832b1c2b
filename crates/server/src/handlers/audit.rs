//! `GET /api/audit`: the newest audit records, for administrators and auditors; and whether they are intact.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::ServerError;
use crate::audit::verify_all;
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
    let records: Vec<Option<Box<RawValue>>> =
        rows.iter().map(|row| serde_json::from_slice(&row.record).ok()).collect();
    let from = |record: &Option<Box<RawValue>>| {
        let from: From = serde_json::from_str(record.as_ref()?.get()).ok()?;
        Some(from.from).filter(|pseudonym| !pseudonym.is_empty())
    };
    let pseudonyms: Vec<Option<String>> = records.iter().map(from).collect();
    let mut known: Vec<String> = pseudonyms.iter().flatten().cloned().collect();
    known.sort();
    known.dedup();
    let addresses = state.store.addresses(&known).await?;
    let shown: Vec<_> = rows
        .iter()
        .zip(&records)
        .zip(&pseudonyms)
        .map(|((row, record), pseudonym)| {
            // What was erased is null; so is what older records have in themselves.
            let address = pseudonym.as_ref().and_then(|pseudonym| addresses.get(pseudonym));
            json!({ "node": row.node, "seq": row.seq, "hash": row.hash, "address": address, "record": record })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "records": shown })))
}

/// The part of a record that says where it came from.
#[derive(Deserialize)]
struct From {
    #[serde(default)]
    from: String,
}

/// `GET /api/audit/verify`: walks every chain and the signed checkpoints. One walk at a time: it reads everything there is.
pub(crate) async fn verify(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    if !state.person(&request)?.sees_everything() {
        return Err(ApiError::forbidden("only administrators and auditors see the audit"));
    }
    let Ok(_walk) = state.verifying.try_lock() else {
        let message = "the audit is being verified for somebody already; ask again when that is done";
        return Err(ApiError::rate_limited(Duration::from_secs(10), message));
    };
    let failed = |error: ServerError| {
        tracing::error!(%error, "the audit cannot be verified");
        ApiError::unavailable("the audit cannot be read to its end; the log of the server says why")
    };
    let report = verify_all(&state.store, &state.vault).await.map_err(failed)?;
    let broken = |broken: &Option<(i64, String)>| {
        broken.as_ref().map(|(at, problem)| json!({ "at": at, "problem": problem }))
    };
    let chains: Vec<_> = report
        .chains
        .iter()
        .map(|chain| {
            json!({ "node": chain.node, "records": chain.records, "head": chain.head, "broken": broken(&chain.broken) })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({
        "intact": report.is_intact(),
        "chains": chains,
        "checkpoints": { "count": report.checkpoints.checkpoints, "broken": broken(&report.checkpoints.broken) },
    })))
}
