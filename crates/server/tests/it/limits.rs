//! Limits, bad input, and errors in the caller's own dialect.

use std::time::Duration;

use serde_json::json;
use testkit::{Behaviour, Fail};
use tokio::io::AsyncReadExt as _;

use crate::support::*;

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_back() {
    let world = World::with(Database::Sqlite, |settings| settings.limits.requests_per_minute = 3).await;
    let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
    let chat = |tokens: &Tokens| world.chat(tokens, &ask("gpt-4.1-mini", false)).send();
    for _ in 0..3 {
        assert_eq!(chat(&ada).await.unwrap().status(), 200);
    }
    let reply = chat(&ada).await.unwrap();
    let wait: i64 = reply.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    let (status, error) = error_of(reply).await;
    assert_eq!(
        (status, &error["code"], &error["type"]),
        (429, &json!("rate_limited"), &json!("rate_limit_error"))
    );
    assert_eq!(chat(&bob).await.unwrap().status(), 200, "others are not affected");
    world.env.advance(wait * 1_000);
    assert_eq!(chat(&ada).await.unwrap().status(), 200);
}

#[tokio::test]
async fn concurrency_is_limited() {
    let world = World::with(Database::Sqlite, |settings| settings.limits.concurrent = 2).await;
    let tokens = world.sign_in("ada").await;
    world.openai.set(Behaviour { first_delay_ms: 400, ..Behaviour::text("slow") });
    let chat =
        || async { world.chat(&tokens, &ask("gpt-4.1-mini", false)).send().await.unwrap().status().as_u16() };
    let (a, b, c) = tokio::join!(chat(), chat(), chat());
    let mut statuses = [a, b, c];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(chat().await, 200, "what ended no longer counts");
}

#[tokio::test]
async fn bad_input_gets_a_clear_answer() {
    let world = World::with(Database::Sqlite, |settings| settings.limits.body_mib = 1).await;
    let tokens = world.sign_in("ada").await;
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases = [
        ("not json".to_owned(), 400, "invalid_request"),
        ("{\"model\":\"gpt-4.1-mini\"".to_owned(), 400, "invalid_request"),
        ("[]".to_owned(), 400, "invalid_request"),
        (json!({ "model": "gpt-4.1-mini" }).to_string(), 400, "invalid_request"),
        (json!({ "model": 7, "messages": [{}] }).to_string(), 400, "invalid_request"),
        (json!({ "model": "gpt-4.1-mini", "messages": "hello" }).to_string(), 400, "invalid_request"),
        (json!({ "messages": [{ "role": "user", "content": "x" }] }).to_string(), 400, "invalid_request"),
        (
            r#"{"model":"a","model":"b","messages":[{"role":"user","content":"x"}]}"#.to_owned(),
            400,
            "invalid_request",
        ),
        (
            format!(r#"{{"model":"gpt-4.1-mini","messages":[{{"role":"user","content":"x"}}],"x":{deep}}}"#),
            400,
            "invalid_request",
        ),
        (ask(&"ä".repeat(201), false).to_string(), 400, "invalid_request"),
        (ask(&"ä".repeat(200), false).to_string(), 404, "model_not_found"),
        (ask("no-such-model", false).to_string(), 404, "model_not_found"),
    ];
    for (body, expected, code) in cases {
        let start: String = body.chars().take(60).collect();
        let reply = world.chat_bytes(&tokens, body).send().await.unwrap();
        assert!(
            reply.headers().contains_key("x-request-id")
                && reply.headers().contains_key("x-plantocode-audit")
        );
        let (status, error) = error_of(reply).await;
        assert_eq!((status, error["code"].as_str()), (expected, Some(code)), "{start}: {error}");
    }
    let large = world.chat_bytes(&tokens, "x".repeat(2 * 1024 * 1024)).send().await.unwrap();
    let (status, error) = error_of(large).await;
    assert_eq!((status, &error["code"]), (413, &json!("too_large")));
    let compressed = world.chat(&tokens, &ask("gpt-4.1-mini", false)).header("content-encoding", "gzip");
    assert_eq!(compressed.send().await.unwrap().status(), 415);
    assert!(world.openai.log().is_empty());
}

#[tokio::test]
async fn upstream_errors_are_translated_not_pasted() {
    let always = |settings: &mut server::config::Settings| settings.upstream.rest_after_failures = 0;
    let world = World::with(Database::Sqlite, always).await;
    let tokens = world.sign_in("ada").await;
    let page = "<html>internal-host-17 stack trace</html>";
    let cases = [
        (
            Fail { status: 500, body: Some(page.into()), retry_after: None, times: None },
            502,
            "upstream_unavailable",
        ),
        (Fail { status: 401, body: None, retry_after: None, times: None }, 502, "upstream_unauthorized"),
        (
            Fail { status: 429, body: None, retry_after: Some("7".into()), times: None },
            429,
            "upstream_rate_limited",
        ),
        (Fail { status: 400, body: None, retry_after: None, times: None }, 400, "upstream_rejected"),
    ];
    for (fail, expected, code) in cases {
        for stream in [true, false] {
            world.openai.set(Behaviour { fail: Some(fail.clone()), ..Behaviour::default() });
            let reply = world.chat(&tokens, &ask("gpt-4.1-mini", stream)).send().await.unwrap();
            if expected == 429 {
                assert_eq!(reply.headers()["retry-after"], "7");
            }
            let (status, error) = error_of(reply).await;
            assert_eq!((status, error["code"].as_str()), (expected, Some(code)), "{error}");
            assert!(!error.to_string().contains("internal-host-17"), "{error}");
        }
    }
    assert!(world.usage(&tokens).await.is_empty(), "what the upstream refused costs nothing");
}

#[tokio::test]
async fn a_failing_provider_is_replaced_for_streams_too() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    world.openai.set(Behaviour::fail(503));
    let text = world.chat(&tokens, &ask("either", true)).send().await.unwrap().text().await.unwrap();
    assert_eq!(spoken(&events(&text)), "Hello from the simulator.");
    let records = world.audit_until(&tokens, |records| records.len() == 2).await;
    let tries = records[1]["record"]["tries"].as_array().unwrap().clone();
    let told: Vec<_> =
        tries.iter().map(|t| (t["provider"].as_str().unwrap(), t["outcome"].as_str().unwrap())).collect();
    assert_eq!(told, [("openai", "failed"), ("anthropic", "served")]);
    assert_eq!(world.usage(&tokens).await[0]["provider"], "anthropic");
}

#[tokio::test]
async fn members_see_their_own_usage_and_no_audit() {
    let world = World::new().await;
    let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
    json_of(world.chat(&ada, &ask("gpt-4.1-mini", false))).await;
    json_of(world.chat(&bob, &ask("gpt-4.1-mini", false))).await;
    world.audit_until(&ada, |records| records.len() == 4).await;
    assert_eq!((world.usage(&ada).await.len(), world.usage(&bob).await.len()), (2, 1));
    let reply = world.get("/api/audit").bearer_auth(&bob.access).send().await.unwrap();
    assert_eq!(error_of(reply).await.0, 403);
    assert_eq!(error_of(world.get("/no/such").send().await.unwrap()).await.1["code"], "not_found");
}

/// Status and error code of what comes back on a raw connection.
async fn answer(socket: &mut tokio::net::TcpStream) -> (u16, String) {
    let mut text = String::new();
    let reading = async {
        let mut buffer = [0; 4096];
        while !text.contains("\"code\":") {
            match socket.read(&mut buffer).await.unwrap() {
                0 => break,
                read => text.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(3), reading).await.unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let code = text.split("\"code\":\"").nth(1).unwrap_or_else(|| panic!("{text}"));
    (status, code.split('"').next().unwrap().to_owned())
}

#[tokio::test]
async fn without_a_token_the_body_is_not_waited_for_and_few_refusals_are_recorded() {
    let world = World::new().await;
    let mut socket = world.raw_chat(None, "", 1_000_000).await;
    assert_eq!(answer(&mut socket).await, (401, "unauthenticated".to_owned()));
    let mut recorded = 1;
    for _ in 0..70 {
        let reply = world.post("/v1/chat/completions").body("{}").send().await.unwrap();
        assert_eq!(reply.status(), 401);
        recorded += usize::from(reply.headers().contains_key("x-plantocode-audit"));
    }
    // A little more than the limit when the test is slow.
    assert!((60..=65).contains(&recorded), "{recorded}");
}

#[tokio::test]
async fn bodies_that_do_not_come_whole_are_refused_on_record() {
    let change = |settings: &mut server::config::Settings| {
        (settings.limits.body_mib, settings.limits.body_s) = (1, 1);
    };
    let world = World::with(Database::Sqlite, change).await;
    let ada = world.sign_in("ada").await;
    let mut large = world.raw_chat(Some(&ada), "", 2 * 1024 * 1024).await;
    assert_eq!(answer(&mut large).await, (413, "too_large".to_owned()));
    let mut slow = world.raw_chat(Some(&ada), "", 1_000).await;
    assert_eq!(answer(&mut slow).await, (408, "too_slow".to_owned()));
    drop(world.raw_chat(Some(&ada), "", 1_000).await);
    let records = world.audit_until(&ada, |records| records.len() == 3).await;
    let told: Vec<_> = records.iter().map(|r| (&r["record"]["event"], &r["record"]["error"])).collect();
    let refused = json!("refused");
    let codes = [json!("too_large"), json!("too_slow"), json!("invalid_request")];
    assert_eq!(told, codes.iter().map(|code| (&refused, code)).collect::<Vec<_>>());
    let small = world.post("/api/auth/token").body("x".repeat(17 * 1024)).send().await.unwrap();
    assert_eq!(small.status(), 413);
}

/// The body of a request whose message has this part, given as JSON text.
fn with_part(part: &str) -> String {
    format!(r#"{{"model":"gpt-4.1-mini","messages":[{{"role":"user","content":[{part}]}}]}}"#)
}

#[tokio::test]
async fn images_and_files_are_not_taken_by_address() {
    let world = World::new().await;
    let ada = world.sign_in("ada").await;
    let refused = [
        r#"{"type":"image_url","image_url":{"url":"https://example.org/a.png"}}"#,
        r#"{"type":"image_url","image_url":{"url":"http://169.254.169.254/"}}"#,
        r#"{"type":"image_url","image_url":"https://example.org/a.png"}"#,
        r#"{"type":"image_url","image_url":{"url":"https://example.org/a.png","url":"data:image/png;base64,AA=="}}"#,
        r#"{"type":"file","file":{"file_data":"https://example.org/a.pdf"}}"#,
        r#"{"type":"file","file":{"file_url":"https://example.org/a.pdf"}}"#,
        r#"{"type":"document","source":{"type":"url","\u0075rl":"https://example.org/a.pdf"}}"#,
    ];
    for part in refused {
        let reply = world.chat_bytes(&ada, with_part(part)).send().await.unwrap();
        assert!(reply.headers().contains_key("x-plantocode-audit"));
        let (status, error) = error_of(reply).await;
        assert_eq!((status, error["code"].as_str()), (400, Some("url_not_allowed")), "{part}");
    }
    assert!(world.openai.log().is_empty());
    let taken = [
        r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}"#,
        r#"{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}}"#,
        r#"{"type":"text","text":"see https://example.org/a.png"}"#,
    ];
    for part in taken {
        json_of(world.chat_bytes(&ada, with_part(part))).await;
    }
}

#[tokio::test]
async fn addresses_can_be_allowed() {
    let world = World::with(Database::Sqlite, |settings| settings.filter.allow_urls = true).await;
    let ada = world.sign_in("ada").await;
    let part = r#"{"type":"image_url","image_url":{"url":"https://example.org/a.png"}}"#;
    json_of(world.chat_bytes(&ada, with_part(part))).await;
}

#[tokio::test]
async fn a_limited_key_is_left_alone_and_clients_are_told_how_long() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    let fail = Fail { status: 429, body: None, retry_after: Some("90".into()), times: None };
    world.openai.set(Behaviour { fail: Some(fail), ..Behaviour::default() });
    for asked in [1, 1] {
        let reply = world.chat(&tokens, &ask("gpt-4.1-mini", false)).send().await.unwrap();
        let wait: u64 = reply.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((88..=90).contains(&wait), "{wait}");
        assert_eq!(error_of(reply).await.1["code"], "upstream_rate_limited");
        assert_eq!(world.openai.log().len(), asked);
    }
    let (status, reply) = (200, json_of(world.chat(&tokens, &ask("either", false))).await);
    assert_eq!(
        (status, &reply["choices"][0]["message"]["content"]),
        (200, &json!("Hello from the simulator."))
    );
}

#[tokio::test]
async fn each_kind_of_limit_holds() {
    use server::config::{Rate, Settings};
    type Set = fn(&mut Settings, Rate);
    let one = Rate { requests_per_minute: 1, ..Rate::default() };
    let kinds: [(&str, Set); 3] = [
        ("device", |settings, rate| settings.limits.device = rate),
        ("model", |settings, rate| settings.limits.model = rate),
        ("address", |settings, rate| settings.limits.address = rate),
    ];
    for (word, set) in kinds {
        let world = World::with(Database::Sqlite, |settings| set(settings, one)).await;
        let (ada, bob) = (world.sign_in("ada").await, world.sign_in("bob").await);
        assert_eq!(world.chat(&ada, &ask("gpt-4.1-mini", false)).send().await.unwrap().status(), 200);
        let (status, error) =
            error_of(world.chat(&ada, &ask("gpt-4.1-mini", false)).send().await.unwrap()).await;
        assert_eq!(status, 429, "{word}");
        assert!(error["message"].as_str().unwrap().contains(word), "{error}");
        let others = world.chat(&bob, &ask("gpt-4.1-mini", false)).send().await.unwrap().status();
        assert_eq!(others == 200, word == "device", "{word}");
    }
    let world = World::with(Database::Sqlite, |settings| settings.limits.tokens_per_minute = 2_000).await;
    let ada = world.sign_in("ada").await;
    let mut body = ask("gpt-4.1-mini", false);
    body["max_tokens"] = json!(1_500);
    for _ in 0..3 {
        let reply = world.chat(&ada, &body).send().await.unwrap();
        assert_eq!(reply.status(), 200, "what was not used is there again");
    }
    world.openai.set(Behaviour { first_delay_ms: 300, ..Behaviour::text("slow") });
    let chat = || async { world.chat(&ada, &body).send().await.unwrap().status().as_u16() };
    let (a, b) = tokio::join!(chat(), chat());
    assert_eq!((a.min(b), a.max(b)), (200, 429));
}

/// What may come is set aside, under whichever name it was asked for, and as often as it was asked for.
#[tokio::test]
async fn two_names_of_a_limit_and_many_answers_do_not_pass_a_budget() {
    let world = World::with(Database::Sqlite, |settings| settings.budgets.user_day_microusd = 10_000).await;
    let tokens = world.sign_in("ada").await;
    for more in [
        json!({ "max_completion_tokens": 1, "max_tokens": 20_000 }),
        json!({ "max_tokens": 1, "max_completion_tokens": 20_000 }),
        json!({ "max_tokens": 200, "n": 100 }),
    ] {
        let mut body = ask("gpt-4.1-mini", false);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, error) = error_of(world.chat(&tokens, &body).send().await.unwrap()).await;
        assert_eq!((status, &error["code"]), (403, &json!("budget_exceeded")), "{more}");
    }
    let mut body = ask("gpt-4.1-mini", false);
    body["max_tokens"] = json!(200);
    assert_eq!(world.chat(&tokens, &body).send().await.unwrap().status(), 200);
    body["n"] = json!("many");
    assert_eq!(world.chat(&tokens, &body).send().await.unwrap().status(), 400);
}
