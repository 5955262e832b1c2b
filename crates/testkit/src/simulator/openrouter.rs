//! What differs at OpenRouter.

use serde_json::{Value, json};

use super::openai;
use super::plans::Answer;
use super::search::Search;
use super::serve::Reply;
use super::shape::Shape;
use super::{Behaviour, serve};

pub(super) fn error(status: u16, message: &str) -> Value {
    let metadata = json!({ "provider_name": "Simulated", "raw": "{\"error\":\"of somebody else\"}" });
    json!({ "error": { "code": status, "message": message, "metadata": metadata }, "user_id": "user_simulated" })
}

/// An error after the beginning: a chunk that is both.
pub(super) fn error_event() -> Value {
    let mut event = error(503, "Overloaded");
    event["object"] = "chat.completion.chunk".into();
    event["choices"] = json!([{ "index": 0, "delta": { "content": "" }, "finish_reason": "error" }]);
    event
}

/// Chat completions with usage and cost at the end, whoever asked for it, beside a choice that says nothing.
pub(super) fn reply(body: &Value, raw_length: usize, answer: &Answer, behaviour: &Behaviour) -> Reply {
    let mut asked = body.clone();
    if asked["stream"] == true {
        asked["stream_options"] = json!({ "include_usage": true });
    }
    let reply = openai::reply(&asked, raw_length, answer, behaviour);
    serve::changed(reply, Shape::OpenRouter, |event| {
        event["provider"] = "Simulated".into();
        if let Some(search) = &answer.search {
            cite(event, &search.annotations(&answer.text, false));
        }
        if !event["usage"].is_object() {
            return;
        }
        let searches = answer.search.as_ref().map_or(0, Search::count);
        event["usage"]["cost"] = json!(0.0012 + 0.02 * searches as f64);
        if searches > 0 {
            event["usage"]["server_tool_use"] = json!({ "web_search_requests": searches });
        }
        event["usage"]["cost_details"] = json!({ "upstream_inference_cost": null });
        if event["choices"].as_array().is_some_and(Vec::is_empty) {
            let delta = json!({ "role": "assistant", "content": "" });
            event["choices"] = json!([{ "index": 0, "delta": delta, "finish_reason": "stop" }]);
        }
    })
}

/// Puts the sources where an answer ends.
fn cite(event: &mut Value, annotations: &Value) {
    let choice = &mut event["choices"][0];
    if choice["finish_reason"].is_null() {
        return;
    }
    let place = if choice["message"].is_object() { "message" } else { "delta" };
    choice[place]["annotations"] = annotations.clone();
}
