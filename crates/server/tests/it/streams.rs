//! What a stream looks like when it does not go well.

use serde_json::{Value, json};
use testkit::{Behaviour, Style};

use crate::support::*;

#[tokio::test]
async fn a_cut_stream_ends_with_an_error_and_without_done() {
    let world = World::new().await;
    let tokens = world.sign_in("ada").await;
    for (at, model) in ["gpt-4.1-mini", "claude-sonnet-4-5"].into_iter().enumerate() {
        let cut = Behaviour { cut_after_bytes: Some(1_200), ..Behaviour::text(&"words ".repeat(100)) };
        world.openai.set(cut.clone());
        world.anthropic.set(cut);
        let text = world.chat(&tokens, &ask(model, true)).send().await.unwrap().text().await.unwrap();
        let events = events(&text);
        let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
        assert_eq!(last["error"]["code"], "upstream_cut", "{text}");
        assert!(!text.contains("[DONE]") && !text.contains("\"finish_reason\":\"stop\""), "{text}");
        assert!(!spoken(&events).is_empty());
        let records = world.audit_until(&tokens, |records| records.len() == 2 * (at + 1)).await;
        assert_eq!(records.last().unwrap()["record"]["event"], "cut");
        let usage = world.usage(&tokens).await;
        assert_eq!((usage.len(), &usage[0]["estimated"]), (at + 1, &json!(true)));
        assert!(
            usage[0]["output_tokens"].as_i64().unwrap() > 0
                && usage[0]["cost_microusd"].as_i64().unwrap() > 0
        );
        let whole = world.chat(&tokens, &ask(model, false)).send().await.unwrap();
        assert_eq!(error_of(whole).await.1["code"], "upstream_cut", "half an answer is not an answer");
        world.audit_until(&tokens, |records| records.len() == 2 * (at + 1) + 2).await;
        return_to_zero(&world, &tokens, at).await;
    }
}

/// The second half of the test above counts from where the first began.
async fn return_to_zero(world: &World, tokens: &Tokens, at: usize) {
    let usage = world.usage(tokens).await;
    assert_eq!(usage.len(), 2 * (at + 1));
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
