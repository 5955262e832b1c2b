//! `/oauth/authorize` (RFC 6749, 7636, 8252, 9207): a client sends the browser here, a signed-in person allows or denies, and
//! the browser goes back with a code that only this client can use.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use server_store::AuthorizationCodeRow;
use url::Url;

use super::sign_in;
use crate::error::ApiError;
use crate::identity::{Client, token_hash};
use crate::pages::{self, consent};
use crate::state::{State, address};

/// How long a code lives: a client collects it at once.
const LIFETIME_MS: i64 = 60_000;
/// Longest `state`, which comes back as it was sent.
const LONGEST_STATE: usize = 1_024;
/// Longest name of a device, in characters.
const LONGEST_NAME: usize = 80;

/// A request that may be shown to a person.
struct Asked<'a> {
    client: &'a Client,
    redirect_uri: Url,
    state: String,
    challenge: String,
    device: String,
}

/// A request that may not.
enum Refusal {
    /// It is not known whose it is, so nobody is told but the person.
    Page(&'static str),
    /// The client is told.
    Client(Box<Told>),
}

/// What a client is told that gets no code.
struct Told {
    redirect_uri: Url,
    state: Option<String>,
    error: &'static str,
    why: &'static str,
}

/// `GET /oauth/authorize`: shows who asks.
pub(crate) async fn page(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let asked = match read(&state, request.query_string().as_bytes()) {
        Ok(asked) => asked,
        Err(refusal) => return Ok(refuse(&state, refusal)),
    };
    let Some(person) = sign_in::signed_in(&request, &state).await? else {
        return Ok(sign_in::first_sign_in(&format!("/oauth/authorize?{}", request.query_string())));
    };
    let address = address(&request);
    let asker = consent::Asker {
        client: &asked.client.name,
        device: &asked.device,
        address: &address,
        redirect_uri: &asked.redirect_uri,
    };
    let fields = [
        ("response_type", "code"),
        ("client_id", &asked.client.id),
        ("redirect_uri", asked.redirect_uri.as_str()),
        ("state", &asked.state),
        ("code_challenge_method", "S256"),
        ("code_challenge", &asked.challenge),
        ("device_name", &asked.device),
        ("form_token", &person.form_token),
    ];
    Ok(consent::page(&asker, &fields, &person.login).reply())
}

/// `POST /oauth/authorize`: allows or denies. What the form says is checked as if it had come for the first time.
pub(crate) async fn decide(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Bytes,
) -> Result<HttpResponse, ApiError> {
    sign_in::same_origin(&request)?;
    let asked = match read(&state, &body) {
        Ok(asked) => asked,
        Err(refusal) => return Ok(refuse(&state, refusal)),
    };
    let field = |name: &str| {
        url::form_urlencoded::parse(&body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let Some(person) = sign_in::signed_in(&request, &state).await? else {
        return Ok(sign_in::first_sign_in("/"));
    };
    person.check_form(&field("form_token").unwrap_or_default())?;
    if field("decision").as_deref() != Some("allow") {
        let (redirect_uri, why) = (asked.redirect_uri, "the person did not allow it");
        let told = Told { redirect_uri, state: Some(asked.state), error: "access_denied", why };
        return Ok(refuse(&state, Refusal::Client(Box::new(told))));
    }
    let code = state.env.token()?;
    let now = state.env.now_ms();
    let row = AuthorizationCodeRow {
        hash: token_hash(&code),
        client_id: asked.client.id.clone(),
        redirect_uri: asked.redirect_uri.to_string(),
        challenge: asked.challenge,
        user_id: person.user_id,
        device_name: asked.device,
        address: address(&request),
        created_ms: now,
        expires_ms: now + LIFETIME_MS,
    };
    state.store.add_authorization_code(&row).await?;
    Ok(go_back(&state, asked.redirect_uri, &[("code", &code), ("state", &asked.state)]))
}

/// Reads the parameters of a request. First whose it is: until that is known, nothing is sent anywhere.
fn read<'a>(state: &'a State, query: &[u8]) -> Result<Asked<'a>, Refusal> {
    let mut fields = BTreeMap::new();
    let mut twice = false;
    for (key, value) in url::form_urlencoded::parse(query) {
        twice |= fields.insert(key.into_owned(), value.into_owned()).is_some();
    }
    if twice {
        return Err(Refusal::Page("A parameter of this request is given twice."));
    }
    let mut take = |name: &str| fields.remove(name).filter(|value| !value.is_empty());
    let client = take("client_id").and_then(|id| state.clients.find(&id));
    let client =
        client.ok_or(Refusal::Page("The program that sent you here is not known to this server."))?;
    let redirect_uri = take("redirect_uri").and_then(|uri| client.redirect_uri(&uri));
    let redirect_uri = redirect_uri.ok_or(Refusal::Page(
        "The program that sent you here wants its answer at an address that is not its own.",
    ))?;
    let state = take("state").filter(|state| state.len() <= LONGEST_STATE);
    let tell = |error, why| {
        let (redirect_uri, state) = (redirect_uri.clone(), state.clone());
        Refusal::Client(Box::new(Told { redirect_uri, state, error, why }))
    };
    if take("response_type").as_deref() != Some("code") {
        return Err(tell("unsupported_response_type", "response_type must be code"));
    }
    let challenge = take("code_challenge")
        .filter(|challenge| URL_SAFE_NO_PAD.decode(challenge).is_ok_and(|bytes| bytes.len() == 32));
    let (Some(challenge), Some("S256")) = (challenge, take("code_challenge_method").as_deref()) else {
        return Err(tell("invalid_request", "code_challenge with code_challenge_method S256 is needed"));
    };
    let Some(kept) = state.clone() else {
        return Err(tell("invalid_request", "state is needed"));
    };
    let device = take("device_name").unwrap_or_else(|| "an unnamed device".into());
    Ok(Asked {
        client,
        redirect_uri,
        state: kept,
        challenge,
        device: device.chars().take(LONGEST_NAME).collect(),
    })
}

fn refuse(state: &State, refusal: Refusal) -> HttpResponse {
    match refusal {
        Refusal::Page(sentence) => pages::consent::refused(sentence).reply(),
        Refusal::Client(told) => {
            let mut fields = vec![("error", told.error), ("error_description", told.why)];
            fields.extend(told.state.as_deref().map(|kept| ("state", kept)));
            go_back(state, told.redirect_uri, &fields)
        }
    }
}

/// Sends the browser back to the client, which learns who answers.
fn go_back(state: &State, mut to: Url, fields: &[(&str, &str)]) -> HttpResponse {
    to.query_pairs_mut().extend_pairs(fields).append_pair("iss", state.origin());
    sign_in::see_other(to.as_str(), None)
}
