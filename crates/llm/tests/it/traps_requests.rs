//! What goes wrong in requests, by the numbers of the list of traps (wire forms of providers).

use llm::{Dialect, KeyHeader, ModelLimits, encode};
use serde_json::{Value, json};

use super::golden::limits;

const MODELS: [(Dialect, &str); 5] = [
    (Dialect::Anthropic, "claude-sonnet-4-5"),
    (Dialect::Gemini, "gemini-2.5-pro"),
    (Dialect::OpenAiResponses, "gpt-5.4"),
    (Dialect::Xai, "grok-4.3"),
    (Dialect::XaiChat, "grok-4.3"),
];

pub fn try_sent(dialect: Dialect, model: &str, more: Value) -> Result<Value, String> {
    let mut body = json!({ "model": model, "messages": [{ "role": "user", "content": "x" }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let wire = encode(dialect, body.to_string().as_bytes(), model, &limits(dialect, model));
    let wire = wire.map_err(|error| error.to_string())?;
    Ok(serde_json::from_slice(&wire.body).unwrap())
}

pub fn sent(dialect: Dialect, model: &str, more: Value) -> Value {
    try_sent(dialect, model, more).unwrap()
}

fn claude(more: Value) -> Value {
    sent(Dialect::Anthropic, "claude-sonnet-4-5", more)
}

pub fn gemini(more: Value) -> Value {
    sent(Dialect::Gemini, "gemini-2.5-pro", more)
}

pub fn tool(name: &str) -> Value {
    json!({ "type": "function", "function": { "name": name, "parameters": { "type": "object", "properties": { "a": { "type": "string" } } } } })
}

pub fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
}

#[test]
fn trap_01_only_the_leading_system_messages_go_on_top() {
    let messages = json!({ "messages": [
        { "role": "system", "content": [{ "type": "text", "text": "One.", "cache_control": { "type": "ephemeral" } }] },
        { "role": "developer", "content": "Two." },
        { "role": "user", "content": "x" },
        { "role": "system", "content": "Later." } ] });
    let anthropic = claude(messages.clone());
    assert_eq!(anthropic["system"][0]["cache_control"]["type"], "ephemeral");
    assert_eq!((&anthropic["system"][1]["text"], &anthropic["system"][2]), (&json!("Two."), &Value::Null));
    assert_eq!(anthropic["messages"][0]["content"][1]["text"], "Later.");
    let google = gemini(messages.clone());
    assert_eq!(google["systemInstruction"]["parts"][1]["text"], "Two.");
    assert_eq!(google["contents"][0]["parts"][1]["text"], "Later.");
    let grok = sent(Dialect::Xai, "grok-4.7", messages.clone());
    assert_eq!(grok["input"][0], json!({ "role": "system", "content": "One.\n\nTwo." }));
    assert_eq!(grok["input"][2], json!({ "role": "user", "content": "Later." }));
    let responses = sent(Dialect::OpenAiResponses, "gpt-5.4", messages);
    assert_eq!(responses["instructions"], "One.\n\nTwo.");
    assert_eq!(responses["input"][1], json!({ "role": "developer", "content": "Later." }));
}

#[test]
fn trap_02_a_demanded_limit_is_the_models_own_and_never_above_it() {
    assert_eq!(claude(json!({}))["max_tokens"], 64_000);
    assert_eq!(sent(Dialect::Anthropic, "claude-3-5-haiku", json!({}))["max_tokens"], 8_192);
    let unknown = sent(Dialect::Anthropic, "claude-of-tomorrow", json!({}));
    assert_eq!(unknown["max_tokens"], ModelLimits::default().max_output_tokens);
    for (dialect, model) in MODELS.into_iter().filter(|(dialect, _)| *dialect != Dialect::XaiChat) {
        let most = limits(dialect, model).max_output_tokens;
        let body = sent(dialect, model, json!({ "max_tokens": 9_999_999 }));
        assert!(
            body.to_string().contains(&most.to_string()) && !body.to_string().contains("9999999"),
            "{body}"
        );
    }
}

#[test]
fn trap_03_the_limit_has_the_name_that_each_provider_knows() {
    for given in ["max_tokens", "max_completion_tokens"] {
        let limit = json!({ given: 100 });
        assert_eq!(sent(Dialect::OpenAi, "gpt-5.4", limit.clone())["max_completion_tokens"], 100);
        assert!(sent(Dialect::OpenAi, "gpt-5.4", limit.clone())["max_tokens"].is_null());
        assert_eq!(sent(Dialect::Compatible, "llama", limit.clone())["max_tokens"], 100);
        assert_eq!(sent(Dialect::OpenRouter, "a/b", limit.clone())["max_tokens"], 100);
        assert_eq!(sent(Dialect::XaiChat, "grok-4.3", limit.clone())["max_completion_tokens"], 100);
        assert_eq!(sent(Dialect::Xai, "grok-4.3", limit.clone())["max_output_tokens"], 100);
        assert_eq!(sent(Dialect::OpenAiResponses, "gpt-5.4", limit.clone())["max_output_tokens"], 100);
        assert_eq!(claude(limit.clone())["max_tokens"], 100);
        // Thoughts count within it there, so at most half of it is theirs.
        let mut google = limit.clone();
        google["reasoning_effort"] = "high".into();
        google[given] = 4_000.into();
        let config = gemini(google)["generationConfig"].clone();
        assert_eq!(
            (&config["maxOutputTokens"], &config["thinkingConfig"]["thinkingBudget"]),
            (&json!(4000), &json!(2000))
        );
    }
}

#[test]
fn trap_04_settings_that_anthropic_refuses_are_lowered_or_left_out() {
    let body = claude(
        json!({ "temperature": 1.7, "seed": 1, "presence_penalty": 0.1, "frequency_penalty": 0.1, "n": 1 }),
    );
    assert_eq!(body["temperature"], 1.0);
    for name in ["seed", "presence_penalty", "frequency_penalty", "n"] {
        assert!(body[name].is_null(), "{name}");
    }
    for (dialect, model) in MODELS.into_iter().filter(|(dialect, _)| *dialect != Dialect::XaiChat) {
        assert!(try_sent(dialect, model, json!({ "n": 2 })).unwrap_err().contains("more than one choice"));
        assert!(try_sent(dialect, model, json!({ "logprobs": true })).unwrap_err().contains("`logprobs`"));
    }
}

#[test]
fn trap_05_all_results_of_a_turn_stand_together_and_first() {
    let image = json!([{ "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } }]);
    let body = claude(json!({ "messages": [
        { "role": "user", "content": "x" },
        { "role": "assistant", "content": null, "tool_calls": [call("t1", "a", "{}"), call("t2", "b", "{}")] },
        { "role": "user", "content": "Meanwhile." },
        { "role": "tool", "tool_call_id": "t1", "content": "1" },
        { "role": "tool", "tool_call_id": "t2", "content": image } ] }));
    let content = body["messages"][2]["content"].as_array().unwrap();
    let kinds: Vec<_> = content.iter().map(|block| block["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["tool_result", "tool_result", "text"]);
    assert_eq!(content[1]["content"][0]["type"], "image");
}

#[test]
fn trap_06_arguments_are_an_object_or_a_clear_refusal() {
    let with = |arguments: &str| {
        json!({ "messages": [
        { "role": "user", "content": "x" },
        { "role": "assistant", "content": null, "tool_calls": [call("c", "f", arguments)] },
        { "role": "tool", "tool_call_id": "c", "content": "1" } ] })
    };
    for empty in ["", "  ", "{}"] {
        assert_eq!(claude(with(empty))["messages"][1]["content"][0]["input"], json!({}));
        assert_eq!(gemini(with(empty))["contents"][1]["parts"][0]["functionCall"]["args"], json!({}));
        assert_eq!(sent(Dialect::OpenAiResponses, "gpt-5.4", with(empty))["input"][1]["arguments"], "{}");
    }
    for broken in ["[1]", "\"a\"", "{\"a\":", "{} {}"] {
        for (dialect, model) in MODELS.into_iter().filter(|(dialect, _)| *dialect != Dialect::XaiChat) {
            let refusal = try_sent(dialect, model, with(broken)).unwrap_err();
            assert!(refusal.contains("`c` are not a JSON object"), "{dialect:?}, {broken}: {refusal}");
        }
    }
}

#[test]
fn trap_07_tool_choices_in_the_words_of_each_provider() {
    let with =
        |choice: Value| json!({ "tools": [tool("f")], "tool_choice": choice, "parallel_tool_calls": false });
    let function = json!({ "type": "function", "function": { "name": "f" } });
    let serial = json!({ "type": "any", "disable_parallel_tool_use": true });
    assert_eq!(claude(with(json!("required")))["tool_choice"], serial);
    assert_eq!(claude(with(json!("none")))["tool_choice"], json!({ "type": "none" }));
    assert_eq!(claude(with(function.clone()))["tool_choice"]["name"], "f");
    let google = |choice: Value| gemini(with(choice))["toolConfig"]["functionCallingConfig"].clone();
    assert_eq!(google(json!("auto")), json!({ "mode": "AUTO" }));
    assert_eq!(google(json!("none")), json!({ "mode": "NONE" }));
    assert_eq!(google(json!("required")), json!({ "mode": "ANY" }));
    assert_eq!(google(function.clone()), json!({ "mode": "ANY", "allowedFunctionNames": ["f"] }));
    let responses = sent(Dialect::OpenAiResponses, "gpt-5.4", with(function));
    assert_eq!(responses["tool_choice"], json!({ "type": "function", "name": "f" }));
    assert_eq!(responses["parallel_tool_calls"], false);
}

#[test]
fn trap_08_empty_text_blank_stops_neighbours_and_begun_answers() {
    let body = claude(json!({ "stop": ["END", " \n"], "messages": [
        { "role": "user", "content": [{ "type": "text", "text": " " }, { "type": "text", "text": "a" }] },
        { "role": "user", "content": "b" },
        { "role": "assistant", "content": "Hello \n" } ] }));
    assert_eq!(body["stop_sequences"], json!(["END"]));
    let texts = |text: &str| json!({ "type": "text", "text": text });
    assert_eq!(body["messages"][0]["content"], json!([texts("a"), texts("b")]));
    assert_eq!(body["messages"][1]["content"], json!([texts("Hello")]));
    let begun =
        json!({ "messages": [{ "role": "user", "content": "x" }, { "role": "assistant", "content": "{" }] });
    let refusal = try_sent(Dialect::Anthropic, "claude-opus-4-6", begun).unwrap_err();
    assert!(refusal.contains("ends with the assistant's own words"), "{refusal}");
    let blank = gemini(json!({ "messages": [{ "role": "user", "content": [texts(""), texts("a")] }] }));
    assert_eq!(blank["contents"][0]["parts"], json!([{ "text": "a" }]));
}

#[test]
fn trap_09_images_and_files_by_what_each_provider_takes() {
    let with = |url: &str| json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": url, "detail": "low" } }] }] });
    let (inline, remote) = ("data:image/png;base64,AAAA", "https://a.test/x.png");
    let source = |url: &str| claude(with(url))["messages"][0]["content"][0]["source"].clone();
    assert_eq!(source(inline), json!({ "type": "base64", "media_type": "image/png", "data": "AAAA" }));
    assert_eq!(source(remote), json!({ "type": "url", "url": remote }));
    let part = gemini(with(inline))["contents"][0]["parts"][0].clone();
    assert_eq!(part, json!({ "inlineData": { "mimeType": "image/png", "data": "AAAA" } }));
    assert!(try_sent(Dialect::Gemini, "gemini-2.5-pro", with(remote)).unwrap_err().contains("data: URLs"));
    let responses = sent(Dialect::OpenAiResponses, "gpt-5.4", with(remote));
    assert_eq!(responses["input"][0]["content"][0]["image_url"], remote);
    for (dialect, model) in MODELS.into_iter().filter(|(dialect, _)| *dialect != Dialect::XaiChat) {
        assert!(try_sent(dialect, model, with("http://10.0.0.1/x")).unwrap_err().contains("data: or https:"));
    }
    let file = json!({ "messages": [{ "role": "user", "content": [{ "type": "file", "file": { "file_data": "data:application/pdf;base64,AA" } }] }] });
    assert_eq!(claude(file.clone())["messages"][0]["content"][0]["type"], "document");
    assert_eq!(gemini(file)["contents"][0]["parts"][0]["inlineData"]["mimeType"], "application/pdf");
}

#[test]
fn trap_10_effort_in_each_providers_way_and_thoughts_go_back_unchanged() {
    let effort = json!({ "reasoning_effort": "high", "temperature": 0.5 });
    let old = claude(effort.clone());
    assert_eq!(old["thinking"], json!({ "type": "enabled", "budget_tokens": 24_576 }));
    assert!(old["temperature"].is_null());
    let new = sent(Dialect::Anthropic, "claude-opus-4-6", effort.clone());
    assert_eq!(
        (&new["thinking"]["type"], &new["output_config"]["effort"]),
        (&json!("adaptive"), &json!("high"))
    );
    let level = sent(Dialect::Gemini, "gemini-3.8-flash", effort.clone());
    assert_eq!(level["generationConfig"]["thinkingConfig"]["thinkingLevel"], "high");
    // The highest that a provider has stands for what it does not have.
    let most = json!({ "reasoning_effort": "max" });
    let high = sent(Dialect::Gemini, "gemini-3.8-flash", most.clone());
    assert_eq!(high["generationConfig"]["thinkingConfig"]["thinkingLevel"], "high");
    assert_eq!(sent(Dialect::Xai, "grok-4.3", most)["reasoning"]["effort"], "high");
    let off = gemini(json!({ "reasoning_effort": "none" }));
    assert_eq!(off["generationConfig"]["thinkingConfig"]["thinkingBudget"], 128, "it cannot be switched off");
    assert_eq!(sent(Dialect::OpenAiResponses, "gpt-5.4", effort)["reasoning"]["effort"], "high");
    let blocks = json!([{ "type": "thinking", "thinking": "hm", "signature": "s==" }, { "type": "redacted_thinking", "data": "r==" }]);
    let body = claude(json!({ "messages": [
        { "role": "user", "content": "x" },
        { "role": "assistant", "content": null, "tool_calls": [call("t", "f", "{}")],
          "extra_content": { "anthropic": { "thinking_blocks": blocks } } },
        { "role": "tool", "tool_call_id": "t", "content": "1" } ] }));
    assert_eq!(body["messages"][1]["content"][0], blocks[0]);
    assert_eq!(body["messages"][1]["content"][1], blocks[1]);
}

#[test]
fn trap_11_only_the_user_becomes_metadata_and_headers_are_those_of_the_provider() {
    let body = json!({ "model": "m", "user": "u-1", "metadata": { "team": "a" }, "messages": [{ "role": "user", "content": "x" }] });
    let wire = encode(Dialect::Anthropic, body.to_string().as_bytes(), "m", &ModelLimits::default()).unwrap();
    let sent: Value = serde_json::from_slice(&wire.body).unwrap();
    assert_eq!(sent["metadata"], json!({ "user_id": "u-1" }));
    assert!(wire.headers.contains(&("anthropic-version", "2023-06-01".to_owned())));
    assert_eq!(Dialect::Anthropic.key_header(), KeyHeader::Named("x-api-key"));
}

#[test]
fn trap_12_a_schema_for_the_answer_only_where_the_model_takes_one() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "additionalProperties": false });
    let format = json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "n", "strict": true, "schema": schema } } });
    assert_eq!(claude(format.clone())["output_config"]["format"]["schema"], schema);
    let old = |more: Value| {
        let mut asked = format.clone();
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        try_sent(Dialect::Anthropic, "claude-3-5-haiku", asked)
    };
    let name = "plantocode_structured_answer";
    let forced = old(json!({})).unwrap();
    assert!(forced["output_config"].is_null());
    assert_eq!((&forced["tools"][0]["name"], &forced["tools"][0]["input_schema"]), (&json!(name), &schema));
    let only = json!({ "type": "tool", "name": name, "disable_parallel_tool_use": true });
    assert_eq!(forced["tool_choice"], only);
    let beside = old(json!({ "tools": [tool("read")] })).unwrap();
    assert_eq!(
        (beside["tools"].as_array().unwrap().len(), &beside["tool_choice"]),
        (2, &json!({ "type": "any" }))
    );
    assert_eq!(old(json!({ "tools": [tool("read")], "tool_choice": "none" })).unwrap()["tool_choice"], only);
    let certain = json!({ "type": "function", "function": { "name": "read" } });
    let certain = old(json!({ "tools": [tool("read")], "tool_choice": certain })).unwrap();
    assert_eq!(
        (certain["tools"].as_array().unwrap().len(), &certain["tool_choice"]["name"]),
        (1, &json!("read"))
    );
    assert!(old(json!({ "tools": [tool(name)] })).unwrap_err().contains("a tool called"));
    let mut reasons = format.clone();
    reasons["reasoning_effort"] = json!("high");
    let refused = try_sent(Dialect::Anthropic, "claude-sonnet-4", reasons).unwrap_err();
    assert!(refused.contains("together with reasoning"), "{refused}");
    let list =
        json!({ "json_schema": { "name": "n", "schema": { "type": "array" } }, "type": "json_schema" });
    assert!(old(json!({ "response_format": list })).unwrap_err().contains("not that of an object"));
    let new = gemini(format.clone())["generationConfig"].clone();
    assert_eq!((&new["responseMimeType"], &new["responseJsonSchema"]), (&json!("application/json"), &schema));
    let old = sent(Dialect::Gemini, "gemini-2.0-flash", format.clone())["generationConfig"].clone();
    assert!(old["responseJsonSchema"].is_null() && old["responseSchema"]["additionalProperties"].is_null());
    let responses = sent(Dialect::OpenAiResponses, "gpt-5.4", format)["text"]["format"].clone();
    assert_eq!(
        (&responses["type"], &responses["schema"], &responses["strict"]),
        (&json!("json_schema"), &schema, &json!(true))
    );
}

/// A schema of a few lines can stand for one of any size.
#[test]
fn trap_21_stream_options_only_where_they_are_taken() {
    let asked = json!({ "stream_options": { "include_usage": true } });
    assert_eq!(sent(Dialect::OpenAi, "gpt-5.4", json!({}))["stream_options"], asked["stream_options"]);
    assert!(sent(Dialect::OpenRouter, "a/b", asked.clone())["stream_options"].is_null());
    let refusing = ModelLimits { stream_options: false, ..ModelLimits::default() };
    let body =
        json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }], "stream_options": {} });
    let wire = encode(Dialect::Compatible, body.to_string().as_bytes(), "m", &refusing).unwrap();
    assert!(!String::from_utf8(wire.body.to_vec()).unwrap().contains("stream_options"));
}
