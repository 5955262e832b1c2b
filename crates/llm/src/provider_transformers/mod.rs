//! One module per wire form: what a provider receives for a canonical request, and what its answer means.
//!
//! A new provider is one module here, one arm in [`encode`], [`StreamDecoder`] and [`decode_response`], rows in the
//! catalogue and golden tests.

mod anthropic;
mod compatible;
mod openai;

use bytes::Bytes;

use crate::sse::{SseDecoder, SseEvent};
use crate::{ChatRequest, ChatResponse, LlmError, ModelLimits, StreamEvent, UpstreamError, Usage};

/// A wire form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Dialect {
    /// OpenAI's own chat completions.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Any URL that speaks chat completions.
    Compatible,
    /// Our own proxy: the canonical bytes pass unchanged, as approved.
    Relayed,
}

/// Where the key of a provider stands in a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyHeader {
    /// `authorization: Bearer KEY`
    Bearer,
    /// The key alone under this name.
    Named(&'static str),
}

impl Dialect {
    /// Where the key stands.
    pub fn key_header(self) -> KeyHeader {
        match self {
            Dialect::Anthropic => KeyHeader::Named("x-api-key"),
            Dialect::OpenAi | Dialect::Compatible | Dialect::Relayed => KeyHeader::Bearer,
        }
    }

    /// The name used in configuration: `openai`, `anthropic`, `compatible`, `relayed`.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::OpenAi => "openai",
            Dialect::Anthropic => "anthropic",
            Dialect::Compatible => "compatible",
            Dialect::Relayed => "relayed",
        }
    }
}

impl std::str::FromStr for Dialect {
    type Err = LlmError;

    fn from_str(name: &str) -> Result<Self, LlmError> {
        [Dialect::OpenAi, Dialect::Anthropic, Dialect::Compatible, Dialect::Relayed]
            .into_iter()
            .find(|dialect| dialect.name() == name)
            .ok_or_else(|| LlmError::Malformed(format!("`{name}` is not a dialect")))
    }
}

/// A request exactly as it goes over the wire, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireRequest {
    /// Path to append to the base URL. Base URLs follow the habit of each provider's own SDK: with `/v1` for
    /// chat completions, without for Anthropic and for our proxy.
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
    let request = ChatRequest::parse(canonical)?;
    match dialect {
        Dialect::OpenAi => openai::encode(request, upstream_model),
        Dialect::Compatible => compatible::encode(request, upstream_model, limits),
        Dialect::Anthropic => anthropic::encode(&request, upstream_model, limits),
        Dialect::Relayed => Ok(WireRequest {
            path: "/v1/chat/completions".into(),
            headers: Vec::new(),
            streamed: request.stream,
            body: Bytes::copy_from_slice(canonical),
            transformations: Vec::new(),
        }),
    }
}

/// Decodes the stream of one answer. Bytes go in as they arrive, events come out in order.
#[derive(Debug)]
pub struct StreamDecoder {
    sse: SseDecoder,
    inner: Inner,
    /// `Done` or `Error` has been given: whatever follows is noise.
    closed: bool,
}

#[derive(Debug)]
enum Inner {
    Chat(openai::Decoder),
    Anthropic(Box<anthropic::Decoder>),
}

impl StreamDecoder {
    /// A decoder for one answer. `created` (Unix seconds) is stamped on chunks of dialects that carry no time.
    pub fn new(dialect: Dialect, created: u64) -> Self {
        let inner = match dialect {
            Dialect::Anthropic => Inner::Anthropic(Box::new(anthropic::Decoder::new(created))),
            Dialect::OpenAi | Dialect::Compatible | Dialect::Relayed => {
                Inner::Chat(openai::Decoder::default())
            }
        };
        Self { sse: SseDecoder::default(), inner, closed: false }
    }

    /// Takes the next bytes. After an error the decoder must not be used again.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<StreamEvent>, LlmError> {
        let events = self.sse.push(bytes)?;
        self.decode(events)
    }

    /// The connection is over. Ends with `Done` or with `Error`: a stream that simply stops was cut.
    pub fn finish(&mut self) -> Result<Vec<StreamEvent>, LlmError> {
        let events = self.sse.finish()?;
        let mut out = self.decode(events)?;
        if !self.closed {
            self.closed = true;
            out.push(match &self.inner {
                Inner::Chat(chat) => chat.end_of_stream(),
                Inner::Anthropic(_) => StreamEvent::Error(UpstreamError::cut()),
            });
        }
        Ok(out)
    }

    /// Whether the answer is over.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn decode(&mut self, events: Vec<SseEvent>) -> Result<Vec<StreamEvent>, LlmError> {
        let mut out = Vec::with_capacity(events.len());
        for event in events {
            if self.closed {
                break;
            }
            let from = out.len();
            match (event, &mut self.inner) {
                (SseEvent::Comment, _) => out.push(StreamEvent::KeepAlive),
                (SseEvent::Message { data, .. }, Inner::Chat(chat)) => chat.message(&data, &mut out)?,
                (SseEvent::Message { data, .. }, Inner::Anthropic(messages)) => {
                    messages.message(&data, &mut out)?
                }
            }
            self.closed =
                out[from..].iter().any(|event| matches!(event, StreamEvent::Done(_) | StreamEvent::Error(_)));
        }
        Ok(out)
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
        Dialect::OpenAi | Dialect::Compatible | Dialect::Relayed => openai::decode_response(body),
    }
}

/// Reads an error body of any dialect. The raw body is never part of the result.
pub fn decode_error(status: u16, body: &[u8]) -> UpstreamError {
    UpstreamError::from_body(status, body)
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
