//! Tokens for programs and agents: what they may do, what they may spend, and how they end.

use std::time::Duration;

use serde_json::{Value, json};
use server::admin::{Admin, NewKey};
use testkit::Behaviour;

use crate::support::*;

async fn make(world: &World, by: &Tokens, body: Value) -> (String, String) {
    let reply = json_of(world.post("/api/tokens").bearer_auth(&by.access).json(&body)).await;
    let text = |key: &str| reply[key].as_str().unwrap().to_owned();
    assert!(text("token").starts_with("ptc_"));
    (text("id"), text("token"))
}

fn with(token: &str) -> Tokens {
    Tokens { access: token.into(), refresh: String::new() }
}

async fn chat(world: &World, token: &str, body: &Value) -> (u16, Value) {
    let reply = world.chat(&with(token), body).send().await.unwrap();
    match reply.status().as_u16() {
        200 => (200, reply.json().await.unwrap()),
        _ => error_of(reply).await,
    }
}

#[tokio::test]
async fn a_token_asks_for_its_models_and_for_nothing_else() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    let asked = json!({ "name": "ci", "models": ["gpt-4.1-mini"], "tag": "nightly" });
    let (id, token) = make(&world, &ada, asked).await;
    assert_eq!(chat(&world, &token, &ask("gpt-4.1-mini", false)).await.0, 200);
    let (status, error) = chat(&world, &token, &ask("claude-sonnet-4-5", false)).await;
    assert_eq!((status, &error["code"]), (403, &json!("model_not_allowed")));
    let refused = ["/api/audit", "/api/account", "/api/tokens", "/api/devices"];
    for path in refused {
        let (status, error) = error_of(world.get(path).bearer_auth(&token).send().await.unwrap()).await;
        assert_eq!((status, &error["code"]), (403, &json!("forbidden")), "{path}");
    }
    let more = world.post("/api/tokens").bearer_auth(&token).json(&json!({ "name": "child" }));
    assert_eq!(more.send().await.unwrap().status(), 403, "a token makes no tokens");
    let records = world.audit_until(&ada, |records| records.len() == 3).await;
    for record in &records {
        assert_eq!((&record["record"]["token"], &record["record"]["tag"]), (&json!(id), &json!("nightly")));
    }
    assert_eq!(world.usage(&ada).await[0]["token"], json!(id));
    let listed = json_of(world.get("/api/tokens").bearer_auth(&ada.access)).await;
    assert_eq!(listed["tokens"][0]["id"], json!(id));
    assert!(!listed.to_string().contains(&token), "it is shown once");
}

#[tokio::test]
async fn a_token_that_needs_approval_sends_nothing_without_one() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    let (_, token) = make(&world, &ada, json!({ "name": "agent", "approval": "required" })).await;
    let (status, error) = chat(&world, &token, &ask("gpt-4.1-mini", false)).await;
    assert_eq!((status, &error["code"]), (403, &json!("approval_required")));
    assert!(world.openai.log().is_empty());
}

#[tokio::test]
async fn a_token_ends_by_itself_and_by_hand_also_in_mid_answer() {
    let world = World::new().await;
    let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
    let (_, short) = make(&world, &bob, json!({ "name": "a", "kind": "agent", "expires_in": 60 })).await;
    assert_eq!(chat(&world, &short, &ask("gpt-4.1-mini", false)).await.0, 200);
    world.env.advance(60_000);
    assert_eq!(chat(&world, &short, &ask("gpt-4.1-mini", false)).await.0, 401);

    let (id, token) = make(&world, &bob, json!({ "name": "b" })).await;
    world.openai.set(Behaviour { delay_ms: 200, ..Behaviour::text(&"words and more words ".repeat(50)) });
    let mut stream = world.chat(&with(&token), &ask("gpt-4.1-mini", true)).send().await.unwrap();
    assert!(stream.chunk().await.unwrap().is_some());
    let eve = world.post("/api/tokens/revoke").bearer_auth(&bob.access).json(&json!({ "id": "another" }));
    assert_eq!(eve.send().await.unwrap().status(), 404);
    let revoked = world.post("/api/tokens/revoke").bearer_auth(&ada.access).json(&json!({ "id": id }));
    assert_eq!(json_of(revoked).await, json!({ "revoked": true, "canceled": 1 }));
    assert_eq!(chat(&world, &token, &ask("gpt-4.1-mini", false)).await.0, 401);
    let rest = tokio::time::timeout(Duration::from_secs(5), async {
        while let Ok(Some(_)) = stream.chunk().await {}
    });
    rest.await.expect("the answer ends with the token");
    world.openai.wait_for(Duration::from_secs(2), |log| log[1].disconnected_at_ms.is_some());
}

#[tokio::test]
async fn signing_out_ends_answers_under_way() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    world.openai.set(Behaviour { delay_ms: 200, ..Behaviour::text(&"words and more words ".repeat(50)) });
    let mut stream = world.chat(&tokens, &ask("gpt-4.1-mini", true)).send().await.unwrap();
    assert!(stream.chunk().await.unwrap().is_some());
    json_of(world.form("/api/auth/revoke", "", &[("token", &tokens.refresh)])).await;
    world.openai.wait_for(Duration::from_secs(5), |log| log[0].disconnected_at_ms.is_some());
}

#[tokio::test]
async fn wrong_wishes_get_a_clear_answer() {
    let world = World::new().await;
    let bob = world.sign_in("bob").await;
    for body in [
        json!({}),
        json!({ "name": " " }),
        json!({ "name": "x".repeat(101) }),
        json!({ "name": "x", "kind": "agent" }),
        json!({ "name": "x", "kind": "agent", "expires_in": 86_401 }),
        json!({ "name": "x", "kind": "admin" }),
        json!({ "name": "x", "expires_in": 0 }),
        json!({ "name": "x", "expires_in": i64::MAX }),
        json!({ "name": "x", "approval": "sometimes" }),
        json!({ "name": "x", "budget_microusd": -1 }),
        json!({ "name": "x", "models": ["no-such-model"] }),
        json!({ "name": "x", "scope": "admin" }),
    ] {
        let reply = world.post("/api/tokens").bearer_auth(&bob.access).json(&body).send().await.unwrap();
        let (status, error) = error_of(reply).await;
        assert_eq!((status, &error["code"]), (400, &json!("invalid_request")), "{body}");
    }
    for forged in ["ptc_", "ptc_AAAA", &format!("ptc_{}", "A".repeat(43))] {
        assert_eq!(chat(&world, forged, &ask("gpt-4.1-mini", false)).await.0, 401, "{forged}");
    }
}

/// 60 requests at once against a budget that has room for three of the dearest.
#[tokio::test]
async fn a_budget_is_never_passed_and_what_was_not_spent_comes_back() {
    for database in [Database::Sqlite, Database::Postgres] {
        let world = World::with(database, |settings| settings.limits.concurrent = 0).await;
        let ada = world.sign_in("ada").await;
        let mut body = ask("gpt-4.1-mini", false);
        body["max_tokens"] = json!(10_000);
        // The most one may cost: 10,000 tokens of answer at $1.60 a million, and a little for the prompt.
        let asked = json!({ "name": "agent", "kind": "agent", "expires_in": 600, "budget_microusd": 50_000 });
        let (_, token) = make(&world, &ada, asked).await;
        world.openai.set(Behaviour { first_delay_ms: 500, ..Behaviour::text("short") });
        let all = futures_util::future::join_all((0..60).map(|_| chat(&world, &token, &body))).await;
        let served = all.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(served, 3, "{database:?}");
        let refused = all.iter().find(|(status, _)| *status != 200).unwrap();
        assert_eq!((refused.0, &refused.1["code"]), (403, &json!("budget_exceeded")));
        assert!(refused.1["message"].as_str().unwrap().contains("budget of this token"), "{}", refused.1);
        world.openai.set(Behaviour::text("short"));
        let (status, error) = chat(&world, &token, &body).await;
        assert_eq!(status, 200, "the answers were short: {error}");
        // Usage is stored after the reply.
        let is_outcome = |record: &Value| record["record"]["event"] == "served";
        world
            .audit_until(&ada, |records| records.iter().filter(|record| is_outcome(record)).count() == 4)
            .await;
        let listed = json_of(world.get("/api/tokens").bearer_auth(&ada.access)).await;
        let spent = listed["tokens"][0]["spent_microusd"].as_i64().unwrap();
        let sum: i64 = world.usage(&ada).await.iter().map(|row| row["cost_microusd"].as_i64().unwrap()).sum();
        assert_eq!(spent, sum);
        assert!(spent > 0 && spent < 2_000, "{spent}");
    }
}

#[tokio::test]
async fn the_budget_of_a_day_holds_after_a_restart_and_ends_with_the_day() {
    let mut world =
        World::with(Database::Sqlite, |settings| settings.budgets.user_day_microusd = 20_000).await;
    let ada = world.sign_in("ada").await;
    let mut body = ask("gpt-4.1-mini", false);
    body["max_tokens"] = json!(10_000);
    world.openai.set(Behaviour::text(&"a long answer ".repeat(1_500)));
    assert_eq!(chat(&world, &ada.access, &body).await.0, 200);
    let (status, error) = chat(&world, &ada.access, &body).await;
    assert_eq!((status, &error["code"]), (403, &json!("budget_exceeded")));
    assert!(error["message"].as_str().unwrap().contains("for today"), "{error}");
    world.stop().await;
    let again = world.started().await;
    let ada = again.sign_in("ada").await;
    assert_eq!(chat(&again, &ada.access, &body).await.0, 403);
    let bob = again.sign_in("bob").await;
    assert_eq!(chat(&again, &bob.access, &body).await.0, 200, "others are not affected");
    again.env.advance(24 * 3_600_000);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let ada = again.sign_in("ada").await;
    assert_eq!(chat(&again, &ada.access, &body).await.0, 200);
}

/// Starting an agent is an approval of what it will send: it is in every record, and binds every request.
#[tokio::test]
async fn a_scope_is_an_approval_that_every_request_is_bound_to() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    let scope = json!({ "agent": "codex 1.2", "worktree": "fix-login" });
    let good = json!({ "name": "agent", "kind": "agent", "expires_in": 3600, "models": ["either"],
        "budget_microusd": 1_000_000, "approval": "scope", "scope": scope });
    for (field, value) in [
        ("scope", Value::Null),
        ("models", json!([])),
        ("budget_microusd", Value::Null),
        ("kind", json!("api")),
        ("approval", json!("none")),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        let reply = world.post("/api/tokens").bearer_auth(&ada.access).json(&wrong).send().await.unwrap();
        assert_eq!(reply.status(), 400, "{field}");
    }
    let (id, token) = make(&world, &ada, good).await;
    assert_eq!(chat(&world, &token, &ask("either", false)).await.0, 200);
    let records = world.audit_until(&ada, |records| records.len() == 2).await;
    for record in &records {
        let record = &record["record"];
        assert_eq!((&record["policy"], &record["token"]), (&json!("scope"), &json!(id)));
        let of = |field: &str| &record["scope"][field];
        assert_eq!((of("agent"), of("worktree")), (&json!("codex 1.2"), &json!("fix-login")));
        assert_eq!((of("budget_microusd"), of("hours")), (&json!(1_000_000), &json!(1.0)));
        assert_eq!(of("destinations"), &json!(["openai/gpt-4.1-mini", "anthropic/claude-sonnet-4-5"]));
    }
    json_of(world.chat(&ada, &ask("either", false))).await;
    let records = world.audit_until(&ada, |records| records.len() == 4).await;
    assert_eq!(records[3]["record"]["policy"], "none");

    // What was not there when it was approved is not gone to, whatever the operator adds.
    let admin = Admin::open(&world.config).await.unwrap();
    let added = NewKey {
        provider: "other".into(),
        dialect: "openai".into(),
        base_url: world.openai.openai_url(),
        models: vec!["either=gpt-5-mini".into()],
        key: CANARY.to_owned().into(),
    };
    for key in admin.keys().await.unwrap() {
        admin.remove_key(&key.id).await.unwrap();
    }
    admin.add_key(added).await.unwrap();
    admin.close().await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let (status, error) = chat(&world, &token, &ask("either", false)).await;
    assert_eq!((status, &error["code"]), (409, &json!("destination_not_approved")));
    assert_eq!(json_of(world.chat(&ada, &ask("either", false))).await["model"], json!("gpt-5-mini"));
}

#[tokio::test]
async fn a_secret_ends_the_scope_of_an_agent() {
    let redact = |settings: &mut server::config::Settings| {
        settings.filter.secrets = server::config::SecretPolicy::Redact;
    };
    let world = World::with(Database::Sqlite, redact).await;
    let ada = world.sign_in("ada").await;
    let asked = json!({ "name": "agent", "kind": "agent", "expires_in": 3600, "models": ["gpt-4.1-mini"],
        "budget_microusd": 1_000_000, "approval": "scope", "scope": { "agent": "codex" } });
    let (_, token) = make(&world, &ada, asked).await;
    let mut body = ask("gpt-4.1-mini", false);
    let secret = ["gh", "p_", "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0sYaQeUi"].concat();
    body["messages"][0]["content"] = json!(format!("token = {secret}"));
    let (status, error) = chat(&world, &token, &body).await;
    assert_eq!((status, &error["code"]), (403, &json!("secret_blocked")), "it is not redacted");
    assert!(error["message"].as_str().unwrap().contains("has ended"), "{error}");
    assert_eq!(chat(&world, &token, &ask("gpt-4.1-mini", false)).await.0, 401);
    assert!(world.openai.log().is_empty());
    assert_eq!(world.chat(&ada, &body).send().await.unwrap().status(), 200, "others are redacted as before");
}
