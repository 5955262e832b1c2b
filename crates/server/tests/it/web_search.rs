//! Searches of the web pass through the proxy: in the dialect of each provider, with sources, reserved and settled.

use llm::Approval;
use llm::upstream::{HEADER_UPSTREAM, Upstream, Verdict};
use reqwest::RequestBuilder;
use secrecy::SecretString;
use serde_json::{Value, json};
use server::admin::{Admin, NewKey};
use testkit::{Behaviour, Simulator};

use crate::support::*;

/// What one search costs at Anthropic and OpenAI, in micro-dollars.
const SEARCH: u64 = 10_000;

fn look_up(model: &str, stream: bool, max_uses: u64) -> Value {
    let mut body = ask(model, stream);
    body["web_search"] = json!({ "max_uses": max_uses });
    body["max_completion_tokens"] = json!(500);
    body
}

fn approved(request: RequestBuilder, body: &str, provider: &str, model: &str) -> RequestBuilder {
    let destination = llm::Destination { provider: provider.into(), model: model.into() };
    let approval =
        Approval::of_body("POST", "/v1/chat/completions", body.as_bytes(), vec![destination], 1_000_000);
    approval.headers().into_iter().fold(request, |request, (name, value)| request.header(name, value))
}

fn sources(message: &Value) -> Vec<&str> {
    let annotations = message["annotations"].as_array().unwrap();
    annotations.iter().map(|annotation| annotation["url_citation"]["url"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_provider_searches_in_its_own_dialect_and_the_sources_come_back() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    for (provider, model) in [("anthropic", "claude-sonnet-4-5"), ("openai", "gpt-4.1-mini")] {
        let body = look_up(model, false, 3).to_string();
        let request = approved(world.chat_bytes(&tokens, body.clone()), &body, provider, model);
        let answer = json_of(request).await;
        let message = &answer["choices"][0]["message"];
        assert_eq!(sources(message), ["https://docs.example/retry", "https://blog.example/ä"], "{answer}");
        assert_eq!(message["web_searches"].as_array().unwrap().len(), 2, "{answer}");
        assert_eq!(answer["usage"]["server_tool_use"]["web_search_requests"], 2);
        let tokens_cost = match provider {
            "anthropic" => 3.0 * tokens_of(&answer, "prompt") + 15.0 * tokens_of(&answer, "completion"),
            _ => 0.4 * tokens_of(&answer, "prompt") + 1.6 * tokens_of(&answer, "completion"),
        };
        let cost = answer["usage"]["cost_microusd"].as_u64().unwrap();
        assert_eq!(cost, 2 * SEARCH + tokens_cost.ceil() as u64, "{answer}");
        // The same as a stream.
        let canonical = look_up(model, true, 3).to_string();
        let request = world.chat_bytes(&tokens, canonical.clone());
        let reply = approved(request, &canonical, provider, model).send().await.unwrap();
        // Whoever asked can make the provider's body again, in the dialect that was taken for it.
        let told = reply.headers()[HEADER_UPSTREAM].to_str().unwrap();
        let told = Upstream::parse(told).unwrap();
        assert_eq!(told.check(canonical.as_bytes()), Verdict::Same, "{told:?}");
        let events = events(&reply.text().await.unwrap());
        let chunks: Vec<Value> = events.iter().filter_map(|event| serde_json::from_str(event).ok()).collect();
        let cited =
            chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]).filter(|d| d["annotations"].is_array());
        let urls: Vec<&str> = cited.flat_map(sources).collect();
        assert_eq!(urls, ["https://docs.example/retry", "https://blog.example/ä"], "{model}");
        let used = chunks.iter().rev().find(|chunk| chunk["usage"].is_object()).unwrap();
        assert_eq!(used["usage"]["server_tool_use"]["web_search_requests"], 2);
    }
    let asked: Vec<String> = world.openai.log().iter().map(|request| request.path.clone()).collect();
    assert_eq!(asked, ["/openai/v1/responses", "/openai/v1/responses"], "OpenAI searches there alone");
    let sent: Value = serde_json::from_str(&world.anthropic.log()[0].body).unwrap();
    assert_eq!(sent["tools"][0]["type"], "web_search_20250305");
    assert_eq!(sent["tools"][0]["max_uses"], 3);
    let records = world.audit_until(&tokens, |records| records.len() == 8).await;
    for received in world.openai.log().into_iter().chain(world.anthropic.log()) {
        let sent =
            |record: &&Value| record["record"]["tries"][0]["upstream_hash"] == received.body_sha256.as_str();
        assert!(
            records.iter().any(|record| sent(&record)),
            "what arrived is what was recorded: {received:?}"
        );
    }
    let usage = world.usage(&tokens).await;
    assert_eq!(usage.len(), 4);
    assert!(usage.iter().all(|row| row["cost_microusd"].as_u64().unwrap() > 2 * SEARCH), "{usage:?}");
}

fn tokens_of(answer: &Value, what: &str) -> f64 {
    answer["usage"][format!("{what}_tokens")].as_u64().unwrap() as f64
}

#[tokio::test]
async fn what_searches_may_cost_is_set_aside_before_anything_leaves() {
    let world = World::with(Database::Sqlite, |settings| settings.budgets.user_day_microusd = 100_000).await;
    let tokens = world.sign_in("ada").await;
    // Three searches with what they find cost up to some twenty cents; a request without would pass.
    let (status, error) =
        error_of(world.chat(&tokens, &look_up("claude-sonnet-4-5", false, 3)).send().await.unwrap()).await;
    assert_eq!((status, &error["code"]), (403, &json!("budget_exceeded")), "{error}");
    assert!(world.anthropic.log().is_empty());
    json_of(world.chat(&tokens, &ask_short("claude-sonnet-4-5"))).await;
    let estimate =
        |body: Value| json_of(world.post("/api/models/estimate").bearer_auth(&tokens.access).json(&body));
    let with = estimate(look_up("claude-sonnet-4-5", false, 3)).await;
    let without = estimate(ask_short("claude-sonnet-4-5")).await;
    let most = |told: &Value| told["destinations"][0]["most_cost_microusd"].as_u64().unwrap();
    // Of what is found 10,000 tokens are read once, 10,000 twice and 10,000 three times.
    assert!(most(&with) > most(&without) + 3 * SEARCH + 60_000 * 3, "{with} {without}");
    assert_eq!(with["destinations"][0]["most_output_tokens"], 500);
}

fn ask_short(model: &str) -> Value {
    let mut body = ask(model, false);
    body["max_completion_tokens"] = json!(500);
    body
}

#[tokio::test]
async fn nobody_gets_an_answer_that_was_not_looked_up() {
    let world = World::empty(Database::Sqlite, |_| {});
    let local = Simulator::start(Behaviour::text("From memory."));
    let admin = Admin::open(&world.config).await.unwrap();
    admin.add_user("ada", PASSWORD.to_owned().into(), server_store::Role::Admin).await.unwrap();
    let key = NewKey {
        provider: "local".into(),
        dialect: "compatible".into(),
        base_url: local.openai_url(),
        models: vec!["llama".into(), "both=llama".into()],
        key: SecretString::from(CANARY),
    };
    admin.add_key(key).await.unwrap();
    let key = NewKey {
        provider: "anthropic".into(),
        dialect: "anthropic".into(),
        base_url: world.anthropic.anthropic_url(),
        models: vec!["both=claude-sonnet-4-5".into()],
        key: SecretString::from(CANARY),
    };
    admin.add_key(key).await.unwrap();
    admin.close().await;
    let world = world.started().await;
    let tokens = world.sign_in("ada").await;
    let (status, error) =
        error_of(world.chat(&tokens, &look_up("llama", false, 1)).send().await.unwrap()).await;
    assert_eq!((status, &error["code"]), (400, &json!("web_search_unsupported")), "{error}");
    // Of several providers the one that searches is asked, wherever it stands.
    let answer = json_of(world.chat(&tokens, &look_up("both", false, 1))).await;
    assert_eq!(sources(&answer["choices"][0]["message"]).len(), 2);
    assert_eq!((local.log().len(), world.anthropic.log().len()), (0, 1));
    let list = json_of(world.get("/v1/models").bearer_auth(&tokens.access)).await;
    let ability = |id: &str| {
        let model = list["data"].as_array().unwrap().iter().find(|model| model["id"] == id).unwrap();
        (model["web_search"].clone(), model["prices"]["web_search"].clone())
    };
    assert_eq!(ability("llama"), (Value::Null, Value::Null));
    assert_eq!(ability("both").0, "kept");
    assert_eq!(ability("gpt-4.1-mini"), (json!("kept"), json!(SEARCH)));
    let mut wrong = look_up("gpt-4.1-mini", false, 1);
    wrong["web_search"]["max_uses"] = json!(1_000);
    assert_eq!(world.chat(&tokens, &wrong).send().await.unwrap().status(), 400);
    assert!(world.openai.log().is_empty());
}

/// Anthropic's own clients say it in their own words, which pass; what it costs is counted all the same.
#[tokio::test]
async fn a_search_in_a_providers_own_words_is_settled_too() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let body = json!({
        "model": "claude-sonnet-4-5", "max_tokens": 200, "messages": [{ "role": "user", "content": "Say hello." }],
        "tools": [{ "type": "web_search_20250305", "name": "web_search", "max_uses": 2 }],
    });
    let answer = json_of(world.post("/v1/messages").bearer_auth(&tokens.access).json(&body)).await;
    assert!(
        answer["content"].as_array().unwrap().iter().any(|block| block["type"] == "web_search_tool_result")
    );
    world.audit_until(&tokens, |records| records.len() == 2).await;
    let usage = world.usage(&tokens).await;
    assert!(usage[0]["cost_microusd"].as_u64().unwrap() > 2 * SEARCH, "{usage:?}");
}

#[tokio::test]
async fn a_secret_in_a_question_does_not_leave_with_it() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let mut body = look_up("claude-sonnet-4-5", false, 1);
    let key = ["gh", "p_", "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0sYaQeUi"].concat();
    body["messages"][0]["content"] = json!(format!("Is {key} still valid?"));
    let (status, error) = error_of(world.chat(&tokens, &body).send().await.unwrap()).await;
    assert_eq!((status, &error["code"]), (403, &json!("secret_blocked")), "{error}");
    assert!(world.anthropic.log().is_empty());
}
