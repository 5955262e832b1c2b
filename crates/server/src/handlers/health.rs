//! `GET /healthz` (the process lives) and `GET /readyz` (what it depends on answers).

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::state::State;

pub(crate) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

pub(crate) async fn readyz(state: web::Data<State>) -> HttpResponse {
    let database = state.store.ping().await;
    if let Err(error) = &database {
        tracing::error!(%error, "the database does not answer");
    }
    let word = if database.is_ok() { "ok" } else { "failed" };
    let body =
        json!({ "status": word, "dependencies": { "database": word }, "in_flight": state.in_flight.count() });
    match database {
        Ok(()) => HttpResponse::Ok().json(body),
        Err(_) => HttpResponse::ServiceUnavailable().json(body),
    }
}
