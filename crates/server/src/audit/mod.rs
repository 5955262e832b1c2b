//! One chain of records per start of a server: what was asked, what left, how it ended.

mod chain;
mod record;
mod writer;

pub use chain::{ChainReport, verify_chain};
pub(crate) use record::{Entry, Event};
pub(crate) use writer::Audit;
