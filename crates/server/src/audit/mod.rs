//! One chain of records per start of a server: what was asked, what left, how it ended.

mod chain;
mod checkpoint;
mod wire;
mod writer;

pub use chain::{ChainReport, verify_chain};
pub use checkpoint::CheckpointReport;
pub(crate) use checkpoint::{Checkpoints, contradiction, verify as verify_checkpoints};
pub(crate) use wire::{Entry, Event, Located};
pub(crate) use writer::{Audit, Ending};
