//! The versions of a plan, and what differs between two of them.

use crate::Inner;
use crate::error::database;
use api::PlanId;
use api::review::{DiffLine, DiffPlan, DiffSide, Origin, PlanDiff, PlanVersion, PlanVersions, StepDiff};
use rpc::ApiError;

impl Inner {
    pub(crate) async fn versions(&self, id: &PlanId) -> Result<PlanVersions, ApiError> {
        let row = self.plan_row(id).await?;
        let key = row.id.clone();
        let rows = self.store.read(move |db| store::plan_versions::list(db, &key)).await.map_err(database)?;
        let mut versions = Vec::new();
        if rows.first().is_none_or(|first| first.number != 1) {
            versions.push(PlanVersion {
                number: 1,
                origin: Origin::Model,
                note: "As the model answered.".to_owned(),
                by: row.model.unwrap_or_default(),
                at: row.created_at.max(0).cast_unsigned(),
            });
        }
        versions.extend(rows.into_iter().map(|v| PlanVersion {
            number: v.number,
            origin: serde_json::from_value(serde_json::Value::String(v.origin)).unwrap_or(Origin::Edit),
            note: v.note,
            by: v.made_by,
            at: v.created_at.max(0).cast_unsigned(),
        }));
        Ok(PlanVersions { versions })
    }

    pub(crate) async fn plan_diff(&self, request: &DiffPlan) -> Result<PlanDiff, ApiError> {
        let row = self.finished_row(&request.plan).await?;
        let before = self.version(&row, Some(request.from)).await?;
        let after = self.version(&row, Some(request.to)).await?;
        let (old, new) = (before.ids(), after.ids());
        let found = plan::diff(
            plan::Version { document: &before.document, ids: &old },
            plan::Version { document: &after.document, ids: &new },
        );
        let line = |line: plan::DiffLine| DiffLine {
            side: match line.side {
                plan::Side::Removed => DiffSide::Removed,
                plan::Side::Added => DiffSide::Added,
                plan::Side::Both => DiffSide::Both,
            },
            text: line.text,
        };
        let step = |d: plan::StepDiff| StepDiff {
            step: d.id,
            before: d.before,
            after: d.after,
            title: d.title,
            lines: d.lines.into_iter().map(line).collect(),
        };
        Ok(PlanDiff { steps: found.into_iter().map(step).collect() })
    }
}
