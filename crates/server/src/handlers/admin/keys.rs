//! `/api/admin/keys`: the provider keys of the organisation, and who opened them. A key comes in and never goes out.

use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use server_store::{ProviderKeyRow, VaultLogRow};

use super::{administrator, outside, record, told};
use crate::admin::NewKey;
use crate::audit::Change;
use crate::error::ApiError;
use crate::provider_keys;
use crate::state::State;

/// `GET /api/admin/keys`
pub(crate) async fn list(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    let keys = state.store.provider_keys().await?;
    let keys: Vec<_> = keys.iter().filter(|key| key.org_id == admin.org_id).map(shown).collect();
    Ok(HttpResponse::Ok().json(json!({ "keys": keys })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Add {
    provider: String,
    dialect: String,
    base_url: String,
    models: Vec<String>,
    key: SecretString,
}

/// `POST /api/admin/keys`
pub(crate) async fn add(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Json<Add>,
) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    let Add { provider, dialect, base_url, models, key } = body.into_inner();
    check(&key)?;
    let new = NewKey { provider, dialect, base_url, models, key };
    provider_keys::check(&new).map_err(told)?;
    if !state.settings.upstream.private_over_http {
        outside::check(&new.base_url).await?;
    }
    let change = Change { what: "key.add", target: new.provider.clone(), to: Some(new.base_url.clone()) };
    record(&request, &state, &admin, change).await?;
    let added = provider_keys::add(&state.store, &state.vault, &state.env, admin.org_id.clone(), new).await;
    changed(&state, &added.map_err(told)?).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replace {
    key: SecretString,
}

/// `PUT /api/admin/keys/{id}`: another key in the same place.
pub(crate) async fn replace(
    request: HttpRequest,
    state: web::Data<State>,
    id: web::Path<String>,
    body: web::Json<Replace>,
) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    check(&body.key)?;
    let org = Some(admin.org_id.as_str());
    provider_keys::find(&state.store, &id, org).await.map_err(told)?;
    record(&request, &state, &admin, Change { what: "key.replace", target: id.clone(), to: None }).await?;
    provider_keys::replace(&state.store, &state.vault, &id, org, &body.key).await.map_err(told)?;
    changed(&state, &id).await
}

/// `DELETE /api/admin/keys/{id}`
pub(crate) async fn remove(
    request: HttpRequest,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    let org = Some(admin.org_id.as_str());
    provider_keys::find(&state.store, &id, org).await.map_err(told)?;
    record(&request, &state, &admin, Change { what: "key.remove", target: id.clone(), to: None }).await?;
    provider_keys::remove(&state.store, &id, org).await.map_err(told)?;
    state.routes.reload(&state.store, &state.vault).await?;
    Ok(HttpResponse::Ok().json(json!({ "removed": true })))
}

#[derive(Deserialize)]
pub(crate) struct Query {
    #[serde(default)]
    limit: Option<i64>,
}

/// `GET /api/admin/vault-log`: each time that a key of the organisation was opened, the newest first.
pub(crate) async fn log(
    request: HttpRequest,
    state: web::Data<State>,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    let limit = query.limit.unwrap_or(50).clamp(1, 500);
    let rows = state.store.vault_log(Some(&admin.org_id), limit).await?;
    let row = |row: &VaultLogRow| {
        json!({
            "at_ms": row.at_ms, "key": row.key_id, "provider": row.provider, "reason": row.reason, "actor": row.actor,
            "opened": row.opened,
        })
    };
    Ok(HttpResponse::Ok().json(json!({ "openings": rows.iter().map(row).collect::<Vec<_>>() })))
}

/// What cannot stand in a header is no key.
fn check(key: &SecretString) -> Result<(), ApiError> {
    let key = key.expose_secret();
    let good = !key.is_empty() && key.len() <= 8_192 && key.chars().all(|c| c.is_ascii_graphic());
    good.then_some(())
        .ok_or_else(|| ApiError::invalid("`key` must be from 1 to 8192 letters, digits and signs"))
}

/// The key as it is now; this node uses it from now on, others within two seconds.
async fn changed(state: &State, id: &str) -> Result<HttpResponse, ApiError> {
    state.routes.reload(&state.store, &state.vault).await?;
    let row = provider_keys::find(&state.store, id, None).await.map_err(told)?;
    Ok(HttpResponse::Ok().json(shown(&row)))
}

fn shown(key: &ProviderKeyRow) -> Value {
    json!({
        "id": key.id, "provider": key.provider, "dialect": key.dialect, "base_url": key.base_url,
        "models": serde_json::from_str::<Value>(&key.models).unwrap_or_default(), "version": key.version,
        "created_ms": key.created_ms,
    })
}
