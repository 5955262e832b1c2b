//! Signing in on the server's own pages: a cookie that is sent to this site alone, and a token in every form.

use actix_web::http::header::{HOST, LOCATION, ORIGIN, SET_COOKIE, USER_AGENT};
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::SecretString;
use serde::Deserialize;
use server_store::WebSessionRow;

use super::cookies::{self, Sites};
use crate::error::ApiError;
use crate::identity::token_hash;
use crate::pages;
use crate::state::{State, address};

const NAME: &str = "plantocode_session";
const LIFETIME_S: i64 = 12 * 3_600;
/// Longest name of a browser that is kept.
const LONGEST_AGENT: usize = 200;

/// A person who is signed in on the pages.
pub(crate) struct SignedIn {
    pub user_id: String,
    pub org_id: String,
    pub login: String,
    /// SHA-256 of this browser's session, hex.
    pub session: String,
    /// Has to stand in every form this person sends.
    pub form_token: String,
}

impl SignedIn {
    pub fn check_form(&self, shown: &str) -> Result<(), ApiError> {
        match shown == self.form_token {
            true => Ok(()),
            false => Err(ApiError::forbidden("this form is too old; open the page again")),
        }
    }
}

/// Who the cookie stands for.
pub(crate) async fn signed_in(request: &HttpRequest, state: &State) -> Result<Option<SignedIn>, ApiError> {
    let Some(token) = cookies::shown(request, state, NAME) else { return Ok(None) };
    let user_id = state.store.web_session_user(&token_hash(token), state.env.now_ms()).await?;
    let Some(user_id) = user_id else { return Ok(None) };
    let user = state.store.user(&user_id).await?.filter(|user| user.disabled_ms.is_none());
    let form_token = hex::encode(state.vault.derive("form-token", token)?);
    let session = token_hash(token);
    Ok(user.map(|user| SignedIn { user_id, org_id: user.org_id, login: user.login, session, form_token }))
}

/// The cookie header that sets the session token for `seconds`; 0 takes it away.
fn set_cookie(state: &State, token: &str, seconds: i64) -> String {
    cookies::set(state, NAME, token, Sites::Own, seconds)
}

/// Refuses a form that another site sent. A browser names the origin of every form, once.
pub(crate) fn same_origin(request: &HttpRequest) -> Result<(), ApiError> {
    let origins: Vec<_> = request.headers().get_all(ORIGIN).collect();
    let host = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    let origin = match origins.as_slice() {
        [origin] => origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host),
        _ => None,
    };
    match origin.is_some() && origin == host {
        true => Ok(()),
        false => Err(ApiError::forbidden("this form was not sent by this site")),
    }
}

/// Sends to the sign-in page, and from there on to `next`.
pub(crate) fn first_sign_in(next: &str) -> HttpResponse {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    see_other(&format!("/sign-in?{query}"), None)
}

/// Signs a user in on the pages and goes to `next`.
pub(crate) async fn begin_session(
    request: &HttpRequest,
    state: &State,
    user_id: &str,
    next: &str,
) -> Result<HttpResponse, ApiError> {
    Ok(see_other(next, Some(session_cookie(request, state, user_id).await?)))
}

/// Begins a session on the pages; the cookie header that sets it.
pub(super) async fn session_cookie(
    request: &HttpRequest,
    state: &State,
    user_id: &str,
) -> Result<String, ApiError> {
    let token = state.env.token()?;
    let now = state.env.now_ms();
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let session = WebSessionRow {
        hash: token_hash(&token),
        user_id: user_id.to_owned(),
        created_ms: now,
        expires_ms: now + LIFETIME_S * 1_000,
        address: address(request),
        agent: agent.chars().take(LONGEST_AGENT).collect(),
    };
    state.store.add_web_session(&session).await?;
    Ok(set_cookie(state, &token, LIFETIME_S))
}

pub(crate) fn see_other(target: &str, cookie: Option<String>) -> HttpResponse {
    let mut reply = HttpResponse::SeeOther();
    reply.insert_header((LOCATION, target)).insert_header(("cache-control", "no-store"));
    if let Some(cookie) = cookie {
        reply.insert_header((SET_COOKIE, cookie));
    }
    reply.finish()
}

#[derive(Deserialize)]
pub(crate) struct Query {
    #[serde(default)]
    next: Option<String>,
    /// The browser was sent here by a page of this site, so that it shows its cookie if it has one.
    #[serde(default)]
    here: Option<String>,
}

/// `GET /sign-in`
pub(crate) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let next = local(query.next.as_deref());
    if signed_in(&request, &state).await?.is_some() {
        return Ok(see_other(next, None));
    }
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if query.here.is_none() && site == Some("cross-site") {
        return Ok(here(next));
    }
    Ok(pages::sign_in::page(next, &state.issuers.names(), None).reply())
}

/// The sign-in page with what went wrong.
pub(super) fn again(state: &State, next: &str, wrong: &str) -> HttpResponse {
    pages::sign_in::page(next, &state.issuers.names(), Some(wrong)).reply()
}

/// A page that goes on to `next` by itself. Whoever comes from another site has a cookie that is not shown on the way, only
/// from a page of this site.
pub(crate) fn here(next: &str) -> HttpResponse {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let query = query.append_pair("next", next).append_pair("here", "1").finish();
    pages::on_the_way(&format!("/sign-in?{query}"))
}

#[derive(Deserialize)]
pub(crate) struct SignIn {
    login: String,
    password: SecretString,
    #[serde(default)]
    next: Option<String>,
}

/// `POST /sign-in`
pub(crate) async fn submit(
    request: HttpRequest,
    state: web::Data<State>,
    form: web::Form<SignIn>,
) -> Result<HttpResponse, ApiError> {
    same_origin(&request)?;
    let SignIn { login, password, next } = form.into_inner();
    let next = local(next.as_deref());
    let now = state.env.now_ms();
    let login = login.trim().to_lowercase();
    for key in [format!("address {}", address(&request)), format!("login {login}")] {
        let permit = state.password_tries.acquire(&key, now);
        permit.map(drop).map_err(|wait| ApiError::rate_limited(wait, "too many tries; wait a little"))?;
    }
    let user = state.store.user_by_login(&login).await?.filter(|user| user.disabled_ms.is_none());
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let good = state.passwords.verify(password, stored).await?;
    match user.filter(|_| good) {
        Some(user) => begin_session(&request, &state, &user.id, next).await,
        None => Ok(again(&state, next, "Name or password is wrong.")),
    }
}

#[derive(Deserialize)]
pub(crate) struct SignOut {
    form_token: String,
}

/// `POST /sign-out`
pub(crate) async fn sign_out(
    request: HttpRequest,
    state: web::Data<State>,
    form: web::Form<SignOut>,
) -> Result<HttpResponse, ApiError> {
    same_origin(&request)?;
    if let Some(signed_in) = signed_in(&request, &state).await? {
        signed_in.check_form(&form.form_token)?;
        state.store.end_web_session(&signed_in.session, &signed_in.user_id).await?;
    }
    Ok(see_other("/sign-in", Some(set_cookie(&state, "", 0))))
}

/// A place on this site, or the start page: a link must not lead elsewhere after signing in.
pub(super) fn local(next: Option<&str>) -> &str {
    match next {
        Some(path)
            // Browsers drop control characters before they read a URL.
            if path.starts_with('/')
                && !path.starts_with("//")
                && !path.contains(|c: char| c == '\\' || c.is_control()) =>
        {
            path
        }
        _ => "/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_one_stays_on_this_site() {
        assert_eq!(local(Some("/device?code=A")), "/device?code=A");
        for elsewhere in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "evil",
            "/a\r\nx: y",
            "/\t/evil.example",
        ] {
            assert_eq!(local(Some(elsewhere)), "/", "{elsewhere}");
        }
        assert_eq!(local(None), "/");
    }
}
