//! How closely images are looked at: OpenAI's `detail` as Gemini's media resolution of a part.

use super::wire::{Content, MediaResolution, Part};
use crate::provider_transformers::given;
use crate::{LlmError, ModelLimits, Thinking};

/// The resolution of an image with this `detail`; `None` where the model decides. The levels:
/// <https://ai.google.dev/gemini-api/docs/media-resolution>.
pub(super) fn resolution(detail: Option<&str>) -> Result<Option<MediaResolution>, LlmError> {
    let level = match detail {
        None | Some("auto") => return Ok(None),
        Some("low") => "MEDIA_RESOLUTION_LOW",
        Some("high") => "MEDIA_RESOLUTION_HIGH",
        Some("original") => "MEDIA_RESOLUTION_ULTRA_HIGH",
        Some(other) => return Err(given::unsupported("Gemini", format!("image detail `{other}`"))),
    };
    Ok(Some(MediaResolution { level }))
}

/// Takes the resolutions away where a model refuses a request that has them in its parts: those before Gemini 3.
pub(super) fn keep_to(contents: &mut [Content], limits: &ModelLimits, notes: &mut Vec<String>) {
    if limits.thinking == Thinking::Level {
        return;
    }
    let parts = contents.iter_mut().flat_map(|content| &mut content.parts);
    if parts.map(forget).fold(false, |before, one| before | one) {
        notes.push("dropped detail of images: this model takes no resolution of a part".into());
    }
}

/// Whether there was one, on the part or among the images of a tool's result.
fn forget(part: &mut Part) -> bool {
    let inside = part.function_response.iter_mut().flat_map(|response| &mut response.parts);
    let among = inside.map(|part| part.media_resolution.take().is_some());
    let among = among.fold(false, |before, one| before | one);
    part.media_resolution.take().is_some() | among
}
