//! What was spent, and the record of what left.

use crate::Engine;
use crate::error::database;
use api::Empty;
use api::usage::{ModelUsage, RecordVerdict, UsageReport, UsageSince, UsageSummary};
use rpc::{ApiError, Caller};
use store::audit::Verdict;

impl UsageReport for Engine {
    async fn since(&self, _: &Caller, request: UsageSince) -> Result<UsageSummary, ApiError> {
        let since = i64::try_from(request.since).unwrap_or(i64::MAX);
        let sums = self.inner.store.read(move |db| store::usage::since(db, since)).await.map_err(database)?;
        Ok(UsageSummary {
            cost: sums.iter().map(|sum| sum.cost).sum(),
            unpriced: sums.iter().map(|sum| sum.unpriced).sum(),
            models: sums
                .into_iter()
                .map(|sum| ModelUsage {
                    model: format!("{}/{}", sum.provider, sum.model),
                    requests: sum.requests,
                    input_tokens: sum.input_tokens,
                    output_tokens: sum.output_tokens,
                    cost: sum.cost,
                })
                .collect(),
        })
    }

    async fn verify_record(&self, _: &Caller, _: Empty) -> Result<RecordVerdict, ApiError> {
        Ok(match self.inner.store.read(store::audit::verify).await.map_err(database)? {
            Verdict::Whole { records } => RecordVerdict { records, broken_at: None },
            Verdict::Broken { at } => {
                let at = at.max(1).cast_unsigned();
                RecordVerdict { records: at - 1, broken_at: Some(at) }
            }
        })
    }
}
