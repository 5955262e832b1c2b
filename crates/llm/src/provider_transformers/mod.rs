//! One module per wire form: what a provider receives for a canonical request, and what its answer means.
//!
//! A new provider is one module here, one variant of [`Dialect`] with its arms, rows in the catalogue and a folder of
//! golden files.

mod anthropic;
mod compatible;
mod decoder;
mod dialect;
mod gemini;
mod given;
mod openai;
mod openai_responses;
mod openrouter;
mod xai;

use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::value::RawValue;

pub use decoder::StreamDecoder;
pub use dialect::{Dialect, KeyHeader, vendor};
use openai_responses::Vendor;

use crate::{ChatRequest, ChatResponse, Fold, LlmError, ModelLimits, StreamEvent, UpstreamError, Usage};

/// A request exactly as it goes over the wire, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireRequest {
    /// Path, and query where there is one, to append to the base URL. Base URLs follow the habit of each provider's own
    /// SDK: with `/v1` for chat completions and responses, without for Anthropic, Gemini and our proxy.
    pub path: String,
    /// Headers the dialect demands, besides `content-type` and the key.
    pub headers: Vec<(&'static str, String)>,
    /// The body; its SHA-256 is the `upstream_hash` of the audit.
    pub body: Bytes,
    /// Whether the answer will be a stream. Always, except for [`Dialect::Relayed`], where the body decides.
    pub streamed: bool,
    /// Every change that was made to the canonical request, in words, in order.
    pub transformations: Vec<String>,
}

/// What the provider receives for a canonical request. Deterministic: the same input gives the same bytes.
///
/// The upstream is always asked to stream (a stream can be cancelled and watched), whatever the caller wants.
pub fn encode(
    dialect: Dialect,
    canonical: &[u8],
    upstream_model: &str,
    limits: &ModelLimits,
) -> Result<WireRequest, LlmError> {
    encode_parsed(dialect, ChatRequest::parse(canonical)?, canonical, (upstream_model, limits))
}

/// The same for a request that was parsed already.
pub(crate) fn encode_parsed(
    dialect: Dialect,
    request: ChatRequest,
    canonical: &[u8],
    (upstream_model, limits): (&str, &ModelLimits),
) -> Result<WireRequest, LlmError> {
    match dialect {
        Dialect::OpenAi => openai::encode(request, upstream_model),
        Dialect::Compatible => compatible::encode(request, upstream_model, limits),
        Dialect::Anthropic => anthropic::encode(&request, upstream_model, limits),
        Dialect::Gemini => gemini::encode(&request, upstream_model, limits),
        Dialect::OpenAiResponses => {
            openai_responses::encode(&request, upstream_model, limits, Vendor::OpenAi)
        }
        Dialect::Xai => openai_responses::encode(&request, upstream_model, limits, Vendor::Xai),
        Dialect::XaiChat => xai::encode(request, upstream_model, limits),
        Dialect::OpenRouter => openrouter::encode(request, upstream_model),
        Dialect::Relayed => Ok(WireRequest {
            path: "/v1/chat/completions".into(),
            headers: Vec::new(),
            streamed: request.stream,
            body: Bytes::copy_from_slice(canonical),
            transformations: Vec::new(),
        }),
    }
}

/// Reads a whole, non-streamed answer; `None` as usage means that the provider did not report any.
pub fn decode_response(
    dialect: Dialect,
    created: u64,
    body: &[u8],
) -> Result<(ChatResponse, Option<Usage>), LlmError> {
    match dialect {
        Dialect::Anthropic => anthropic::decode_response(created, body),
        Dialect::Gemini => gemini::decode_response(created, body),
        Dialect::OpenAiResponses | Dialect::Xai => openai_responses::decode_response(created, body),
        Dialect::OpenRouter | Dialect::Compatible => openai::decode_response(body, true),
        Dialect::OpenAi | Dialect::XaiChat | Dialect::Relayed => openai::decode_response(body, false),
    }
}

/// Reads an error body of any dialect. The raw body is never part of the result.
pub fn decode_error(status: u16, body: &[u8]) -> UpstreamError {
    UpstreamError::from_body(status, body)
}

/// The error that stands where an event or an answer should: an object with a non-null `error`, or a list of such, as
/// some of Google's doors send it.
fn failure(data: &str) -> Option<UpstreamError> {
    #[derive(Deserialize)]
    struct Probe<'a> {
        #[serde(borrow, default)]
        error: Option<&'a RawValue>,
    }
    // Nearly every event is spared the second parse.
    let failed = data.starts_with('[')
        || (says_error(data)
            && serde_json::from_str::<Probe<'_>>(data).is_ok_and(|probe| probe.error.is_some()));
    failed.then(|| UpstreamError::from_body(200, data.as_bytes()))
}

/// Whether the word stands in it in quotes.
fn says_error(data: &str) -> bool {
    static WORD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"error\""));
    WORD.find(data.as_bytes()).is_some()
}

/// The whole answer that is made of these events.
fn folded(events: Vec<StreamEvent>) -> Result<(ChatResponse, Option<Usage>), LlmError> {
    let (mut fold, mut usage) = (Fold::default(), None);
    for event in events {
        match event {
            StreamEvent::Chunk(chunk) => fold.push(chunk),
            StreamEvent::Usage(latest) => usage = Some(latest),
            StreamEvent::Error(error) => return Err(LlmError::Failed(error)),
            StreamEvent::Done(_) | StreamEvent::KeepAlive => {}
        }
    }
    Ok((fold.finish(), usage))
}

/// Sets the upstream model and asks for a stream: common to everything that speaks chat completions.
fn ask_for_stream(
    request: &mut ChatRequest,
    upstream_model: &str,
    stream_options: bool,
    notes: &mut Vec<String>,
) -> Result<(), LlmError> {
    if request.fields.set("model", upstream_model)? {
        notes.push(format!("set model to {upstream_model}"));
    }
    if request.fields.set("stream", &true)? {
        notes.push("set stream to true".into());
    }
    if stream_options {
        let mut options: crate::Fields = request.fields.read("stream_options")?.unwrap_or_default();
        if options.set("include_usage", &true)? {
            request.fields.set("stream_options", &options)?;
            notes.push("set stream_options.include_usage to true".into());
        }
    } else if request.fields.remove("stream_options").is_some() {
        notes.push("dropped stream_options".into());
    }
    Ok(())
}
