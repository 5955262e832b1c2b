//! Sign-in with an issuer (OpenID Connect): away to its page and back, once, in the same browser.

use actix_web::http::header::{LOCATION, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use server_store::{IssuerSignInRow, Role, StoreError, UserRow};
use sha2::{Digest as _, Sha256};

use super::cookies::{self, Sites};
use super::sign_in;
use crate::config::Newcomers;
use crate::error::ApiError;
use crate::identity::{Issuer, Vouched, token_hash};
use crate::state::{State, address};

/// Binds a sign-in that is away to the browser that it left from. Lax: it has to be shown when the issuer leads back here.
const COOKIE_NAME: &str = "plantocode_sign_in";
const LIFETIME_S: i64 = 600;
const CALLBACK: &str = "/sign-in/callback";
/// Longest part of a name that an issuer suggests.
const LONGEST_NAME: usize = 60;

#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: Option<String>,
}

/// `GET /sign-in/with/{issuer}`: away.
pub(crate) async fn leave(
    request: HttpRequest,
    state: web::Data<State>,
    id: web::Path<String>,
    query: web::Query<Next>,
) -> Result<HttpResponse, ApiError> {
    let permit = state.code_tries.acquire(&address(&request), state.env.now_ms());
    permit.map(drop).map_err(|wait| ApiError::rate_limited(wait, "too many tries; wait a little"))?;
    let next = sign_in::local(query.next.as_deref());
    let Some(issuer) = state.issuers.find(&id) else { return Ok(sign_in::first_sign_in(next)) };
    let endpoints = match issuer.endpoints().await {
        Ok(endpoints) => endpoints,
        // The log says why.
        Err(_) => return Ok(sign_in::again(&state, next, &away(issuer))),
    };
    let browser = match cookie(&request, &state) {
        // Another tab may be on its way as well.
        Some(browser) => browser.to_owned(),
        None => state.env.token()?,
    };
    let token = state.env.token()?;
    let now = state.env.now_ms();
    let row = IssuerSignInRow {
        state_hash: token_hash(&token),
        browser_hash: token_hash(&browser),
        issuer_id: issuer.settings.id.clone(),
        next: next.to_owned(),
        expires_ms: now + LIFETIME_S * 1_000,
    };
    state.store.add_issuer_sign_in(&row, now).await?;
    let (nonce, verifier) = secrets(&state, &token)?;
    let mut url = endpoints.authorization.clone();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &issuer.settings.client_id)
        .append_pair("redirect_uri", &callback_url(&state, issuer))
        .append_pair("scope", &issuer.settings.scopes.join(" "))
        .append_pair("state", &token)
        .append_pair("nonce", &nonce)
        .append_pair("code_challenge_method", "S256")
        .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())));
    let kept = cookies::set(&state, COOKIE_NAME, &browser, Sites::Leading, LIFETIME_S);
    let mut reply = HttpResponse::SeeOther();
    reply.insert_header((LOCATION, url.as_str())).insert_header(("cache-control", "no-store"));
    Ok(reply.insert_header(("referrer-policy", "no-referrer")).insert_header((SET_COOKIE, kept)).finish())
}

#[derive(Deserialize)]
pub(crate) struct Back {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    iss: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

/// `GET /sign-in/callback/{issuer}`: back.
pub(crate) async fn back(
    request: HttpRequest,
    state: web::Data<State>,
    from: web::Path<String>,
    query: web::Query<Back>,
) -> Result<HttpResponse, ApiError> {
    let stray = "This sign-in was not begun in this browser, or too long ago. Begin again.";
    let (Some(token), Some(browser)) = (query.state.as_deref(), cookie(&request, &state)) else {
        return Ok(sign_in::again(&state, "/", stray));
    };
    let now = state.env.now_ms();
    let row = state.store.take_issuer_sign_in(&token_hash(token), &token_hash(browser), now).await?;
    let Some(row) = row else { return Ok(sign_in::again(&state, "/", stray)) };
    if row.issuer_id != *from {
        tracing::warn!(
            left_for = row.issuer_id,
            came_from = *from,
            "a sign-in came back from another issuer"
        );
        return Ok(sign_in::again(&state, &row.next, stray));
    }
    let Some(issuer) = state.issuers.find(&row.issuer_id) else {
        return Ok(sign_in::first_sign_in(&row.next));
    };
    let name = &issuer.settings.name;
    let Ok(endpoints) = issuer.endpoints().await else {
        return Ok(sign_in::again(&state, &row.next, &away(issuer)));
    };
    // Another issuer's answer must not be taken for this one's (RFC 9207).
    let theirs = match &query.iss {
        Some(iss) => *iss == issuer.settings.issuer,
        None => !endpoints.names_itself,
    };
    let code = query.code.as_deref().filter(|_| theirs && query.error.is_none());
    let Some(code) = code else {
        tracing::warn!(
            issuer = issuer.settings.id,
            error = query.error.as_deref(),
            "a sign-in was not allowed there"
        );
        return Ok(sign_in::again(&state, &row.next, &format!("{name} did not sign you in.")));
    };
    let (nonce, verifier) = secrets(&state, token)?;
    let vouched = match issuer.redeem(code, &callback_url(&state, issuer), &verifier, &nonce).await {
        Ok(vouched) => vouched,
        Err(error) => {
            tracing::warn!(issuer = issuer.settings.id, %error, "a sign-in could not be completed");
            return Ok(sign_in::again(&state, &row.next, &format!("{name} did not sign you in. Try again.")));
        }
    };
    match person(&state, issuer, &vouched).await? {
        Ok(user_id) => {
            let cookie = sign_in::session_cookie(&request, &state, &user_id).await?;
            let mut reply = sign_in::here(&row.next);
            if let Ok(cookie) = cookie.parse() {
                reply.headers_mut().append(SET_COOKIE, cookie);
            }
            Ok(reply)
        }
        Err(sentence) => Ok(sign_in::again(&state, &row.next, &sentence)),
    }
}

fn away(issuer: &Issuer) -> String {
    format!("{} cannot be reached now. Try again in a minute.", issuer.settings.name)
}

/// The person whom the issuer means; or why nobody gets in.
async fn person(
    state: &State,
    issuer: &Issuer,
    vouched: &Vouched,
) -> Result<Result<String, String>, ApiError> {
    let known = state.store.identity(&issuer.settings.issuer, &vouched.subject).await?;
    let Some(user_id) = known else {
        return match issuer.settings.newcomers {
            Newcomers::Join => join(state, issuer, vouched).await.map(Ok),
            Newcomers::Refuse => {
                tracing::warn!(
                    issuer = issuer.settings.id,
                    subject = vouched.subject,
                    "a newcomer was refused"
                );
                Ok(Err("You have no account on this server. Ask who administers it.".into()))
            }
        };
    };
    let user = state.store.user(&user_id).await?.filter(|user| user.disabled_ms.is_none());
    Ok(user
        .map(|user| user.id)
        .ok_or_else(|| "Your account on this server is disabled. Ask who administers it.".into()))
}

/// Makes an account for somebody who has come for the first time. What the issuer calls them is a suggestion for a name and
/// leads to no account that exists.
async fn join(state: &State, issuer: &Issuer, vouched: &Vouched) -> Result<String, ApiError> {
    let id = &issuer.settings.id;
    let suggested = vouched.suggested.as_deref().unwrap_or_default().to_lowercase();
    let plain = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    let name: String =
        suggested.split('@').next().unwrap_or_default().chars().filter(plain).take(LONGEST_NAME).collect();
    let name = if name.is_empty() { "somebody".to_owned() } else { name };
    let org_id = match issuer.settings.org.as_str() {
        "" => crate::admin::first_org(&state.store).await?,
        org => org.to_owned(),
    };
    for number in 1..=20 {
        let login = match number {
            1 => format!("{name}@{id}"),
            2..=10 => format!("{name}-{number}@{id}"),
            _ => format!("{name}-{}@{id}", hex::encode(state.env.random::<4>()?)),
        };
        let user = UserRow {
            id: state.env.id(),
            org_id: org_id.clone(),
            login,
            password_hash: crate::admin::NO_PASSWORD.into(),
            role: Role::Member,
            created_ms: state.env.now_ms(),
            disabled_ms: None,
        };
        match state.store.add_identity(&issuer.settings.issuer, &vouched.subject, &user).await {
            Ok(()) => {
                tracing::info!(issuer = id, user = user.id, login = user.login, "a newcomer has joined");
                return Ok(user.id);
            }
            // The name is taken; or the same person has come twice at once.
            Err(StoreError::Conflict) => {
                if let Some(known) = state.store.identity(&issuer.settings.issuer, &vouched.subject).await? {
                    return Ok(known);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::unavailable("no free name was found for this account; try again"))
}

/// What belongs to one sign-in and nobody else can know: its nonce and the verifier of its code. Neither is stored.
fn secrets(state: &State, token: &str) -> Result<(String, String), ApiError> {
    let secret = |purpose| Ok::<_, ApiError>(URL_SAFE_NO_PAD.encode(state.vault.derive(purpose, token)?));
    Ok((secret("issuer-nonce")?, secret("issuer-verifier")?))
}

/// Each issuer has an address of its own to come back to, so that what one of them sends is never taken for another's, also where
/// it does not say who it is.
fn callback_url(state: &State, issuer: &Issuer) -> String {
    format!("{}{CALLBACK}/{}", state.origin(), issuer.settings.id)
}

fn cookie<'r>(request: &'r HttpRequest, state: &State) -> Option<&'r str> {
    let value = cookies::shown(request, state, COOKIE_NAME)?;
    // It is set again as it came.
    let ours = value.len() == 43 && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    ours.then_some(value)
}
