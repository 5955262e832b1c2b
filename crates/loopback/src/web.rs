//! The WebSocket host on 127.0.0.1, with the user interface.

use crate::LoopbackError;
use crate::tickets::{RandomToken, Tickets};
use actix_web::body::BoxBody;
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{StatusCode, Uri};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_ws::AggregatedMessage;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use rpc::link::MAX_MESSAGE_BYTES;
use rpc::{Caller, Link, Message, Router};
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tokio::sync::mpsc;

/// The WebSocket subprotocol of the API. A second offered protocol `token.HEX` carries the page token.
pub const PROTOCOL: &str = "plantocode.v1";
const TOKEN_PREFIX: &str = "token.";

/// How to get the user interface, when this build has none.
pub fn missing_ui() -> Option<&'static str> {
    (!webui::is_built()).then_some(webui::HOW_TO_BUILD)
}

/// A host that serves.
pub struct WebHost {
    address: SocketAddr,
    shared: Arc<Shared>,
    handle: ServerHandle,
}

/// Makes the engine's end of a link for a caller that was let in: in this process, or in another one that holds
/// the data directory.
pub type Dial = Arc<dyn Fn(Caller) -> BoxFuture<'static, Result<Link, LoopbackError>> + Send + Sync>;

/// Links to a router in this process. Must be called inside the Tokio runtime on which calls shall run.
pub fn dial_router(router: Arc<Router>) -> Dial {
    let runtime = tokio::runtime::Handle::current();
    Arc::new(move |caller| {
        let (here, there) = Link::pair();
        runtime.spawn(rpc::serve(Arc::clone(&router), caller, there));
        Box::pin(async move { Ok(here) })
    })
}

/// Links to the engine behind a socket. That engine decides what the caller may do: it is this user.
pub fn dial_socket(path: PathBuf) -> Dial {
    let runtime = tokio::runtime::Handle::current();
    Arc::new(move |_| {
        let (runtime, path) = (runtime.clone(), path.clone());
        Box::pin(async move {
            // On the engine's runtime, so that the link outlives the request that asked for it.
            let dialed = runtime.spawn(async move { crate::socket::connect(&path).await });
            dialed.await.unwrap_or_else(|e| {
                Err(LoopbackError::Connect { at: "the engine".into(), source: std::io::Error::other(e) })
            })
        })
    })
}

struct Shared {
    dial: Dial,
    tickets: Tickets,
    port: u16,
    cleared: AtomicBool,
}

/// Serves the engine that `dial` reaches, and the user interface, on 127.0.0.1; port 0 takes a free one.
///
/// # Errors
/// [`LoopbackError::Listen`] when the port is taken.
pub fn serve(port: u16, dial: Dial, random: RandomToken) -> Result<WebHost, LoopbackError> {
    let listen = |source| LoopbackError::Listen { at: format!("127.0.0.1:{port}"), source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let shared = Arc::new(Shared {
        dial,
        tickets: Tickets::new(random),
        port: address.port(),
        cleared: AtomicBool::new(false),
    });
    let data = web::Data::from(Arc::clone(&shared));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .app_data(web::JsonConfig::default().limit(4096))
            .wrap(from_fn(only_this_host))
            .route("/api/token", web::post().to(exchange))
            .route("/api/socket", web::get().to(upgrade))
            .default_service(web::get().to(page))
    })
    .workers(1)
    // An echo is two small messages: without this the second waits for the other end to acknowledge the first.
    .tcp_nodelay(true)
    .disable_signals()
    .listen(listener)
    .map_err(listen)?
    .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(WebHost { address, shared, handle })
}

impl WebHost {
    /// The page's address, without any token.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The page's address with a fresh ticket in its fragment, which no server and no log ever sees.
    pub fn ticket_url(&self) -> String {
        format!("{}#ticket={}", self.url(), self.shared.tickets.issue(Instant::now()))
    }

    /// The token for native programs, to be kept in a private file.
    pub fn file_token(&self) -> &str {
        self.shared.tickets.file_token()
    }

    /// Closes the host and its connections.
    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

/// Refuses a request that was not addressed to this machine by a loopback name: a page elsewhere whose name
/// was made to resolve to 127.0.0.1 still says its own name here.
async fn only_this_host(
    shared: web::Data<Shared>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    if !is_loopback(host, shared.port) {
        let refusal = plain(StatusCode::MISDIRECTED_REQUEST, "This address serves 127.0.0.1 only.");
        return Ok(request.into_response(refusal));
    }
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

fn is_loopback(authority: &str, port: u16) -> bool {
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| {
        authority.strip_prefix(name).and_then(|rest| rest.strip_prefix(':')) == Some(&port.to_string())
    })
}

fn is_own_origin(origin: &HeaderValue, port: u16) -> bool {
    let uri = origin.to_str().ok().and_then(|o| o.parse::<Uri>().ok());
    uri.is_some_and(|uri| {
        uri.scheme_str() == Some("http") && uri.authority().is_some_and(|a| is_loopback(a.as_str(), port))
    })
}

#[derive(Deserialize)]
struct Exchange {
    ticket: String,
}

async fn exchange(
    shared: web::Data<Shared>,
    request: HttpRequest,
    body: web::Json<Exchange>,
) -> HttpResponse {
    let own = request.headers().get(header::ORIGIN).is_some_and(|origin| is_own_origin(origin, shared.port));
    if !own {
        return plain(StatusCode::FORBIDDEN, "Only this page may ask.");
    }
    match shared.tickets.redeem(&body.ticket, Instant::now()) {
        Some(token) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(serde_json::json!({ "token": token })),
        None => plain(
            StatusCode::FORBIDDEN,
            "This link was used or is too old. Run `plantocode serve --open` again.",
        ),
    }
}

async fn upgrade(
    shared: web::Data<Shared>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, actix_web::Error> {
    let Some(caller) = admit(&shared, &request) else {
        return Ok(plain(
            StatusCode::FORBIDDEN,
            "This connection was not let in. Run `plantocode serve --open`.",
        ));
    };
    let Ok(link) = (shared.dial)(caller).await else {
        return Ok(plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "The engine has ended. Run `plantocode serve` again.",
        ));
    };
    let (mut response, session, messages) = actix_ws::handle(&request, body)?;
    if request.headers().contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    }
    let Link { tx, rx } = link;
    actix_web::rt::spawn(receive(messages, session.clone(), tx));
    actix_web::rt::spawn(send(session, rx));
    Ok(response)
}

/// The caller of an upgrade: a page needs our origin and the page token; a program, which sends no origin,
/// the file token.
fn admit(shared: &Shared, request: &HttpRequest) -> Option<Caller> {
    let headers = request.headers();
    let offered = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|protocol| protocol.trim().strip_prefix(TOKEN_PREFIX));
    match headers.get(header::ORIGIN) {
        Some(origin) => (is_own_origin(origin, shared.port)
            && offered.is_some_and(|token| shared.tickets.admits_page(token)))
        .then(|| Caller::owner("browser")),
        None => {
            let bearer = headers
                .get(header::AUTHORIZATION)
                .and_then(|value| value.to_str().ok())
                .and_then(|value| value.strip_prefix("Bearer "));
            offered
                .or(bearer)
                .is_some_and(|token| shared.tickets.admits_program(token))
                .then(|| Caller::owner("program"))
        }
    }
}

async fn receive(messages: actix_ws::MessageStream, session: actix_ws::Session, to: mpsc::Sender<Message>) {
    let mut session = session;
    let mut messages = messages
        .max_frame_size(MAX_MESSAGE_BYTES)
        .aggregate_continuations()
        .max_continuation_size(MAX_MESSAGE_BYTES);
    while let Some(Ok(message)) = messages.next().await {
        let message = match message {
            AggregatedMessage::Text(text) => Message::Text(text.to_string()),
            AggregatedMessage::Binary(bytes) => Message::Binary(bytes),
            AggregatedMessage::Ping(payload) => {
                if session.pong(&payload).await.is_err() {
                    return;
                }
                continue;
            }
            AggregatedMessage::Pong(_) => continue,
            AggregatedMessage::Close(_) => return,
        };
        if to.send(message).await.is_err() {
            return;
        }
    }
}

async fn send(mut session: actix_ws::Session, mut from: mpsc::Receiver<Message>) {
    while let Some(message) = from.recv().await {
        let sent = match message {
            Message::Text(text) => session.text(text).await,
            Message::Binary(bytes) => session.binary(bytes).await,
        };
        if sent.is_err() {
            return;
        }
    }
    // The peer may have gone first; then there is nothing left to close.
    drop(session.close(None).await);
}

async fn page(shared: web::Data<Shared>, request: HttpRequest) -> HttpResponse {
    let path = request.path().trim_start_matches('/');
    if !webui::is_built() {
        return plain(StatusCode::NOT_FOUND, webui::HOW_TO_BUILD);
    }
    let path = if path.is_empty() { webui::WEB } else { path };
    let Some(asset) = webui::get(path) else {
        return plain(StatusCode::NOT_FOUND, "There is no such page.");
    };
    let caching = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-store" };
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, asset.media_type));
    response.insert_header((header::CACHE_CONTROL, caching));
    if path == webui::WEB {
        response.insert_header((header::CONTENT_SECURITY_POLICY, content_security_policy(shared.port)));
        // Whatever an earlier program left behind on this port (workers, caches, storage) is none of ours.
        // Only once: the page's own token would go too.
        if !shared.cleared.swap(true, Ordering::SeqCst) {
            response.insert_header(("clear-site-data", r#""cache", "storage""#));
        }
    }
    response.body(asset.bytes.into_owned())
}

fn content_security_policy(port: u16) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self' ws://127.0.0.1:{port} ws://localhost:{port}; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_with_our_port_are_ours() {
        for good in ["127.0.0.1:80", "localhost:80", "[::1]:80"] {
            assert!(is_loopback(good, 80), "{good}");
        }
        for bad in [
            "127.0.0.1",
            "127.0.0.1:81",
            "evil.example:80",
            "127.0.0.1.evil.example:80",
            "localhost:80.x",
            "",
        ] {
            assert!(!is_loopback(bad, 80), "{bad}");
        }
        let own = |text: &str| is_own_origin(&HeaderValue::from_str(text).expect("a header"), 80);
        assert!(own("http://127.0.0.1:80") && own("http://localhost:80"));
        assert!(!own("https://127.0.0.1:80") && !own("null") && !own("http://a@127.0.0.1:80"));
    }
}
