//! Which wire form an endpoint has, and what differs between them outside of an answer.

use serde_json::{Value, json};

use super::plans::Answer;
use super::serve::Reply;
use super::{Behaviour, anthropic, gemini, openai, openrouter, responses, xai};
use crate::http::Request;

/// Whose wire form an endpoint has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    OpenAi,
    Responses,
    Anthropic,
    Gemini,
    Xai,
    XaiChat,
    OpenRouter,
}

impl Shape {
    pub(super) fn of(method: &str, path: &str) -> Option<Self> {
        match (method, path) {
            ("POST", "/openai/v1/chat/completions") => Some(Shape::OpenAi),
            ("POST", "/openai/v1/responses") => Some(Shape::Responses),
            ("POST", "/anthropic/v1/messages") => Some(Shape::Anthropic),
            ("POST", "/xai/v1/responses") => Some(Shape::Xai),
            ("POST", "/xai/v1/chat/completions") => Some(Shape::XaiChat),
            ("POST", "/openrouter/api/v1/chat/completions") => Some(Shape::OpenRouter),
            ("POST", path) if gemini::model(path).is_some() => Some(Shape::Gemini),
            _ => None,
        }
    }

    pub(super) fn error(self, status: u16, message: &str) -> Value {
        match self {
            Shape::OpenAi | Shape::Responses => openai::error(status, message),
            Shape::Anthropic => anthropic::error(status, message),
            Shape::Gemini => gemini::error(status, message),
            Shape::Xai | Shape::XaiChat => xai::error(status, message),
            Shape::OpenRouter => openrouter::error(status, message),
        }
    }

    /// What is sent when the answer breaks off in the middle.
    pub(super) fn error_event(self) -> Value {
        match self {
            Shape::Anthropic => anthropic::error(529, "Overloaded"),
            Shape::Responses | Shape::Xai => responses::error_event(),
            Shape::OpenRouter => openrouter::error_event(),
            shape => shape.error(503, "Overloaded"),
        }
    }

    /// Says in the body how long to wait, where the provider does that.
    pub(super) fn hint(self, error: &mut Value, retry_after: Option<&str>) {
        if let (Shape::Gemini, Some(seconds)) = (self, retry_after) {
            error["error"]["details"] = json!([
                { "@type": "type.googleapis.com/google.rpc.Help", "links": [] },
                { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s") },
            ]);
        }
    }

    /// Google says it in the body alone.
    pub(super) fn hints_by_header(self) -> bool {
        self != Shape::Gemini
    }

    /// Whether events have an `event:` line.
    pub(super) fn names_events(self) -> bool {
        matches!(self, Shape::Anthropic | Shape::Responses | Shape::Xai)
    }

    /// How many searches of the web a request allows, if it asks for any.
    pub(super) fn searches(self, body: &Value) -> Option<u64> {
        /// As many as one likes, where the provider takes no limit.
        const ANY: u64 = 20;
        let tools = || body["tools"].as_array().into_iter().flatten();
        match self {
            Shape::Anthropic => {
                let tool = tools().find(|tool| tool["type"] == "web_search_20250305")?;
                Some(tool["max_uses"].as_u64().unwrap_or(ANY))
            }
            Shape::Responses | Shape::Xai => {
                tools().find(|tool| tool["type"] == "web_search")?;
                Some(body["max_tool_calls"].as_u64().unwrap_or(ANY))
            }
            Shape::Gemini => tools().find(|tool| tool["google_search"].is_object()).map(|_| ANY),
            Shape::OpenRouter => {
                let mut plugins = body["plugins"].as_array().into_iter().flatten();
                plugins.find(|plugin| plugin["id"] == "web").map(|_| 1)
            }
            Shape::OpenAi | Shape::XaiChat => None,
        }
    }

    /// Refuses what the real endpoint refuses.
    pub(super) fn refusal(self, request: &Request, body: &Value) -> Option<String> {
        match self {
            Shape::OpenAi | Shape::OpenRouter => openai::refusal(body),
            Shape::Responses => responses::refusal(body),
            Shape::Anthropic => anthropic::refusal(body, request.header("anthropic-version")),
            Shape::Gemini => gemini::refusal(body, &request.target),
            Shape::Xai => responses::refusal(body).or_else(|| xai::refusal(body)),
            Shape::XaiChat => openai::refusal(body).or_else(|| xai::refusal(body)),
        }
    }

    pub(super) fn reply(
        self,
        request: &Request,
        body: &Value,
        answer: &Answer,
        behaviour: &Behaviour,
    ) -> Reply {
        let length = request.body.len();
        match self {
            Shape::OpenAi => openai::reply(body, length, answer, behaviour),
            Shape::Anthropic => anthropic::reply(body, length, answer, behaviour),
            Shape::Gemini => gemini::reply(&request.target, length, answer, behaviour),
            Shape::Responses | Shape::Xai => responses::reply(self, body, length, answer, behaviour),
            Shape::XaiChat => xai::reply(body, length, answer, behaviour),
            Shape::OpenRouter => openrouter::reply(body, length, answer, behaviour),
        }
    }
}
