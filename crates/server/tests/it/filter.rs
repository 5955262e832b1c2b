//! Secrets do not leave.

use llm::{Approval, Destination};
use serde_json::{Value, json};
use server::config::SecretPolicy;

use crate::support::*;

fn secret() -> String {
    ["gh", "p_", "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0sYaQeUi"].concat()
}

fn body_with_secret() -> Value {
    let text = format!("Please look:\n\ntoken = {}\n", secret());
    json!({ "model": "gpt-4.1-mini", "messages": [{ "role": "user", "content": text }] })
}

#[tokio::test]
async fn a_secret_is_blocked_and_named_but_never_shown() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let (status, error) = error_of(world.chat(&tokens, &body_with_secret()).send().await.unwrap()).await;
    assert_eq!((status, &error["code"]), (403, &json!("secret_blocked")));
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("github-token") && message.contains("line 3"), "{message}");
    assert!(!error.to_string().contains(&secret()));
    assert!(world.openai.log().is_empty());
    let records = world.audit_until(&tokens, |records| records.len() == 1).await;
    let finding = &records[0]["record"]["findings"][0];
    assert_eq!((&finding["rule"], &finding["line"]), (&json!("github-token"), &json!(3)));
    assert!(!json!(records).to_string().contains(&secret()));
}

#[tokio::test]
async fn redaction_is_for_callers_without_approval() {
    let world =
        World::with(Database::Sqlite, |settings| settings.filter.secrets = SecretPolicy::Redact).await;
    let tokens = world.sign_in("ada").await;
    json_of(world.chat(&tokens, &body_with_secret())).await;
    let sent = &world.openai.log()[0].body;
    assert!(!sent.contains(&secret()) && sent.contains("[redacted:github-token]"), "{sent}");
    let records = world.audit_until(&tokens, |records| records.len() == 2).await;
    let change = &records[0]["record"]["transformations"][0];
    assert_eq!(change, "redacted source-key at messages[0].content line 3");
    let mut in_a_name = ask("gpt-4.1-mini", false);
    in_a_name["metadata"][secret()] = json!("x");
    let (status, error) = error_of(world.chat(&tokens, &in_a_name).send().await.unwrap()).await;
    assert_eq!(
        (status, &error["code"]),
        (403, &json!("secret_blocked")),
        "what cannot be redacted is blocked"
    );
    let body = body_with_secret().to_string();
    let to = Destination { provider: "openai".into(), model: "gpt-4.1-mini".into() };
    let approval = Approval::of_body("POST", "/v1/chat/completions", body.as_bytes(), vec![to], 1_000);
    let headers = approval.headers().into_iter();
    let request =
        headers.fold(world.chat_bytes(&tokens, body), |request, (name, value)| request.header(name, value));
    assert_eq!(error_of(request.send().await.unwrap()).await.1["code"], "secret_blocked");
    assert_eq!(world.openai.log().len(), 1);
}

#[tokio::test]
async fn an_allow_comment_is_shown_in_the_audit_and_lets_it_pass() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let text = format!("key = \"{}\" # plantocode:allow", secret());
    json_of(world.chat(
        &tokens,
        &json!({ "model": "gpt-4.1-mini", "messages": [{ "role": "user", "content": text }] }),
    ))
    .await;
    let records = world.audit_until(&tokens, |records| records.len() == 2).await;
    assert_eq!(records[1]["record"]["findings"][0]["allowed"], true);
}

#[tokio::test]
async fn classes_and_destinations_have_policies_of_their_own() {
    let world = World::with(Database::Sqlite, |settings| {
        settings.filter.destinations.insert("anthropic".into(), SecretPolicy::Warn);
        settings.filter.deny_models = vec!["gpt-5*".into()];
        settings.filter.deny_files = vec!["**/.env".into()];
    })
    .await;
    let tokens = world.sign_in("ada").await;
    let to = |model: &str| {
        let mut body = body_with_secret();
        body["model"] = json!(model);
        world.chat(&tokens, &body)
    };
    assert_eq!(to("claude-sonnet-4-5").send().await.unwrap().status(), 200);
    assert!(world.anthropic.log()[0].body.contains(&secret()), "it is merely told");
    for stricter in ["gpt-4.1-mini", "either"] {
        assert_eq!(
            error_of(to(stricter).send().await.unwrap()).await.1["code"],
            "secret_blocked",
            "{stricter}"
        );
    }
    let denied = world.chat(&tokens, &ask("gpt-5-mini", false)).send().await.unwrap();
    assert_eq!(error_of(denied).await.1["code"], "model_denied");
    let named = world.chat(&tokens, &ask("gpt-4.1-mini", false)).header("x-plantocode-files", "[\"a/.env\"]");
    let (status, error) = error_of(named.send().await.unwrap()).await;
    assert_eq!((status, &error["code"]), (403, &json!("file_denied")), "{error}");
    assert!(world.openai.log().is_empty());
    let records = world.audit_until(&tokens, |records| records.len() == 6).await;
    let told = records.iter().find(|record| record["record"]["event"] == "served").unwrap();
    assert_eq!(told["record"]["findings"][0]["allowed"], true);
}
