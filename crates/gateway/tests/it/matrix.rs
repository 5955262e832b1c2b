//! Every provider under every odd but legal way to stream, and every way to fail.

use super::*;
use gateway::Outcome;
use std::time::Duration;
use testkit::{Behaviour, Fail, Style};

const DIALECTS: [Dialect; 8] = [
    Dialect::OpenAi,
    Dialect::OpenAiResponses,
    Dialect::Compatible,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Xai,
    Dialect::XaiChat,
    Dialect::OpenRouter,
];
const TEXT: &str = "Grüße — 你好 😀, and enough words to make several pieces of it.";

/// Legal ways to send the same answer.
fn oddities() -> Vec<(&'static str, Behaviour)> {
    let base = Behaviour::text(TEXT);
    vec![
        ("plain", base.clone()),
        ("7-byte pieces", Behaviour { chunk: Some(7), ..base.clone() }),
        ("1-byte pieces, CRLF", Behaviour { chunk: Some(1), crlf: true, ..base.clone() }),
        ("no space after data:", Behaviour { tight: true, crlf: true, ..base.clone() }),
        ("comments and pings", Behaviour { chatter: true, ..base.clone() }),
        ("cached tokens", Behaviour { cached_tokens: 10, ..base }),
    ]
}

#[tokio::test]
async fn every_legal_stream_gives_the_same_answer_and_usage() {
    let gateway = gateway();
    for dialect in DIALECTS {
        for (name, behaviour) in oddities() {
            let simulator = Simulator::start(behaviour.clone());
            let heard = ask(&gateway, &[route(&simulator, dialect)]).await.unwrap();
            let received = &simulator.log()[0];
            let context = format!("{dialect:?}, {name}: {heard:?}");
            assert_eq!(heard.answer.text(), TEXT, "{context}");
            assert_eq!((heard.done, heard.after_end), (Some(FinishReason::Stop), 0), "{context}");
            let expected = Usage {
                input_tokens: received.body.len().div_ceil(4) as u64,
                output_tokens: TEXT.len().div_ceil(4) as u64,
                cache_read_tokens: behaviour.cached_tokens,
                // The simulator counts three tokens of reasoning beside the answer there, and a cost here.
                reasoning_tokens: if dialect == Dialect::XaiChat { 3 } else { 0 },
                charged_microusd: (dialect == Dialect::OpenRouter).then_some(1_200),
                ..Usage::default()
            };
            assert_eq!(heard.usage, Some(expected), "{context}");
            let finished = || simulator.log()[0].finished;
            for _ in 0..100 {
                if !finished() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            assert!(finished(), "the connection was closed too early: {context}");
        }
    }
}

/// Who does not want a stream gets the same, whole; the provider is asked for a stream all the same.
#[tokio::test]
async fn whoever_wants_no_stream_gets_the_same_answer() {
    let gateway = gateway();
    for dialect in DIALECTS {
        let simulator = Simulator::start(Behaviour { chunk: Some(7), crlf: true, ..Behaviour::text(TEXT) });
        let routes = [route(&simulator, dialect)];
        let whole = gateway.complete(send(&routes), CancellationToken::new()).await.unwrap();
        assert_eq!(whole.response.text(), TEXT, "{dialect:?}");
        assert_eq!(whole.response.choices[0].finish_reason, Some(FinishReason::Stop), "{dialect:?}");
        assert_eq!(whole.usage.output_tokens, TEXT.len().div_ceil(4) as u64, "{dialect:?}");
        let simulator = Simulator::start(Behaviour { error_after_events: Some(5), ..Behaviour::text(TEXT) });
        let routes = [route(&simulator, dialect)];
        let cut = gateway.complete(send(&routes), CancellationToken::new()).await;
        assert!(matches!(cut, Err(GatewayError::Unavailable { .. })), "{dialect:?}: {cut:?}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_request_at_the_provider() {
    let gateway = gateway();
    for dialect in DIALECTS {
        let simulator = Simulator::start(Behaviour { delay_ms: 300, ..Behaviour::text(TEXT) });
        let routes = [route(&simulator, dialect)];
        let stream = gateway.stream(send(&routes), CancellationToken::new()).await.unwrap();
        drop(stream);
        let gone = || simulator.log()[0].disconnected_at_ms.is_some();
        for _ in 0..100 {
            if !gone() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        assert!(gone(), "{dialect:?}: {:?}", simulator.log());
    }
}

#[tokio::test]
async fn trap_16_the_key_stands_in_a_header_and_never_in_the_address() {
    let gateway = gateway();
    for dialect in DIALECTS {
        let simulator = Simulator::start(Behaviour::text(TEXT));
        ask(&gateway, &[route(&simulator, dialect)]).await.unwrap();
        let received = &simulator.log()[0];
        assert!(received.key_sha256.is_some() && !received.path.contains(KEY), "{dialect:?}: {received:?}");
    }
}

#[tokio::test]
async fn parallel_and_argument_less_tool_calls_arrive_whole() {
    let gateway = gateway();
    for dialect in DIALECTS {
        let simulator = Simulator::start(Behaviour::style(Style::Tools));
        let heard = ask(&gateway, &[route(&simulator, dialect)]).await.unwrap();
        let calls = heard.answer.choices[0].message.tool_calls.clone().unwrap();
        let calls: Vec<_> = calls
            .iter()
            .map(|call| (call.function.name.as_str(), call.function.arguments.as_str()))
            .collect();
        assert_eq!(calls, [("read_file", r#"{"path":"src/ä.rs"}"#), ("list_files", "{}")], "{dialect:?}");
        assert_eq!(heard.done, Some(FinishReason::ToolCalls));
    }
}

/// What a provider wants back in the next turn, such as signatures, survives the caller's form.
#[tokio::test]
async fn a_second_turn_brings_along_what_the_provider_gave() {
    let gateway = gateway();
    for dialect in DIALECTS {
        let simulator = Simulator::start(Behaviour::style(Style::Tools));
        let routes = [route(&simulator, dialect)];
        let first = gateway.complete(send(&routes), CancellationToken::new()).await.unwrap();
        let said = &first.response.choices[0].message;
        let mut messages = vec![json!({ "role": "user", "content": "Look." }), json!(said)];
        for call in said.tool_calls.iter().flatten() {
            messages.push(json!({ "role": "tool", "tool_call_id": call.id, "content": "done" }));
        }
        messages.push(json!({ "role": "user", "content": "And?" }));
        simulator.set(Behaviour::text(TEXT));
        let body = json!({ "model": "alias", "messages": messages }).to_string().into();
        let second = Send { body, ..send(&routes) };
        let answer = gateway.complete(second, CancellationToken::new()).await;
        assert_eq!(answer.unwrap_or_else(|error| panic!("{dialect:?}: {error}")).response.text(), TEXT);
    }
}

#[tokio::test]
async fn an_output_limit_is_not_a_normal_end() {
    let gateway = gateway();
    for dialect in DIALECTS {
        let simulator = Simulator::start(Behaviour::style(Style::Cut));
        assert_eq!(
            ask(&gateway, &[route(&simulator, dialect)]).await.unwrap().done,
            Some(FinishReason::Length)
        );
    }
}

#[tokio::test]
async fn a_cut_stream_is_an_error_with_estimated_usage() {
    let gateway = gateway();
    for dialect in DIALECTS {
        let simulator = Simulator::start(Behaviour { cut_after_bytes: Some(900), ..Behaviour::text(TEXT) });
        let routes = [route(&simulator, dialect)];
        let sending = send(&routes);
        let journal = sending.journal.clone();
        let mut stream = gateway.stream(sending, CancellationToken::new()).await.unwrap();
        let heard = hear(&mut stream).await;
        assert!(matches!(heard.error, Some(GatewayError::Cut { .. })), "{dialect:?}: {heard:?}");
        assert!(heard.done.is_none() && heard.after_end == 0, "{dialect:?}: {heard:?}");
        // Gemini tells the usage so far in every event.
        let told_so_far = dialect == Dialect::Gemini;
        assert!(
            heard.usage.is_some_and(|usage| usage.estimated != told_so_far && usage.input_tokens > 0),
            "{dialect:?}: {heard:?}"
        );
        assert_eq!(journal.tries()[0].outcome, Outcome::Cut);
    }
}

#[tokio::test]
async fn silence_about_usage_is_estimated_and_marked() {
    let gateway = gateway();
    for dialect in DIALECTS {
        let simulator = Simulator::start(Behaviour { no_usage: true, ..Behaviour::text(TEXT) });
        let heard = ask(&gateway, &[route(&simulator, dialect)]).await.unwrap();
        assert_eq!(heard.done, Some(FinishReason::Stop));
        let usage = heard.usage.unwrap();
        assert!(
            usage.estimated && usage.output_tokens == TEXT.len().div_ceil(4) as u64,
            "{dialect:?}: {usage:?}"
        );
    }
}

#[tokio::test]
async fn an_error_in_mid_stream_ends_it() {
    let gateway = gateway();
    for dialect in DIALECTS {
        let simulator = Simulator::start(Behaviour { error_after_events: Some(5), ..Behaviour::text(TEXT) });
        let heard = ask(&gateway, &[route(&simulator, dialect)]).await.unwrap();
        assert!(!heard.answer.text().is_empty(), "{heard:?}");
        assert!(matches!(heard.error, Some(GatewayError::Unavailable { .. })), "{dialect:?}: {heard:?}");
        let told_so_far = dialect == Dialect::Gemini;
        assert!(
            heard.done.is_none() && heard.usage.is_some_and(|usage| usage.estimated != told_so_far),
            "{heard:?}"
        );
    }
}

#[tokio::test]
async fn statuses_become_what_the_caller_can_do() {
    let gateway = gateway();
    for dialect in DIALECTS {
        let fail = |status, retry_after: Option<&str>| {
            let fail = Fail { status, body: None, retry_after: retry_after.map(Into::into), times: None };
            let simulator = Simulator::start(Behaviour { fail: Some(fail), ..Behaviour::default() });
            let routes = [route(&simulator, dialect)];
            let gateway = gateway.clone();
            async move {
                let error = ask(&gateway, &routes).await.unwrap_err();
                drop(simulator);
                error
            }
        };
        assert!(matches!(fail(400, None).await, GatewayError::Rejected { status: 400, .. }));
        assert!(matches!(fail(401, None).await, GatewayError::Unauthorized { .. }));
        assert!(matches!(fail(500, None).await, GatewayError::Unavailable { status: Some(500), .. }));
        assert!(matches!(fail(529, None).await, GatewayError::Unavailable { status: Some(529), .. }));
        let limited = fail(429, Some("7")).await;
        let GatewayError::RateLimited { retry_after, .. } = limited else { panic!("{limited:?}") };
        assert_eq!(retry_after, Some(Duration::from_secs(7)));
        assert!(matches!(fail(302, None).await, GatewayError::Unavailable { status: Some(302), .. }));
    }
}

/// A success whose first event is an error has not begun to answer.
#[tokio::test]
async fn trap_37_a_failure_before_any_content_goes_to_the_next_route() {
    let gateway = gateway();
    for dialect in DIALECTS {
        let broken = Simulator::start(Behaviour { error_after_events: Some(0), ..Behaviour::text("never") });
        let healthy = Simulator::start(Behaviour::text(TEXT));
        let routes = [route(&broken, dialect), route(&healthy, Dialect::OpenAi)];
        let heard = ask(&gateway, &routes).await.unwrap();
        assert_eq!(heard.answer.text(), TEXT, "{dialect:?}: {heard:?}");
        assert_eq!((broken.log().len(), healthy.log().len()), (1, 1), "{dialect:?}");
    }
}

/// Google names the day's quota and a wait of seconds in one body; the wait is that of another quota.
#[tokio::test]
async fn trap_41_the_quota_of_a_day_has_no_wait_and_another_key_is_asked() {
    let body = r#"{"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED","details":[
        {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel"}]},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"45s"}]}}"#;
    let fail = Fail { status: 429, body: Some(body.into()), retry_after: None, times: None };
    let simulator = Simulator::start(Behaviour { fail: Some(fail), ..Behaviour::default() });
    let error = ask(&gateway(), &[route(&simulator, Dialect::Gemini)]).await.unwrap_err();
    assert!(matches!(error, GatewayError::Exhausted { retry_after: None, .. }), "{error:?}");
    let other = Simulator::start(Behaviour::text(TEXT));
    let routes = [route(&simulator, Dialect::Gemini), route(&other, Dialect::Gemini)];
    assert_eq!(ask(&gateway(), &routes).await.unwrap().answer.text(), TEXT);
}

#[tokio::test]
async fn a_key_repeated_by_the_provider_does_not_come_out() {
    for status in [400, 401, 500] {
        let body = r#"{"error":{"message":"Incorrect API key: {{key}}","type":"x"}}"#;
        let fail = Fail { status, body: Some(body.into()), retry_after: None, times: None };
        let simulator = Simulator::start(Behaviour { fail: Some(fail), ..Behaviour::default() });
        let error = ask(&gateway(), &[route(&simulator, Dialect::OpenAi)]).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains(KEY), "{status}: {error:?}");
    }
}

#[tokio::test]
async fn a_garbled_stream_is_an_error() {
    let gateway = gateway();
    let body = "data: not json at all\n\n";
    let fail = Fail { status: 200, body: Some(body.into()), retry_after: None, times: None };
    let simulator = Simulator::start(Behaviour { fail: Some(fail), ..Behaviour::default() });
    let error = ask(&gateway, &[route(&simulator, Dialect::OpenAi)]).await.unwrap_err();
    assert!(matches!(error, GatewayError::Invalid(llm::LlmError::Garbled(_))), "{error:?}");
}

/// A request in the dialect of responses that passes through to xAI: under every oddity the provider's own events come out, and
/// under every fault an error and no end.
#[tokio::test]
async fn what_passes_through_to_xai_is_its_own_under_every_oddity_and_fault() {
    let gateway = gateway();
    let body = json!({ "model": "alias", "stream": true, "input": "Say something." });
    let body = body.to_string().replace('}', r#","metadata":{"n":1.50}}"#);
    let inbound = Inbound::parse(Door::Responses, Bytes::from(body)).unwrap();
    let heard = async |behaviour: &Behaviour| {
        let simulator = Simulator::start(behaviour.clone());
        let routes = [route(&simulator, Dialect::Xai)];
        let canonical = inbound.canonical.clone();
        let send = Send { body: canonical, inbound: Some(&inbound), ..send(&routes) };
        let mut stream = gateway.stream(send, CancellationToken::new()).await.unwrap();
        assert!(stream.passes_through());
        let (mut originals, mut done, mut error) = (Vec::new(), false, None);
        while let Some(event) = stream.next().await {
            match event {
                Ok(event) => done |= matches!(event, StreamEvent::Done(_)),
                Err(failed) => error = Some(failed),
            }
            originals.extend(stream.take_original());
        }
        let sent = simulator.log()[0].body.clone();
        assert!(sent.contains(r#""input":"Say something.","metadata":{"n":1.50}"#), "{sent}");
        (originals, done, error, stream.usage())
    };
    for (name, behaviour) in oddities() {
        let (originals, done, error, usage) = heard(&behaviour).await;
        let data =
            originals.iter().map(|event| serde_json::from_str::<serde_json::Value>(&event.data).unwrap());
        let text: String = data
            .filter(|data| data["type"] == "response.output_text.delta")
            .map(|data| data["delta"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(
            (text.as_str(), done, error.is_none(), usage.estimated),
            (TEXT, true, true, false),
            "{name}"
        );
        assert_eq!(originals.last().unwrap().name, "response.completed", "{name}");
    }
    let text = Behaviour::text(TEXT);
    for (name, behaviour) in [
        ("an error in mid-stream", Behaviour { error_after_events: Some(6), ..text.clone() }),
        ("a cut", Behaviour { cut_after_bytes: Some(1_500), ..text }),
    ] {
        let (originals, done, error, usage) = heard(&behaviour).await;
        let ends = |event: &llm::inbound::Original| {
            ["response.completed", "response.failed", "error"].contains(&event.name.as_str())
        };
        assert!(error.is_some() && !done && !originals.iter().any(ends), "{name}: {originals:?}");
        assert!(usage.estimated, "{name}");
    }
}
