//! Calls and streams between a client and a [`Router`], over any [`Link`].
//!
//! What it is for: one typed API served to every host. A host turns its transport into a [`Link`], gives the
//! other end's authority as a [`Caller`], and calls [`serve`]; a client calls [`connect`]. Frames are JSON-RPC 2.0
//! with streams in the manner of LSP (`docs/protocol.md`, section 1).
//!
//! What it does not know: sockets, runtimes, the methods of PlanToCode, storage. Nothing here spawns a task;
//! the futures it returns are driven by the host.
//!
//! Start reading at [`frame`] (what crosses a link), then [`serve`] and [`client`].

pub mod caller;
pub mod client;
pub mod error;
pub mod frame;
pub mod link;
mod macros;
pub mod observe;
pub mod once;
mod out;
pub mod record;
pub mod router;
pub mod serve;

pub use caller::{Caller, Scope, Scopes};
pub use client::{Client, Feed, Subscription, connect};
pub use error::{ApiError, ErrorCode};
pub use frame::{Frame, RequestId};
pub use link::{Link, Message};
pub use observe::{Crossed, Observer, Seen};
pub use once::{Keyed, Once};
pub use record::{Consumed, Record, RecordStream};
pub use router::{Kind, MethodSpec, Router};
pub use serve::{serve, serve_within};

/// Names the [`api!`] macro needs from other crates, so that its users need not depend on them.
#[doc(hidden)]
pub mod __private {
    pub use futures_util::stream::BoxStream;
    pub use std::sync::Arc;
}

/// The items of one stream method, in order; an `Err` ends the stream.
pub type ItemStream<T> = futures_util::stream::BoxStream<'static, Result<T, ApiError>>;
