//! What a stream looks like when it does not go well.

use serde_json::{Value, json};
use testkit::{Behaviour, Style};

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
    use futures_util::StreamExt as _;
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
    assert!((14..18).contains(&start.elapsed().as_secs()), "{:?}: {heard}", start.elapsed());
}
