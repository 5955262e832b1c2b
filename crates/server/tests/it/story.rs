//! From an empty directory to a streamed answer, on both databases.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test]
async fn the_story_on_sqlite() {
    story(Database::Sqlite).await;
}

#[tokio::test]
async fn the_story_on_postgres() {
    story(Database::Postgres).await;
}

async fn story(database: Database) {
    let mut world = World::empty(database, |_| {}).started().await;
    assert_eq!(json_of(world.get("/healthz")).await["status"], "ok");
    assert_eq!(json_of(world.get("/readyz")).await["dependencies"]["database"], "ok");
    set_up(&world).await;
    let tokens = device_sign_in(&world).await;
    let account: Value = json_of(world.get("/api/account").bearer_auth(&tokens.access)).await;
    assert_eq!((&account["user"]["login"], &account["user"]["role"]), (&json!("ada"), &json!("admin")));
    models(&world, &tokens).await;
    for model in ["gpt-4.1-mini", "claude-sonnet-4-5"] {
        whole(&world, &tokens, model).await;
        streamed(&world, &tokens, model).await;
    }
    settled(&world, &tokens).await;
    world.stop().await;
}

/// The link works once, only with a good password, and never again once there is an administrator.
async fn set_up(world: &World) {
    let link = world.running.as_ref().unwrap().setup_url().expect("there is no administrator yet").to_owned();
    let path = link.strip_prefix(&world.url).unwrap();
    let page = world.get(path).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    // Under `no-referrer` browsers send forms with `origin: null`, and the check of origins would refuse them.
    assert_eq!(page.headers()["referrer-policy"], "same-origin");
    let token = hidden(&page.text().await.unwrap(), "token");
    let weak = [("token", token.as_str()), ("login", "ada"), ("password", "short")];
    let page = world.form("/setup", "", &weak).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("at least 12 characters"), "{page}");
    let good = [("token", token.as_str()), ("login", "Ada"), ("password", PASSWORD)];
    let foreign = world.form_from("https://evil.example", "/setup", "", &good);
    assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let wrong = [("token", "guessed"), ("login", "eve"), ("password", PASSWORD)];
    assert_eq!(world.form("/setup", "", &wrong).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let reply = world.form("/setup", "", &good).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::SEE_OTHER);
    let home = world.get("/").header("cookie", cookie(&reply)).send().await.unwrap().text().await.unwrap();
    assert!(home.contains("Signed in as <strong>ada</strong>"), "{home}");
    assert_eq!(world.get(path).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(world.form("/setup", "", &good).send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

async fn device_sign_in(world: &World) -> Tokens {
    let code =
        json_of(world.form("/api/auth/device/code", "", &[("client_name", "plantocode on <laptop>")])).await;
    let grant = json!({ "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": code["device_code"] });
    let poll = || world.post("/api/auth/token").json(&grant).send();
    let (status, error) = error_of(poll().await.unwrap()).await;
    assert_eq!((status, error), (400, json!("authorization_pending")));
    let (_, error) = error_of(poll().await.unwrap()).await;
    assert_eq!(error, "slow_down", "asked again at once");
    let user_code = code["user_code"].as_str().unwrap();
    let complete = code["verification_uri_complete"].as_str().unwrap().strip_prefix(&world.url).unwrap();
    let away = world.get(complete).send().await.unwrap();
    assert_eq!(away.headers()["location"], "/sign-in?next=%2Fdevice%3Fcode%3D".to_owned() + user_code);
    let wrong = world
        .form("/sign-in", "", &[("login", "ada"), ("password", "not the password")])
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let cookie = world.browser("ada").await;
    let page = world.get(complete).header("cookie", &cookie).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("plantocode on &lt;laptop&gt;") && page.contains("127.0.0.1"), "{page}");
    let forged = [("code", user_code), ("decision", "approve"), ("form_token", "0")];
    let forged = world.form("/device", &cookie, &forged).send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    world.decide(&cookie, user_code, "approve").await;
    let tokens = read_tokens(&json_of(world.post("/api/auth/token").json(&grant)).await);
    let (_, error) = error_of(poll().await.unwrap()).await;
    assert_eq!(error, "invalid_grant", "a code is collected once");
    tokens
}

async fn models(world: &World, tokens: &Tokens) {
    let list = json_of(world.get("/v1/models").bearer_auth(&tokens.access)).await;
    let ids: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["gpt-4.1-mini", "gpt-5-mini", "either", "claude-sonnet-4-5"]);
    let either = &list["data"][2];
    assert_eq!(
        either["destinations"],
        json!([
            { "provider": "openai", "model": "gpt-4.1-mini" },
            { "provider": "anthropic", "model": "claude-sonnet-4-5" },
        ])
    );
    assert_eq!((&either["context_window"], &either["prices"]["input"]), (&json!(1_047_576), &json!(400_000)));
}

async fn whole(world: &World, tokens: &Tokens, model: &str) {
    let reply = world.chat(tokens, &ask(model, false)).send().await.unwrap();
    assert!(reply.headers().contains_key("x-request-id"));
    let audit = reply.headers()["x-plantocode-audit"].to_str().unwrap().to_owned();
    let answer: Value = reply.json().await.unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "Hello from the simulator.", "{answer}");
    assert_eq!(
        (&answer["object"], &answer["choices"][0]["finish_reason"]),
        (&json!("chat.completion"), &json!("stop"))
    );
    assert!(answer["usage"]["cost_microusd"].as_u64().unwrap() > 0, "{answer}");
    let parts: Vec<_> = audit.split('/').collect();
    let records = world.audit_until(tokens, |records| records.iter().any(|r| r["hash"] == parts[2])).await;
    let record = records.iter().find(|record| record["hash"] == parts[2]).unwrap();
    assert_eq!((record["node"].as_str(), record["seq"].to_string().as_str()), (Some(parts[0]), parts[1]));
}

async fn streamed(world: &World, tokens: &Tokens, model: &str) {
    let reply = world.chat(tokens, &ask(model, true)).send().await.unwrap();
    let headers = reply.headers().clone();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(
        (&headers["cache-control"], &headers["x-accel-buffering"]),
        (&"no-cache".parse().unwrap(), &"no".parse().unwrap())
    );
    let events = events(&reply.text().await.unwrap());
    assert_eq!(spoken(&events), "Hello from the simulator.");
    assert_eq!(events.last().unwrap(), "[DONE]");
    let usage: Value = serde_json::from_str(&events[events.len() - 2]).unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert!(usage["usage"]["total_tokens"].as_u64().unwrap() > 0 && usage["usage"]["cost_microusd"].is_u64());
    let first: Value = serde_json::from_str(&events[0]).unwrap();
    assert_eq!(first["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(first["usage"], Value::Null);
}

async fn settled(world: &World, tokens: &Tokens) {
    let records = world.audit_until(tokens, |records| records.len() == 8).await;
    // The outcome of a request may come after the intent of the next, but never before its own.
    let of = |event: &'static str| {
        records.iter().map(|r| &r["record"]).filter(move |record| record["event"] == event)
    };
    assert_eq!((of("intent").count(), of("served").count()), (4, 4));
    for outcome in of("served") {
        let intent = of("intent").find(|intent| intent["request_id"] == outcome["request_id"]).unwrap();
        assert!(intent["seq"].as_i64() < outcome["seq"].as_i64());
        assert_eq!(outcome["tries"][0]["outcome"], "served");
        assert!(outcome["usage"]["output_tokens"].as_u64().unwrap() > 0 && outcome["latency_ms"].is_u64());
    }
    let usage = world.usage(tokens).await;
    assert_eq!(usage.len(), 4);
    assert!(
        usage.iter().all(|row| row["estimated"] == false && row["cost_microusd"].as_i64().unwrap() > 0),
        "{usage:?}"
    );
    for received in world.openai.log().into_iter().chain(world.anthropic.log()) {
        let sent = |record: &&Value| record["tries"][0]["upstream_hash"] == received.body_sha256.as_str();
        assert!(of("served").any(|record| sent(&record)), "what arrived is what was recorded: {received:?}");
    }
}

#[tokio::test]
async fn what_a_request_would_cost_is_told_without_sending_it() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    let mut body = ask("either", false);
    body["max_tokens"] = json!(1_000);
    let told = json_of(world.post("/api/models/estimate").bearer_auth(&ada.access).json(&body)).await;
    assert!(world.openai.log().is_empty() && world.anthropic.log().is_empty());
    let destinations = told["destinations"].as_array().unwrap();
    assert_eq!(destinations.len(), 2);
    for destination in destinations {
        let cost = |key: &str| destination[key].as_u64().unwrap();
        assert_eq!(destination["most_output_tokens"], 1_000);
        assert!(cost("least_cost_microusd") < cost("most_cost_microusd"), "{destination}");
        assert_eq!(destination["fits"], true);
    }
    let spent = json_of(world.chat(&ada, &body)).await["usage"]["cost_microusd"].as_u64().unwrap();
    assert!(spent <= destinations[0]["most_cost_microusd"].as_u64().unwrap());
    let unknown = world.post("/api/models/estimate").bearer_auth(&ada.access).json(&ask("nothing", false));
    assert_eq!(unknown.send().await.unwrap().status(), 404);
    assert_eq!(world.post("/api/models/estimate").json(&body).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn where_a_request_stands_is_told_to_its_owner_alone() {
    let world = World::new().await;
    let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
    world
        .openai
        .set(testkit::Behaviour { delay_ms: 100, ..testkit::Behaviour::text("a few words in a row") });
    let mut stream = world.chat(&ada, &ask("gpt-4.1-mini", true)).send().await.unwrap();
    let id = stream.headers()["x-request-id"].to_str().unwrap().to_owned();
    let status = |tokens: &Tokens| world.get(&format!("/api/llm/status/{id}")).bearer_auth(&tokens.access);
    assert_eq!(json_of(status(&ada)).await["state"], "running");
    assert_eq!(status(&bob).send().await.unwrap().status(), 404);
    while stream.chunk().await.unwrap().is_some() {}
    world.audit_until(&ada, |records| records.len() == 2).await;
    let ended = json_of(status(&ada)).await;
    assert_eq!((&ended["state"], &ended["model"]), (&json!("served"), &json!("gpt-4.1-mini")));
    assert_eq!(status(&bob).send().await.unwrap().status(), 404);
    let usage = json_of(world.get("/api/usage").bearer_auth(&ada.access)).await;
    assert_eq!(usage["by_day"][0]["cost_microusd"], ended["cost_microusd"]);
}

#[tokio::test]
async fn the_server_describes_itself_to_sign_in_clients() {
    let world = World::new().await;
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let told = json_of(world.get(path)).await;
        assert_eq!(told["issuer"], world.url);
        let jwks = told["jwks_uri"].as_str().unwrap().strip_prefix(&world.url).unwrap();
        assert!(json_of(world.get(jwks)).await["keys"].is_array());
        let code = told["device_authorization_endpoint"].as_str().unwrap().strip_prefix(&world.url).unwrap();
        assert!(json_of(world.post(code)).await["user_code"].is_string());
    }
}
