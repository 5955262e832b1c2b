//! Connections, faults and the log.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::sleep;

use super::prompt::Prompt;
use super::search::{self, Search};
use super::shape::Shape;
use super::{Behaviour, Fail, Received, State, Style, openai, plans, transcription};
use crate::http::{Reader, Request, write_chunk, write_head};

/// What is to be written.
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

enum Body {
    Whole(Vec<u8>),
    Events(Shape, Vec<String>),
}

impl Reply {
    pub(super) fn json(status: u16, value: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: Body::Whole(value.to_string().into_bytes()) }
    }

    pub(super) fn text(text: String) -> Self {
        let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
        Self { status: 200, headers, body: Body::Whole(text.into_bytes()) }
    }

    pub(super) fn events(shape: Shape, events: Vec<String>) -> Self {
        let headers = vec![("content-type", "text/event-stream; charset=utf-8".to_owned())];
        Self { status: 200, headers, body: Body::Events(shape, events) }
    }
}

/// The reply with each of its objects changed, in another form's name.
pub(super) fn changed(reply: Reply, shape: Shape, change: impl Fn(&mut Value)) -> Reply {
    let one = |text: &str| match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            change(&mut value);
            value.to_string()
        }
        // `[DONE]`
        Err(_) => text.to_owned(),
    };
    let body = match reply.body {
        Body::Whole(bytes) => Body::Whole(one(&String::from_utf8_lossy(&bytes)).into_bytes()),
        Body::Events(_, events) => Body::Events(shape, events.iter().map(|event| one(event)).collect()),
    };
    Reply { body, ..reply }
}

pub(super) async fn run(listener: std::net::TcpListener, state: Arc<State>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("the listener is non-blocking");
    for number in 0.. {
        let (socket, _) = listener.accept().await.expect("connections can be accepted");
        let state = Arc::clone(&state);
        // A broken connection ends its task; the log says what was written.
        tokio::spawn(async move { connection(socket, number, &state).await.ok() });
    }
}

async fn connection(socket: TcpStream, number: usize, state: &State) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let (read, mut write) = socket.into_split();
    let mut reader = Reader::new(read);
    while let Some(request) = reader.request().await? {
        if request.target.starts_with("/_") {
            let reply = control(&request, state);
            send(reply, &Behaviour::default(), &mut write).await?;
            continue;
        }
        let seq = record(&request, number, state);
        let mut behaviour = state.behaviour().clone();
        let failure = state.behaviour().next_failure();
        let key = key(&request).unwrap_or_default().to_owned();
        behaviour.text = behaviour.text.map(|text| text.replace("{{key}}", &key));
        let reply = answer(&request, &behaviour, failure, &key);
        state.log()[seq].status = Some(reply.status);
        let writing = async {
            sleep(Duration::from_millis(behaviour.first_delay_ms)).await;
            send(reply, &behaviour, &mut write).await
        };
        let result = tokio::select! {
            result = writing => result,
            () = reader.closed() => Err(io::ErrorKind::ConnectionReset.into()),
        };
        let mut log = state.log();
        let entry = &mut log[seq];
        match result {
            Ok(true) => entry.finished = true,
            // Cut on purpose.
            Ok(false) => return Ok(()),
            Err(error) => {
                entry.disconnected_at_ms = Some(state.elapsed_ms());
                return Err(error);
            }
        }
    }
    Ok(())
}

fn record(request: &Request, connection: usize, state: &State) -> usize {
    let hidden = ["authorization", "x-api-key", "x-goog-api-key", "cookie"];
    let headers: BTreeMap<String, String> =
        request.headers.iter().filter(|(name, _)| !hidden.contains(&name.as_str())).cloned().collect();
    let mut log = state.log();
    let seq = log.len();
    log.push(Received {
        seq,
        connection,
        at_ms: state.elapsed_ms(),
        method: request.method.clone(),
        path: request.target.clone(),
        body_sha256: hex::encode(Sha256::digest(&request.body)),
        body: String::from_utf8_lossy(&request.body).into_owned(),
        headers,
        key_sha256: key(request).map(|key| hex::encode(Sha256::digest(key.as_bytes()))),
        status: None,
        finished: false,
        disconnected_at_ms: None,
    });
    seq
}

fn key(request: &Request) -> Option<&str> {
    let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    bearer.or_else(|| request.header("x-api-key")).or_else(|| request.header("x-goog-api-key"))
}

fn control(request: &Request, state: &State) -> Reply {
    match (request.method.as_str(), request.target.as_str()) {
        ("GET", "/_control") => Reply::json(200, &json!(*state.behaviour())),
        ("POST", "/_control") => match serde_json::from_slice::<Behaviour>(&request.body) {
            Ok(behaviour) => {
                let reply = Reply::json(200, &json!(behaviour));
                *state.behaviour() = behaviour;
                reply
            }
            Err(error) => Reply::json(400, &json!({ "error": error.to_string() })),
        },
        ("GET", "/_log") => Reply::json(200, &json!(*state.log())),
        ("DELETE", "/_log") => {
            state.log().clear();
            Reply::json(200, &json!([]))
        }
        _ => Reply::json(404, &json!({ "error": "the simulator has /_control and /_log" })),
    }
}

fn answer(request: &Request, behaviour: &Behaviour, failure: Option<Fail>, key: &str) -> Reply {
    let path = request.target.split('?').next().unwrap_or_default();
    if (request.method.as_str(), path) == ("GET", "/openai/v1/models") {
        return Reply::json(200, &openai::models());
    }
    if (request.method.as_str(), path) == ("POST", transcription::PATH) {
        return match failure {
            Some(fail) => failed(fail, Shape::OpenAi, key),
            None => transcription::reply(request, behaviour),
        };
    }
    let Some(shape) = Shape::of(&request.method, path) else {
        return Reply::json(404, &openai::error(404, &format!("no such endpoint: {path}")));
    };
    if let Some(fail) = failure {
        return failed(fail, shape, key);
    }
    let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
        return Reply::json(400, &shape.error(400, "the body is not JSON"));
    };
    if let Some(message) = shape.refusal(request, &body) {
        return Reply::json(400, &shape.error(400, &message));
    }
    if behaviour.refuse.as_ref().is_some_and(|text| String::from_utf8_lossy(&request.body).contains(text)) {
        return Reply::json(400, &shape.error(400, "the simulator was told to refuse this"));
    }
    let mut answer = plans::answer(behaviour, &Prompt::of(&body));
    answer.search = shape.searches(&body).map(|allowed| Search::of(allowed, &body, behaviour));
    if answer.search.is_some() && behaviour.style == Style::Clean {
        answer.text = search::answer(&body);
    }
    let mut reply = shape.reply(request, &body, &answer, behaviour);
    reply.headers.push(("x-request-id", "req_simulated".into()));
    if let (Some(after), Body::Events(_, events)) = (behaviour.error_after_events, &mut reply.body) {
        events.truncate(after);
        events.push(shape.error_event().to_string());
    }
    reply
}

fn failed(fail: Fail, shape: Shape, key: &str) -> Reply {
    let retry_after = fail.retry_after.as_deref();
    let mut reply = match fail.body {
        Some(body) => {
            let body = body.replace("{{key}}", key).into_bytes();
            Reply {
                status: fail.status,
                headers: vec![("content-type", "application/json".into())],
                body: Body::Whole(body),
            }
        }
        None => {
            let mut error = shape.error(fail.status, "the simulator was told to fail");
            shape.hint(&mut error, retry_after);
            Reply::json(fail.status, &error)
        }
    };
    if shape.hints_by_header() {
        reply.headers.extend(fail.retry_after.map(|value| ("retry-after", value)));
    }
    reply
}

/// Writes a reply with the faults of `behaviour`. `false`: it was cut on purpose.
async fn send(reply: Reply, behaviour: &Behaviour, out: &mut OwnedWriteHalf) -> io::Result<bool> {
    let mut left = behaviour.cut_after_bytes.unwrap_or(usize::MAX);
    match reply.body {
        Body::Whole(bytes) => {
            write_head(out, reply.status, &reply.headers, Some(bytes.len())).await?;
            let cut = left < bytes.len();
            pieces(&bytes[..left.min(bytes.len())], behaviour, out, false).await?;
            Ok(!cut)
        }
        Body::Events(shape, events) => {
            write_head(out, reply.status, &reply.headers, None).await?;
            for (at, event) in events.iter().enumerate() {
                if at > 0 {
                    sleep(Duration::from_millis(behaviour.delay_ms)).await;
                }
                let bytes = encode(shape, event, behaviour);
                pieces(&bytes[..left.min(bytes.len())], behaviour, out, true).await?;
                if left < bytes.len() {
                    return Ok(false);
                }
                left -= bytes.len();
            }
            write_chunk(out, b"").await?;
            Ok(true)
        }
    }
}

/// Writes bytes in the pieces and at the speed that were asked for.
async fn pieces(
    bytes: &[u8],
    behaviour: &Behaviour,
    out: &mut OwnedWriteHalf,
    chunked: bool,
) -> io::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    for piece in bytes.chunks(behaviour.chunk.unwrap_or(usize::MAX).max(1)) {
        match chunked {
            true => write_chunk(out, piece).await?,
            false => out.write_all(piece).await?,
        }
        if let Some(per_second) = behaviour.throttle {
            sleep(Duration::from_secs_f64(piece.len() as f64 / per_second.max(1) as f64)).await;
        } else if behaviour.chunk.is_some() {
            // Lets the peer see the border.
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

fn encode(shape: Shape, data: &str, behaviour: &Behaviour) -> Vec<u8> {
    let end = if behaviour.crlf { "\r\n" } else { "\n" };
    let space = if behaviour.tight { "" } else { " " };
    let mut out = String::new();
    if behaviour.chatter {
        out.push_str(&match shape {
            Shape::Anthropic => format!("event:{space}ping{end}data:{space}{{\"type\":\"ping\"}}{end}{end}"),
            Shape::OpenRouter => format!(": OPENROUTER PROCESSING{end}{end}"),
            _ => format!(": still here{end}{end}"),
        });
    }
    if shape.names_events() {
        let event = serde_json::from_str::<Value>(data).ok();
        let name = event.as_ref().and_then(|event| event["type"].as_str()).unwrap_or("message");
        out.push_str(&format!("event:{space}{name}{end}"));
    }
    out.push_str(&format!("data:{space}{data}{end}{end}"));
    out.into_bytes()
}
