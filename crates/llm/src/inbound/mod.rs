//! The dialects that requests come in: each is read into the canonical request, and the canonical answer is written
//! back in the caller's own.
//!
//! [`Inbound::parse`] reads a body, [`Inbound::encode`] makes the request for one route, [`Writer`] writes a stream and
//! [`Inbound::answer`] a whole answer. A request whose route speaks its own dialect passes through: the bytes that came
//! leave with another model, unknown fields included, and what comes back is [`Verbatim`]. Any other route gets the
//! translation; what that leaves out stands in the transformations.

mod canonical;
mod carried;
mod chat;
mod messages;
pub mod multipart;
mod pieces;
pub(crate) mod recording;
mod responses;
pub mod transcription;
mod verbatim;

use bytes::{BufMut as _, Bytes, BytesMut};
use serde::Serialize;
use serde_json::{Map, Value};

use canonical::Translated;
pub use messages::estimate as estimate_messages;
pub use verbatim::{Gathered, Original, Verbatim};

use crate::provider_transformers::encode_parsed;
use crate::{
    ChatRequest, ChatResponse, Dialect, Fields, LlmError, ModelLimits, StreamEvent, Thinking, Usage,
    WebSearch, WireRequest,
};

/// A dialect in which requests are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// OpenAI's chat completions: the canonical form itself.
    Chat,
    /// Anthropic's messages.
    Messages,
    /// OpenAI's responses, without anything that has to be stored.
    Responses,
}

/// A request as it came, and what is known of it.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// The dialect it came in.
    pub door: Door,
    /// The model that was asked for.
    pub model: String,
    /// Whether the caller wants a stream.
    pub stream: bool,
    /// Whether the caller wants usage at the end of a stream of chat completions.
    pub include_usage: bool,
    /// The output limit the caller set.
    pub max_tokens: Option<u64>,
    /// How many answers the caller wants, at least one.
    pub answers: u64,
    /// What the provider may look up on the web, for what that may cost.
    pub web_search: Option<WebSearch>,
    /// The request in canonical form. Of a chat request these are the bytes that came.
    pub canonical: Bytes,
    /// That, parsed, where it is sent as it came; until it is.
    chat: Option<ChatRequest>,
    /// Headers that go on to a provider of the same dialect.
    headers: Vec<(&'static str, String)>,
    original: Bytes,
    /// Fields of the request that the answer repeats.
    echo: Map<String, Value>,
    /// Whether xAI takes the request as it is, but for details.
    as_at_xai: bool,
}

/// Why there is no answer, or no rest of one.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// The HTTP status it has, or would have had.
    pub status: u16,
    /// The stable code.
    pub code: &'a str,
    /// A sentence for people.
    pub message: &'a str,
    /// The id of the request.
    pub request_id: &'a str,
}

/// Who answers a request, and when.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// Our id of the request; the answer's own where the provider gives none.
    pub request_id: String,
    /// Unix seconds.
    pub created: u64,
    /// Tokens of the prompt as far as they can be told before the provider has.
    pub prompt_estimate: u64,
}

impl Inbound {
    /// Reads a body. Every error is [`LlmError::Malformed`] or [`LlmError::Unsupported`].
    pub fn parse(door: Door, original: Bytes) -> Result<Self, LlmError> {
        let (canonical, echo) = match door {
            Door::Chat => (original.clone(), Map::new()),
            Door::Messages => (messages::translate(&original)?.body()?, Map::new()),
            Door::Responses => (responses::translate(&original)?.body()?, responses::echo(&original)?),
        };
        let chat = ChatRequest::parse(&canonical)?;
        let web_search = match door {
            Door::Chat => chat.web_search.clone(),
            Door::Messages | Door::Responses => own_search(&original)?,
        };
        let as_at_xai = door == Door::Responses && responses::xai::takes(&original)?;
        Ok(Self {
            as_at_xai,
            door,
            model: chat.model.clone(),
            stream: chat.stream,
            include_usage: chat.include_usage,
            max_tokens: chat.max_tokens,
            answers: chat.answers,
            web_search,
            canonical,
            chat: (door == Door::Chat).then_some(chat),
            headers: Vec::new(),
            original,
            echo,
        })
    }

    /// Keeps a header of the request for providers of the same dialect. Only those of [`Door::headers`] are kept.
    pub fn keep_header(&mut self, name: &str, value: &str) {
        if let Some(name) = self.door.headers().iter().find(|known| **known == name) {
            self.headers.push((name, value.to_owned()));
        }
    }

    /// A route has begun to answer, and no other will be asked: what was kept for that is given up. A long answer would hold the
    /// body twice.
    pub fn opened(&mut self) {
        self.chat = None;
    }

    /// Whether a route of this dialect gets the request, and gives the answer, as it is.
    pub fn passes_through(&self, dialect: Dialect) -> bool {
        match (self.door, dialect) {
            (Door::Messages, Dialect::Anthropic) | (Door::Responses, Dialect::OpenAiResponses) => true,
            (Door::Responses, Dialect::Xai) => self.as_at_xai,
            _ => false,
        }
    }

    /// What a provider receives. Deterministic: the same input gives the same bytes.
    pub fn encode(
        &self,
        dialect: Dialect,
        upstream_model: &str,
        limits: &ModelLimits,
    ) -> Result<WireRequest, LlmError> {
        if let Some(chat) = &self.chat {
            return encode_parsed(dialect, chat.clone(), &self.canonical, (upstream_model, limits));
        }
        let passes = self.passes_through(dialect);
        let mut translated = match self.door {
            Door::Chat => return crate::encode(dialect, &self.canonical, upstream_model, limits),
            Door::Messages if passes => {
                return messages::pass(&self.original, &self.headers, upstream_model);
            }
            Door::Messages => messages::translate(&self.original)?,
            Door::Responses if passes && dialect == Dialect::Xai => {
                return responses::xai::pass(&self.original, upstream_model, limits);
            }
            Door::Responses if passes => return responses::pass(&self.original, upstream_model),
            Door::Responses => responses::translate(&self.original)?,
        };
        if let Some(what) = translated.inexpressible {
            return Err(LlmError::Unsupported { provider: "a provider of another dialect", what });
        }
        if matches!(dialect, Dialect::OpenAi | Dialect::XaiChat | Dialect::Compatible) {
            translated.make_plain(dialect == Dialect::OpenAi);
        }
        if !matches!(dialect, Dialect::Anthropic | Dialect::OpenAiResponses | Dialect::Relayed) {
            translated.move_media();
        }
        if self.headers.iter().any(|(name, _)| *name == "anthropic-beta") {
            translated.note("dropped the header anthropic-beta");
        }
        adjust(&mut translated, dialect, limits)?;
        let canonical = translated.body()?;
        let mut wire = crate::encode(dialect, &canonical, upstream_model, limits)?;
        let from = format!("translated from {}", self.door.name());
        translated.notes.insert(0, from);
        wire.transformations.splice(0..0, translated.notes);
        Ok(wire)
    }

    /// The whole answer in the caller's dialect: a JSON document.
    pub fn answer(
        &self,
        opening: &Opening,
        response: &ChatResponse,
        usage: Usage,
        cost_microusd: Option<u64>,
    ) -> Bytes {
        match self.door {
            Door::Chat => document(&chat::Answer::of(response, usage, cost_microusd)),
            Door::Messages => document(&messages::answer(opening, response, usage, cost_microusd)),
            Door::Responses => {
                document(&responses::answer(opening, &self.echo, response, usage, cost_microusd))
            }
        }
    }
}

/// A value as JSON. Its keys are texts and its numbers finite, which is all that encoding can fail for.
fn document(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).unwrap_or_default().into()
}

/// What the catalogue knows better than the caller, who thought of another provider's model.
fn adjust(request: &mut Translated, dialect: Dialect, limits: &ModelLimits) -> Result<(), LlmError> {
    const LONGEST_USER: usize = 64;
    if limits.thinking == Thinking::None && request.fields.remove("reasoning_effort").is_some() {
        request.note("dropped reasoning_effort: the model is not known to reason");
    }
    if dialect != Dialect::OpenAi {
        return Ok(());
    }
    if request.fields.remove("top_k").is_some() {
        request.note("dropped top_k");
    }
    let asked: Option<u64> = request.fields.read("max_tokens")?;
    if let Some(asked) = asked.filter(|asked| *asked > limits.max_output_tokens) {
        request.fields.set("max_tokens", &limits.max_output_tokens)?;
        request.note(format!("lowered max_tokens from {asked} to {}", limits.max_output_tokens));
    }
    let user: Option<String> = request.fields.read("user")?;
    if let Some(user) = user.filter(|user| user.len() > LONGEST_USER) {
        request.fields.set("user", &hex::encode(crate::body_hash(user.as_bytes())))?;
        request.note("replaced a long user by its SHA-256");
    }
    Ok(())
}

impl Door {
    /// The name of the dialect in records.
    pub fn name(self) -> &'static str {
        match self {
            Door::Chat => "OpenAI chat completions",
            Door::Messages => "Anthropic messages",
            Door::Responses => "OpenAI responses",
        }
    }

    /// The request headers that mean something to a provider of the dialect.
    pub fn headers(self) -> &'static [&'static str] {
        match self {
            Door::Messages => &["anthropic-version", "anthropic-beta"],
            Door::Chat | Door::Responses => &[],
        }
    }

    /// An error reply.
    pub fn error(self, failure: &Failure<'_>) -> Value {
        match self {
            Door::Chat | Door::Responses => chat::error(failure),
            Door::Messages => messages::error(failure),
        }
    }

    /// The HTTP status of an error reply: the dialects differ in how they call an overloaded provider.
    pub fn status(self, failure: &Failure<'_>) -> u16 {
        match (self, failure.code) {
            (Door::Messages, "upstream_overloaded") => 529,
            _ => failure.status,
        }
    }
}

/// Writes a stream in the caller's dialect.
#[derive(Debug)]
pub struct Writer(Inner);

#[derive(Debug)]
enum Inner {
    Chat(chat::Writer),
    Messages(Box<messages::Writer>),
    Responses(Box<responses::Writer>),
}

impl Writer {
    /// A writer for the answer to a request.
    pub fn new(inbound: &Inbound, opening: Opening) -> Self {
        Self(match inbound.door {
            Door::Chat => Inner::Chat(chat::Writer::new(opening, inbound.include_usage)),
            Door::Messages => Inner::Messages(Box::new(messages::Writer::new(opening))),
            Door::Responses => {
                Inner::Responses(Box::new(responses::Writer::new(opening, inbound.echo.clone())))
            }
        })
    }

    /// Appends what the caller gets for an event. Ends are written by [`Writer::done`] and [`Writer::failed`].
    pub fn event(&mut self, event: StreamEvent, out: &mut BytesMut) {
        match (&mut self.0, event) {
            (_, StreamEvent::Done(_) | StreamEvent::Error(_)) => {}
            (_, StreamEvent::KeepAlive) => self.keep_alive(out),
            (Inner::Chat(writer), StreamEvent::Chunk(chunk)) => writer.chunk(chunk, out),
            (Inner::Chat(_), StreamEvent::Usage(_)) => {}
            (Inner::Messages(writer), StreamEvent::Chunk(chunk)) => writer.chunk(chunk, out),
            (Inner::Messages(writer), StreamEvent::Usage(usage)) => writer.usage(usage, out),
            (Inner::Responses(writer), StreamEvent::Chunk(chunk)) => writer.chunk(chunk, out),
            (Inner::Responses(_), StreamEvent::Usage(_)) => {}
        }
    }

    /// Appends an event of a provider that speaks the caller's dialect.
    pub fn original(&mut self, original: &Original, out: &mut BytesMut) {
        if let Inner::Responses(writer) = &mut self.0 {
            writer.passed(&original.data);
        }
        original.write(out);
    }

    /// A sign of life.
    pub fn keep_alive(&mut self, out: &mut BytesMut) {
        match &mut self.0 {
            Inner::Messages(writer) => writer.ping(out),
            Inner::Chat(_) | Inner::Responses(_) => out.extend_from_slice(b": keep-alive\n\n"),
        }
    }

    /// The good end, with what was used.
    pub fn done(&mut self, usage: Usage, cost_microusd: Option<u64>, out: &mut BytesMut) {
        match &mut self.0 {
            Inner::Chat(writer) => writer.done(usage, cost_microusd, out),
            Inner::Messages(writer) => writer.done(usage, cost_microusd, out),
            Inner::Responses(writer) => writer.done(usage, cost_microusd, out),
        }
    }

    /// The bad end: nothing after it looks like a good one.
    pub fn failed(&mut self, failure: &Failure<'_>, out: &mut BytesMut) {
        match &mut self.0 {
            Inner::Chat(_) => event(None, &chat::error(failure), out),
            Inner::Messages(_) => event(Some("error"), &messages::error(failure), out),
            Inner::Responses(writer) => writer.failed(failure, out),
        }
    }
}

/// Appends one event.
fn event<T: Serialize + ?Sized>(name: Option<&str>, data: &T, out: &mut BytesMut) {
    if let Some(name) = name {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\n");
    }
    out.extend_from_slice(b"data: ");
    // Texts and numbers can always be written, and bytes into memory too.
    let _ = serde_json::to_writer((&mut *out).writer(), data);
    out.extend_from_slice(b"\n\n");
}

/// What a request of another dialect asks of the provider's own search, where it says how often. Agents offer the tool with
/// every request and seldom use it: for those that give no number nothing is set aside, and what was used is settled.
fn own_search(body: &[u8]) -> Result<Option<WebSearch>, LlmError> {
    let fields = fields(body)?;
    let tools: Vec<Value> = fields.read("tools").ok().flatten().unwrap_or_default();
    let searches = |tool: &&Value| tool["type"].as_str().is_some_and(|kind| kind.starts_with("web_search"));
    let Some(tool) = tools.iter().find(searches) else { return Ok(None) };
    let told = tool["max_uses"].as_u64().or_else(|| fields.read::<u64>("max_tool_calls").ok().flatten());
    Ok(told.map(|most| WebSearch { max_uses: most.min(WebSearch::MOST_USES), allowed_domains: Vec::new() }))
}

/// The fields of a body in another dialect, of which a model and a list are demanded.
fn fields(body: &[u8]) -> Result<Fields, LlmError> {
    let fields: Fields =
        serde_json::from_slice(body).map_err(|error| LlmError::Malformed(error.to_string()))?;
    let model: Option<String> = fields.read("model")?;
    if model.is_none_or(|model| model.is_empty()) {
        return Err(LlmError::Malformed("field `model` is missing".into()));
    }
    Ok(fields)
}
