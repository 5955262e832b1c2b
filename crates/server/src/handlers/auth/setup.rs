//! The first administrator, by a one-time link from the server's terminal.

use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use server_store::{Role, StoreError};

use super::sign_in::{begin_session, same_origin};
use crate::admin;
use crate::error::ApiError;
use crate::identity::token_hash;
use crate::pages;
use crate::state::State;

#[derive(Deserialize)]
pub(crate) struct Query {
    #[serde(default)]
    token: String,
}

/// `GET /setup`
pub(crate) async fn page(
    state: web::Data<State>,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    if !is_open(&state, &query.token).await? {
        return Ok(pages::setup::closed().reply());
    }
    Ok(pages::setup::form(&query.token, "", None).reply())
}

#[derive(Deserialize)]
pub(crate) struct SetUp {
    token: String,
    login: String,
    password: SecretString,
}

/// `POST /setup`
pub(crate) async fn submit(
    request: HttpRequest,
    state: web::Data<State>,
    form: web::Form<SetUp>,
) -> Result<HttpResponse, ApiError> {
    same_origin(&request)?;
    let SetUp { token, login, password } = form.into_inner();
    if !is_open(&state, &token).await? {
        return Ok(pages::setup::closed().reply());
    }
    if let Err(problem) = admin::check_credentials(&login, password.expose_secret()) {
        return Ok(pages::setup::form(&token, &login, Some(&problem)).reply());
    }
    let hash = state.passwords.hash(password).await?;
    let user = admin::new_user(&state.store, &state.env, &login, hash, Role::Admin).await?;
    // Of two who hold links, one gets in.
    match state.store.set_up(&token_hash(&token), &user, state.env.now_ms()).await {
        Ok(true) => {}
        Ok(false) => return Ok(pages::setup::closed().reply()),
        Err(StoreError::Conflict) => {
            let problem = "This name is taken. Choose another one.";
            return Ok(pages::setup::form(&token, &login, Some(problem)).reply());
        }
        Err(error) => return Err(error.into()),
    }
    begin_session(&request, &state, &user.id, "/").await
}

/// Whether the link is good and still needed.
async fn is_open(state: &State, token: &str) -> Result<bool, ApiError> {
    Ok(!state.store.has_admin().await?
        && state.store.setup_link_is_good(&token_hash(token), state.env.now_ms()).await?)
}
