//! The engine's own record of what left: intent before the first byte, outcome after the last.

use crate::Inner;
use crate::permissions::BY_PERMISSION;
use crate::wire::{AuditIntent, AuditOutcome, AuditTry, Ending, Sent, StoredManifest};
use gateway::Journal;
use store::approvals::ApprovalRow;

pub(crate) const INTENT: &str = "intent";
pub(crate) const OUTCOME: &str = "outcome";

/// The version of the records.
pub(crate) const VERSION: u32 = 1;

impl Inner {
    /// Records that a request is about to leave. It must not leave unless this succeeded and is true: it is false when the
    /// permission by which it was approved has ended.
    pub(crate) async fn record_intent(
        &self,
        row: &ApprovalRow,
        stored: &StoredManifest,
    ) -> store::Result<bool> {
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
        let permission = row.by.as_deref().and_then(|by| by.strip_prefix(BY_PERMISSION)).map(str::to_owned);
        self.store
            .write(move |db| {
                // In one step with the record: what is withdrawn from now on finds the request under way.
                let permission = permission.map(|id| store::permissions::get(db, &id)).transpose()?;
                if permission.is_some_and(|row| row.is_none_or(|row| !row.holds_at(now))) {
                    return Ok(false);
                }
                store::audit::append(db, &job, &approval, INTENT, &record, now)?;
                Ok(true)
            })
            .await
    }

    /// Whether a request of this approval may have left before.
    pub(crate) async fn has_sent(&self, approval: &str) -> store::Result<bool> {
        let approval = approval.to_owned();
        let intents = self.store.read(move |db| store::audit::count(db, &approval, INTENT)).await?;
        Ok(intents > 0)
    }
}

impl Inner {
    /// How a request ended, if that was recorded: the engine may have ended between the record and the end of the step.
    pub(crate) async fn settled(&self, approval: &str) -> store::Result<Option<Sent>> {
        let outcome = self.outcome(approval).await?;
        Ok(outcome.map(|outcome| Sent {
            ending: match outcome.outcome.as_str() {
                "served" => Ending::Finished,
                "canceled" => Ending::Canceled,
                _ => Ending::Broken,
            },
            trouble: outcome.error,
            alarm: outcome.upstream.as_deref().and_then(crate::upstream::alarm).map(str::to_owned),
        }))
    }

    /// The record of how a request ended, if there is one.
    pub(crate) async fn outcome(&self, approval: &str) -> store::Result<Option<AuditOutcome>> {
        let approval = approval.to_owned();
        let record = self.store.read(move |db| store::audit::last(db, &approval, OUTCOME)).await?;
        Ok(record.and_then(|record| serde_json::from_slice(&record).ok()))
    }

    /// Whether a request left and nobody recorded how it ended.
    pub(crate) async fn is_unsettled(&self, approval: &str) -> store::Result<bool> {
        let approval = approval.to_owned();
        let counted = self.store.read(move |db| {
            Ok((store::audit::count(db, &approval, INTENT)?, store::audit::count(db, &approval, OUTCOME)?))
        });
        let (intents, outcomes) = counted.await?;
        Ok(intents > outcomes)
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
