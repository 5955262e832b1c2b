//! Dials the hub: TCP, TLS by rustls with the system's trust, WebSocket, then challenge and registration.

use super::DeviceLinkConfig;
use crate::RelayError;
use crate::envelope::{DeviceKind, FromHub, MAX_ENVELOPE_BYTES, Resume, ToHub};
use crate::proof::{Registration, registration};
use crate::ptc1::MAX_FRAME_BYTES;
use futures_util::{SinkExt, StreamExt};
use rustls_platform_verifier::BuilderVerifierExt;
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use url::{Host, Url};

/// How long a dial may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the hub may take to answer during registration.
const ANSWER: Duration = Duration::from_secs(10);
/// The subprotocol of the device link.
pub const SUBPROTOCOL: &str = "plantocode.link.v1";

/// Any stream of bytes.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) type Socket = WebSocketStream<Box<dyn Stream>>;

/// What the hub said when it let us in.
pub(crate) struct Registered {
    pub socket: Socket,
    pub account: String,
    pub resume_token: String,
    pub resumed: bool,
    pub received: u64,
    pub heartbeat: Duration,
    pub expires_in: Duration,
}

fn unreachable(error: impl std::fmt::Display) -> RelayError {
    RelayError::Unreachable(error.to_string())
}

/// Checks the server's address. Without TLS only this machine itself is dialled.
pub(crate) fn server(origin: &str) -> Result<Url, RelayError> {
    let refuse = |why: &str| RelayError::Refused(why.to_owned());
    let url = Url::parse(origin).map_err(|_| refuse("its address is not one"))?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err(refuse("a device link needs https")),
    }
}

/// Dials and registers.
pub(crate) async fn register(
    config: Arc<DeviceLinkConfig>,
    resume: Option<Resume>,
) -> Result<Registered, RelayError> {
    let token = (config.token)().await.map_err(RelayError::Refused)?;
    let mut socket = timeout(CONNECT, open(&config.origin, token.expose_secret()))
        .await
        .map_err(|_| unreachable("it did not answer in five seconds"))??;
    let FromHub::Challenge { nonce, generation, account, token_id } = next(&mut socket).await? else {
        return Err(RelayError::Malformed("a greeting of another form"));
    };
    let proof = registration(&Registration {
        origin: &config.origin,
        account: &account,
        device: &config.device,
        generation,
        nonce: &nonce,
        token_id: &token_id,
    });
    let register = ToHub::Register {
        device_id: config.device.clone(),
        kind: DeviceKind::Desktop,
        name: Some(config.name.clone()),
        signature: config.keys.sign(&proof),
        resume,
    };
    socket.send(Message::text(register.to_text())).await.map_err(unreachable)?;
    match next(&mut socket).await? {
        FromHub::Registered { resume_token, resumed, received, heartbeat_ms, expires_in_ms, .. } => {
            Ok(Registered {
                socket,
                account,
                resume_token,
                resumed,
                received,
                heartbeat: Duration::from_millis(heartbeat_ms.clamp(1_000, 60_000)),
                expires_in: Duration::from_millis(expires_in_ms),
            })
        }
        FromHub::Error { message, .. } => Err(RelayError::Refused(message)),
        FromHub::Revoked {} => Err(RelayError::Refused("it was removed from the account".into())),
        _ => Err(RelayError::Malformed("an answer to the registration of another form")),
    }
}

async fn next(socket: &mut Socket) -> Result<FromHub, RelayError> {
    loop {
        let message = timeout(ANSWER, socket.next()).await;
        match message.map_err(|_| unreachable("it fell silent"))? {
            Some(Ok(Message::Text(text))) => return FromHub::parse(text.as_str()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(Some(frame)))) => return Err(unreachable(frame.reason)),
            Some(Ok(_)) | None => return Err(unreachable("it closed the connection")),
            Some(Err(error)) => return Err(unreachable(error)),
        }
    }
}

async fn open(origin: &str, token: &str) -> Result<Socket, RelayError> {
    let url = server(origin)?;
    let secure = url.scheme() == "https";
    let host = url.host_str().ok_or(RelayError::Refused("its address has no host".into()))?;
    let port = url.port_or_known_default().unwrap_or(443);
    // The brackets of an IPv6 address belong to the URL.
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let tcp = TcpStream::connect((bare, port)).await.map_err(unreachable)?;
    tcp.set_nodelay(true).map_err(unreachable)?;
    let stream: Box<dyn Stream> = if secure {
        let name = rustls::pki_types::ServerName::try_from(bare.to_owned()).map_err(unreachable)?;
        Box::new(TlsConnector::from(tls()?).connect(name, tcp).await.map_err(unreachable)?)
    } else {
        Box::new(tcp)
    };
    let scheme = if secure { "wss" } else { "ws" };
    let address = format!("{scheme}://{host}:{port}/ws/device-link");
    let mut request = address.into_client_request().map_err(unreachable)?;
    let headers = request.headers_mut();
    let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(unreachable)?;
    bearer.set_sensitive(true);
    headers.insert("authorization", bearer);
    headers.insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    let limit = Some(MAX_ENVELOPE_BYTES.max(MAX_FRAME_BYTES));
    let limits = WebSocketConfig::default().max_message_size(limit).max_frame_size(limit);
    match tokio_tungstenite::client_async_with_config(request, stream, Some(limits)).await {
        Ok((socket, _)) => Ok(socket),
        Err(WsError::Http(answer)) if matches!(answer.status().as_u16(), 401 | 403) => {
            Err(RelayError::Refused(format!("it answered {}", answer.status())))
        }
        Err(error) => Err(unreachable(error)),
    }
}

fn tls() -> Result<Arc<rustls::ClientConfig>, RelayError> {
    let config =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unreachable)?
            .with_platform_verifier()
            .map_err(unreachable)?
            .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_dialled_without_tls() {
        for good in ["https://relay.example", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"]
        {
            assert!(server(good).is_ok(), "{good}");
        }
        for bad in ["http://relay.example", "http://127.0.0.1.example", "ftp://localhost", "x"] {
            assert!(server(bad).is_err(), "{bad}");
        }
    }
}
