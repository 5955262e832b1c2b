//! The device link: a phone and a desktop that trust each other talk through a hub that neither of them trusts.
//!
//! Both ends use this crate, and the hub uses its [`envelope`] types. A phone is [`pairing`]'s initiator once and then
//! begins a [`session`] with the desktop; inside it an `rpc::Link` runs as on any other transport. Terminal bytes
//! travel beside it as sealed [`record`]s in [`ptc1`] frames. [`client`] is the desktop's end with its socket.
//!
//! What it does not know: terminals, methods of the API, files, accounts, who may do what. It hands out links with
//! the name of the peer they belong to; the engine decides what such a caller may do and keeps the list of peers.
//! It stores nothing, and takes time and randomness from its caller.
//!
//! Start reading with [`envelope`], then [`session`]; `docs/protocol.md` has the same with byte vectors. The phone's
//! end is in `ui/client/relay`, in TypeScript, and is checked against this one by `tests/it/phone.rs`.

pub mod acceptor;
pub mod bytes;
pub mod certificate;
pub mod client;
pub mod envelope;
mod error;
pub mod keys;
mod limits;
pub mod noise;
pub mod pairing;
pub mod proof;
pub mod ptc1;
pub mod record;
pub mod sealing;
mod secret_text;
pub mod session;
pub mod words;

pub use error::RelayError;

use std::sync::Arc;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Fills a buffer with randomness that cannot be guessed.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;
