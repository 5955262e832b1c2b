//! `GET /.well-known/jwks.json`: the public halves of the signing keys.

use actix_web::{HttpResponse, web};

use crate::state::State;

pub(crate) async fn jwks(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok().insert_header(("cache-control", "public, max-age=300")).json(state.keys.jwks())
}
