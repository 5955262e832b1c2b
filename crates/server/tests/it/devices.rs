//! Devices at the relay, as tests play them: keys, enrolment, sockets.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use relay::bytes::{Nonce, Sealed};
use relay::certificate::Certificate;
use relay::envelope::{DeviceKind, FromHub, Resume, ToHub};
use relay::keys::DeviceKeys;
use relay::{Random, proof, ptc1};
use serde_json::json;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::support::{Tokens, World, json_of};

#[allow(clippy::disallowed_methods, reason = "a test's own randomness")]
pub fn random() -> Random {
    Arc::new(|buffer| getrandom::fill(buffer).unwrap())
}

/// A device as the server knows it, with its keys.
pub struct Device {
    pub id: String,
    pub kind: DeviceKind,
    pub keys: DeviceKeys,
    pub account: String,
}

/// A socket of a device.
pub struct Wire(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Wire {
    pub async fn tell(&mut self, envelope: &ToHub) {
        self.0.send(Message::text(envelope.to_text())).await.unwrap();
    }

    /// The next message, or `None` when the socket has ended.
    pub async fn message(&mut self) -> Option<Message> {
        let message = tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.expect("in time");
        match message {
            Some(Ok(Message::Close(_)) | Err(_)) | None => None,
            Some(Ok(message)) => Some(message),
        }
    }

    pub async fn next(&mut self) -> Option<FromHub> {
        match self.message().await? {
            Message::Text(text) => Some(FromHub::parse(&text).unwrap()),
            other => panic!("not an envelope: {other:?}"),
        }
    }

    /// The next envelope for which `of` gives something; others are passed over.
    pub async fn until<T>(&mut self, of: impl Fn(&FromHub) -> Option<T>) -> T {
        loop {
            let envelope = self.next().await.expect("the socket is open");
            if let Some(found) = of(&envelope) {
                return found;
            }
        }
    }

    /// Reads to the end; the last error or goodbye that was told.
    pub async fn ended(&mut self) -> Option<FromHub> {
        let mut last = None;
        while let Some(message) = self.message().await {
            if let Message::Text(text) = message {
                last = FromHub::parse(&text).ok();
            }
        }
        last
    }
}

pub async fn dial(
    world: &World,
    path: &str,
    protocols: &str,
    headers: &[(&'static str, String)],
) -> Result<Wire, tungstenite::Error> {
    let url = format!("{}{path}", world.url.replacen("http", "ws", 1));
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    tokio_tungstenite::connect_async(request).await.map(|(socket, _)| Wire(socket))
}

pub fn refused(outcome: Result<Wire, tungstenite::Error>) -> u16 {
    match outcome {
        Err(tungstenite::Error::Http(reply)) => reply.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("let in"),
    }
}

pub async fn desktop(world: &World, tokens: &Tokens) -> Device {
    let keys = DeviceKeys::generate(&random());
    let body = json!({ "name": "Laptop", "link_key": keys.public().link });
    let reply = json_of(world.post("/api/devices").bearer_auth(&tokens.access).json(&body)).await;
    let text = |key: &str| reply[key].as_str().unwrap().to_owned();
    Device { id: text("device"), kind: DeviceKind::Desktop, account: text("account"), keys }
}

pub fn certificate(world: &World, desktop: &Device, keys: &DeviceKeys, id: &str) -> Vec<u8> {
    let certificate = Certificate {
        origin: world.url.clone(),
        account: desktop.account.clone(),
        issuer: desktop.id.clone(),
        name: "Phone".into(),
        keys: keys.public(),
        issued_at: world.env.now_ms().unsigned_abs(),
        id: id.into(),
    };
    certificate.to_bytes(&desktop.keys)
}

pub fn enrolment(world: &World, certificate: Vec<u8>, keys: &DeviceKeys) -> serde_json::Value {
    let proof = keys.sign(&proof::enrolment(&world.url, &certificate));
    json!({ "certificate": Sealed::new(certificate), "proof": proof })
}

pub async fn phone(world: &World, desktop: &Device) -> Device {
    let keys = DeviceKeys::generate(&random());
    let bytes = certificate(world, desktop, &keys, &world.env.id());
    let reply = json_of(world.post("/api/devices/enroll").json(&enrolment(world, bytes, &keys))).await;
    let id = reply["device"].as_str().unwrap().to_owned();
    Device { id, kind: DeviceKind::Mobile, account: desktop.account.clone(), keys }
}

pub async fn ticket(world: &World, device: &Device) -> String {
    let body = json!({ "device": device.id });
    let reply = json_of(world.post("/api/devices/challenge").json(&body)).await;
    let nonce = Nonce::from_base64(reply["nonce"].as_str().unwrap()).unwrap();
    let signature = device.keys.sign(&proof::ticket(&world.url, &device.id, &nonce));
    let body = json!({ "device": device.id, "nonce": nonce, "signature": signature });
    let reply = json_of(world.post("/api/devices/ticket").json(&body)).await;
    reply["ticket"].as_str().unwrap().to_owned()
}

/// Dials as this device and answers the challenge, signed by `keys`.
pub async fn challenged(world: &World, device: &Device, tokens: &Tokens) -> (Wire, Nonce, u64, String) {
    let mut wire = match device.kind {
        DeviceKind::Desktop => {
            let bearer = format!("Bearer {}", tokens.access);
            dial(world, "/ws/device-link", "plantocode.link.v1", &[("authorization", bearer)]).await.unwrap()
        }
        DeviceKind::Mobile => {
            let protocols = format!("plantocode.link.v1, ticket.{}", ticket(world, device).await);
            dial(world, "/ws/device-link", &protocols, &[]).await.unwrap()
        }
    };
    match wire.next().await {
        Some(FromHub::Challenge { nonce, generation, account, token_id }) => {
            assert_eq!(account, device.account);
            (wire, nonce, generation, token_id)
        }
        other => panic!("a challenge comes first: {other:?}"),
    }
}

pub struct Registered {
    pub wire: Wire,
    pub resumed: bool,
    pub received: u64,
    pub resume_token: String,
}

pub async fn register(world: &World, device: &Device, tokens: &Tokens, resume: Option<Resume>) -> Registered {
    let (mut wire, nonce, generation, token_id) = challenged(world, device, tokens).await;
    let signed = proof::registration(&proof::Registration {
        origin: &world.url,
        account: &device.account,
        device: &device.id,
        generation,
        nonce: &nonce,
        token_id: &token_id,
    });
    let signature = device.keys.sign(&signed);
    let (device_id, kind) = (device.id.clone(), device.kind);
    wire.tell(&ToHub::Register { device_id, kind, name: Some("A name".into()), signature, resume }).await;
    let (resumed, received, resume_token) = wire
        .until(|envelope| match envelope {
            FromHub::Registered { resumed, received, resume_token, .. } => {
                Some((*resumed, *received, resume_token.clone()))
            }
            FromHub::Error { code, message, .. } => panic!("refused: {code} {message}"),
            _ => None,
        })
        .await;
    Registered { wire, resumed, received, resume_token }
}

pub fn sealed(to: &Device, seq: u64, text: &str, queue: bool) -> ToHub {
    ToHub::Sealed { to: to.id.clone(), seq, sealed: Sealed::new(text.as_bytes().to_vec()), queue }
}

pub fn opened(envelope: &FromHub) -> Option<(String, u64, String)> {
    match envelope {
        FromHub::Sealed { from, n, sealed } => {
            Some((from.clone(), *n, String::from_utf8(sealed.as_bytes().to_vec()).unwrap()))
        }
        _ => None,
    }
}

pub fn error(envelope: &FromHub) -> Option<(String, Option<u64>)> {
    match envelope {
        FromHub::Error { code, reference, .. } => Some((code.clone(), *reference)),
        _ => None,
    }
}

pub fn presence(envelope: &FromHub) -> Option<(String, bool)> {
    match envelope {
        FromHub::Presence { device, online, .. } => Some((device.clone(), *online)),
        _ => None,
    }
}

pub fn frame(alias: &str, bytes: usize) -> Message {
    let frame = ptc1::Frame { session: alias, payload: &vec![7; bytes] }.to_bytes().unwrap();
    Message::binary(frame)
}

pub async fn stream(wire: &mut Wire, to: &Device, reference: u64) -> String {
    wire.tell(&ToHub::OpenStream { to: to.id.clone(), reference }).await;
    wire.until(|e| match e {
        FromHub::Stream { alias, reference: of } if *of == reference => Some(alias.clone()),
        _ => None,
    })
    .await
}
