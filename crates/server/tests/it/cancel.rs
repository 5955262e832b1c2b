//! Whoever stops listening stops the upstream, within half a second, streamed or not, and it is settled.

use std::time::Duration;

use futures_util::StreamExt as _;
use llm::approval::HEADER_JOB;
use serde_json::json;
use testkit::Behaviour;

use crate::support::*;

const SOON: Duration = Duration::from_millis(500);

fn slow() -> Behaviour {
    Behaviour { delay_ms: 100, ..Behaviour::text(&"many words ".repeat(400)) }
}

fn silent() -> Behaviour {
    Behaviour { first_delay_ms: 60_000, ..Behaviour::text("never") }
}

/// Waits for the upstream to have been left, and says how long after `from_ms` that was.
async fn left_after(world: World, from_ms: u64) -> (World, u64) {
    tokio::task::spawn_blocking(move || {
        let log = world
            .openai
            .wait_for(Duration::from_secs(5), |log| log.iter().all(|r| r.disconnected_at_ms.is_some()));
        let at = log.iter().filter_map(|received| received.disconnected_at_ms).max().unwrap();
        (world, at.saturating_sub(from_ms))
    })
    .await
    .unwrap()
}

async fn canceled_and_settled(world: &World, tokens: &Tokens) {
    let records = world.audit_until(tokens, |records| records.len() == 2).await;
    assert_eq!(records[1]["record"]["event"], "canceled", "{records:#?}");
    assert_eq!(records[1]["record"]["tries"][0]["outcome"], "canceled");
    let usage = world.usage(tokens).await;
    assert_eq!(
        (usage.len(), &usage[0]["estimated"], &usage[0]["outcome"]),
        (1, &json!(true), &json!("canceled"))
    );
    assert!(usage[0]["input_tokens"].as_i64().unwrap() > 0, "{usage:?}");
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_is_noticed() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    world.openai.set(slow());
    let reply = world.chat(&tokens, &ask("gpt-4.1-mini", true)).send().await.unwrap();
    let mut body = reply.bytes_stream();
    body.next().await.unwrap().unwrap();
    let from = world.openai.now_ms();
    drop(body);
    let (world, took) = left_after(world, from).await;
    assert!(u128::from(took) < SOON.as_millis(), "{took} ms");
    canceled_and_settled(&world, &tokens).await;
}

/// Before the first byte there is nothing to write to a client that is gone, so no failing write tells.
#[tokio::test]
async fn a_client_that_leaves_while_waiting_is_noticed() {
    for (stream, behaviour) in [(true, silent()), (false, silent()), (false, slow())] {
        let world = World::new().await;
        let tokens = world.sign_in("ada").await;
        world.openai.set(behaviour);
        let request = world.chat(&tokens, &ask("gpt-4.1-mini", stream)).timeout(Duration::from_millis(1_500));
        let sent = request.send().await;
        assert!(sent.is_err(), "nothing came, so the client gave up");
        let from = world.openai.now_ms();
        let (world, took) = left_after(world, from).await;
        assert!(u128::from(took) < SOON.as_millis(), "stream {stream}: {took} ms");
        canceled_and_settled(&world, &tokens).await;
    }
}

#[tokio::test]
async fn a_request_can_be_canceled_by_its_job_but_not_by_others() {
    let world = World::new().await;
    let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
    world.openai.set(slow());
    let request = world.chat(&ada, &ask("gpt-4.1-mini", true)).header(HEADER_JOB, "job-1");
    let reply = request.send().await.unwrap();
    let cancel = |tokens: &Tokens| {
        json_of(world.post("/api/llm/cancel").bearer_auth(&tokens.access).json(&json!({ "job": "job-1" })))
    };
    assert_eq!(cancel(&bob).await["canceled"], 0);
    assert_eq!(cancel(&ada).await["canceled"], 1);
    let text = reply.text().await.unwrap();
    assert!(!text.contains("[DONE]"), "{text}");
    canceled_and_settled(&world, &ada).await;
    assert_eq!(cancel(&ada).await["canceled"], 0, "it is over");
}

#[tokio::test]
async fn stopping_the_server_settles_what_is_under_way() {
    let mut world = World::new().await;
    let tokens = world.sign_in("ada").await;
    world.openai.set(slow());
    let reply = world.chat(&tokens, &ask("gpt-4.1-mini", true)).send().await.unwrap();
    world.stop().await;
    drop(reply);
    let again = server::Server::start(world.config.clone()).await.unwrap();
    world.url = again.url().to_owned();
    world.running = Some(again);
    let tokens = world.sign_in("ada").await;
    canceled_and_settled(&world, &tokens).await;
}
