//! The gateway against simulated providers: the fault matrix, failover, cancellation, usage.
#![allow(clippy::unwrap_used, clippy::panic)]

mod cancel;
mod failover;
mod matrix;

use bytes::Bytes;
use futures_util::StreamExt as _;
use gateway::{CancellationToken, ChatStream, Gateway, GatewayConfig, GatewayError, Journal, Route, Send};
use llm::inbound::{Door, Inbound};
use llm::{ChatResponse, Dialect, FinishReason, Fold, ModelLimits, StreamEvent, Usage};
use serde_json::json;
use testkit::Simulator;

const KEY: &str = "canary-key-of-the-gateway-tests";

fn gateway() -> Gateway {
    gateway_with(|_| {})
}

fn gateway_with(change: impl FnOnce(&mut GatewayConfig)) -> Gateway {
    let mut config = GatewayConfig::default();
    change(&mut config);
    Gateway::new(config).unwrap()
}

fn route(simulator: &Simulator, dialect: Dialect) -> Route {
    let base = match dialect {
        Dialect::Anthropic => simulator.anthropic_url(),
        Dialect::Gemini => simulator.gemini_url(),
        Dialect::Xai | Dialect::XaiChat => simulator.xai_url(),
        Dialect::OpenRouter => simulator.openrouter_url(),
        _ => simulator.openai_url(),
    };
    Route {
        provider: dialect.name().into(),
        dialect,
        base_url: base.parse().unwrap(),
        upstream_model: "m-1".into(),
        key_id: "key-1".into(),
        key: Some(KEY.to_owned().into()),
        limits: ModelLimits::default(),
        extra_headers: Vec::new(),
    }
}

fn body() -> Bytes {
    let body = json!({ "model": "alias", "stream": true, "messages": [{ "role": "user", "content": "Say something." }] });
    body.to_string().into()
}

fn send(routes: &[Route]) -> Send<'_> {
    Send { body: body(), inbound: None, routes, created: 7, journal: Journal::default() }
}

/// Everything a stream gave.
#[derive(Debug, Default)]
struct Heard {
    answer: ChatResponse,
    usage: Option<Usage>,
    done: Option<FinishReason>,
    error: Option<GatewayError>,
    after_end: usize,
}

async fn hear(stream: &mut ChatStream) -> Heard {
    let mut heard = Heard::default();
    let mut fold = Fold::default();
    while let Some(event) = stream.next().await {
        if heard.done.is_some() || heard.error.is_some() {
            heard.after_end += 1;
        }
        match event {
            Ok(StreamEvent::Chunk(chunk)) => fold.push(chunk),
            Ok(StreamEvent::Usage(usage)) => heard.usage = Some(usage),
            Ok(StreamEvent::Done(reason)) => heard.done = Some(reason),
            Ok(StreamEvent::Error(error)) => panic!("errors end the stream as `Err`: {error:?}"),
            Ok(StreamEvent::KeepAlive) => {}
            Err(error) => heard.error = Some(error),
        }
    }
    heard.answer = fold.finish();
    heard
}

async fn ask(gateway: &Gateway, routes: &[Route]) -> Result<Heard, GatewayError> {
    let mut stream = gateway.stream(send(routes), CancellationToken::new()).await?;
    Ok(hear(&mut stream).await)
}
