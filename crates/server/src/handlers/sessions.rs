//! `/sessions`: what a person is signed in with, clients and browsers, and the end of each.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::auth::sign_in::{self, SignedIn};
use crate::error::ApiError;
use crate::pages;
use crate::state::State;

/// `GET /sessions`
pub(crate) async fn page(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let Some(person) = sign_in::signed_in(&request, &state).await? else {
        return Ok(sign_in::first_sign_in("/sessions"));
    };
    let now = state.env.now_ms();
    let devices = state.store.devices_of(&person.user_id, now).await?;
    let browsers = state.store.web_sessions_of(&person.user_id, now).await?;
    let names = |id: &str| state.clients.find(id).map(|client| client.name.clone());
    Ok(pages::sessions::page(&devices, &browsers, &person.session, &names, &person.form_token, now).reply())
}

#[derive(Deserialize)]
pub(crate) struct End {
    #[serde(default)]
    device: String,
    #[serde(default)]
    browser: String,
    form_token: String,
}

/// `POST /sessions/end`: one of them.
pub(crate) async fn end(
    request: HttpRequest,
    state: web::Data<State>,
    form: web::Form<End>,
) -> Result<HttpResponse, ApiError> {
    let Some(person) = allowed(&request, &state, &form.form_token).await? else {
        return Ok(sign_in::first_sign_in("/sessions"));
    };
    let ended = if form.browser.is_empty() {
        let device = state.store.device(&form.device).await?;
        let own = device.is_some_and(|device| device.user_id == person.user_id);
        if own {
            state.sign_ins.end(&form.device).await?;
            state.in_flight.cancel_ended(&state.revoked, &state.grants);
        }
        own
    } else {
        state.store.end_web_session(&form.browser, &person.user_id).await?
    };
    match ended {
        true => Ok(sign_in::see_other("/sessions", None)),
        false => Err(ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is no such session of yours")),
    }
}

#[derive(Deserialize)]
pub(crate) struct EndOthers {
    form_token: String,
}

/// `POST /sessions/end-others`: all but this browser's.
pub(crate) async fn end_others(
    request: HttpRequest,
    state: web::Data<State>,
    form: web::Form<EndOthers>,
) -> Result<HttpResponse, ApiError> {
    let Some(person) = allowed(&request, &state, &form.form_token).await? else {
        return Ok(sign_in::first_sign_in("/sessions"));
    };
    state.sign_ins.end_all(&person.user_id, Some(&person.session)).await?;
    state.in_flight.cancel_ended(&state.revoked, &state.grants);
    Ok(sign_in::see_other("/sessions", None))
}

async fn allowed(
    request: &HttpRequest,
    state: &State,
    form_token: &str,
) -> Result<Option<SignedIn>, ApiError> {
    sign_in::same_origin(request)?;
    let person = sign_in::signed_in(request, state).await?;
    if let Some(person) = &person {
        person.check_form(form_token)?;
    }
    Ok(person)
}
