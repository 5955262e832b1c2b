//! `GET /.well-known/jwks.json`: the public halves of the signing keys.

use actix_web::{HttpResponse, web};

use crate::identity::KEY_CACHE_MS;
use crate::state::State;

pub(crate) async fn jwks(state: web::Data<State>) -> HttpResponse {
    let cache = format!("public, max-age={}", KEY_CACHE_MS / 1_000);
    HttpResponse::Ok().insert_header(("cache-control", cache)).json(state.keys.jwks(&state.audit_key))
}
