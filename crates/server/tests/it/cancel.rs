//! Whoever stops listening stops the upstream, within half a second, streamed or not, and it is settled.

use std::time::Duration;

use futures_util::StreamExt as _;
use llm::approval::HEADER_JOB;
use serde_json::json;
use server::admin::{Admin, NewKey};
use server_store::Role;
use testkit::Behaviour;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

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

/// A provider that writes as fast as it can; resolves when it cannot any more.
async fn flood(listener: TcpListener) {
    let (mut socket, _) = listener.accept().await.unwrap();
    let event = json!({ "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "flood",
        "choices": [{ "index": 0, "delta": { "content": "words ".repeat(4_000) } }] });
    let event = format!("data: {event}\n\n");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    // Whoever answers before it was asked is hung up on.
    socket.read_exact(&mut [0; 64]).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    while socket.write_all(event.as_bytes()).await.is_ok() {}
}

/// A stream to a client that sends its request and never reads the answer, once nothing more fits on the way.
async fn stuck(idle_s: u64) -> (World, Tokens, tokio::net::TcpStream, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let world = World::empty(Database::Sqlite, |settings| settings.upstream.idle_s = idle_s);
    let admin = Admin::open(&world.config).await.unwrap();
    admin.add_user("ada", PASSWORD.to_owned().into(), Role::Admin).await.unwrap();
    let (provider, dialect) = ("flood".to_owned(), "openai".to_owned());
    let key = NewKey { provider, dialect, base_url, models: vec!["flood".into()], key: CANARY.into() };
    admin.add_key(key).await.unwrap();
    admin.close().await;
    let world = world.started().await;
    let tokens = world.sign_in("ada").await;
    let provider = tokio::spawn(flood(listener));
    let body = ask("flood", true).to_string();
    let head = format!("{HEADER_JOB}: stuck\r\n");
    let mut socket = world.raw_chat(Some(&tokens), &head, body.len()).await;
    socket.write_all(body.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!provider.is_finished(), "it waits for the client");
    (world, tokens, socket, provider)
}

#[tokio::test]
async fn a_client_that_never_reads_can_be_canceled() {
    let (world, tokens, socket, provider) = stuck(180).await;
    let cancel = world.post("/api/llm/cancel").bearer_auth(&tokens.access).json(&json!({ "job": "stuck" }));
    assert_eq!(json_of(cancel).await["canceled"], 1);
    tokio::time::timeout(Duration::from_secs(2), provider).await.unwrap().unwrap();
    canceled_and_settled(&world, &tokens).await;
    drop(socket);
}

#[tokio::test]
async fn a_client_that_never_reads_is_given_up_on() {
    let (world, tokens, socket, provider) = stuck(4).await;
    tokio::time::timeout(Duration::from_secs(6), provider).await.unwrap().unwrap();
    canceled_and_settled(&world, &tokens).await;
    drop(socket);
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
