//! The engine's own record of what left: intent before the first byte, outcome after the last.

use crate::Inner;
use crate::wire::{AuditIntent, AuditTry, StoredManifest};
use gateway::Journal;
use store::approvals::ApprovalRow;

pub(crate) const INTENT: &str = "intent";
pub(crate) const OUTCOME: &str = "outcome";

/// The version of the records.
pub(crate) const VERSION: u32 = 1;

impl Inner {
    /// Records that a request is about to leave. It must not leave unless this succeeded.
    pub(crate) async fn record_intent(
        &self,
        row: &ApprovalRow,
        stored: &StoredManifest,
    ) -> store::Result<()> {
        let manifest = &stored.manifest;
        let intent = AuditIntent {
            v: VERSION,
            at: self.now(),
            job: &row.job_id,
            approval: &row.id,
            fingerprint: &row.fingerprint,
            body_hash: &row.body_hash,
            body_bytes: manifest.body_bytes,
            files: manifest.files.iter().map(|f| f.path.as_str()).collect(),
            destinations: manifest
                .destinations
                .iter()
                .map(|d| format!("{}/{}", d.provider, d.model))
                .collect(),
            ceiling_microusd: manifest.cost_ceiling,
            door: manifest.door,
            via: &manifest.via,
            by: row.by.as_deref().unwrap_or_default(),
        };
        let record = serde_json::to_vec(&intent).map_err(|e| store::StoreError::Text(e.into()))?;
        let (job, approval, now) = (row.job_id.clone(), row.id.clone(), self.now());
        self.store.write(move |db| store::audit::append(db, &job, &approval, INTENT, &record, now)).await?;
        Ok(())
    }

    /// Whether a request of this approval may have left before.
    pub(crate) async fn has_sent(&self, approval: &str) -> store::Result<bool> {
        let approval = approval.to_owned();
        let intents = self.store.read(move |db| store::audit::count(db, &approval, INTENT)).await?;
        Ok(intents > 0)
    }
}

/// The attempts of a request, for its record.
pub(crate) fn tries(journal: &Journal) -> Vec<AuditTry> {
    journal
        .tries()
        .into_iter()
        .map(|attempt| AuditTry {
            destination: format!("{}/{}", attempt.provider, attempt.model),
            upstream_hash: attempt.upstream_hash,
            transformations: attempt.transformations,
            outcome: attempt.outcome.as_str().to_owned(),
            status: attempt.status,
        })
        .collect()
}
