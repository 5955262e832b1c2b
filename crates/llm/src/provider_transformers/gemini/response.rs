//! A whole answer of `generateContent`, or the list of events that a stream becomes without `alt=sse`.

use serde_json::value::RawValue;

use super::stream::Decoder;
use crate::provider_transformers::{failure, folded};
use crate::{ChatResponse, LlmError, Usage, body_hash};

pub(in super::super) fn decode_response(
    created: u64,
    body: &[u8],
) -> Result<(ChatResponse, Option<Usage>), LlmError> {
    let garbled = |error: serde_json::Error| LlmError::Garbled(format!("an answer: {error}"));
    let whole: &RawValue = serde_json::from_slice(body).map_err(garbled)?;
    let parts: Vec<&RawValue> = match whole.get().starts_with('[') {
        true => serde_json::from_str(whole.get()).map_err(garbled)?,
        false => vec![whole],
    };
    let mut decoder = Decoder::new(created);
    decoder.seed(&body_hash(body));
    let mut events = Vec::new();
    for part in parts {
        if let Some(error) = failure(part.get()) {
            return Err(LlmError::Failed(error));
        }
        decoder.answer(serde_json::from_str(part.get()).map_err(garbled)?, &mut events);
    }
    decoder.end(&mut events);
    folded(events)
}
