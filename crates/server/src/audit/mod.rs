//! One chain of records per start of a server: what was asked, what left, how it ended.

mod chain;
mod checkpoint;
mod lost;
mod subjects;
mod wire;
mod writer;

use server_store::Store;

use crate::ServerError;
use crate::vault::Vault;
pub use chain::ChainReport;
use chain::verify_chain;
pub use checkpoint::CheckpointReport;
pub(crate) use checkpoint::{Checkpoints, contradiction};
pub(crate) use lost::{BEAT, look_after};
pub(crate) use wire::{Change, Entry, Event, Located};
pub(crate) use writer::{Audit, Ending};

/// What a walk over everything found.
#[derive(Debug)]
pub struct AuditReport {
    /// Each chain.
    pub chains: Vec<ChainReport>,
    /// The signed checkpoints, compared with the chains.
    pub checkpoints: CheckpointReport,
}

impl AuditReport {
    /// Whether nothing is broken.
    pub fn is_intact(&self) -> bool {
        self.checkpoints.broken.is_none() && self.chains.iter().all(|chain| chain.broken.is_none())
    }
}

/// Walks every chain and the checkpoints.
pub(crate) async fn verify_all(store: &Store, vault: &Vault) -> Result<AuditReport, ServerError> {
    let mut chains = Vec::new();
    for node in store.audit_nodes().await? {
        chains.push(verify_chain(store, &node).await?);
    }
    Ok(AuditReport { chains, checkpoints: checkpoint::verify(store, vault).await? })
}
