//! Refusals, failures and ends in the dialect of the door, as strict there as for chat completions.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use server::config::SecretPolicy;
use testkit::{Behaviour, Fail};

use crate::dialects::{MESSAGES, RESPONSES, asked, at, named};
use crate::support::*;

const DOORS: [&str; 2] = [MESSAGES, RESPONSES];

/// Status, type and code of an error, after its form has been checked.
async fn told(path: &str, reply: reqwest::Response) -> (u16, String, String) {
    let status = reply.status().as_u16();
    let id = reply.headers()["x-request-id"].to_str().unwrap().to_owned();
    let text = reply.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}"));
    if path == MESSAGES {
        assert_eq!((&body["type"], &body["request_id"]), (&json!("error"), &json!(id)), "{text}");
    } else {
        assert!(body["error"].as_object().unwrap().contains_key("param"), "{text}");
    }
    let word = |key: &str| body["error"][key].as_str().unwrap().to_owned();
    (status, word("type"), word("code"))
}

fn expect(told: (u16, String, String), status: u16, kind: &str, code: &str, what: &str) {
    assert_eq!((told.0, told.1.as_str(), told.2.as_str()), (status, kind, code), "{what}");
}

#[tokio::test]
async fn bad_input_gets_a_clear_answer_in_every_dialect() {
    let world = World::with(Database::Sqlite, |settings| settings.limits.body_mib = 1).await;
    let tokens = world.sign_in("ada").await;
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for path in DOORS {
        let list = if path == MESSAGES { "messages" } else { "input" };
        let good = asked(path, "gpt-4.1-mini", false).to_string();
        let with = |key: &str, value: Value| {
            let mut body = asked(path, "gpt-4.1-mini", false);
            body[key] = value;
            body.to_string()
        };
        let cases = [
            ("not json".to_owned(), 400, "invalid_request"),
            (good[..good.len() - 1].to_owned(), 400, "invalid_request"),
            ("[]".to_owned(), 400, "invalid_request"),
            (with(list, Value::Null), 400, "invalid_request"),
            (with(list, json!({})), 400, "invalid_request"),
            (with("model", json!(7)), 400, "invalid_request"),
            (with("tools", json!("all")), 400, "invalid_request"),
            (format!("{},\"x\":{deep}}}", &good[..good.len() - 1]), 400, "invalid_request"),
            (format!("{},\"model\":\"other\"}}", &good[..good.len() - 1]), 400, "invalid_request"),
            (with("model", json!("ä".repeat(201))), 400, "invalid_request"),
        ];
        for (body, status, code) in cases {
            let start: String = body.chars().take(80).collect();
            let reply = at(&world, path, &tokens, body).send().await.unwrap();
            assert!(reply.headers().contains_key("x-plantocode-audit"), "{start}");
            expect(told(path, reply).await, status, "invalid_request_error", code, &start);
        }
        let kind =
            |anthropic: &'static str| if path == MESSAGES { anthropic } else { "invalid_request_error" };
        let reply = at(&world, path, &tokens, with("model", json!("no-such"))).send().await.unwrap();
        expect(told(path, reply).await, 404, kind("not_found_error"), "model_not_found", path);
        let reply = at(&world, path, &tokens, "x".repeat(2 * 1024 * 1024)).send().await.unwrap();
        expect(told(path, reply).await, 413, kind("request_too_large"), "too_large", path);
        let reply = at(&world, path, &tokens, good).header("content-encoding", "gzip").send().await.unwrap();
        expect(told(path, reply).await, 415, "invalid_request_error", "unsupported", path);
        let nobody = world.post(path).body("{}").send().await.unwrap();
        assert!(nobody.headers().contains_key("www-authenticate"));
        expect(told(path, nobody).await, 401, "authentication_error", "unauthenticated", path);
    }
    assert!(world.openai.log().is_empty());
}

#[tokio::test]
async fn a_line_of_ten_megabytes_is_one_request_like_any_other() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    for path in DOORS {
        let text = "word ".repeat(2 * 1024 * 1024);
        let mut body = asked(path, "gpt-4.1-mini", false);
        match path {
            MESSAGES => body["messages"][0]["content"] = text.into(),
            _ => body["input"] = text.into(),
        }
        json_of(at(&world, path, &tokens, body)).await;
    }
}

#[tokio::test]
async fn upstream_errors_are_said_in_every_dialect() {
    let page = "<html>internal-host-17 stack trace</html>";
    let fail = |status: u16, body: Option<&str>| Fail {
        status,
        body: body.map(str::to_owned),
        retry_after: (status == 429).then(|| "7".to_owned()),
        times: None,
    };
    for path in DOORS {
        let overloaded = match path {
            MESSAGES => (529, "overloaded_error", "upstream_overloaded"),
            _ => (503, "api_error", "upstream_overloaded"),
        };
        let cases = [
            (fail(500, Some(page)), (502, "api_error", "upstream_unavailable")),
            (fail(401, None), (502, "api_error", "upstream_unauthorized")),
            (fail(429, None), (429, "rate_limit_error", "upstream_rate_limited")),
            (fail(400, None), (400, "invalid_request_error", "upstream_rejected")),
            (fail(529, None), overloaded),
        ];
        for (fail, (status, kind, code)) in cases {
            // A key that was refused rests, so each case has its own.
            let world = World::new().await;
            let tokens = world.sign_in("ada").await;
            for model in ["gpt-4.1-mini", "claude-sonnet-4-5"] {
                let failing = Behaviour { fail: Some(fail.clone()), ..Behaviour::default() };
                world.openai.set(failing.clone());
                world.anthropic.set(failing);
                for stream in [true, false] {
                    let reply = at(&world, path, &tokens, asked(path, model, stream)).send().await.unwrap();
                    let waits = reply.headers().contains_key("retry-after");
                    let shown = told(path, reply).await;
                    assert_eq!(waits, status == 429, "{path} {code} {shown:?}");
                    expect(shown, status, kind, code, &format!("{path} {model} {stream}"));
                }
            }
            assert!(world.usage(&tokens).await.is_empty(), "what the upstream refused costs nothing");
        }
    }
}

#[tokio::test]
async fn a_limit_tells_when_to_come_back() {
    let world = World::with(Database::Sqlite, |settings| settings.limits.requests_per_minute = 1).await;
    for (path, login) in DOORS.into_iter().zip(["ada", "bob"]) {
        let tokens = world.sign_in(login).await;
        let send = || at(&world, path, &tokens, asked(path, "gpt-4.1-mini", false)).send();
        assert_eq!(send().await.unwrap().status(), 200);
        let reply = send().await.unwrap();
        assert!(reply.headers().contains_key("retry-after"));
        expect(told(path, reply).await, 429, "rate_limit_error", "rate_limited", path);
    }
}

#[tokio::test]
async fn a_cut_stream_ends_with_an_error_and_nothing_like_an_end() {
    for model in ["gpt-4.1-mini", "claude-sonnet-4-5", "gpt-5"] {
        let world = crate::dialects::world_with_responses().await;
        let tokens = world.sign_in("ada").await;
        let cut = Behaviour { cut_after_bytes: Some(6_000), ..Behaviour::text(&"words ".repeat(600)) };
        world.openai.set(cut.clone());
        world.anthropic.set(cut);
        for path in DOORS {
            let reply = at(&world, path, &tokens, asked(path, model, true)).send().await.unwrap();
            let text = reply.text().await.unwrap();
            let events = named(&text);
            let (name, last) = events.last().unwrap_or_else(|| panic!("{path} {model}: {text}"));
            let (code, expected) = match path {
                MESSAGES => (&last["error"]["code"], "error"),
                _ => (&last["response"]["error"]["code"], "response.failed"),
            };
            assert_eq!((name.as_str(), code), (expected, &json!("upstream_cut")), "{path} {model}: {text}");
            let ends = ["message_stop", "response.completed", "message_delta"];
            assert!(!events.iter().any(|(name, _)| ends.contains(&name.as_str())), "{text}");
            if path == RESPONSES {
                let numbers: Vec<_> =
                    events.iter().map(|(_, e)| e["sequence_number"].as_u64().unwrap()).collect();
                assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{model}: {numbers:?}");
                assert_eq!(events.iter().filter(|(name, _)| name == "response.created").count(), 1, "{text}");
            }
            let whole = at(&world, path, &tokens, asked(path, model, false)).send().await.unwrap();
            expect(told(path, whole).await, 502, "api_error", "upstream_cut", path);
        }
        let usage = world.usage(&tokens).await;
        assert!(usage.iter().all(|row| row["estimated"] == true), "{usage:?}");
        world.audit_until(&tokens, |r| r.iter().filter(|r| r["record"]["event"] == "cut").count() == 4).await;
    }
}

fn secret() -> String {
    ["gh", "p_", "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0sYaQeUi"].concat()
}

/// Bodies with a text in every place where one can stand.
fn with_text(path: &str, text: &str) -> Vec<Value> {
    let base = asked(path, "gpt-4.1-mini", false);
    let put = |pointer: &str, value: Value| {
        let mut body = base.clone();
        body[pointer] = value;
        body
    };
    match path {
        MESSAGES => vec![
            put("system", json!([{ "type": "text", "text": text }])),
            put(
                "messages",
                json!([{ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "a", "content": text }] }]),
            ),
            put(
                "messages",
                json!([{ "role": "assistant", "content": [{ "type": "tool_use", "id": "a", "name": "b", "input": { "c": text } }] }]),
            ),
            put(
                "messages",
                json!([{ "role": "user", "content": [{ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": text } }] }]),
            ),
            put("metadata", json!({ "user_id": text })),
            put("unknown", json!({ "a": [text] })),
        ],
        _ => vec![
            put("instructions", json!(text)),
            put("input", json!([{ "role": "user", "content": [{ "type": "input_text", "text": text }] }])),
            put("input", json!([{ "type": "function_call_output", "call_id": "a", "output": text }])),
            put("tools", json!([{ "type": "function", "name": "a", "description": text }])),
            put("unknown", json!({ "a": [text] })),
        ],
    }
}

#[tokio::test]
async fn secrets_are_found_wherever_a_dialect_has_text() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    for path in DOORS {
        for body in with_text(path, &format!("token = {}", secret())) {
            let reply = at(&world, path, &tokens, &body).send().await.unwrap();
            expect(told(path, reply).await, 403, "permission_error", "secret_blocked", &body.to_string());
        }
    }
    assert!(world.openai.log().is_empty());
    assert!(!json!(world.audit(&tokens).await).to_string().contains(&secret()));
}

#[tokio::test]
async fn secrets_are_redacted_in_what_came_before_anything_is_made_of_it() {
    let world =
        World::with(Database::Sqlite, |settings| settings.filter.secrets = SecretPolicy::Redact).await;
    let tokens = world.sign_in("ada").await;
    for (path, model) in
        [(MESSAGES, "claude-sonnet-4-5"), (MESSAGES, "gpt-4.1-mini"), (RESPONSES, "gpt-4.1-mini")]
    {
        let mut body = with_text(path, &format!("token = {}", secret())).swap_remove(0);
        body["model"] = model.into();
        json_of(at(&world, path, &tokens, &body)).await;
    }
    let logs = [world.anthropic.log(), world.openai.log()].concat();
    assert_eq!(logs.len(), 3);
    for received in logs {
        assert!(
            !received.body.contains(&secret()) && received.body.contains("[redacted:"),
            "{}",
            received.body
        );
    }
}

#[tokio::test]
async fn addresses_are_refused_where_they_would_be_fetched_and_nowhere_else() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let address = "https://example.org/a.png";
    let message = |block: Value| json!({ "model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [{ "role": "user", "content": [block] }] });
    let input =
        |part: Value| json!({ "model": "gpt-4.1-mini", "input": [{ "role": "user", "content": [part] }] });
    let mut servers = asked(MESSAGES, "claude-sonnet-4-5", false);
    servers["mcp_servers"] = json!([{ "type": "url", "name": "a", "url": address }]);
    let mut connected = asked(RESPONSES, "gpt-4.1-mini", false);
    connected["tools"] = json!([{ "type": "mcp", "server_label": "a", "server_url": address }]);
    let result = json!({ "type": "tool_result", "tool_use_id": "a", "content": [{ "type": "image", "source": { "type": "url", "url": address } }] });
    let refused = [
        (MESSAGES, message(json!({ "type": "image", "source": { "type": "url", "url": address } }))),
        (MESSAGES, message(json!({ "type": "document", "source": { "type": "url", "url": address } }))),
        (MESSAGES, message(result)),
        (MESSAGES, servers),
        (RESPONSES, input(json!({ "type": "input_image", "image_url": address }))),
        (RESPONSES, input(json!({ "type": "input_file", "file_url": address }))),
        (
            RESPONSES,
            json!({ "model": "gpt-4.1-mini", "input": [{ "type": "function_call_output", "call_id": "a", "output": [{ "type": "input_image", "image_url": address }] }] }),
        ),
        (RESPONSES, connected),
    ];
    for (path, body) in refused {
        let reply = at(&world, path, &tokens, &body).send().await.unwrap();
        expect(told(path, reply).await, 400, "invalid_request_error", "url_not_allowed", &body.to_string());
    }
    assert!(world.openai.log().is_empty() && world.anthropic.log().is_empty());
    let call = json!({ "model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [
        { "role": "user", "content": "Read it." },
        { "role": "assistant", "content": [{ "type": "tool_use", "id": "a", "name": "fetch", "input": { "url": address, "content": [{ "url": address }] } }] },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "a", "content": address }] } ] });
    json_of(at(&world, MESSAGES, &tokens, call)).await;
    let mut described = asked(RESPONSES, "gpt-4.1-mini", false);
    described["tools"] = json!([{ "type": "function", "name": "fetch", "parameters": { "type": "object", "properties": { "url": { "type": "string", "default": address } } } }]);
    json_of(at(&world, RESPONSES, &tokens, described)).await;
}

async fn left_within(world: &World, upstream: &testkit::Simulator, from: u64) {
    for _ in 0..100 {
        if let Some(at) = upstream.log().last().and_then(|received| received.disconnected_at_ms) {
            assert!(at.saturating_sub(from) < 500, "{} ms", at.saturating_sub(from));
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the upstream was not left: {:?} at {}", upstream.log(), world.url);
}

#[tokio::test]
async fn whoever_leaves_stops_the_upstream_at_every_door() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let slow = Behaviour { delay_ms: 100, ..Behaviour::text(&"many words ".repeat(400)) };
    let silent = Behaviour { first_delay_ms: 60_000, ..Behaviour::text("never") };
    let mut canceled = 0;
    for path in DOORS {
        for (model, upstream) in [("gpt-4.1-mini", &world.openai), ("claude-sonnet-4-5", &world.anthropic)] {
            for (stream, behaviour) in [(true, &slow), (false, &slow), (false, &silent), (true, &silent)] {
                upstream.set(behaviour.clone());
                let request = at(&world, path, &tokens, asked(path, model, stream));
                let from = if stream && behaviour == &slow {
                    let mut body = request.send().await.unwrap().bytes_stream();
                    body.next().await.unwrap().unwrap();
                    upstream.now_ms()
                } else {
                    let sent = request.timeout(Duration::from_millis(700)).send().await;
                    assert!(sent.is_err(), "nothing came, so the client gave up");
                    upstream.now_ms()
                };
                left_within(&world, upstream, from).await;
                canceled += 1;
            }
        }
    }
    let is_canceled = |record: &&Value| record["record"]["event"] == "canceled";
    world.audit_until(&tokens, |records| records.iter().filter(is_canceled).count() == canceled).await;
    let usage = world.usage(&tokens).await;
    assert!(usage.len() == canceled && usage.iter().all(|row| row["estimated"] == true), "{usage:?}");
}

/// Takes as long as the silence it is about.
#[tokio::test]
async fn a_silent_upstream_does_not_make_a_silent_stream() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let late = Behaviour { delay_ms: 25_000, ..Behaviour::text("later") };
    world.openai.set(late.clone());
    world.anthropic.set(late);
    let heard = async |path: &str, model: &str, sign: &str| {
        let reply = at(&world, path, &tokens, asked(path, model, true)).send().await.unwrap();
        let start = std::time::Instant::now();
        let mut body = reply.bytes_stream();
        let mut heard = String::new();
        // The first may be the provider's own.
        while start.elapsed() < Duration::from_secs(10) || !heard.contains(sign) {
            let Ok(next) = tokio::time::timeout(Duration::from_secs(18), body.next()).await else {
                panic!("{path} {model}: {heard}")
            };
            let piece = next.unwrap().unwrap();
            if start.elapsed() > Duration::from_secs(10) {
                heard.push_str(std::str::from_utf8(&piece).unwrap());
            }
        }
        assert!((14..24).contains(&start.elapsed().as_secs()), "{:?}: {heard}", start.elapsed());
    };
    let ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
    tokio::join!(
        heard(MESSAGES, "gpt-4.1-mini", ping),
        heard(MESSAGES, "claude-sonnet-4-5", ping),
        heard(RESPONSES, "gpt-4.1-mini", ": keep-alive\n\n"),
    );
}
