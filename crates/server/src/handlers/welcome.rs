//! `/welcome`: somebody who was invited sets a password, once, by the link that an administrator passed on.

use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use server_store::UserRow;

use super::auth::sign_in::{begin_session, same_origin};
use crate::admin::check_password;
use crate::error::ApiError;
use crate::identity::token_hash;
use crate::pages;
use crate::state::State;

#[derive(Deserialize)]
pub(crate) struct Query {
    #[serde(default)]
    token: String,
}

/// `GET /welcome`
pub(crate) async fn page(
    state: web::Data<State>,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    Ok(match invited(&state, &query.token).await? {
        Some(user) => pages::welcome::form(&query.token, &user.login, None).reply(),
        None => pages::welcome::closed().reply(),
    })
}

#[derive(Deserialize)]
pub(crate) struct Password {
    token: String,
    password: SecretString,
}

/// `POST /welcome`
pub(crate) async fn submit(
    request: HttpRequest,
    state: web::Data<State>,
    form: web::Form<Password>,
) -> Result<HttpResponse, ApiError> {
    same_origin(&request)?;
    let Password { token, password } = form.into_inner();
    let Some(user) = invited(&state, &token).await? else { return Ok(pages::welcome::closed().reply()) };
    if let Err(problem) = check_password(password.expose_secret()) {
        return Ok(pages::welcome::form(&token, &user.login, Some(&problem)).reply());
    }
    let hash = state.passwords.hash(password).await?;
    match state.store.accept_invitation(&token_hash(&token), &hash, state.env.now_ms()).await? {
        // It may be that the password was lost to somebody: what was signed in with the old one ends.
        Some(user_id) => {
            state.sign_ins.end_all(&user_id, None).await?;
            state.in_flight.cancel_ended(&state.revoked, &state.grants);
            begin_session(&request, &state, &user_id, "/").await
        }
        // Somebody else with the same link was faster.
        None => Ok(pages::welcome::closed().reply()),
    }
}

/// Whom the link is for, if it is good and the account is not disabled.
async fn invited(state: &State, token: &str) -> Result<Option<UserRow>, ApiError> {
    let Some(id) = state.store.invited(&token_hash(token), state.env.now_ms()).await? else {
        return Ok(None);
    };
    Ok(state.store.user(&id).await?.filter(|user| user.disabled_ms.is_none()))
}
