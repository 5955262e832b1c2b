//! Device codes (RFC 8628): a client asks for a code, a signed-in person approves it on `/device`.

use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use server_store::{CodeStatus, DeviceCodeRow};

use super::sign_in::{self, SignedIn};
use super::token::parse;
use crate::ServerError;
use crate::env::Env;
use crate::error::ApiError;
use crate::identity::token_hash;
use crate::pages::{self, Page};
use crate::state::{State, address};

/// Seconds a code lives, and seconds a client waits between two questions.
const LIFETIME_S: i64 = 900;
pub(super) const INTERVAL_S: i64 = 2;
/// No vowels and nothing that looks like something else: codes are typed by people.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

#[derive(Deserialize)]
struct CodeRequest {
    #[serde(default)]
    client_name: Option<String>,
}

/// `POST /api/auth/device/code`
pub(crate) async fn code(
    request: HttpRequest,
    state: web::Data<State>,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    limited(&state, &request)?;
    let asked: CodeRequest =
        if body.is_empty() { CodeRequest { client_name: None } } else { parse(&request, &body)? };
    let name: String =
        asked.client_name.unwrap_or_else(|| "an unnamed client".into()).chars().take(80).collect();
    let device_code = state.env.token()?;
    let user_code = user_code(&state.env)?;
    let now = state.env.now_ms();
    let row = DeviceCodeRow {
        device_hash: token_hash(&device_code),
        user_code: user_code.clone(),
        client_name: name,
        address: address(&request),
        created_ms: now,
        expires_ms: now + LIFETIME_S * 1_000,
        last_poll_ms: 0,
        status: CodeStatus::Pending,
        user_id: None,
    };
    state.store.add_device_code(&row).await?;
    let page = format!("{}/device", state.public_url.as_str().trim_end_matches('/'));
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(json!({
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?code={user_code}"),
        "expires_in": LIFETIME_S,
        "interval": INTERVAL_S,
    })))
}

#[derive(Deserialize)]
pub(crate) struct Query {
    #[serde(default)]
    code: Option<String>,
}

/// `GET /device`: asks for the code, then shows who asks and from where.
pub(crate) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let code = query.code.as_deref().map(normal).unwrap_or_default();
    let Some(signed_in) = sign_in::signed_in(&request, &state).await? else {
        return Ok(sign_in::first_sign_in(&format!("/device?code={code}")));
    };
    if code.is_empty() {
        return Ok(pages::device::ask(None).reply());
    }
    limited(&state, &request)?;
    guessed(&state, &code, &signed_in)?;
    let now = state.env.now_ms();
    match state.store.pending_device_code(&code, now).await? {
        Some(row) => Ok(pages::device::confirm(&row, &signed_in.login, &signed_in.form_token, now).reply()),
        None => Ok(pages::device::ask(Some("That code is not known or has expired.")).reply()),
    }
}

#[derive(Deserialize)]
pub(crate) struct Decision {
    code: String,
    decision: String,
    form_token: String,
}

/// `POST /device`: approves or refuses.
pub(crate) async fn decide(
    request: HttpRequest,
    state: web::Data<State>,
    form: web::Form<Decision>,
) -> Result<HttpResponse, ApiError> {
    sign_in::same_origin(&request)?;
    limited(&state, &request)?;
    let signed_in: SignedIn = match sign_in::signed_in(&request, &state).await? {
        Some(signed_in) => signed_in,
        None => return Ok(sign_in::first_sign_in("/device")),
    };
    signed_in.check_form(&form.form_token)?;
    let approve = form.decision == "approve";
    let code = normal(&form.code);
    guessed(&state, &code, &signed_in)?;
    let decided =
        state.store.decide_device_code(&code, &signed_in.user_id, approve, state.env.now_ms()).await?;
    let page: Page = match (decided, approve) {
        (true, true) => pages::device::done("Signed in", "The client is signed in. You can close this page."),
        (true, false) => pages::device::done("Refused", "The client was refused. You can close this page."),
        (false, _) => pages::device::ask(Some("That code is not known, has expired or was decided before.")),
    };
    Ok(page.reply())
}

/// Codes are short, so guessing them is limited.
fn limited(state: &State, request: &HttpRequest) -> Result<(), ApiError> {
    let permit = state.code_tries.acquire(&address(request), state.env.now_ms());
    permit.map(drop).map_err(|wait| ApiError::rate_limited(wait, "too many tries; wait a little"))
}

/// One person tries few codes, and few look at one code: it is shown to people who did not ask for it, or guessed at.
fn guessed(state: &State, code: &str, person: &SignedIn) -> Result<(), ApiError> {
    let now = state.env.now_ms();
    for key in [format!("code {code}"), format!("person {}", person.user_id)] {
        let permit = state.guesses.acquire(&key, now);
        permit.map(drop).map_err(|wait| ApiError::rate_limited(wait, "too many tries; wait a little"))?;
    }
    Ok(())
}

fn user_code(env: &Env) -> Result<String, ServerError> {
    // 5 bits are drawn and values of 20 and above drawn again, so that every letter is as likely.
    let mut code = String::with_capacity(9);
    while code.len() < 9 {
        for byte in env.random::<32>()? {
            match code.len() {
                4 => code.push('-'),
                9 => break,
                _ => {}
            }
            if let Some(letter) = ALPHABET.get(usize::from(byte & 31)) {
                code.push(char::from(*letter));
            }
        }
    }
    Ok(code)
}

/// What a person typed, in the form in which codes are stored.
fn normal(typed: &str) -> String {
    let letters: Vec<char> =
        typed.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase()).take(9).collect();
    match letters.len() {
        8 => letters[..4].iter().chain(&['-']).chain(&letters[4..]).collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_eight_letters_however_they_are_typed() {
        for _ in 0..200 {
            let code = user_code(&Env::system()).unwrap();
            assert_eq!((code.len(), code.as_bytes()[4]), (9, b'-'), "{code}");
            assert_eq!(normal(&code), code);
            assert_eq!(normal(&code.to_lowercase().replace('-', " ")), code);
        }
        assert_eq!(normal("<script>x"), "", "a wrong number of letters is no code");
    }
}
