//! `/api/admin/org`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use server_store::OrgRow;

use super::{administrator, not_found, record};
use crate::audit::Change;
use crate::error::ApiError;
use crate::state::State;

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

/// `GET /api/admin/org`
pub(crate) async fn show(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    reply(&state, &admin.org_id).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Renamed {
    name: String,
}

/// `PUT /api/admin/org`
pub(crate) async fn change(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Json<Renamed>,
) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    let name = body.name.trim();
    if name.is_empty() || name.chars().nth(LONGEST_NAME).is_some() || name.chars().any(char::is_control) {
        return Err(ApiError::invalid(format!("`name` must be from 1 to {LONGEST_NAME} characters")));
    }
    let target = admin.org_id.clone();
    record(&request, &state, &admin, Change { what: "org.rename", target, to: Some(name.to_owned()) })
        .await?;
    state.store.rename_org(&admin.org_id, name).await?;
    reply(&state, &admin.org_id).await
}

async fn reply(state: &State, id: &str) -> Result<HttpResponse, ApiError> {
    let org: Option<OrgRow> = state.store.org(id).await?;
    let org = org.ok_or_else(|| not_found("this organisation does not exist"))?;
    Ok(HttpResponse::Ok().json(json!({ "id": org.id, "name": org.name, "created_ms": org.created_ms })))
}
