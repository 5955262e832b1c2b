//! What goes wrong in requests to Gemini and to xAI, by the numbers of the list of traps (wire forms of providers).

use llm::{Dialect, KeyHeader, ModelLimits, encode};
use serde_json::{Value, json};

use super::golden::limits;
use super::traps_requests::{call, gemini, sent, tool, try_sent};

#[test]
fn trap_09_detail_is_the_media_resolution_from_gemini_3_on() {
    let image = |detail: Value| json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA", "detail": detail } }] }] });
    let part = |model: &str, detail: Value| {
        sent(Dialect::Gemini, model, image(detail))["contents"][0]["parts"][0].clone()
    };
    for (detail, level) in [
        (json!("low"), json!({ "level": "MEDIA_RESOLUTION_LOW" })),
        (json!("high"), json!({ "level": "MEDIA_RESOLUTION_HIGH" })),
        (json!("original"), json!({ "level": "MEDIA_RESOLUTION_ULTRA_HIGH" })),
        (json!("auto"), Value::Null),
        (Value::Null, Value::Null),
    ] {
        assert_eq!(part("gemini-3.8-flash", detail.clone())["mediaResolution"], level, "{detail}");
        assert_eq!(part("gemini-2.5-pro", detail.clone())["mediaResolution"], Value::Null, "{detail}");
    }
    let unknown = try_sent(Dialect::Gemini, "gemini-3.8-flash", image(json!("finest")));
    assert!(unknown.unwrap_err().contains("image detail `finest`"));
}

#[test]
fn trap_13_results_are_named_and_stand_in_one_turn() {
    let body = gemini(json!({ "messages": [
        { "role": "user", "content": "x" },
        { "role": "assistant", "content": null, "tool_calls": [call("1", "a", "{}"), call("2", "b", "{}")] },
        { "role": "tool", "tool_call_id": "2", "content": "two" },
        { "role": "tool", "tool_call_id": "1", "content": "one" },
        { "role": "user", "content": "y" } ] }));
    let roles: Vec<_> =
        body["contents"].as_array().unwrap().iter().map(|turn| turn["role"].clone()).collect();
    assert_eq!(roles, ["user", "model", "user", "user"]);
    let results = &body["contents"][2]["parts"];
    assert_eq!(results[0]["functionResponse"], json!({ "name": "b", "response": { "output": "two" } }));
    assert_eq!(results[1]["functionResponse"]["name"], "a");
    let lost = json!({ "messages": [{ "role": "tool", "tool_call_id": "9", "content": "x" }] });
    assert!(try_sent(Dialect::Gemini, "gemini-2.5-pro", lost).unwrap_err().contains("tool call `9`"));
}

#[test]
fn trap_14_one_list_of_functions_and_schemas_as_the_model_takes_them() {
    let tools = json!({ "tools": [tool("f"), tool("g"), { "type": "function", "function": { "name": "h", "parameters": { "type": "object", "properties": {} } } }] });
    let new = gemini(tools.clone());
    assert_eq!(new["tools"].as_array().unwrap().len(), 1);
    assert_eq!(new["tools"][0]["functionDeclarations"][1]["parametersJsonSchema"]["type"], "object");
    let old = sent(Dialect::Gemini, "gemini-2.0-flash", tools);
    assert_eq!(old["tools"][0]["functionDeclarations"][0]["parameters"]["type"], "object");
    assert!(old["tools"][0]["functionDeclarations"][2]["parameters"].is_null());
    let endless = json!({ "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/b" }, { "$ref": "#/$defs/b" }] }, "b": { "properties": { "x": { "$ref": "#/$defs/a" } } } },
        "properties": { "x": { "$ref": "#/$defs/a" } } });
    let endless =
        json!({ "tools": [{ "type": "function", "function": { "name": "f", "parameters": endless } }] });
    assert!(try_sent(Dialect::Gemini, "gemini-2.0-flash", endless).is_ok());
    let away = json!({ "tools": [{ "type": "function", "function": { "name": "f", "parameters": { "$ref": "https://a.test/s" } } }] });
    assert!(
        try_sent(Dialect::Gemini, "gemini-2.0-flash", away).unwrap_err().contains("a reference out of it")
    );
}

#[test]
fn trap_14_a_schema_that_grows_without_end_is_refused() {
    let mut definitions = serde_json::Map::new();
    for level in 0..30 {
        let next = json!({ "$ref": format!("#/$defs/{}", level + 1) });
        definitions.insert(level.to_string(), json!({ "properties": { "a": next, "b": next } }));
    }
    definitions.insert("30".into(), json!({ "type": "string" }));
    let schema = json!({ "$defs": definitions, "properties": { "x": { "$ref": "#/$defs/0" } } });
    let tools =
        json!({ "tools": [{ "type": "function", "function": { "name": "f", "parameters": schema } }] });
    assert!(try_sent(Dialect::Gemini, "gemini-2.0-flash", tools).unwrap_err().contains("of this size"));
}

#[test]
fn trap_15_a_signature_goes_back_on_its_call_and_a_missing_one_has_a_stand_in() {
    let signed = |google: Value| {
        let mut call = call("1", "f", "{}");
        call["extra_content"] = json!({ "google": google });
        call
    };
    let history = |call: Value| {
        json!({ "messages": [
        { "role": "user", "content": "x" },
        { "role": "assistant", "content": null, "tool_calls": [call, { "id": "2", "type": "function", "function": { "name": "f", "arguments": "{}" } }] },
        { "role": "tool", "tool_call_id": "1", "content": "1" },
        { "role": "tool", "tool_call_id": "2", "content": "2" } ] })
    };
    let parts = |model: &str, call: Value| {
        sent(Dialect::Gemini, model, history(call))["contents"][1]["parts"].clone()
    };
    let kept = parts("gemini-3.8-flash", signed(json!({ "thought_signature": "s==" })));
    assert_eq!((&kept[0]["thoughtSignature"], &kept[1]["thoughtSignature"]), (&json!("s=="), &Value::Null));
    let lost = parts("gemini-3.8-flash", signed(json!({})));
    assert_eq!(lost[0]["thoughtSignature"], "skip_thought_signature_validator");
    assert!(parts("gemini-2.5-pro", signed(json!({})))[0]["thoughtSignature"].is_null());
}

#[test]
fn trap_16_the_key_has_a_header_of_its_own_and_the_model_cannot_lead_elsewhere() {
    assert_eq!(Dialect::Gemini.key_header(), KeyHeader::Named("x-goog-api-key"));
    for model in ["../x", "a?key=b", "a#b", "a%2fb", "a b", "", "a//b"] {
        assert!(try_sent(Dialect::Gemini, model, json!({ "model": "m" })).is_err(), "{model}");
    }
}

#[test]
fn trap_17_xai_is_asked_for_responses_and_for_the_reasoning_back() {
    let body = json!({ "model": "grok-4.3", "messages": [{ "role": "user", "content": "x" },
        { "role": "assistant", "content": "y", "extra_content": { "openai": { "reasoning_items": [{ "type": "reasoning", "summary": [], "encrypted_content": "e==" }] } } },
        { "role": "user", "content": "z" }] });
    let limits = limits(Dialect::Xai, "grok-4.3");
    let wire = encode(Dialect::Xai, body.to_string().as_bytes(), "grok-4.3", &limits).unwrap();
    let sent: Value = serde_json::from_slice(&wire.body).unwrap();
    assert_eq!(wire.path, "/responses");
    assert_eq!((&sent["store"], &sent["include"]), (&json!(false), &json!(["reasoning.encrypted_content"])));
    assert_eq!(sent["input"][1]["encrypted_content"], "e==");
    assert_eq!(sent["input"][2], json!({ "role": "assistant", "content": "y" }));
}

#[test]
fn trap_18_what_grok_refuses_is_not_sent() {
    let mut strict = tool("f");
    strict["function"]["strict"] = true.into();
    let more = json!({ "tools": [strict], "presence_penalty": 0.5, "frequency_penalty": 0.5 });
    for dialect in [Dialect::Xai, Dialect::XaiChat] {
        let body = sent(dialect, "grok-4.3", more.clone()).to_string();
        assert!(!body.contains("strict") && !body.contains("penalty"), "{dialect:?}: {body}");
        assert!(try_sent(dialect, "grok-4.3", json!({ "stop": "END" })).unwrap_err().contains("`stop`"));
    }
    let message = json!({ "role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [call("c", "f", "{}")] });
    let body = sent(
        Dialect::XaiChat,
        "grok-4.3",
        json!({ "messages": [{ "role": "user", "content": "x" }, message] }),
    );
    assert_eq!(body["messages"][1]["content"], "");
}

#[test]
fn trap_32_gemini_is_asked_for_events() {
    let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }] }).to_string();
    let wire = encode(Dialect::Gemini, body.as_bytes(), "gemini-2.5-pro", &ModelLimits::default()).unwrap();
    assert_eq!(wire.path, "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse");
    let tuned =
        encode(Dialect::Gemini, body.as_bytes(), "tunedModels/my-1", &ModelLimits::default()).unwrap();
    assert_eq!(tuned.path, "/v1beta/tunedModels/my-1:streamGenerateContent?alt=sse");
}
