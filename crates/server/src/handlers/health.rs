//! `GET /healthz` (the process lives) and `GET /readyz` (what it depends on answers).

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::config::OnFailure;
use crate::state::State;

pub(crate) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

pub(crate) async fn readyz(state: web::Data<State>) -> HttpResponse {
    let (database, redis) = tokio::join!(state.store.ping(), state.policy.redis());
    if let Err(error) = &database {
        tracing::error!(%error, "the database does not answer");
    }
    let word = |good: bool| if good { "ok" } else { "failed" };
    let mut dependencies = json!({ "database": word(database.is_ok()) });
    if let Some(redis) = redis {
        dependencies["redis"] = word(redis).into();
    }
    // Without Redis the node is of use if it may count for itself.
    let counts = redis.unwrap_or(true) || state.settings.redis.on_failure == OnFailure::Local;
    let ready = database.is_ok() && counts;
    let body = json!({
        "status": word(ready), "dependencies": dependencies, "in_flight": state.in_flight.count()
    });
    match ready {
        true => HttpResponse::Ok().json(body),
        false => HttpResponse::ServiceUnavailable().json(body),
    }
}
