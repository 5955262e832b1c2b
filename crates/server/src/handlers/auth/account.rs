//! `GET /api/account`: who the token belongs to.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::error::ApiError;
use crate::state::State;

pub(crate) async fn account(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let principal = state.person(&request)?;
    let user = state.store.user(&principal.user_id).await?;
    let user = user.ok_or_else(|| ApiError::unauthenticated("this account does not exist any more"))?;
    let device = state.store.device(&principal.device_id).await?;
    Ok(HttpResponse::Ok().json(json!({
        "user": { "id": user.id, "login": user.login, "role": user.role.as_str() },
        "org": { "id": user.org_id },
        "device": { "id": principal.device_id, "name": device.map(|device| device.name) },
        "server": { "url": state.public_url.as_str(), "version": env!("CARGO_PKG_VERSION") },
        "token_expires_ms": principal.expires_ms,
    })))
}
