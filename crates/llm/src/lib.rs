//! The language of models: one canonical chat request and stream, and what each provider makes of them.
//!
//! The canonical form is OpenAI chat completions. [`encode`] turns the canonical bytes into the exact request a
//! provider receives; [`StreamDecoder`] and [`decode_response`] turn its answer back; [`approval`] binds an
//! approval to bytes; [`catalogue`] knows context windows and prices.
//!
//! What this crate does **not** know: the network, clocks, randomness, keys, files. Every function is pure, so a
//! client that links it can recompute, byte for byte, what a proxy sent upstream.
//!
//! Start reading at [`chat`], then [`provider_transformers`], then [`stream`].

pub mod approval;
pub mod catalogue;
pub mod chat;
mod error;
mod extra;
mod fields;
#[doc(hidden)]
pub mod fuzzing;
pub mod inbound;
mod open_object;
mod percent;
pub mod provider_transformers;
pub mod response;
pub mod search;
mod speech;
pub mod sse;
pub mod stream;
pub mod upstream;
mod usage;

pub use approval::{Approval, Destination, body_hash};
pub use catalogue::{Catalogue, LongPrices, ModelLimits, Prices, Thinking};
pub use chat::ChatRequest;
pub use error::{LlmError, UpstreamError};
pub use extra::Extra;
pub use fields::Fields;
pub use provider_transformers::{
    Dialect, KeyHeader, StreamDecoder, WireRequest, decode_error, decode_response, encode, vendor,
};
pub use response::{ChatResponse, Fold};
pub use search::{SearchLimit, Source, WebSearch};
pub use speech::{LONGEST_TRANSCRIPT, SpeechPrices, SpeechTokenPrices};
pub use stream::{ChatChunk, FinishReason, StreamEvent};
pub use usage::{Tally, Usage, counted_bytes};
