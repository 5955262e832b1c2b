//! Our own client against our own server: what the engine sees through the gateway.

use futures_util::StreamExt as _;
use gateway::{CancellationToken, Gateway, GatewayConfig, GatewayError, Journal, Outcome, Route, Send};
use llm::{Approval, Destination, Dialect, ModelLimits, StreamEvent};
use serde_json::{Value, json};
use testkit::Behaviour;

use crate::support::*;

fn route(world: &World, tokens: &Tokens, body: &str) -> Route {
    let to = Destination { provider: "openai".into(), model: "gpt-4.1-mini".into() };
    let approval = Approval::of_body("POST", "/v1/chat/completions", body.as_bytes(), vec![to], 1_000_000);
    Route {
        provider: "team proxy".into(),
        dialect: Dialect::Relayed,
        base_url: world.url.parse().unwrap(),
        upstream_model: "gpt-4.1-mini".into(),
        key_id: String::new(),
        key: Some(tokens.access.clone().into()),
        limits: ModelLimits::default(),
        extra_headers: approval.headers().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    }
}

fn gateway() -> Gateway {
    Gateway::new(GatewayConfig::default()).unwrap()
}

fn send<'a>(body: &str, routes: &'a [Route]) -> Send<'a> {
    Send { body: body.to_owned().into(), inbound: None, routes, created: 0, journal: Journal::default() }
}

#[tokio::test]
async fn an_approved_stream_comes_through_with_its_audit_position() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let body = ask("gpt-4.1-mini", true).to_string();
    let routes = [route(&world, &tokens, &body)];
    let mut stream = gateway().stream(send(&body, &routes), CancellationToken::new()).await.unwrap();
    let audit = stream.served().header("x-plantocode-audit").unwrap().to_owned();
    assert!(stream.served().request_id().is_some());
    let mut text = String::new();
    while let Some(event) = stream.next().await {
        if let StreamEvent::Chunk(chunk) = event.unwrap() {
            text.push_str(chunk.text().unwrap_or_default());
        }
    }
    assert_eq!(text, "Hello from the simulator.");
    assert!(!stream.usage().estimated && stream.usage().output_tokens > 0);
    assert_eq!(
        stream.tries()[0].upstream_hash,
        hex::encode(llm::body_hash(body.as_bytes())),
        "bytes pass unchanged"
    );
    let records = world.audit_until(&tokens, |records| records.len() == 2).await;
    assert!(records.iter().any(|record| audit.ends_with(record["hash"].as_str().unwrap())));
    // What the server says it sent upstream can be recomputed by a client that links the same crate.
    let limits = llm::Catalogue::builtin().unwrap().find("openai", "gpt-4.1-mini").unwrap().limits.clone();
    let recomputed = llm::encode(Dialect::OpenAi, body.as_bytes(), "gpt-4.1-mini", &limits).unwrap();
    let outcome = records.iter().find(|record| record["record"]["event"] == "served").unwrap();
    assert_eq!(outcome["record"]["tries"][0]["upstream_hash"], hex::encode(llm::body_hash(&recomputed.body)));
}

#[tokio::test]
async fn refusals_and_cuts_keep_their_meaning() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let body = ask("gpt-4.1-mini", true).to_string();
    let complete = async |body: &str, routes: &[Route]| {
        gateway().complete(send(body, routes), CancellationToken::new()).await.unwrap_err()
    };
    let approved_for_another = [route(&world, &tokens, "{}")];
    let error = complete(&body, &approved_for_another).await;
    assert!(
        matches!(&error, GatewayError::Rejected { status: 409, code: Some(code), .. } if code == "approval_mismatch"),
        "{error:?}"
    );
    let key = ["gh", "p_", "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0sYaQeUi"].concat();
    let secret =
        json!({ "model": "gpt-4.1-mini", "messages": [{ "role": "user", "content": key }] }).to_string();
    let error = complete(&secret, &[route(&world, &tokens, &secret)]).await;
    assert!(
        matches!(&error, GatewayError::Rejected { status: 403, code: Some(code), .. } if code == "secret_blocked"),
        "{error:?}"
    );
    let mut wrong = route(&world, &tokens, &body);
    wrong.key = Some("wrong".to_owned().into());
    assert!(matches!(complete(&body, &[wrong]).await, GatewayError::Unauthorized { status: 401, .. }));
    world.openai.set(Behaviour { cut_after_bytes: Some(1_200), ..Behaviour::text(&"words ".repeat(100)) });
    let routes = [route(&world, &tokens, &body)];
    let sending = send(&body, &routes);
    let journal = sending.journal.clone();
    let error = gateway().complete(sending, CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Cut { .. }), "{error:?}");
    assert_eq!(journal.tries()[0].outcome, Outcome::Cut);
}

#[tokio::test]
async fn sign_in_works_through_the_plain_calls() {
    let world = World::new().await;
    let gateway = gateway();
    let url = |path: &str| format!("{}{path}", world.url).parse().unwrap();
    let code: Value =
        gateway.post_form(&url("/api/auth/device/code"), None, &[("client_name", "x")]).await.unwrap();
    let device_code = code["device_code"].as_str().unwrap();
    let grant =
        [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", device_code)];
    let pending = gateway.post_form::<Value>(&url("/api/auth/token"), None, &grant).await.unwrap_err();
    assert!(
        matches!(&pending, GatewayError::Rejected { code: Some(code), .. } if code == "authorization_pending"),
        "{pending:?}"
    );
    let cookie = world.browser("ada").await;
    world.decide(&cookie, code["user_code"].as_str().unwrap(), "approve").await;
    let tokens: Value = gateway.post_form(&url("/api/auth/token"), None, &grant).await.unwrap();
    let access = tokens["access_token"].as_str().unwrap().to_owned().into();
    let account: Value = gateway.get_json(&url("/api/account"), Some(&access)).await.unwrap();
    assert_eq!(account["user"]["login"], "ada");
}
