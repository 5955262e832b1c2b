//! `GET /ws/device-link`: the socket of a device.
//!
//! A desktop is let in by its access token, a phone by a ticket; both prove their key by answering the challenge, and
//! only then does anything they send count. The authority ends with the token or ticket unless it is renewed in band.

use super::hub::{Admission, Arrival, Refusal};
use super::lanes::{Lanes, Next, Offered};
use super::pace::Pace;
use crate::error::ApiError;
use crate::state::State;
use actix_web::http::header::{self, HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream};
use bytes::Bytes;
use futures_util::StreamExt;
use relay::bytes::{Key, Nonce};
use relay::envelope::{DeviceKind, FromHub, MAX_ENVELOPE_BYTES, ToHub};
use relay::proof;
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use std::time::Duration;

/// The subprotocol of a device's socket, and what a ticket stands behind.
const PROTOCOL: &str = "plantocode.link.v1";
const TICKET_PREFIX: &str = "ticket.";
/// How often a device says that it is there, and how long a silent one is kept.
const HEARTBEAT: Duration = Duration::from_secs(15);
const IDLE: Duration = Duration::from_secs(40);
/// How long a device may take to register.
const REGISTER: Duration = Duration::from_secs(10);
/// How long a phone's ticket carries.
const TICKET_AUTHORITY_MS: i64 = 15 * 60_000;
/// How often a link's authority is looked at again.
const LOOK: Duration = Duration::from_secs(1);

/// `GET /ws/device-link`
pub(crate) async fn device_link(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Payload,
) -> Result<HttpResponse, actix_web::Error> {
    same_origin(&state, &request)?;
    let admission = admit(&state, &request)?;
    if !offers(&request, PROTOCOL) {
        return Err(ApiError::invalid("this endpoint speaks the subprotocol plantocode.link.v1").into());
    }
    let nonce = Nonce(state.env.random::<32>().map_err(ApiError::from)?);
    let (mut response, session, messages) = actix_ws::handle(&request, body)?;
    response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    let lanes = Arc::new(Lanes::default());
    actix_web::rt::spawn(write(session, Arc::clone(&lanes)));
    let messages = messages
        .max_frame_size(MAX_ENVELOPE_BYTES)
        .aggregate_continuations()
        .max_continuation_size(MAX_ENVELOPE_BYTES);
    actix_web::rt::spawn(async move {
        let generation = state.hub.next_generation();
        let mut socket = Socket { state, lanes, messages, admission, generation };
        if let Err(refusal) = socket.run(nonce).await {
            let (code, message) = (refusal.code.to_owned(), refusal.message.to_owned());
            socket.lanes.control(FromHub::Error { code, message, reference: None }.to_text());
        }
        socket.lanes.close("the link has ended");
    });
    Ok(response)
}

/// A page may open a socket only from this server's own origin. Programs send none.
pub(super) fn same_origin(state: &State, request: &HttpRequest) -> Result<(), ApiError> {
    match request.headers().get(ORIGIN) {
        Some(origin) if origin.as_bytes() != state.origin().as_bytes() => {
            Err(ApiError::forbidden("pages of another origin cannot connect here"))
        }
        _ => Ok(()),
    }
}

/// Whether the client offers a subprotocol.
pub(super) fn offers(request: &HttpRequest, protocol: &str) -> bool {
    offered(request).any(|found| found == protocol)
}

fn offered(request: &HttpRequest) -> impl Iterator<Item = &str> {
    let values = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL);
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim)
}

/// Whom an upgrade lets in.
fn admit(state: &State, request: &HttpRequest) -> Result<Admission, ApiError> {
    if request.headers().contains_key(header::AUTHORIZATION) {
        return Ok(by_token(state.person(request)?));
    }
    let ticket = offered(request).find_map(|protocol| protocol.strip_prefix(TICKET_PREFIX));
    let ticket = ticket.ok_or_else(|| ApiError::unauthenticated("an access token or a ticket is needed"))?;
    let origin = request.headers().get(ORIGIN).and_then(|origin| origin.to_str().ok());
    by_ticket(state, ticket, origin)
        .ok_or_else(|| ApiError::unauthenticated("this ticket was used or is too old"))
}

fn by_token(principal: crate::identity::Principal) -> Admission {
    Admission {
        account: principal.user_id,
        token_id: principal.device_id.clone(),
        device: None,
        sign_in: Some(principal.device_id),
        expires_ms: principal.expires_ms,
    }
}

fn by_ticket(state: &State, ticket: &str, origin: Option<&str>) -> Option<Admission> {
    let now = state.env.now_ms();
    let owner = state.tickets.redeem(ticket, now)?;
    // A ticket that a page asked for is of use to that page alone.
    if owner.origin.as_deref() != origin {
        return None;
    }
    Some(Admission {
        account: owner.account,
        token_id: owner.device.clone(),
        device: Some(owner.device),
        sign_in: None,
        expires_ms: now + TICKET_AUTHORITY_MS,
    })
}

/// Writes what waits in the lanes until they close.
pub(super) async fn write(mut session: actix_ws::Session, lanes: Arc<Lanes>) {
    loop {
        let written = match lanes.next().await {
            Next::Text(text) => session.text(text).await,
            Next::Frame(frame) => session.binary(frame).await,
            Next::Close(reason) => {
                let code = actix_ws::CloseCode::Normal;
                let reason = actix_ws::CloseReason { code, description: Some(reason.to_owned()) };
                // The other end may have gone first.
                drop(session.close(Some(reason)).await);
                return;
            }
        };
        if written.is_err() {
            return;
        }
    }
}

struct Socket {
    state: web::Data<State>,
    lanes: Arc<Lanes>,
    messages: AggregatedMessageStream,
    admission: Admission,
    generation: u64,
}

impl Socket {
    async fn run(&mut self, nonce: Nonce) -> Result<(), Refusal> {
        let (device, kind) = self.register(nonce).await?;
        let ended = self.serve(&device, kind).await;
        self.state.mailboxes.close_all(&self.lanes);
        self.state.hub.leave(&device, self.generation, self.state.env.now_ms());
        ended
    }

    fn tell(&self, envelope: &FromHub) {
        self.lanes.control(envelope.to_text());
    }

    /// Challenges the device and gives it its place. Its id and kind.
    async fn register(&mut self, nonce: Nonce) -> Result<(String, DeviceKind), Refusal> {
        self.tell(&FromHub::Challenge {
            nonce,
            generation: self.generation,
            account: self.admission.account.clone(),
            token_id: self.admission.token_id.clone(),
        });
        let first = tokio::time::timeout(REGISTER, self.messages.next()).await;
        let Ok(Some(Ok(AggregatedMessage::Text(text)))) = first else { return Err(INVALID) };
        let Ok(ToHub::Register { device_id, kind, name, signature, resume }) = ToHub::parse(&text) else {
            return Err(INVALID);
        };
        let key = self.link_key(&device_id, kind).await?;
        let signed = proof::registration(&proof::Registration {
            origin: self.state.origin(),
            account: &self.admission.account,
            device: &device_id,
            generation: self.generation,
            nonce: &nonce,
            token_id: &self.admission.token_id,
        });
        proof::verify(&key, &signed, &signature).map_err(|_| UNPROVED)?;
        let now = self.state.env.now_ms();
        let resume_token = self.state.env.token().map_err(|_| BROKEN)?;
        let arrived = self.state.hub.register(
            Arrival {
                account: self.admission.account.clone(),
                device: device_id.clone(),
                kind,
                name: name.unwrap_or_default(),
                generation: self.generation,
                resume,
                resume_token: resume_token.clone(),
                lanes: Arc::clone(&self.lanes),
                greeting: Box::new({
                    let (generation, expires_ms) = (self.generation, self.admission.expires_ms);
                    move |resumed, received| FromHub::Registered {
                        link_id: generation.to_string(),
                        generation,
                        resume_token,
                        resumed,
                        received,
                        heartbeat_ms: HEARTBEAT.as_millis() as u64,
                        expires_in_ms: (expires_ms - now).max(0).unsigned_abs(),
                    }
                }),
            },
            now,
        );
        arrived?;
        // A revocation may have come between the look at the key and the registration; it has then closed nothing.
        match self.state.store.link_device_seen(&device_id, now).await {
            Ok(true) => {}
            Ok(false) => {
                self.state.hub.revoke(&device_id);
                return Err(REVOKED);
            }
            Err(error) => {
                tracing::error!(%error, "a device that registers cannot be looked up");
                self.state.hub.leave(&device_id, self.generation, now);
                return Err(BROKEN);
            }
        }
        Ok((device_id, kind))
    }

    /// The key of a device that may register with this admission.
    async fn link_key(&self, device: &str, kind: DeviceKind) -> Result<Key, Refusal> {
        let row = self.state.store.link_device(device).await.map_err(|error| {
            tracing::error!(%error, "a device cannot be looked up");
            BROKEN
        })?;
        let row = row.filter(|row| row.user_id == self.admission.account).ok_or(UNKNOWN)?;
        if row.revoked_ms.is_some() {
            self.tell(&FromHub::Revoked {});
            return Err(REVOKED);
        }
        // A token of a sign-in is for that sign-in's desktop; a ticket for its one phone.
        let own = match (&self.admission.device, &self.admission.sign_in) {
            (Some(ticketed), _) => ticketed == device && kind == DeviceKind::Mobile && row.kind == "mobile",
            (None, sign_in) => {
                kind == DeviceKind::Desktop && row.kind == "desktop" && row.sign_in_id == *sign_in
            }
        };
        if !own {
            return Err(UNKNOWN);
        }
        Key::from_base64(&row.link_key).ok_or(BROKEN)
    }

    async fn serve(&mut self, device: &str, kind: DeviceKind) -> Result<(), Refusal> {
        let mut pace = Pace::new(self.state.env.now_ms());
        let mut looks = tokio::time::interval(LOOK);
        let mut heard = tokio::time::Instant::now();
        let mut told_pace = false;
        loop {
            let message = tokio::select! {
                message = self.messages.next() => message,
                _ = looks.tick() => {
                    self.look(heard.elapsed())?;
                    told_pace = false;
                    continue;
                }
            };
            heard = tokio::time::Instant::now();
            let length = match message {
                Some(Ok(AggregatedMessage::Text(text))) => {
                    self.take(device, kind, &text).await?;
                    text.len()
                }
                Some(Ok(AggregatedMessage::Binary(frame))) => {
                    let length = frame.len();
                    self.frame(device, frame)?;
                    length
                }
                Some(Ok(AggregatedMessage::Ping(_) | AggregatedMessage::Pong(_))) => continue,
                Some(Ok(AggregatedMessage::Close(_))) | None => return Ok(()),
                Some(Err(_)) => return Err(INVALID),
            };
            if let Some(wait) = pace.count(length, self.state.env.now_ms()) {
                if !std::mem::replace(&mut told_pace, true) {
                    self.answer(Err(SLOW_DOWN), None);
                }
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// Whether this link may go on.
    fn look(&self, silent: Duration) -> Result<(), Refusal> {
        if silent > IDLE {
            return Err(SILENT);
        }
        if self.admission.sign_in.as_ref().is_some_and(|id| self.state.revoked.contains(id)) {
            self.tell(&FromHub::Revoked {});
            return Err(REVOKED);
        }
        if self.admission.expires_ms <= self.state.env.now_ms() {
            let reason = "the token has expired; connect again with a new one".to_owned();
            self.tell(&FromHub::Goaway { after_ms: 0, reason });
            return Err(EXPIRED);
        }
        Ok(())
    }

    async fn take(&mut self, device: &str, kind: DeviceKind, text: &str) -> Result<(), Refusal> {
        let own = (device, self.generation);
        match ToHub::parse(text).map_err(|_| INVALID)? {
            ToHub::Heartbeat {} => self.tell(&FromHub::Heartbeat {}),
            ToHub::Sealed { to, seq, sealed, queue } => {
                match self.state.hub.deliver(own, &to, seq, sealed, queue) {
                    Ok(up_to) => self.tell(&FromHub::Received { up_to }),
                    Err(refusal) if refusal.code == "fenced" => return Err(refusal),
                    Err(refusal) => self.answer(Err(refusal), Some(seq)),
                }
            }
            ToHub::Ack { up_to } => self.state.hub.acknowledge(own, up_to),
            ToHub::OpenStream { to, reference } => {
                let alias = self.state.env.token().map_err(|_| BROKEN)?;
                match self.state.hub.open_stream(own, &to, alias.clone()) {
                    Ok(()) => self.tell(&FromHub::Stream { alias, reference }),
                    Err(refusal) => self.answer(Err(refusal), Some(reference)),
                }
            }
            ToHub::CloseStream { alias } => self.state.hub.close_stream(own, &alias),
            ToHub::Reauth { credential } => self.renew(credential.expose_secret())?,
            ToHub::PairingOpen { mailbox } => {
                let now = self.state.env.now_ms();
                let opened = kind == DeviceKind::Desktop
                    && self.state.mailboxes.open(&mailbox, device, Arc::clone(&self.lanes), now);
                if opened {
                    self.tell(&FromHub::PairingOpened { mailbox });
                } else {
                    let reason = "refused".to_owned();
                    self.tell(&FromHub::PairingClosed { mailbox, reason });
                }
            }
            ToHub::Pairing { mailbox, body } => {
                if !self.state.mailboxes.to_phone(&mailbox, device, body) {
                    self.tell(&FromHub::PairingClosed { mailbox, reason: "left".to_owned() });
                }
            }
            ToHub::PairingClose { mailbox } => self.state.mailboxes.close(&mailbox, device),
            ToHub::Register { .. } => return Err(INVALID),
            ToHub::Unknown => {}
        }
        Ok(())
    }

    /// Extends the authority by another token of the same sign-in, or another ticket of the same phone.
    fn renew(&mut self, credential: &str) -> Result<(), Refusal> {
        let now = self.state.env.now_ms();
        let fresh = match &self.admission.device {
            Some(_) => {
                // The ticket was asked for by the page that this socket belongs to.
                let owner = self.state.tickets.redeem(credential, now).ok_or(UNKNOWN)?;
                Admission {
                    account: owner.account,
                    token_id: owner.device.clone(),
                    device: Some(owner.device),
                    sign_in: None,
                    expires_ms: now + TICKET_AUTHORITY_MS,
                }
            }
            None => by_token(self.state.tokens.check(credential, now).map_err(|_| UNKNOWN)?),
        };
        let old = &self.admission;
        if (&fresh.account, &fresh.device, &fresh.sign_in) != (&old.account, &old.device, &old.sign_in) {
            return Err(UNKNOWN);
        }
        self.admission = fresh;
        let expires_in_ms = (self.admission.expires_ms - now).max(0).unsigned_abs();
        self.tell(&FromHub::Reauthorized { expires_in_ms });
        Ok(())
    }

    fn answer(&self, outcome: Result<(), Refusal>, reference: Option<u64>) {
        if let Err(Refusal { code, message }) = outcome {
            let (code, message) = (code.to_owned(), message.to_owned());
            self.tell(&FromHub::Error { code, message, reference });
        }
    }

    /// Passes a terminal frame on. Its alias is all that is read of it.
    fn frame(&self, device: &str, frame: Bytes) -> Result<(), Refusal> {
        let alias = relay::ptc1::Frame::parse(&frame).map_err(|_| INVALID)?.session;
        match self.state.hub.frame((device, self.generation), alias, frame.clone()) {
            Some(Offered::FirstDropped) => self.tell(&FromHub::Lagging { alias: alias.to_owned() }),
            Some(Offered::Taken | Offered::Dropped) | None => {}
        }
        Ok(())
    }
}

const fn refusal(code: &'static str, message: &'static str) -> Refusal {
    Refusal { code, message }
}
const INVALID: Refusal = refusal("invalid", "That is not a message of this protocol.");
const UNPROVED: Refusal = refusal("unauthenticated", "The device's key did not sign the challenge.");
const UNKNOWN: Refusal = refusal("unauthenticated", "This is not a device of this sign-in.");
const REVOKED: Refusal = refusal("revoked", "This device is no longer one of the account's.");
const EXPIRED: Refusal = refusal("expired", "The token has expired.");
const SILENT: Refusal = refusal("idle", "Nothing was heard for too long.");
const BROKEN: Refusal = refusal("internal", "The server failed; try again.");
const SLOW_DOWN: Refusal =
    refusal("rate_limited", "Too much at once: the link is read more slowly for a moment.");
