//! `/api/devices`: who may stand at the relay.

use actix_web::http::header::ORIGIN;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use relay::bytes::Key;
use relay::certificate::Certificate;
use relay::envelope::{Enrolment, TicketRequest};
use relay::proof;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use server_store::LinkDeviceRow;

use crate::error::ApiError;
use crate::relay_hub::tickets::TicketOwner;
use crate::state::{State, address};

/// How old a certificate may be when its phone enrols.
const CERTIFICATE_MS: i64 = 5 * 60_000;
/// How far the desktop's clock may be ahead.
const SKEW_MS: i64 = 60_000;
/// The longest id of a device, in bytes.
const LONGEST_ID: usize = 64;
/// Devices that a person may have.
const MOST: usize = 64;

#[derive(Deserialize)]
struct Add {
    name: String,
    link_key: Key,
}

/// `POST /api/devices`: a desktop adds itself, or says that it has signed in anew.
pub(crate) async fn add(
    request: HttpRequest,
    state: web::Data<State>,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    let principal = state.person(&request)?;
    let Add { name, link_key } = read(&body)?;
    let (name, link_key) = (short(&name), link_key.to_base64());
    let known = match state.store.link_device_by_key(&link_key).await? {
        Some(known) => known,
        None => {
            if state.store.link_devices(&principal.user_id).await?.len() >= MOST {
                return Err(ApiError::forbidden("this account has too many devices; revoke some"));
            }
            let row = LinkDeviceRow {
                id: state.env.id(),
                user_id: principal.user_id.clone(),
                kind: "desktop".into(),
                name: name.clone(),
                link_key: link_key.clone(),
                sign_in_id: Some(principal.device_id.clone()),
                issuer_id: None,
                created_ms: state.env.now_ms(),
                seen_ms: None,
                revoked_ms: None,
            };
            state.store.add_link_device(&row).await?;
            // Another request with the same key may have been first.
            state.store.link_device_by_key(&link_key).await?.unwrap_or(row)
        }
    };
    if known.user_id != principal.user_id || known.kind != "desktop" || known.revoked_ms.is_some() {
        return Err(ApiError::forbidden("this key belongs to another device"));
    }
    state.store.update_link_device(&known.id, &name, &principal.device_id).await?;
    Ok(reply(json!({ "device": known.id, "account": principal.user_id, "origin": state.origin() })))
}

/// `GET /api/devices`: the person's devices.
pub(crate) async fn list(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let principal = state.person(&request)?;
    let devices = state.store.link_devices(&principal.user_id).await?;
    let device = |row: LinkDeviceRow| {
        json!({
            "id": row.id, "kind": row.kind, "name": row.name, "link_key": row.link_key, "issuer": row.issuer_id,
            "created_ms": row.created_ms, "seen_ms": row.seen_ms,
        })
    };
    Ok(reply(json!({ "devices": devices.into_iter().map(device).collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
struct Revoke {
    /// The engine may know a phone by its key alone.
    link_key: Key,
}

/// `POST /api/devices/revoke`: its link is closed before this answers.
pub(crate) async fn revoke(
    request: HttpRequest,
    state: web::Data<State>,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    let principal = state.person(&request)?;
    let Revoke { link_key } = read(&body)?;
    let known = state.store.link_device_by_key(&link_key.to_base64()).await?;
    let revoked = match &known {
        Some(known) => {
            state.store.revoke_link_device(&principal.user_id, &known.id, state.env.now_ms()).await?
        }
        None => false,
    };
    if let Some(device) = known.filter(|_| revoked) {
        state.hub.revoke(&device.id);
        tracing::info!(device = device.id, "a device was revoked");
    }
    Ok(reply(json!({ "revoked": revoked })))
}

/// `POST /api/devices/enroll`: a phone comes with the certificate of a desktop and proves that the key in it is its own.
pub(crate) async fn enroll(
    request: HttpRequest,
    state: web::Data<State>,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    limited(&state, &request)?;
    let Enrolment { certificate: sealed, proof: signature } = read(&body)?;
    let refused = || ApiError::forbidden("this certificate is not accepted; pair the device again");
    let (certificate, signed) = Certificate::parse(sealed.as_bytes()).map_err(|_| refused())?;
    let issuer = state.store.link_device(&certificate.issuer).await?.ok_or_else(refused)?;
    let stands = issuer.kind == "desktop" && issuer.revoked_ms.is_none();
    let signed_in = issuer.sign_in_id.as_ref().is_some_and(|id| !state.revoked.contains(id));
    let issuer_key = Key::from_base64(&issuer.link_key).ok_or_else(refused)?;
    certificate.verify(&signed, &issuer_key).map_err(|_| refused())?;
    let now = state.env.now_ms();
    let age = now - i64::try_from(certificate.issued_at).unwrap_or(i64::MAX);
    let fits = certificate.origin == state.origin() && certificate.account == issuer.user_id;
    if !(stands && signed_in && fits && (-SKEW_MS..CERTIFICATE_MS).contains(&age)) {
        return Err(refused());
    }
    let message = proof::enrolment(state.origin(), sealed.as_bytes());
    proof::verify(&certificate.keys.link, &message, &signature).map_err(|_| refused())?;
    if state.store.link_devices(&issuer.user_id).await?.len() >= MOST {
        return Err(ApiError::forbidden("this account has too many devices; revoke some"));
    }
    let row = LinkDeviceRow {
        id: certificate.id.clone(),
        user_id: issuer.user_id,
        kind: "mobile".into(),
        name: short(&certificate.name),
        link_key: certificate.keys.link.to_base64(),
        sign_in_id: None,
        issuer_id: Some(issuer.id),
        created_ms: now,
        seen_ms: None,
        revoked_ms: None,
    };
    // A certificate works once. The same phone asking again has lost the answer and gets it again.
    if !state.store.add_link_device(&row).await? {
        let known = state.store.link_device(&row.id).await?;
        let same = known.is_some_and(|known| known.link_key == row.link_key && known.revoked_ms.is_none());
        if !same {
            return Err(refused());
        }
    }
    Ok(reply(json!({ "device": row.id })))
}

#[derive(Deserialize)]
struct Challenge {
    device: String,
}

/// `POST /api/devices/challenge`: what a ticket's request must sign.
pub(crate) async fn challenge(state: web::Data<State>, body: Bytes) -> Result<HttpResponse, ApiError> {
    // Every dial of every phone asks here, and all of them may stand behind one address; so the limit is each device's.
    let Challenge { device } = read(&body)?;
    if device.len() > LONGEST_ID {
        return Err(ApiError::invalid("that is no device's id"));
    }
    let permit = state.challenge_tries.acquire(&device, state.env.now_ms());
    permit.map(drop).map_err(|wait| ApiError::rate_limited(wait, "too many tries; wait a little"))?;
    let nonce = state.tickets.challenge(&device, &state.env)?;
    let nonce = nonce.ok_or_else(|| ApiError::unavailable("too many devices ask at once; try again"))?;
    Ok(reply(json!({ "nonce": nonce })))
}

/// `POST /api/devices/ticket`: a ticket for the socket, for whoever holds the device's key.
pub(crate) async fn ticket(
    request: HttpRequest,
    state: web::Data<State>,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    let TicketRequest { device, nonce, signature } = read(&body)?;
    let refused = || ApiError::unauthenticated("this device is not known here, or its key did not sign");
    if !state.tickets.answer(&device, &nonce, state.env.now_ms()) {
        return Err(ApiError::unauthenticated("the challenge was used or is too old"));
    }
    let row = state.store.link_device(&device).await?.ok_or_else(refused)?;
    let key = Key::from_base64(&row.link_key).ok_or_else(refused)?;
    proof::verify(&key, &proof::ticket(state.origin(), &device, &nonce), &signature)
        .map_err(|_| refused())?;
    if row.revoked_ms.is_some() {
        let status = actix_web::http::StatusCode::FORBIDDEN;
        return Err(ApiError::new(status, "revoked", "this device was revoked; pair it again"));
    }
    if row.kind != "mobile" {
        return Err(refused());
    }
    let origin = request.headers().get(ORIGIN).and_then(|origin| origin.to_str().ok()).map(str::to_owned);
    let owner = TicketOwner { account: row.user_id.clone(), device, origin };
    let ticket = state.tickets.issue(owner, &state.env)?;
    Ok(reply(json!({ "ticket": ticket, "account": row.user_id })))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body)
        .map_err(|error| ApiError::invalid(format!("the body is not as expected: {error}")))
}

fn reply(body: serde_json::Value) -> HttpResponse {
    HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(body)
}

/// A name as it is stored: one line of at most 64 characters.
fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

fn limited(state: &State, request: &HttpRequest) -> Result<(), ApiError> {
    let permit = state.code_tries.acquire(&address(request), state.env.now_ms());
    permit.map(drop).map_err(|wait| ApiError::rate_limited(wait, "too many tries; wait a little"))
}
