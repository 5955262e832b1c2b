//! `POST /api/auth/token` and `/api/auth/revoke` (RFC 6749, 8628, 7009); forms and JSON are both taken.

use actix_web::http::header::{CONTENT_TYPE, HOST};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use server_store::{AuthorizationCodeRow, Poll};
use sha2::{Digest as _, Sha256};

use super::device::INTERVAL_S;
use crate::error::ApiError;
use crate::identity::{Collected, Refreshed, TokenPair, token_hash};
use crate::state::State;

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[derive(Deserialize)]
struct TokenRequest {
    grant_type: String,
    #[serde(default)]
    device_code: Option<String>,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(flatten)]
    code: CodeGrant,
}

/// What comes with an authorisation code (RFC 6749, 7636).
#[derive(Default, Deserialize)]
#[serde(default)]
struct CodeGrant {
    code: Option<String>,
    client_id: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
}

pub(crate) async fn token(
    request: HttpRequest,
    state: web::Data<State>,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    let asked: TokenRequest = parse(&request, &body)?;
    let key = proven(&request, &state)?;
    let pair = match (asked.grant_type.as_str(), asked.device_code, asked.refresh_token) {
        ("authorization_code", ..) => redeem(&state, asked.code, key).await?,
        (DEVICE_CODE | "device_code", Some(code), _) => collect(&state, &code, key).await?,
        ("refresh_token", _, Some(token)) => refresh(&state, &token, key.as_deref()).await?,
        (DEVICE_CODE | "device_code" | "refresh_token", ..) => {
            return Err(ApiError::oauth("invalid_request", "the code or token is missing"));
        }
        _ => {
            return Err(ApiError::oauth(
                "unsupported_grant_type",
                "authorization_code, device_code and refresh_token are supported",
            ));
        }
    };
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(json!({
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "token_type": "Bearer",
        "expires_in": pair.expires_in_s,
    })))
}

/// The thumbprint of the key that signed this request, if one did (RFC 9449).
fn proven(request: &HttpRequest, state: &State) -> Result<Option<String>, ApiError> {
    let proofs: Vec<_> = request.headers().get_all("dpop").collect();
    let proof = match proofs.as_slice() {
        [] => return Ok(None),
        [proof] => proof.to_str().ok(),
        _ => None,
    };
    // This server by its own name. Where the operator gave it none, and on this very machine, also by the one that the client
    // knows it by; elsewhere `Host` is whatever the sender wants it to be, such as the server that a stolen proof was for.
    let mut urls = vec![format!("{}{}", state.origin(), request.path())];
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let unnamed = state.settings.public_url.is_empty();
    if let Some(host) = host.filter(|host| unnamed || is_loopback(host)) {
        urls.extend(["http", "https"].map(|scheme| format!("{scheme}://{host}{}", request.path())));
    }
    let key = proof.and_then(|proof| state.proofs.check(proof, &urls, state.env.now_ms()));
    key.map(Some).ok_or_else(|| {
        let message = "the proof of the device's key is not good, or was used before; is the clock of this machine right?";
        ApiError::oauth("invalid_dpop_proof", message)
    })
}

/// Whether a `Host` names this machine itself.
fn is_loopback(host: &str) -> bool {
    let url = url::Url::parse(&format!("http://{host}"));
    url.is_ok_and(|url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")))
}

/// An authorisation code, presented by the client that has the secret behind its challenge.
async fn redeem(state: &State, grant: CodeGrant, key: Option<String>) -> Result<TokenPair, ApiError> {
    let CodeGrant {
        code: Some(code),
        client_id: Some(client_id),
        redirect_uri: Some(uri),
        code_verifier: Some(verifier),
    } = grant
    else {
        let message = "code, client_id, redirect_uri and code_verifier are needed";
        return Err(ApiError::oauth("invalid_request", message));
    };
    let challenge = s256(&verifier);
    let fits = |row: &AuthorizationCodeRow| {
        row.client_id == client_id && row.redirect_uri == uri && Some(&row.challenge) == challenge.as_ref()
    };
    match state.sign_ins.collect(&code, key, fits).await? {
        Collected::Tokens(pair) => Ok(pair),
        Collected::Reused => Err(ApiError::oauth(
            "invalid_grant",
            "this code was used before; the sign-in it led to has been ended",
        )),
        Collected::Refused => Err(ApiError::oauth(
            "invalid_grant",
            "this code is not valid, has expired, or belongs to another client, address or verifier; begin again",
        )),
    }
}

/// The challenge of a verifier; `None` for what is no verifier (RFC 7636, 4.1).
fn s256(verifier: &str) -> Option<String> {
    let unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let good = (43..=128).contains(&verifier.len()) && verifier.chars().all(unreserved);
    good.then(|| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())))
}

async fn collect(state: &State, device_code: &str, key: Option<String>) -> Result<TokenPair, ApiError> {
    let now = state.env.now_ms();
    let code = match state.store.poll_device_code(&token_hash(device_code), INTERVAL_S * 1_000, now).await? {
        Poll::Approved(code) => code,
        Poll::Pending => return Err(ApiError::oauth("authorization_pending", "nobody has approved it yet")),
        Poll::TooSoon => return Err(ApiError::oauth("slow_down", "ask less often")),
        Poll::Denied => return Err(ApiError::oauth("access_denied", "the sign-in was refused")),
        Poll::Expired => return Err(ApiError::oauth("expired_token", "the code has expired; begin again")),
        Poll::Unknown => return Err(ApiError::oauth("invalid_grant", "the code is not known")),
    };
    let user = state.store.user(code.user_id.as_deref().unwrap_or_default()).await?;
    let user = user.filter(|user| user.disabled_ms.is_none());
    let user = user.ok_or_else(|| ApiError::oauth("access_denied", "the account may not sign in"))?;
    Ok(state.sign_ins.begin(&user, &code.client_name, &code.address, key).await?)
}

async fn refresh(state: &State, token: &str, key: Option<&str>) -> Result<TokenPair, ApiError> {
    match state.sign_ins.refresh(token, key).await? {
        Refreshed::Tokens(pair) => Ok(pair),
        Refreshed::Reused => Err(ApiError::oauth(
            "invalid_grant",
            "this refresh token was used before; the sign-in has been ended",
        )),
        Refreshed::Unproven => Err(ApiError::oauth(
            "invalid_dpop_proof",
            "this sign-in belongs to the key of another device; sign in again on this one",
        )),
        Refreshed::Refused => {
            Err(ApiError::oauth("invalid_grant", "this refresh token is not valid; sign in again"))
        }
    }
}

#[derive(Deserialize)]
struct RevokeRequest {
    token: String,
}

/// Ends the sign-in a refresh or access token belongs to. An unknown token is answered like a known one.
pub(crate) async fn revoke(
    request: HttpRequest,
    state: web::Data<State>,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    let asked: RevokeRequest = parse(&request, &body)?;
    match state.tokens.check(&asked.token, state.env.now_ms()) {
        Ok(principal) => state.sign_ins.end(&principal.device_id).await?,
        Err(_) => state.sign_ins.end_by_refresh_token(&asked.token).await?,
    }
    Ok(HttpResponse::Ok().json(json!({})))
}

/// Reads a form or JSON, as the content type says.
pub(super) fn parse<T: DeserializeOwned>(request: &HttpRequest, body: &[u8]) -> Result<T, ApiError> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let broken = |error: String| ApiError::oauth("invalid_request", error);
    if kind.starts_with("application/json") {
        return serde_json::from_slice(body).map_err(|error| broken(error.to_string()));
    }
    let pairs = url::form_urlencoded::parse(body).map(|(key, value)| (key.into_owned(), value.into_owned()));
    let fields: serde_json::Map<String, serde_json::Value> =
        pairs.map(|(key, value)| (key, value.into())).collect();
    serde_json::from_value(fields.into()).map_err(|error| broken(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let challenge = s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge.as_deref(), Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
        for bad in ["short", &"x".repeat(129), &"x".repeat(42), &" ".repeat(50)] {
            assert_eq!(s256(bad), None, "{bad}");
        }
    }
}
