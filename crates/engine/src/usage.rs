//! What was spent, and the record of what left.

use crate::Engine;
use crate::error::database;
use api::Empty;
use api::usage::{
    ModelUsage, RecordVerdict, UsageBy, UsageGroup, UsageReport, UsageRow, UsageSince, UsageSummary,
    UsageTable,
};
use rpc::{ApiError, Caller};
use store::audit::Verdict;
use store::usage::Group;

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

    async fn by(&self, _: &Caller, request: UsageBy) -> Result<UsageTable, ApiError> {
        let since = i64::try_from(request.since).unwrap_or(i64::MAX);
        let group = match request.group {
            UsageGroup::Day => Group::Day,
            UsageGroup::Session => Group::Session,
            UsageGroup::Model => Group::Model,
            UsageGroup::Job => Group::Job,
        };
        let rows = self.inner.store.read(move |db| {
            let sums = store::usage::grouped(db, since, group)?;
            sums.into_iter()
                .map(|sum| {
                    let session = match group {
                        Group::Session => store::sessions::get(db, &sum.key)?,
                        _ => None,
                    };
                    Ok(UsageRow {
                        title: session.map(|session| session.title),
                        key: sum.key,
                        requests: sum.requests,
                        input_tokens: sum.input_tokens,
                        cached_tokens: sum.cached_tokens,
                        output_tokens: sum.output_tokens,
                        cost: sum.cost,
                        unpriced: sum.unpriced,
                    })
                })
                .collect::<store::Result<Vec<_>>>()
        });
        Ok(UsageTable { rows: rows.await.map_err(database)? })
    }

    async fn verify_record(&self, _: &Caller, _: Empty) -> Result<RecordVerdict, ApiError> {
        Ok(match self.inner.store.read(store::audit::verify).await.map_err(database)? {
            Verdict::Whole { records } => {
                let (compared, alarms) =
                    self.inner.store.read(crate::upstream::told).await.map_err(database)?;
                RecordVerdict { records, broken_at: None, compared, alarms }
            }
            Verdict::Broken { at } => {
                let at = at.max(1).cast_unsigned();
                RecordVerdict { records: at - 1, broken_at: Some(at), ..RecordVerdict::default() }
            }
        })
    }
}
