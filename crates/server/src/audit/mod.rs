//! One chain of records per start of a server: what was asked, what left, how it ended.

mod chain;
mod wire;
mod writer;

pub use chain::{ChainReport, verify_chain};
pub(crate) use wire::{Entry, Event, Located};
pub(crate) use writer::Audit;
