//! Speech to text.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Behaviour, Fail};

use crate::support::*;

const BOUNDARY: &str = "a-boundary-of-a-test";

fn form(fields: &[(&str, &str)], audio: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let head =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(head.as_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n"
    );
    [body.as_slice(), head.as_bytes(), audio, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

fn send(world: &World, tokens: &Tokens, body: Vec<u8>) -> reqwest::RequestBuilder {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    world.post("/v1/audio/transcriptions").bearer_auth(&tokens.access).header("content-type", kind).body(body)
}

/// With models that hear: `ears` at the first simulator and, should that fail, at the second.
pub(crate) async fn world(change: impl FnOnce(&mut server::config::Settings)) -> World {
    let world = World::with(Database::Sqlite, change).await;
    let admin = server::admin::Admin::open(&world.config).await.unwrap();
    for (provider, url, models) in [
        ("openai", world.openai.openai_url(), &["gpt-4o-transcribe", "whisper-1", "ears=whisper-1"][..]),
        ("local", world.anthropic.openai_url(), &["ears=whisper-large"]),
    ] {
        let models = models.iter().map(|model| (*model).to_owned()).collect();
        let dialect = if provider == "openai" { "openai" } else { "compatible" }.into();
        let key = CANARY.to_owned().into();
        let new = server::admin::NewKey { provider: provider.into(), dialect, base_url: url, models, key };
        admin.add_key(new).await.unwrap();
    }
    admin.close().await;
    let ada = world.sign_in("ada").await;
    for _ in 0..100 {
        let models = json_of(world.get("/v1/models").bearer_auth(&ada.access)).await;
        // The key that was added last.
        if models.to_string().contains("whisper-large") {
            return world;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the keys are not taken over");
}

#[tokio::test]
async fn a_recording_passes_through_and_every_form_of_answer_comes_back() {
    let world = world(|_| {}).await;
    let ada = world.sign_in("ada").await;
    // Bytes that look like a boundary, and every other byte.
    let audio: Vec<u8> = (0..=255).cycle().take(10_000).chain(*b"\r\n--a-bound").collect();
    let body =
        form(&[("model", "ears"), ("response_format", "verbose_json"), ("later_field", "kept")], &audio);
    let reply = send(&world, &ada, body.clone()).send().await.unwrap();
    assert_eq!(reply.headers()["content-type"], "application/json");
    assert!(reply.headers().contains_key("x-plantocode-audit"));
    let answer: Value = reply.json().await.unwrap();
    assert_eq!((&answer["text"], &answer["duration"]), (&json!("Hello from the simulator."), &json!(8.47)));
    let sent = world.openai.log().pop().unwrap();
    let place = body.windows(4).position(|four| four == b"ears").unwrap();
    let expected = [&body[..place], b"whisper-1", &body[place + 4..]].concat();
    assert_eq!(sent.body_sha256, hex::encode(llm::body_hash(&expected)), "only the model is another");
    assert_eq!(sent.headers["content-length"], expected.len().to_string());
    assert_eq!(sent.headers["content-type"], format!("multipart/form-data; boundary={BOUNDARY}"));

    let records = world.audit_until(&ada, |records| records.len() == 2).await;
    let (intent, outcome) = (&records[0]["record"], &records[1]["record"]);
    assert_eq!((&intent["event"], &outcome["event"]), (&json!("intent"), &json!("served")));
    assert_eq!(intent["body_hash"], json!(hex::encode(llm::body_hash(&body))));
    assert_eq!(outcome["tries"][0]["upstream_hash"], json!(sent.body_sha256));
    assert_eq!((&outcome["audio_ms"], &outcome["usage"]["estimated"]), (&json!(9_000), &json!(true)));
    assert_eq!(intent["destinations"], json!(["openai/whisper-1", "local/whisper-large"]));

    for (form_of_answer, kind, starts) in
        [("text", "text/plain", "Hello"), ("srt", "text/plain", "1\n00:00"), ("vtt", "text/plain", "WEBVTT")]
    {
        let reply =
            send(&world, &ada, form(&[("model", "whisper-1"), ("response_format", form_of_answer)], &audio));
        let reply = reply.send().await.unwrap();
        assert!(reply.headers()["content-type"].to_str().unwrap().starts_with(kind));
        let text = reply.text().await.unwrap();
        assert!(text.starts_with(starts), "{form_of_answer}: {text}");
    }

    let body = form(&[("model", "gpt-4o-transcribe"), ("stream", "true")], &audio);
    let reply = send(&world, &ada, body).send().await.unwrap();
    assert_eq!(reply.headers()["content-type"], "text/event-stream");
    let events = events(&reply.text().await.unwrap());
    let said = |event: &String| serde_json::from_str::<Value>(event).unwrap();
    assert_eq!(said(&events[0])["delta"], "Hello ");
    assert_eq!(said(events.last().unwrap())["text"], "Hello from the simulator.");
    world.audit_until(&ada, |records| records.len() == 10).await;
    let usage = world.usage(&ada).await;
    let counted: Vec<_> = usage.iter().filter(|row| row["model"] == "gpt-4o-transcribe").collect();
    assert_eq!(
        (counted.len(), &counted[0]["input_tokens"], &counted[0]["output_tokens"]),
        (1, &json!(90), &json!(7))
    );
    assert_eq!(usage.len(), 5);
}

#[tokio::test]
async fn a_failing_provider_is_replaced_and_errors_are_in_openais_words() {
    let world = world(|settings| settings.limits.audio_mib = 1).await;
    let ada = world.sign_in("ada").await;
    world.openai.set(Behaviour::fail(503));
    let answer = json_of(send(&world, &ada, form(&[("model", "ears")], b"sound"))).await;
    assert_eq!(answer["text"], "Hello from the simulator.");
    assert!(world.anthropic.log().pop().unwrap().body.contains("whisper-large"));
    let limited = Fail { status: 429, body: None, retry_after: Some("7".into()), times: None };
    world.openai.set(Behaviour { fail: Some(limited), ..Behaviour::default() });
    let reply = send(&world, &ada, form(&[("model", "whisper-1")], b"sound")).send().await.unwrap();
    assert_eq!(reply.headers()["retry-after"], "7");
    assert_eq!(error_of(reply).await.1["code"], "upstream_rate_limited");
    world.openai.set(Behaviour::text("Good."));

    let secret = format!("AKIA{}", "IOSFODNN7EXAMPLQ");
    let sent = world.openai.log().len();
    let large = vec![7; 1024 * 1024];
    let cases: [(Vec<u8>, u16, &str); 8] = [
        (b"--".to_vec(), 400, "invalid_request"),
        (form(&[], b"sound"), 400, "invalid_request"),
        (form(&[("model", "ears"), ("model", "ears")], b"sound"), 400, "invalid_request"),
        (form(&[("model", "ears"), ("response_format", "mp3")], b"sound"), 400, "invalid_request"),
        (form(&[("model", "none")], b"sound"), 404, "model_not_found"),
        (form(&[("model", "claude-sonnet-4-5")], b"sound"), 400, "unsupported"),
        (form(&[("model", "ears")], &large), 413, "too_large"),
        (form(&[("model", "ears"), ("prompt", &secret)], b"sound"), 403, "secret_blocked"),
    ];
    for (body, status, code) in cases {
        let reply = send(&world, &ada, body).send().await.unwrap();
        assert!(reply.headers().contains_key("x-plantocode-audit"), "{code} is on record");
        let (found, error) = error_of(reply).await;
        assert_eq!((found, error["code"].as_str()), (status, Some(code)), "{error}");
        assert!(error["type"].is_string() && error["message"].is_string(), "{error}");
    }
    let json =
        world.post("/api/audio/transcriptions").bearer_auth(&ada.access).json(&json!({ "model": "ears" }));
    assert_eq!(error_of(json.send().await.unwrap()).await.0, 400);
    assert_eq!(world.post("/v1/audio/transcriptions").send().await.unwrap().status(), 401);
    assert_eq!(world.openai.log().len(), sent, "nothing was sent");
    // The provider's own refusal keeps its status.
    let refused =
        send(&world, &ada, form(&[("model", "gpt-4o-transcribe"), ("response_format", "srt")], b"s"));
    assert_eq!(
        error_of(refused.send().await.unwrap()).await,
        (
            400,
            json!({
        "message": "OpenAI refused the request (400): response_format 'srt' is not compatible with model 'gpt-4o-transcribe'",
        "type": "invalid_request_error", "param": null, "code": "upstream_rejected" })
        )
    );
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_request_and_limits_hold() {
    let world = world(|settings| settings.limits.concurrent = 1).await;
    let ada = world.sign_in("ada").await;
    for stream in ["true", "false"] {
        let before = world.openai.log().len();
        world.openai.set(Behaviour { first_delay_ms: 20_000, ..Behaviour::text("late") });
        let asking = tokio::spawn(
            send(&world, &ada, form(&[("model", "gpt-4o-transcribe"), ("stream", stream)], b"sound")).send(),
        );
        while world.openai.log().len() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let second = send(&world, &ada, form(&[("model", "whisper-1")], b"sound")).send().await.unwrap();
        assert_eq!(second.status(), 429, "one at a time");
        asking.abort();
        for _ in 0..100 {
            if world.openai.log()[before].disconnected_at_ms.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(
            world.openai.log()[before].disconnected_at_ms.is_some(),
            "the provider is left alone at once"
        );
        world.openai.set(Behaviour::text("quick"));
    }
    let records = world.audit_until(&ada, |records| {
        records.iter().filter(|record| record["record"]["event"] == "canceled").count() == 2
    });
    let canceled = records.await.into_iter().find(|record| record["record"]["event"] == "canceled").unwrap();
    assert_eq!(canceled["record"]["usage"]["estimated"], true, "it may have been worked on");

    // An answer that breaks off is an error, also in the middle of a stream.
    world.openai.set(Behaviour { cut_after_bytes: Some(40), ..Behaviour::text("never whole") });
    let whole = send(&world, &ada, form(&[("model", "gpt-4o-transcribe")], b"sound")).send().await.unwrap();
    assert_eq!(error_of(whole).await.1["code"], "upstream_cut");
    let streamed = send(&world, &ada, form(&[("model", "gpt-4o-transcribe"), ("stream", "true")], b"sound"));
    let text = streamed.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("\"code\":\"upstream_cut\"") && !text.contains("transcript.text.done"), "{text}");
}

/// So many seconds of speech at 16 kHz, as a file that says how long it is.
fn wave(seconds: usize) -> Vec<u8> {
    let mut wave = b"RIFF....WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    for number in [16_000_u32, 32_000] {
        wave.extend(number.to_le_bytes());
    }
    wave.extend(*b"\x02\0\x10\0data");
    wave.extend((seconds as u32 * 32_000).to_le_bytes());
    wave.resize(wave.len() + seconds * 32_000, 0);
    wave
}

#[tokio::test]
async fn speech_has_a_price_that_is_set_aside_by_its_length_and_settled_as_the_provider_counts() {
    let world = world(|settings| settings.budgets.user_day_microusd = 25_000).await;
    let ada = world.sign_in("ada").await;
    let ask = |model: &str, audio: &[u8]| send(&world, &ada, form(&[("model", model)], audio));
    let refused = async |model: &str, audio: &[u8], code: &str| {
        let (status, error) = error_of(ask(model, audio).send().await.unwrap()).await;
        assert_eq!((status, error["code"].as_str()), (403, Some(code)), "{model}: {error}");
    };
    // 260 seconds are $0.026. Who does not say how long it is may be as long as its bytes can be.
    refused("whisper-1", &wave(260), "budget_exceeded").await;
    refused("whisper-1", &[7; 200_000], "budget_exceeded").await;
    refused("ears", b"sound", "price_unknown").await;
    assert!(world.openai.log().is_empty() && world.anthropic.log().is_empty());
    json_of(ask("whisper-1", &wave(60))).await;
    json_of(ask("gpt-4o-transcribe", &wave(20))).await;
    world
        .audit_until(&ada, |records| records.iter().filter(|r| r["record"]["event"] == "served").count() == 2)
        .await;
    let usage = world.usage(&ada).await;
    let cost = |model: &str| {
        let row = usage.iter().find(|row| row["model"] == model).unwrap();
        (row["cost_microusd"].as_u64().unwrap(), row["estimated"].as_bool().unwrap())
    };
    assert_eq!(
        cost("whisper-1"),
        (900, true),
        "nine seconds, whatever the head says; the tokens are an estimate"
    );
    assert_eq!(cost("gpt-4o-transcribe"), (90 * 6 + 7 * 10, false));
    // What was set aside and not spent is there again: 1,510 of 25,000 are gone.
    json_of(ask("whisper-1", &wave(234))).await;
}

/// A recording in MP4 of so many bytes, whose head says that it lasts so many milliseconds.
fn movie(bytes: usize, ms: u32) -> Vec<u8> {
    let boxed =
        |kind: &[u8], content: &[u8]| [&(content.len() as u32 + 8).to_be_bytes(), kind, content].concat();
    let head = [&[0; 12][..], &1_000_u32.to_be_bytes(), &ms.to_be_bytes()].concat();
    let moov = boxed(b"moov", &boxed(b"mvhd", &head));
    [boxed(b"ftyp", b"M4A \0\0\0\0"), moov, boxed(b"mdat", &vec![3; bytes])].concat()
}

#[tokio::test]
async fn a_head_that_lies_does_not_make_a_recording_cheap_whatever_form_the_answer_has() {
    let world = world(|settings| settings.budgets.user_day_microusd = 50_000).await;
    let ada = world.sign_in("ada").await;
    let ask = |form_of_answer: &str, audio: &[u8]| {
        send(&world, &ada, form(&[("model", "whisper-1"), ("response_format", form_of_answer)], audio))
    };
    // 800 kB have 12.5 seconds at 512 kbit/s, 200 at the 32 of plain speech: $0.02, and $0.107 at the least that there is.
    for impossible in [1_000, 12_000, u32::MAX] {
        let reply = ask("text", &movie(800_000, impossible)).send().await.unwrap();
        assert_eq!(error_of(reply).await.1["code"], "budget_exceeded", "{impossible}");
    }
    for form_of_answer in ["text", "srt"] {
        assert_eq!(ask(form_of_answer, &movie(800_000, 13_000)).send().await.unwrap().status(), 200);
    }
    let third = ask("vtt", &movie(800_000, 13_000)).send().await.unwrap();
    assert_eq!(error_of(third).await.1["code"], "budget_exceeded", "of $0.05 two have cost $0.04");
    world
        .audit_until(&ada, |records| records.iter().filter(|r| r["record"]["event"] == "served").count() == 2)
        .await;
    let usage = world.usage(&ada).await;
    let spent: Vec<_> = usage.iter().map(|row| row["cost_microusd"].as_u64().unwrap()).collect();
    assert_eq!(spent, [20_002, 20_002]);
}

#[tokio::test]
async fn prices_of_speech_can_be_the_operators_own() {
    let files = tempfile::tempdir().unwrap();
    let own = files.path().join("own.toml");
    let speech = |provider: &str, id: &str, minute: u64| {
        format!("[[speech]]\nid = \"{id}\"\nprovider = \"{provider}\"\nminute = {minute}\n")
    };
    let text = [speech("local", "whisper-large", 60), speech("openai", "whisper-1", 12_000)].concat();
    std::fs::write(&own, format!("dated = \"2026-11-28\"\n{text}")).unwrap();
    let world = world(|settings| {
        settings.catalogue = own.to_str().unwrap().to_owned();
        settings.budgets.org_day_microusd = 10_000;
    })
    .await;
    let ada = world.sign_in("ada").await;
    json_of(send(&world, &ada, form(&[("model", "ears")], &wave(10)))).await;
    world.audit_until(&ada, |records| records.iter().any(|r| r["record"]["event"] == "served")).await;
    assert_eq!(world.usage(&ada).await[0]["cost_microusd"], 1_800);
    std::fs::write(&own, "dated = \"x\"\n[[speech]]\nid = \"a\"\nprovider = \"b\"\ninput = 1\n").unwrap();
    let error = server::Server::start(world.config.clone()).await.unwrap_err().to_string();
    assert!(error.contains("stand together or not at all"), "{error}");
}
