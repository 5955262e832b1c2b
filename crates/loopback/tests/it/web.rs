use crate::router;
use futures_util::{SinkExt, StreamExt};
use loopback::web::{PROTOCOL, WebHost};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

fn host() -> WebHost {
    let counter = AtomicU32::new(0);
    let random = Box::new(move || format!("{:064x}", counter.fetch_add(1, Ordering::SeqCst) + 7));
    loopback::web::serve(0, loopback::web::dial_router(router()), random).unwrap()
}

fn origin(host: &WebHost) -> String {
    host.url().trim_end_matches('/').to_owned()
}

/// One HTTP/1.1 request over a plain socket, so that every header is exactly what the test says.
async fn http(host: &WebHost, head: &str, body: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = origin(host).trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = head.replace("ADDRESS", &address);
    let text = format!("{head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn page_token(host: &WebHost) -> String {
    let ticket = host.ticket_url().split_once("#ticket=").unwrap().1.to_owned();
    let head = format!(
        "POST /api/token HTTP/1.1\r\nhost: ADDRESS\r\norigin: {}\r\ncontent-type: application/json",
        origin(host)
    );
    let body = format!(r#"{{"ticket":"{ticket}"}}"#);
    let answer = http(host, &head, &body).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let again = http(host, &head, &body).await;
    assert!(again.starts_with("HTTP/1.1 403"), "a ticket is good once: {again}");
    answer.split_once(r#""token":""#).unwrap().1.split_once('"').unwrap().0.to_owned()
}

async fn dial(
    host: &WebHost,
    headers: &[(&'static str, String)],
) -> Result<tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>, Error>
{
    let url = format!("{}/api/socket", origin(host).replace("http://", "ws://"));
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

#[tokio::test]
async fn a_page_gets_in_with_our_origin_and_the_exchanged_token() {
    let host = host();
    let token = page_token(&host).await;
    let protocols = format!("{PROTOCOL}, token.{token}");
    let mut socket = dial(&host, &[("origin", origin(&host)), ("sec-websocket-protocol", protocols.clone())])
        .await
        .unwrap();
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"echo.say","params":"hello"}"#;
    socket.send(Message::text(call)).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap();
    assert_eq!(answer.to_text().unwrap(), r#"{"jsonrpc":"2.0","id":1,"result":"browser: hello"}"#);

    for stranger in ["http://evil.example", "http://127.0.0.1:1", "null"] {
        let refused =
            dial(&host, &[("origin", stranger.into()), ("sec-websocket-protocol", protocols.clone())]).await;
        assert!(matches!(refused, Err(Error::Http(r)) if r.status() == 403), "{stranger}");
    }
    for bad in [String::from(PROTOCOL), format!("{PROTOCOL}, token.{}", host.file_token())] {
        let refused =
            dial(&host, &[("origin", origin(&host)), ("sec-websocket-protocol", bad.clone())]).await;
        assert!(matches!(refused, Err(Error::Http(r)) if r.status() == 403), "{bad}");
    }
}

#[tokio::test]
async fn a_program_needs_the_file_token() {
    let host = host();
    assert!(dial(&host, &[]).await.is_err());
    assert!(dial(&host, &[("authorization", "Bearer guess".into())]).await.is_err());
    let bearer = format!("Bearer {}", host.file_token());
    let mut socket = dial(&host, &[("authorization", bearer)]).await.unwrap();
    socket.send(Message::text("not json")).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().to_text().unwrap().contains("malformed_frame"));
}

#[tokio::test]
async fn a_foreign_host_name_is_refused_on_every_path() {
    let host = host();
    for path in ["/", "/api/token", "/api/socket", "/assets/x.js"] {
        let answer = http(&host, &format!("GET {path} HTTP/1.1\r\nhost: rebound.example:80"), "").await;
        assert!(answer.starts_with("HTTP/1.1 421"), "{path}: {answer}");
    }
    let answer = http(&host, "GET / HTTP/1.1\r\nhost: ADDRESS", "").await;
    if webui::is_built() {
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("clear-site-data"), "{answer}");
        let again = http(&host, "GET / HTTP/1.1\r\nhost: ADDRESS", "").await;
        assert!(!again.contains("clear-site-data"), "only the first load clears");
        assert!(again.contains("content-security-policy: default-src 'none'"), "{again}");
    } else {
        assert!(answer.contains("cargo xtask ui"), "{answer}");
    }
    assert!(!answer.to_lowercase().contains("set-cookie"));
}

#[tokio::test]
async fn a_ticket_from_another_origin_is_refused() {
    let host = host();
    let ticket = host.ticket_url().split_once("#ticket=").unwrap().1.to_owned();
    let head = "POST /api/token HTTP/1.1\r\nhost: ADDRESS\r\norigin: http://evil.example\r\ncontent-type: application/json";
    let answer = http(&host, head, &format!(r#"{{"ticket":"{ticket}"}}"#)).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    host.stop().await;
}

#[tokio::test]
async fn a_second_host_serves_the_engine_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("engine.sock");
    let first = loopback::socket::serve(&path, router(), rpc::Caller::owner("socket")).unwrap();
    let random = Box::new(|| "7".repeat(64));
    let second = loopback::web::serve(0, loopback::web::dial_socket(path), random).unwrap();
    let bearer = format!("Bearer {}", second.file_token());
    let mut socket = dial(&second, &[("authorization", bearer.clone())]).await.unwrap();
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"echo.say","params":"through"}"#;
    socket.send(Message::text(call)).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap();
    assert!(answer.to_text().unwrap().contains("socket: through"), "{answer}");
    drop(first);
    let gone = dial(&second, &[("authorization", bearer)]).await;
    assert!(matches!(gone, Err(Error::Http(r)) if r.status() == 503));
}
