//! Anthropic's messages: in as a request, out as a message or its stream.

mod answer;
mod blocks;
mod estimate;
mod pass;
mod request;
mod stream;

pub(super) use answer::{answer, error};
pub use estimate::estimate;
pub(super) use pass::pass;
pub(super) use request::translate;
pub(super) use stream::Writer;

use serde_json::{Value, json};

use crate::{FinishReason, Usage};

/// Anthropic's word for the end of an answer.
fn stop_reason(finish: FinishReason, has_calls: bool) -> &'static str {
    match finish {
        // Some servers say `stop` also when they want a tool to be called.
        FinishReason::Stop | FinishReason::Other if has_calls => "tool_use",
        FinishReason::Stop | FinishReason::Other => "end_turn",
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::ContentFilter => "refusal",
        FinishReason::PauseTurn => "pause_turn",
    }
}

/// Anthropic's `usage`, whose `input_tokens` does not contain the cache; our own members beside it.
fn usage_of(usage: Usage, cost_microusd: Option<u64>) -> Value {
    let cached = usage.cache_read_tokens + usage.cache_write_tokens;
    let mut value = json!({
        "input_tokens": usage.input_tokens.saturating_sub(cached),
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens,
    });
    if usage.estimated {
        value["estimated"] = true.into();
    }
    if let Some(cost) = cost_microusd {
        value["cost_microusd"] = cost.into();
    }
    value
}

/// The id of a message: the provider's where it is one of Anthropic's, otherwise one made of what there is.
fn message_id(given: &str, request_id: &str) -> String {
    match given {
        "" => format!("msg_{request_id}"),
        given if given.starts_with("msg_") => given.to_owned(),
        given => format!("msg_{given}"),
    }
}
