//! Every model through every door: Anthropic's messages and OpenAI's responses beside chat completions.

use llm::{Approval, Destination};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use server::admin::{Admin, NewKey};
use server_store::Role;
use sha2::{Digest as _, Sha256};
use testkit::{Behaviour, Style};

use crate::support::*;

pub const MESSAGES: &str = "/v1/messages";
pub const RESPONSES: &str = "/v1/responses";
pub const HELLO: &str = "Hello from the simulator.";

/// A request in the dialect of a door.
pub fn asked(path: &str, model: &str, stream: bool) -> Value {
    match path {
        MESSAGES => {
            json!({ "model": model, "max_tokens": 500, "stream": stream, "messages": [{ "role": "user", "content": "Say hello." }] })
        }
        _ => json!({ "model": model, "stream": stream, "input": "Say hello." }),
    }
}

pub fn at(world: &World, path: &str, tokens: &Tokens, body: impl ToString) -> RequestBuilder {
    let request = world.post(path).bearer_auth(&tokens.access);
    request.header("content-type", "application/json").body(body.to_string())
}

/// The events of a stream by their names; what has no name is a comment.
pub fn named(text: &str) -> Vec<(String, Value)> {
    let one = |event: &str| {
        let (name, data) = event.strip_prefix("event: ")?.split_once("\ndata: ")?;
        Some((name.to_owned(), serde_json::from_str(data).unwrap()))
    };
    text.split("\n\n").filter_map(one).collect()
}

fn text_of(path: &str, answer: &Value) -> String {
    let content = match path {
        MESSAGES => &answer["content"],
        _ => &answer["output"][0]["content"],
    };
    content[0]["text"].as_str().unwrap_or_default().to_owned()
}

/// With a route to OpenAI's responses besides the usual ones.
pub async fn world_with_responses() -> World {
    let world = World::empty(Database::Sqlite, |_| {});
    let admin = Admin::open(&world.config).await.unwrap();
    admin.add_user("ada", PASSWORD.to_owned().into(), Role::Admin).await.unwrap();
    admin.add_user("bob", PASSWORD.to_owned().into(), Role::Member).await.unwrap();
    let (provider, dialect) = ("openai".to_owned(), "openai_responses".to_owned());
    let (base_url, models) = (world.openai.openai_url(), vec!["gpt-5".to_owned()]);
    admin.add_key(NewKey { provider, dialect, base_url, models, key: CANARY.into() }).await.unwrap();
    admin.close().await;
    world.started().await
}

#[tokio::test]
async fn every_model_answers_through_every_door() {
    let world = world_with_responses().await;
    let tokens = world.sign_in("ada").await;
    let mut expected = 0;
    for path in [MESSAGES, RESPONSES] {
        for model in ["gpt-4.1-mini", "gpt-5", "claude-sonnet-4-5"] {
            let whole = json_of(at(&world, path, &tokens, asked(path, model, false))).await;
            assert_eq!(text_of(path, &whole), HELLO, "{path} {model}: {whole}");
            assert!(whole["usage"]["input_tokens"].as_u64().unwrap() > 0, "{whole}");
            let reply = at(&world, path, &tokens, asked(path, model, true)).send().await.unwrap();
            assert!(reply.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
            assert_eq!(reply.headers()["x-accel-buffering"], "no");
            assert!(reply.headers().contains_key("x-plantocode-audit"));
            assert_eq!(reply.headers().contains_key("request-id"), path == MESSAGES);
            let text = reply.text().await.unwrap();
            let events = named(&text);
            let (last, data) = events.last().unwrap();
            let said: String = match path {
                MESSAGES => events.iter().filter_map(|(_, e)| e["delta"]["text"].as_str()).collect(),
                _ => text_of(path, &data["response"]),
            };
            assert_eq!(said, HELLO, "{path} {model}: {text}");
            assert_eq!(last, if path == MESSAGES { "message_stop" } else { "response.completed" }, "{text}");
            expected += 4;
        }
    }
    let records = world.audit_until(&tokens, |records| records.len() == expected).await;
    let sent = asked(MESSAGES, "gpt-4.1-mini", false).to_string();
    let first = &records[0]["record"];
    assert_eq!(first["body_hash"], hex::encode(Sha256::digest(sent.as_bytes())), "of the bytes that came");
    assert_eq!((&first["path"], &first["model_asked"]), (&json!(MESSAGES), &json!("gpt-4.1-mini")));
    // Outcomes are written after the reply, so that the next intent may come first.
    let its = |record: &&Value| record["record"]["request_id"] == first["request_id"];
    let outcome = &records.iter().filter(its).nth(1).unwrap()["record"];
    assert_eq!(outcome["tries"][0]["transformations"][0], "translated from Anthropic messages");
    let usage = world.usage(&tokens).await;
    assert_eq!(usage.len(), expected / 2);
    let costs = |row: &Value| row["estimated"] == false && row["cost_microusd"].as_i64().unwrap() > 0;
    assert!(usage.iter().all(costs), "{usage:?}");
}

#[tokio::test]
async fn tools_reach_every_door_in_parallel() {
    let world = world_with_responses().await;
    let tokens = world.sign_in("ada").await;
    world.openai.set(Behaviour::style(Style::Tools));
    world.anthropic.set(Behaviour::style(Style::Tools));
    for model in ["gpt-4.1-mini", "gpt-5", "claude-sonnet-4-5"] {
        let mut body = asked(MESSAGES, model, false);
        body["tools"] =
            json!([{ "name": "read_file", "input_schema": { "type": "object", "properties": {} } }]);
        let message = json_of(at(&world, MESSAGES, &tokens, &body)).await;
        let blocks = message["content"].as_array().unwrap();
        let calls: Vec<_> = blocks.iter().filter(|block| block["type"] == "tool_use").collect();
        assert_eq!(
            (&calls[0]["input"], &calls[1]["name"], &calls[1]["input"], &message["stop_reason"]),
            (&json!({ "path": "src/ä.rs" }), &json!("list_files"), &json!({}), &json!("tool_use")),
            "{message}"
        );
        let mut body = asked(RESPONSES, model, false);
        body["tools"] = json!([{ "type": "function", "name": "read_file", "parameters": { "type": "object", "properties": {} }, "strict": false }]);
        let response = json_of(at(&world, RESPONSES, &tokens, &body)).await;
        let items = response["output"].as_array().unwrap();
        let calls: Vec<_> = items.iter().filter(|item| item["type"] == "function_call").collect();
        // Where the answer passes through, it is the provider's own way to say nothing.
        let nothing = if model == "gpt-5" { "" } else { "{}" };
        assert_eq!(
            (&calls[0]["arguments"], &calls[1]["name"], &calls[1]["arguments"]),
            (&json!(r#"{"path":"src/ä.rs"}"#), &json!("list_files"), &json!(nothing)),
            "{response}"
        );
    }
}

#[tokio::test]
async fn the_same_dialect_passes_through_untouched() {
    let world = world_with_responses().await;
    let tokens = world.sign_in("ada").await;
    let text = r#"{"model":"claude-sonnet-4-5","max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"x","odd":1.50}]}],"context_management":{"edits":[1e3]},"stream":true}"#;
    let request = at(&world, "/v1/messages?beta=true", &tokens, text);
    let request = request.header("anthropic-beta", "one-2025").header("anthropic-beta", "two-2025");
    let reply = request.header("anthropic-version", "2023-01-01").send().await.unwrap().text().await.unwrap();
    let received = &world.anthropic.log()[0];
    assert_eq!(received.body, text, "the model has the same name there, so every byte stays");
    assert_eq!(received.headers["anthropic-beta"], "one-2025,two-2025");
    assert_eq!(received.headers["anthropic-version"], "2023-01-01");
    assert!(!received.headers.contains_key("authorization") && received.key_sha256.is_some());
    let direct = world.http.post(format!("{}/v1/messages", world.anthropic.anthropic_url()));
    let direct = direct.header("anthropic-version", "2023-06-01").header("x-api-key", "k").body(text);
    assert_eq!(reply, direct.send().await.unwrap().text().await.unwrap(), "what comes back, too");
    let records = world.audit_until(&tokens, |records| records.len() == 2).await;
    let tried = &records[1]["record"]["tries"][0];
    assert_eq!(tried["transformations"], json!(["passed through as Anthropic messages"]));
    assert_eq!(records[1]["record"]["event"], "served");

    let text = r#"{"model":"gpt-5","input":"x","include":["reasoning.encrypted_content"],"store":false,"stream":true,"service_tier":"flex"}"#;
    let reply = at(&world, RESPONSES, &tokens, text).send().await.unwrap().text().await.unwrap();
    assert_eq!(world.openai.log()[0].body, text);
    assert!(named(&reply).iter().any(|(name, _)| name == "response.completed"), "{reply}");
}

#[tokio::test]
async fn what_only_one_provider_understands_is_dropped_for_others_and_named() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let mut body = asked(MESSAGES, "gpt-4.1-mini", false);
    body["context_management"] = json!({ "edits": [] });
    body["thinking"] = json!({ "type": "enabled", "budget_tokens": 2000 });
    json_of(at(&world, MESSAGES, &tokens, &body).header("anthropic-beta", "one")).await;
    assert!(!world.openai.log()[0].headers.contains_key("anthropic-beta"));
    let records = world.audit_until(&tokens, |records| records.len() == 2).await;
    let changes = records[1]["record"]["tries"][0]["transformations"].to_string();
    assert!(
        changes.contains("dropped context_management")
            && changes.contains("header anthropic-beta")
            && changes.contains("reasoning_effort"),
        "{changes}"
    );
    let mut stored = asked(RESPONSES, "gpt-4.1-mini", false);
    stored["previous_response_id"] = json!("resp_1");
    let (status, error) = error_of(at(&world, RESPONSES, &tokens, &stored).send().await.unwrap()).await;
    assert_eq!((status, &error["code"]), (400, &json!("unsupported")), "{error}");
    let mut hosted = asked(RESPONSES, "gpt-4.1-mini", false);
    hosted["tools"] = json!([{ "type": "local_shell" }]);
    let (status, error) = error_of(at(&world, RESPONSES, &tokens, &hosted).send().await.unwrap()).await;
    assert_eq!((status, &error["code"]), (400, &json!("unsupported")), "{error}");
    assert!(error["message"].as_str().unwrap().contains("local_shell"), "{error}");
}

#[tokio::test]
async fn a_key_header_is_as_good_as_a_token_at_anthropics_door() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let body = asked(MESSAGES, "claude-sonnet-4-5", false).to_string();
    let with_key = |path: &str, key: &str| world.post(path).header("x-api-key", key).body(body.clone());
    json_of(with_key(MESSAGES, &tokens.access)).await;
    let reply = with_key(MESSAGES, "sk-ant-wrong").send().await.unwrap();
    assert_eq!(
        (reply.status().as_u16(), error_of(reply).await.1["type"].clone()),
        (401, json!("authentication_error"))
    );
    assert_eq!(with_key("/v1/chat/completions", &tokens.access).send().await.unwrap().status(), 401);
    let both = with_key(MESSAGES, &tokens.access).bearer_auth("wrong").send().await.unwrap();
    assert_eq!(both.status(), 401, "a token that is sent is the one that counts");
}

#[tokio::test]
async fn an_approval_covers_no_other_dialect() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let body = asked(MESSAGES, "claude-sonnet-4-5", false).to_string();
    let to = Destination { provider: "anthropic".into(), model: "claude-sonnet-4-5".into() };
    let approval = Approval::of_body("POST", MESSAGES, body.as_bytes(), vec![to], 1_000_000);
    let request = at(&world, MESSAGES, &tokens, body);
    let request =
        approval.headers().into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let (status, error) = error_of(request.send().await.unwrap()).await;
    assert_eq!((status, &error["code"]), (409, &json!("approval_mismatch")), "{error}");
    assert!(world.anthropic.log().is_empty());
}

#[tokio::test]
async fn tokens_are_counted_by_an_estimate_that_says_so() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let count = |content: Value| {
        let body = json!({ "model": "gpt-4.1-mini", "messages": [{ "role": "user", "content": content }] });
        at(&world, "/v1/messages/count_tokens", &tokens, body)
    };
    let reply = count(json!("word ".repeat(4_000))).send().await.unwrap();
    assert_eq!(reply.headers()["x-plantocode-estimate"], "bytes");
    let counted: Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap();
    assert!((4_000..6_500).contains(&counted["input_tokens"].as_u64().unwrap()), "{counted}");
    let image = json!([{ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "A".repeat(400_000) } }]);
    let counted = json_of(count(image)).await;
    assert!(counted["input_tokens"].as_u64().unwrap() < 5_000, "an image is not text: {counted}");
    let (status, error) = error_of(
        world.post("/v1/messages/count_tokens").header("x-api-key", "no").body("{}").send().await.unwrap(),
    )
    .await;
    assert_eq!((status, &error["type"]), (401, &json!("authentication_error")));
    let unknown = json!({ "model": "no-such-model", "messages": [{ "role": "user", "content": "x" }] });
    let reply = at(&world, "/v1/messages/count_tokens", &tokens, unknown).send().await.unwrap();
    assert_eq!(
        error_of(reply).await,
        (
            404,
            json!({ "type": "not_found_error", "message": "the model `no-such-model` does not exist here or you may not use it", "code": "model_not_found" })
        )
    );
    assert!(world.audit(&tokens).await.is_empty() && world.anthropic.log().is_empty(), "nothing left");
}

#[tokio::test]
async fn signs_of_life_and_web_sockets() {
    let world = World::new().await;
    let head = world.http.request(Method::HEAD, format!("{}/", world.url)).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap().as_str()), (200, ""));
    let upgrade = world.get(RESPONSES).header("connection", "upgrade").header("upgrade", "websocket");
    let upgrade =
        upgrade.header("sec-websocket-version", "13").header("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==");
    let (status, error) = error_of(upgrade.send().await.unwrap()).await;
    assert_eq!((status, &error["code"]), (426, &json!("upgrade_required")));
    assert_eq!(world.get(RESPONSES).send().await.unwrap().status(), 405);
}

/// xAI speaks OpenAI's responses but for details: what it takes passes through, what only OpenAI has is translated.
#[tokio::test]
async fn responses_pass_through_to_xai_unless_they_need_openais_own_tools() {
    let world = World::empty(Database::Sqlite, |_| {});
    let admin = Admin::open(&world.config).await.unwrap();
    admin.add_user("ada", PASSWORD.to_owned().into(), Role::Admin).await.unwrap();
    let (provider, dialect) = ("xai".to_owned(), "xai".to_owned());
    let (base_url, models) = (world.openai.xai_url(), vec!["grok-4.3".to_owned()]);
    admin.add_key(NewKey { provider, dialect, base_url, models, key: CANARY.into() }).await.unwrap();
    admin.close().await;
    let world = world.started().await;
    let tokens = world.sign_in("ada").await;
    let text = r#"{"model":"grok-4.3","input":"x","store":false,"stream":true,"metadata":{"n":1.50},"truncation":"auto"}"#;
    let reply = at(&world, RESPONSES, &tokens, text).send().await.unwrap().text().await.unwrap();
    assert_eq!(world.openai.log()[0].body, text);
    assert_eq!(named(&reply).last().unwrap().0, "response.completed", "{reply}");
    let mut body = asked(RESPONSES, "grok-4.3", false);
    body["instructions"] = json!("Be short.");
    let whole = json_of(at(&world, RESPONSES, &tokens, &body)).await;
    assert_eq!(text_of(RESPONSES, &whole), HELLO, "{whole}");
    let sent: Value = serde_json::from_str(&world.openai.log()[1].body).unwrap();
    assert_eq!(sent["input"][0], json!({ "role": "system", "content": "Be short." }));
    body["tools"] = json!([{ "type": "custom", "name": "patch", "description": "Free text." }]);
    json_of(at(&world, RESPONSES, &tokens, &body)).await;
    let sent: Value = serde_json::from_str(&world.openai.log()[2].body).unwrap();
    assert_eq!((&sent["tools"][0]["type"], &sent["tools"][0]["name"]), (&json!("function"), &json!("patch")));
    let records = world.audit_until(&tokens, |records| records.len() == 6).await;
    let first =
        |record: &Value| record["record"]["tries"][0]["transformations"][0].as_str().map(str::to_owned);
    let mut ways: Vec<String> = records.iter().filter_map(first).collect();
    ways.sort();
    let (passed, translated) = ("passed through as xAI's responses", "translated from OpenAI responses");
    assert_eq!(ways, [passed, passed, translated]);
}
