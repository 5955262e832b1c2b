//! An approval covers exact bytes and exact destinations, or nothing leaves.

use llm::approval::{HEADER_CEILING, HEADER_DESTINATIONS, HEADER_FILES, HEADER_JOB, encode_files};
use llm::{Approval, Destination};
use reqwest::RequestBuilder;
use serde_json::json;
use testkit::{Behaviour, Tamper};

use crate::support::*;

fn destination(provider: &str, model: &str) -> Destination {
    Destination { provider: provider.into(), model: model.into() }
}

fn approve(body: &str, destinations: Vec<Destination>, ceiling: u64) -> Approval {
    Approval::of_body("POST", "/v1/chat/completions", body.as_bytes(), destinations, ceiling)
}

fn with(request: RequestBuilder, approval: &Approval) -> RequestBuilder {
    approval.headers().into_iter().fold(request, |request, (name, value)| request.header(name, value))
}

#[tokio::test]
async fn an_approved_request_is_sent_and_recorded() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let body = ask("either", false).to_string();
    let approval = approve(&body, vec![destination("anthropic", "claude-sonnet-4-5")], 1_000_000);
    let files = vec!["src/main.rs".to_owned(), "docs/größe.md".to_owned()];
    let request = with(world.chat_bytes(&tokens, body.clone()), &approval)
        .header(HEADER_FILES, encode_files(&files).unwrap())
        .header(HEADER_JOB, "job-7");
    json_of(request).await;
    assert_eq!(
        (world.openai.log().len(), world.anthropic.log().len()),
        (0, 1),
        "the approved one, not the first one"
    );
    let records = world.audit_until(&tokens, |records| records.len() == 2).await;
    let outcome = &records[1]["record"];
    assert_eq!(outcome["approval"], approval.fingerprint());
    assert_eq!(outcome["body_hash"], hex::encode(approval.body_hash));
    assert_eq!((&outcome["files"], &outcome["job"]), (&json!(files), &json!("job-7")));
    assert_eq!(outcome["destinations"], json!(["anthropic/claude-sonnet-4-5"]));
}

#[tokio::test]
async fn one_changed_byte_is_refused_and_nothing_leaves() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let tamper = Tamper::start(&world.url);
    let body = ask("gpt-4.1-mini", false).to_string();
    let approval = approve(&body, vec![destination("openai", "gpt-4.1-mini")], 1_000_000);
    let request = || {
        let url = format!("{}/v1/chat/completions", tamper.url());
        with(world.http.post(url).bearer_auth(&tokens.access).body(body.clone()), &approval)
    };
    json_of(request()).await;
    tamper.arm(true);
    let (status, error) = error_of(request().send().await.unwrap()).await;
    assert_eq!((status, &error["code"]), (409, &json!("approval_mismatch")));
    assert_eq!((tamper.changed(), world.openai.log().len()), (1, 1));
    let records = world.audit_until(&tokens, |records| records.len() == 3).await;
    let refused =
        records.iter().map(|record| &record["record"]).find(|record| record["event"] == "refused").unwrap();
    assert_eq!(refused["error"], "approval_mismatch");
    assert_ne!(refused["body_hash"], hex::encode(approval.body_hash), "what arrived is on record");
}

#[tokio::test]
async fn every_other_change_is_refused_too() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let body = ask("either", false).to_string();
    let approval = approve(&body, vec![destination("openai", "gpt-4.1-mini")], 1_000);
    let changed = |name: &str, value: &str| {
        let headers = approval.headers().into_iter();
        headers.fold(world.chat_bytes(&tokens, body.clone()), |request, (header, old)| {
            request.header(header, if header == name { value.to_owned() } else { old })
        })
    };
    let both = "openai/gpt-4.1-mini,anthropic/claude-sonnet-4-5";
    for request in [changed(HEADER_DESTINATIONS, both), changed(HEADER_CEILING, "1001")] {
        let (status, error) = error_of(request.send().await.unwrap()).await;
        assert_eq!((status, &error["code"]), (409, &json!("approval_mismatch")));
    }
    let elsewhere = world.post("/api/llm/chat/completions").bearer_auth(&tokens.access).body(body.clone());
    let (status, error) = error_of(with(elsewhere, &approval).send().await.unwrap()).await;
    assert_eq!((status, &error["code"]), (409, &json!("approval_mismatch")), "approved for another path");
    for request in [changed(HEADER_DESTINATIONS, "nonsense"), changed(HEADER_CEILING, "-1")] {
        let (status, error) = error_of(request.send().await.unwrap()).await;
        assert_eq!((status, &error["code"]), (400, &json!("approval_malformed")));
    }
    let stray = world.chat_bytes(&tokens, body.clone()).header(HEADER_DESTINATIONS, both);
    assert_eq!(error_of(stray.send().await.unwrap()).await.1["code"], "approval_malformed");
    assert_eq!(world.openai.log().len() + world.anthropic.log().len(), 0);
}

#[tokio::test]
async fn a_destination_outside_the_approval_is_never_tried() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let body = ask("gpt-4.1-mini", false).to_string();
    let approval = approve(&body, vec![destination("anthropic", "claude-sonnet-4-5")], 1_000_000);
    let reply = with(world.chat_bytes(&tokens, body), &approval).send().await.unwrap();
    let (status, error) = error_of(reply).await;
    assert_eq!((status, &error["code"]), (409, &json!("destination_not_approved")));
    assert!(error["message"].as_str().unwrap().contains("openai/gpt-4.1-mini"), "{error}");
    // Nor as a fallback, when the approved one fails.
    world.openai.set(Behaviour::fail(500));
    let body = ask("either", false).to_string();
    let approval = approve(&body, vec![destination("openai", "gpt-4.1-mini")], 1_000_000);
    let reply = with(world.chat_bytes(&tokens, body), &approval).send().await.unwrap();
    assert_eq!(error_of(reply).await.1["code"], "upstream_unavailable");
    assert_eq!((world.openai.log().len(), world.anthropic.log().len()), (1, 0));
}

#[tokio::test]
async fn the_approved_cost_is_a_limit() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    world.openai.set(Behaviour { delay_ms: 20, ..Behaviour::text(&"many words ".repeat(300)) });
    for stream in [true, false] {
        let body = ask("gpt-4.1-mini", stream).to_string();
        let approval = approve(&body, vec![destination("openai", "gpt-4.1-mini")], 100);
        let reply = with(world.chat_bytes(&tokens, body), &approval).send().await.unwrap();
        let text = reply.text().await.unwrap();
        assert!(text.contains("ceiling_reached") && !text.contains("[DONE]"), "{text}");
    }
    let log = world.openai.wait_for(std::time::Duration::from_secs(1), |log| {
        log.iter().all(|r| r.disconnected_at_ms.is_some())
    });
    assert_eq!(log.len(), 2);
    let usage = world.usage(&tokens).await;
    assert!(
        usage.iter().all(|row| (101..200).contains(&row["cost_microusd"].as_i64().unwrap())),
        "{usage:?}"
    );
}
