//! `/api/admin/users`: the people of the organisation.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use server_store::{AccountChange, Role, StoreError, UserRow};

use super::{administrator, conflict, not_found, record};
use crate::admin::{INVITATION_MS, NO_PASSWORD, check_login};
use crate::audit::Change;
use crate::error::ApiError;
use crate::identity::{Principal, token_hash};
use crate::state::State;

/// `GET /api/admin/users`
pub(crate) async fn list(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    let users = state.store.users(&admin.org_id).await?;
    Ok(HttpResponse::Ok().json(json!({ "users": users.iter().map(shown).collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    login: String,
    #[serde(default = "member")]
    role: String,
}

fn member() -> String {
    Role::Member.as_str().into()
}

/// `POST /api/admin/users`: adds somebody, who sets a password by the link in the answer.
pub(crate) async fn add(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Json<NewUser>,
) -> Result<HttpResponse, ApiError> {
    let admin = administrator(&request, &state).await?;
    check_login(&body.login).map_err(ApiError::invalid)?;
    let user = UserRow {
        id: state.env.id(),
        org_id: admin.org_id.clone(),
        login: body.login.trim().to_lowercase(),
        password_hash: NO_PASSWORD.into(),
        role: role(&body.role)?,
        created_ms: state.env.now_ms(),
        disabled_ms: None,
    };
    let taken = || conflict("this name is taken");
    if state.store.user_by_login(&user.login).await?.is_some() {
        return Err(taken());
    }
    let change = Change { what: "user.add", target: user.id.clone(), to: Some(user.role.as_str().into()) };
    record(&request, &state, &admin, change).await?;
    match state.store.add_user(&user).await {
        Err(StoreError::Conflict) => return Err(taken()),
        other => other?,
    }
    let mut reply = shown(&user);
    reply["invitation"] = invitation(&state, &admin, &user.id).await?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(reply))
}

/// `POST /api/admin/users/{id}/invite`: a fresh link, for somebody who has lost the first one or the password. Not to where the
/// link would make one person another: see [`server_store::Store::add_invitation`].
pub(crate) async fn invite(
    request: HttpRequest,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (admin, user) = somebody(&request, &state, &id).await?;
    if user.disabled_ms.is_some() {
        return Err(conflict("this account is disabled; enable it first"));
    }
    if state.store.is_vouched_for(&user.id).await? {
        return Err(conflict(
            "an issuer vouches for this person, who signs in there and has no password here",
        ));
    }
    if user.role == Role::Admin && user.password_hash != NO_PASSWORD {
        return Err(conflict(
            "this is an administrator with a password; a link for them is made on the server's machine: \
             `plantocode-server user invite`",
        ));
    }
    record(&request, &state, &admin, Change { what: "user.invite", target: user.id.clone(), to: None })
        .await?;
    let mut reply = shown(&user);
    reply["invitation"] = invitation(&state, &admin, &user.id).await?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(reply))
}

/// `POST /api/admin/users/{id}/disable`: nothing of theirs works from now on.
pub(crate) async fn disable(
    request: HttpRequest,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (admin, user) = somebody(&request, &state, &id).await?;
    another(&admin, &user)?;
    record(&request, &state, &admin, Change { what: "user.disable", target: user.id.clone(), to: None })
        .await?;
    change(&state, &admin, &user, AccountChange::Disabled(Some(state.env.now_ms()))).await?;
    end_all(&state, &user.id).await?;
    reply(&state, &user.id).await
}

/// `POST /api/admin/users/{id}/enable`
pub(crate) async fn enable(
    request: HttpRequest,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (admin, user) = somebody(&request, &state, &id).await?;
    record(&request, &state, &admin, Change { what: "user.enable", target: user.id.clone(), to: None })
        .await?;
    change(&state, &admin, &user, AccountChange::Disabled(None)).await?;
    state.revoked.reload(&state.store, state.revocations_since()).await?;
    reply(&state, &user.id).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRole {
    role: String,
}

/// `POST /api/admin/users/{id}/role`: they sign in again, so that no token says the old one.
pub(crate) async fn set_role(
    request: HttpRequest,
    state: web::Data<State>,
    id: web::Path<String>,
    body: web::Json<NewRole>,
) -> Result<HttpResponse, ApiError> {
    let (admin, user) = somebody(&request, &state, &id).await?;
    another(&admin, &user)?;
    let role = role(&body.role)?;
    let to = Some(role.as_str().into());
    record(&request, &state, &admin, Change { what: "user.role", target: user.id.clone(), to }).await?;
    change(&state, &admin, &user, AccountChange::Role(role)).await?;
    end_all(&state, &user.id).await?;
    reply(&state, &user.id).await
}

/// `POST /api/admin/users/{id}/end-sessions`
pub(crate) async fn end_sessions(
    request: HttpRequest,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let (admin, user) = somebody(&request, &state, &id).await?;
    let change = Change { what: "user.end_sessions", target: user.id.clone(), to: None };
    record(&request, &state, &admin, change).await?;
    end_all(&state, &user.id).await?;
    reply(&state, &user.id).await
}

/// The administrator, and the person of their organisation who is meant.
pub(super) async fn somebody(
    request: &HttpRequest,
    state: &State,
    id: &str,
) -> Result<(Principal, UserRow), ApiError> {
    let admin = administrator(request, state).await?;
    let user = state.store.user(id).await?.filter(|user| user.org_id == admin.org_id);
    let user = user.ok_or_else(|| not_found("there is no such person"))?;
    Ok((admin, user))
}

/// Changes an account, if the one who asks is still an administrator when it is changed.
async fn change(
    state: &State,
    admin: &Principal,
    user: &UserRow,
    change: AccountChange,
) -> Result<(), ApiError> {
    match state.store.change_account(&admin.user_id, &user.id, change).await? {
        true => Ok(()),
        false => Err(no_longer()),
    }
}

/// Somebody else was faster: it was all right when it was asked for.
fn no_longer() -> ApiError {
    ApiError::forbidden("you or this account were changed by somebody else meanwhile; nothing was changed")
}

/// Nobody locks themselves out; so somebody always administers.
fn another(admin: &Principal, user: &UserRow) -> Result<(), ApiError> {
    match admin.user_id == user.id {
        false => Ok(()),
        true => Err(conflict("this is your own account; another administrator has to do it")),
    }
}

/// Ends what somebody is signed in with, on this node at once and with all that is under way.
async fn end_all(state: &State, user_id: &str) -> Result<(), ApiError> {
    state.sign_ins.end_all(user_id, None).await?;
    state.revoked.reload(&state.store, state.revocations_since()).await?;
    state.grants.reload(&state.store, state.env.now_ms()).await?;
    state.in_flight.cancel_ended(&state.revoked, &state.grants);
    Ok(())
}

async fn invitation(state: &State, admin: &Principal, user_id: &str) -> Result<Value, ApiError> {
    let token = state.env.token()?;
    let expires_ms = state.env.now_ms() + INVITATION_MS;
    let by = Some(admin.user_id.as_str());
    if !state.store.add_invitation(&token_hash(&token), user_id, expires_ms, by).await? {
        return Err(no_longer());
    }
    Ok(json!({ "url": format!("{}/welcome?token={token}", state.origin()), "expires_ms": expires_ms }))
}

fn role(word: &str) -> Result<Role, ApiError> {
    Role::parse(word).ok_or_else(|| ApiError::invalid("`role` must be `admin`, `member` or `auditor`"))
}

async fn reply(state: &State, id: &str) -> Result<HttpResponse, ApiError> {
    let user = state.store.user(id).await?.ok_or_else(|| not_found("there is no such person"))?;
    Ok(HttpResponse::Ok().json(shown(&user)))
}

fn shown(user: &UserRow) -> Value {
    json!({
        "id": user.id, "login": user.login, "role": user.role.as_str(), "created_ms": user.created_ms,
        "disabled_ms": user.disabled_ms,
    })
}
