//! What a stream looks like when it does not go well.

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use server::admin::{Admin, NewKey};
use server_store::Role;
use testkit::{Behaviour, Style};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::*;

#[tokio::test]
async fn a_cut_stream_ends_with_an_error_and_without_done() {
    for model in ["gpt-4.1-mini", "claude-sonnet-4-5"] {
        let world = World::new().await;
        let tokens = world.sign_in("ada").await;
        let cut = Behaviour { cut_after_bytes: Some(1_200), ..Behaviour::text(&"words ".repeat(100)) };
        world.openai.set(cut.clone());
        world.anthropic.set(cut);
        let text = world.chat(&tokens, &ask(model, true)).send().await.unwrap().text().await.unwrap();
        let events = events(&text);
        let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
        assert_eq!(last["error"]["code"], "upstream_cut", "{text}");
        assert!(!text.contains("[DONE]") && !text.contains("\"finish_reason\":\"stop\""), "{text}");
        assert!(!spoken(&events).is_empty());
        let whole = world.chat(&tokens, &ask(model, false)).send().await.unwrap();
        assert_eq!(error_of(whole).await.1["code"], "upstream_cut", "half an answer is not an answer");
        let records = world.audit_until(&tokens, |records| records.len() == 4).await;
        assert_eq!(
            records.iter().filter(|record| record["record"]["event"] == "cut").count(),
            2,
            "{records:#?}"
        );
        let usage = world.usage(&tokens).await;
        let positive = |row: &Value, key: &str| row[key].as_i64().unwrap() > 0;
        let billed = |row: &&Value| {
            row["estimated"] == true && positive(row, "output_tokens") && positive(row, "cost_microusd")
        };
        assert_eq!(usage.iter().filter(billed).count(), 2, "{usage:?}");
    }
}

#[tokio::test]
async fn usage_is_sent_only_to_who_asked() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let mut body = ask("gpt-4.1-mini", true);
    body.as_object_mut().unwrap().remove("stream_options");
    let text = world.chat(&tokens, &body).send().await.unwrap().text().await.unwrap();
    assert!(!text.contains("usage") && text.ends_with("data: [DONE]\n\n"), "{text}");
    world.audit_until(&tokens, |records| records.len() == 2).await;
    assert_eq!(world.usage(&tokens).await[0]["estimated"], false, "the upstream was asked all the same");
}

#[tokio::test]
async fn parallel_tool_calls_pass_through_both_dialects() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    world.openai.set(Behaviour::style(Style::Tools));
    world.anthropic.set(Behaviour::style(Style::Tools));
    for model in ["gpt-4.1-mini", "claude-sonnet-4-5"] {
        let answer = json_of(world.chat(&tokens, &ask(model, false))).await;
        let calls = answer["choices"][0]["message"]["tool_calls"].as_array().unwrap().clone();
        assert_eq!(calls[0]["function"]["arguments"], r#"{"path":"src/ä.rs"}"#);
        assert_eq!(
            (&calls[1]["function"]["name"], &calls[1]["function"]["arguments"]),
            (&json!("list_files"), &json!("{}"))
        );
        assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    }
}

#[tokio::test]
async fn unknown_fields_reach_a_provider_of_the_same_dialect_untouched() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let text = r#"{"model":"gpt-4.1-mini","messages":[{"role":"user","content":"x","name":"n"}],"temperature":0.70,"new_field":{"a":[1.0,2e3]}}"#;
    json_of(world.chat_bytes(&tokens, text)).await;
    let sent = &world.openai.log()[0].body;
    assert!(sent.contains(r#""temperature":0.70,"new_field":{"a":[1.0,2e3]}"#), "{sent}");
    assert!(sent.contains(r#"[{"role":"user","content":"x","name":"n"}]"#), "{sent}");
}

/// Takes as long as the silence it is about.
#[tokio::test]
async fn a_silent_upstream_does_not_make_a_silent_stream() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    world.openai.set(Behaviour { delay_ms: 25_000, ..Behaviour::text("later") });
    let reply = world.chat(&tokens, &ask("gpt-4.1-mini", true)).send().await.unwrap();
    let start = std::time::Instant::now();
    let mut body = reply.bytes_stream();
    let mut heard = String::new();
    while !heard.contains(": keep-alive\n\n") {
        heard.push_str(std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap());
    }
    assert!((14..24).contains(&start.elapsed().as_secs()), "{:?}: {heard}", start.elapsed());
}

/// A provider with headers that are nobody's business: it says a word, and the next one when it is asked to.
async fn talkative(listener: TcpListener, mut next: tokio::sync::mpsc::Receiver<()>) {
    let (mut socket, _) = listener.accept().await.unwrap();
    let event = |delta: Value, reason: Option<&str>| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": reason });
        let chunk = json!({ "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice] });
        format!("data: {chunk}\n\n")
    };
    let events =
        [event(json!({ "content": "one" }), None), event(json!({ "content": " two" }), Some("stop"))];
    let done = "data: [DONE]\n\n";
    let length = events.iter().map(String::len).sum::<usize>() + done.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncontent-length: {length}\r\n\
         content-encoding: identity\r\nserver: inner-17\r\nset-cookie: session=inner\r\nx-inner: 17\r\n\r\n"
    );
    socket.read_exact(&mut [0; 64]).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    for event in &events {
        socket.write_all(event.as_bytes()).await.unwrap();
        next.recv().await;
    }
    socket.write_all(done.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn trap_38_headers_of_a_stream_are_the_servers_own_and_nothing_is_held_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let world = World::empty(Database::Sqlite, |_| {});
    let admin = Admin::open(&world.config).await.unwrap();
    admin.add_user("ada", PASSWORD.to_owned().into(), Role::Admin).await.unwrap();
    let (provider, dialect, models) = ("own".into(), "openai".into(), vec!["talkative".into()]);
    admin.add_key(NewKey { provider, dialect, base_url, models, key: CANARY.into() }).await.unwrap();
    admin.close().await;
    let world = world.started().await;
    let tokens = world.sign_in("ada").await;
    let (ask_next, next) = tokio::sync::mpsc::channel(1);
    let provider = tokio::spawn(talkative(listener, next));
    let request = world.chat(&tokens, &ask("talkative", true)).header("accept-encoding", "gzip, br");
    let reply = request.send().await.unwrap();
    let headers = reply.headers().clone();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(
        (&headers["cache-control"], &headers["x-accel-buffering"]),
        (&"no-cache".parse().unwrap(), &"no".parse().unwrap())
    );
    for foreign in ["content-length", "content-encoding", "server", "set-cookie", "x-inner"] {
        assert!(!headers.contains_key(foreign), "{foreign}: {headers:?}");
    }
    // What has come is passed on before more comes.
    let mut body = reply.bytes_stream();
    let mut heard = String::new();
    for word in ["one", " two"] {
        while !heard.contains(&format!("\"content\":\"{word}\"")) {
            heard.push_str(std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap());
        }
        ask_next.send(()).await.unwrap();
    }
    while let Some(more) = body.next().await {
        heard.push_str(std::str::from_utf8(&more.unwrap()).unwrap());
    }
    assert!(heard.ends_with("data: [DONE]\n\n"), "{heard}");
    provider.await.unwrap();
}

/// The database has sixteen connections, and a stream holds none of them.
#[tokio::test(flavor = "multi_thread")]
async fn more_streams_at_once_than_the_database_has_connections() {
    let world = World::with(Database::Postgres, |settings| settings.limits.concurrent = 0).await;
    let tokens = world.sign_in("ada").await;
    world.openai.set(Behaviour { delay_ms: 300, ..Behaviour::text("one two three four five") });
    let body = ask("gpt-4.1-mini", true);
    let start = std::time::Instant::now();
    let streams: Vec<_> = (0..60)
        .map(|_| {
            let request = world.chat(&tokens, &body);
            tokio::spawn(async move { request.send().await.unwrap().text().await.unwrap() })
        })
        .collect();
    // Others are answered meanwhile, from the database as well.
    assert_eq!(world.get("/readyz").send().await.unwrap().status(), 200);
    for stream in streams {
        assert_eq!(spoken(&events(&stream.await.unwrap())), "one two three four five");
    }
    let took = start.elapsed();
    assert!(took < std::time::Duration::from_secs(20), "one after the other would be minutes: {took:?}");
    let ended =
        |records: &[Value]| records.iter().filter(|record| record["record"]["event"] == "served").count();
    world.audit_until(&tokens, |records| ended(records) == 60).await;
}
