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
