//! OpenRouter: chat completions of many providers, with the cost in the usage and errors inside a success.

use super::compatible::older_limit_name;
use super::openai::chat_request;
use super::{WireRequest, ask_for_stream};
use crate::{ChatRequest, LlmError};

pub(super) fn encode(mut request: ChatRequest, upstream_model: &str) -> Result<WireRequest, LlmError> {
    let mut notes = Vec::new();
    // Usage always comes; the option has no effect there.
    ask_for_stream(&mut request, upstream_model, false, &mut notes)?;
    older_limit_name(&mut request, &mut notes);
    chat_request(request, notes)
}
