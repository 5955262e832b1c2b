//! Any URL that speaks chat completions: Ollama, llama.cpp, vLLM, and the many hosted ones.

use super::openai::chat_request;
use super::{WireRequest, ask_for_stream};
use crate::{ChatRequest, LlmError, ModelLimits};

pub(super) fn encode(
    mut request: ChatRequest,
    upstream_model: &str,
    limits: &ModelLimits,
) -> Result<WireRequest, LlmError> {
    let mut transformations = Vec::new();
    ask_for_stream(&mut request, upstream_model, limits.stream_options, &mut transformations)?;
    // The old name is the one that all of them know.
    if request.fields.get("max_tokens").is_some() {
        if request.fields.remove("max_completion_tokens").is_some() {
            transformations.push("dropped max_completion_tokens beside max_tokens".into());
        }
    } else if request.fields.rename("max_completion_tokens", "max_tokens") {
        transformations.push("renamed max_completion_tokens to max_tokens".into());
    }
    chat_request(request, transformations)
}
