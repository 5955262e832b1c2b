use super::{Dialect, anthropic, gemini, openai, openai_responses};
use crate::sse::{SseDecoder, SseEvent};
use crate::{LlmError, StreamEvent, UpstreamError};

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
    Gemini(Box<gemini::Decoder>),
    Responses(Box<openai_responses::Decoder>),
}

impl Inner {
    fn message(&mut self, data: &str, out: &mut Vec<StreamEvent>) -> Result<(), LlmError> {
        match self {
            Inner::Chat(chat) => chat.message(data, out),
            Inner::Anthropic(messages) => messages.message(data, out),
            Inner::Gemini(contents) => contents.message(data, out),
            Inner::Responses(items) => items.message(data, out),
        }
    }

    /// The connection is over, and nothing has said that the answer is.
    fn end(&mut self, out: &mut Vec<StreamEvent>) {
        match self {
            Inner::Chat(chat) => out.push(chat.end_of_stream()),
            Inner::Gemini(contents) => contents.end(out),
            Inner::Anthropic(_) | Inner::Responses(_) => out.push(StreamEvent::Error(UpstreamError::cut())),
        }
    }
}

impl StreamDecoder {
    /// A decoder for one answer. `created` (Unix seconds) is stamped on chunks of dialects that carry no time.
    pub fn new(dialect: Dialect, created: u64) -> Self {
        let inner = match dialect {
            Dialect::Anthropic => Inner::Anthropic(Box::new(anthropic::Decoder::new(created))),
            Dialect::Gemini => Inner::Gemini(Box::new(gemini::Decoder::new(created))),
            Dialect::OpenAiResponses | Dialect::Xai => {
                Inner::Responses(Box::new(openai_responses::Decoder::new(created)))
            }
            Dialect::OpenRouter | Dialect::Compatible => Inner::Chat(openai::Decoder::loose()),
            Dialect::OpenAi | Dialect::XaiChat | Dialect::Relayed => Inner::Chat(openai::Decoder::default()),
        };
        Self { sse: SseDecoder::default(), inner, closed: false }
    }

    /// Gives the bytes from which ids are made where the provider sends none, such as the hash of the request; asked for
    /// there alone. The same seed gives the same ids; in one conversation no two answers may share one.
    #[must_use]
    pub fn seeded<S: AsRef<[u8]>>(mut self, seed: impl FnOnce() -> S) -> Self {
        if let Inner::Gemini(contents) = &mut self.inner {
            contents.seed(seed().as_ref());
        }
        self
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
            self.inner.end(&mut out);
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
            match event {
                SseEvent::Comment => out.push(StreamEvent::KeepAlive),
                SseEvent::Message { data, .. } => self.inner.message(&data, &mut out)?,
            }
            self.closed =
                out[from..].iter().any(|event| matches!(event, StreamEvent::Done(_) | StreamEvent::Error(_)));
        }
        Ok(out)
    }
}
