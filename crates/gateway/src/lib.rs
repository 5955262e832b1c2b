//! Sends a canonical chat request to a model and brings the answer back, over HTTP.
//!
//! Routes are tried in order until one answers; a stream can be cancelled at any moment, and what was used is known
//! on every way out. The same crate serves the proxy server (many keys, many providers) and a client with its own
//! key or with the proxy as its only route.
//!
//! What this crate does **not** know: who is asking, what was approved, where keys are kept, prices, databases.
//! It reads no clock but the timer of the runtime.
//!
//! Start reading at [`Gateway::stream`], then `chat_stream.rs`.

mod calls;
mod chat_stream;
mod client;
mod config;
mod delivery;
mod error;
mod fetch;
mod health;
mod journal;
mod retry;
mod send;
mod served;
mod transcribe;

pub use chat_stream::ChatStream;
pub use config::{GatewayConfig, Route};
pub use delivery::Delivery;
pub use error::GatewayError;
pub use fetch::Fetch;
pub use health::{HealthConfig, Resting, RouteHealth};
pub use journal::{Journal, Outcome, Try};
pub use send::{Completed, Gateway, Send};
pub use served::Served;
pub use tokio_util::sync::CancellationToken;
pub use transcribe::TranscriptStream;
