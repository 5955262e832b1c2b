//! Any URL that speaks chat completions: Ollama, llama.cpp, vLLM, and the many hosted ones.

use super::given::refuse_search;
use super::openai::chat_request;
use super::{WireRequest, ask_for_stream};
use crate::{ChatRequest, LlmError, ModelLimits};

pub(super) fn encode(
    mut request: ChatRequest,
    upstream_model: &str,
    limits: &ModelLimits,
) -> Result<WireRequest, LlmError> {
    refuse_search(&request, "an OpenAI-compatible server")?;
    let mut transformations = Vec::new();
    ask_for_stream(&mut request, upstream_model, limits.stream_options, &mut transformations)?;
    older_limit_name(&mut request, &mut transformations);
    chat_request(request, transformations)
}

/// The old name is the one that all of them know.
pub(super) fn older_limit_name(request: &mut ChatRequest, notes: &mut Vec<String>) {
    if request.fields.get("max_tokens").is_some() {
        if request.fields.remove("max_completion_tokens").is_some() {
            notes.push("dropped max_completion_tokens beside max_tokens".into());
        }
    } else if request.fields.rename("max_completion_tokens", "max_tokens") {
        notes.push("renamed max_completion_tokens to max_tokens".into());
    }
}
