//! What goes wrong in the counting of tokens, by the numbers of the list of traps (wire forms of providers).

use std::fs;

use llm::{Dialect, StreamEvent};
use serde_json::{Value, json};

use super::golden::cases;
use super::traps_streams::{chat, gemini, last_usage, stream};
use super::{decode, folded};

#[test]
fn trap_19_reasoning_beside_the_answer_is_added_once() {
    let told = |usage: Value| {
        let chunk = json!({ "id": "c", "choices": [], "usage": usage });
        last_usage(&decode(Dialect::XaiChat, &stream(&[chunk]))).output_tokens
    };
    let usage = |completion: u64, reasoning: u64, total: u64| {
        json!({ "prompt_tokens": 10, "completion_tokens": completion, "total_tokens": total,
            "completion_tokens_details": { "reasoning_tokens": reasoning } })
    };
    assert_eq!(told(usage(9, 94, 113)), 103, "beside");
    assert_eq!(told(usage(103, 94, 113)), 103, "within");
    assert_eq!(told(usage(9, 0, 19)), 9, "none");
}

#[test]
fn trap_20_openrouter_comments_cost_and_the_model_that_answered() {
    let path = super::golden::root().join("openrouter/trap_20_comments_cost_and_another_model/stream.txt");
    let events = decode(Dialect::OpenRouter, &fs::read_to_string(path).unwrap());
    assert_eq!(events[0], StreamEvent::KeepAlive);
    let usage = last_usage(&events);
    assert_eq!(
        (usage.charged_microusd, usage.upstream_microusd),
        (Some(1_141), None),
        "no own key, so it is in the cost"
    );
    assert_eq!((usage.cache_read_tokens, usage.cache_write_tokens), (100, 50));
    let shown = usage.to_openai(None);
    assert_eq!(shown["cost_details"], json!({ "charged_microusd": 1_141 }));
    let own = json!({ "id": "c", "choices": [], "usage": { "prompt_tokens": 9, "completion_tokens": 2, "cost": 0.00005,
        "is_byok": true, "cost_details": { "upstream_inference_cost": 0.001 } } });
    let own = last_usage(&decode(Dialect::OpenRouter, &stream(&[own])));
    assert_eq!((own.charged_microusd, own.upstream_microusd), (Some(50), Some(1_000)), "both are paid");
    let StreamEvent::Chunk(chunk) = &events[2] else { panic!("{events:?}") };
    assert_eq!(chunk.model, "anthropic/claude-sonnet-4.5", "what answered is what is billed");
}

#[test]
fn trap_25_the_cache_is_part_of_anthropics_prompt_and_the_sums_match() {
    let usage = json!({ "input_tokens": 15, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 4, "output_tokens": 1 });
    let events = decode(
        Dialect::Anthropic,
        &stream(&[
            json!({ "type": "message_start", "message": { "id": "m", "model": "c", "usage": usage } }),
            json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 50 } }),
            json!({ "type": "message_stop" }),
        ]),
    );
    let shown = last_usage(&events).to_openai(None);
    assert_eq!(
        (&shown["prompt_tokens"], &shown["completion_tokens"], &shown["total_tokens"]),
        (&json!(29), &json!(50), &json!(79))
    );
    assert_eq!(shown["prompt_tokens_details"], json!({ "cached_tokens": 10, "cache_write_tokens": 4 }));
}

#[test]
fn trap_26_anthropics_later_usage_replaces_the_earlier() {
    let delta =
        |told: u64| json!({ "type": "message_delta", "delta": {}, "usage": { "output_tokens": told } });
    let start = json!({ "type": "message_start", "message": { "id": "m", "model": "c", "usage": { "input_tokens": 15, "output_tokens": 1 } } });
    let events = decode(Dialect::Anthropic, &stream(&[start, delta(20), delta(50)]));
    assert_eq!((last_usage(&events).input_tokens, last_usage(&events).output_tokens), (15, 50));
}

#[test]
fn trap_27_geminis_totals_run_and_thoughts_are_output() {
    let total = |candidates: Value, thoughts: u64| {
        json!({ "candidates": [{ "content": { "parts": [{ "text": "x" }] } }], "usageMetadata": {
        "promptTokenCount": 100, "cachedContentTokenCount": 80, "toolUsePromptTokenCount": 7, "candidatesTokenCount": candidates, "thoughtsTokenCount": thoughts } })
    };
    let usage = last_usage(&gemini(&[total(Value::Null, 3), total(json!(5), 9), total(json!(8), 9)]));
    assert_eq!((usage.input_tokens, usage.output_tokens), (107, 17));
    assert_eq!((usage.cache_read_tokens, usage.reasoning_tokens, usage.estimated), (80, 9, false));
}

#[test]
fn trap_28_usage_never_stands_in_a_chunk() {
    for (dialect, case) in cases() {
        let Ok(bytes) = fs::read_to_string(case.join("stream.txt")) else { continue };
        for event in decode(dialect, &bytes) {
            let StreamEvent::Chunk(chunk) = event else { continue };
            assert!(
                !chunk.extra.contains_key("usage") && !chunk.choices.is_empty(),
                "{}: {chunk:?}",
                case.display()
            );
        }
    }
    let null = json!({ "id": "c", "choices": [{ "index": 0, "delta": { "content": "x" } }], "usage": null });
    let events = decode(Dialect::OpenAi, &stream(&[null]));
    assert!(!events.iter().any(|event| matches!(event, StreamEvent::Usage(_))), "{events:?}");
}

#[test]
fn trap_29_silence_about_usage_is_an_estimate_that_says_so() {
    let events = chat("stop");
    assert!(folded(&events).1.estimated);
    let events = decode(
        Dialect::OpenAiResponses,
        &stream(&[
            json!({ "type": "response.created", "response": { "id": "r", "model": "o", "status": "in_progress" } }),
            json!({ "type": "response.output_text.delta", "delta": "twelve bytes" }),
        ]),
    );
    let usage = folded(&events).1;
    assert!(usage.estimated && usage.output_tokens == 3, "{usage:?}");
}
