//! Finding files with a model: four stages after the local search, each with a manifest of its own, each of which can be
//! skipped, repeated or resumed.
//!
//! What a model names is only ever looked for: a path that does not exist in the granted root, or that the person has
//! unticked, gets no tick by it. An answer that cannot be read fails the stage and says so; it never counts as "no files".

mod apply;
mod ask;

pub(crate) use apply::apply;
pub(crate) use ask::question;

use crate::error::database;
use crate::questions::workflow;
use crate::wire::PlanInput;
use crate::workflow::failed;
use crate::{Engine, Inner};
use ::jobs::{Outcome, SKIPPED, StepContext, StepError};
use api::discovery::{Deepen, FindStage};
use api::jobs::Job;
use rpc::ApiError;
use std::sync::Arc;
use store::jobs::JobRow;

/// The step that makes the local ranking, if there is none for the task as it is.
pub(crate) const RANK: &str = "rank";

/// The reason of a question that has nothing to ask about.
pub(crate) const NOTHING_TO_ASK: &str = "nothing_to_ask";

/// How many files are ranked locally before a model is asked.
const RANKED: usize = 200;

/// Every step, stage by stage.
pub(crate) const STEPS: &[&str] = &[
    RANK,
    "roots.prepare",
    "roots.approve",
    "roots.send",
    "roots.apply",
    "patterns.prepare",
    "patterns.approve",
    "patterns.send",
    "patterns.apply",
    "relevance.prepare",
    "relevance.approve",
    "relevance.send",
    "relevance.apply",
    "extend.prepare",
    "extend.approve",
    "extend.send",
    "extend.apply",
];

/// The steps of a stage; `None` when there is no such stage.
pub(crate) fn stage(name: &str) -> Option<&'static [&'static str]> {
    let from = STEPS.iter().position(|step| step.split_once('.').is_some_and(|(stage, _)| stage == name))?;
    STEPS.get(from..from + 4)
}

/// The name of a stage in steps.
pub(crate) fn name(stage: FindStage) -> &'static str {
    match stage {
        FindStage::Roots => "roots",
        FindStage::Patterns => "patterns",
        FindStage::Relevance => "relevance",
        FindStage::Extend => "extend",
    }
}

const ALL: [FindStage; 4] = [FindStage::Roots, FindStage::Patterns, FindStage::Relevance, FindStage::Extend];

/// Makes the local ranking unless there is one for the task as it is.
pub(crate) async fn rank(inner: &Arc<Inner>, context: &StepContext) -> Result<Outcome, StepError> {
    let session = inner.session(&context.job.session_id.as_str().into()).await.map_err(failed)?;
    if session.ranked_version == Some(session.task_version) {
        return Ok(Outcome::Done(SKIPPED.to_owned()));
    }
    let ranking = crate::discovery::search(inner, &session, RANKED).await.map_err(failed)?;
    Ok(Outcome::Done(format!("{} files", ranking.sources.len() + ranking.tests.len())))
}

impl Engine {
    /// Starts a search with a model.
    pub(crate) async fn start_deepen(&self, request: Deepen) -> Result<Job, ApiError> {
        let session = self.inner.session(&request.session).await?;
        if session.task.trim().is_empty() {
            return Err(ApiError::invalid("task_empty", "The task is empty. Describe the change first."));
        }
        let mut stages = request.stages;
        stages.sort_unstable();
        stages.dedup();
        if stages.is_empty() {
            stages = vec![FindStage::Relevance, FindStage::Extend];
        }
        let model = self.inner.model_for_job(request.model).await?;
        let input = serde_json::to_string(&PlanInput { model, base: None })
            .map_err(|e| ApiError::internal(e.to_string()))?;
        let (id, now) = (self.inner.new_id(), self.inner.now());
        let row = JobRow {
            note: "Ranks files, then prepares what would be sent.".to_owned(),
            ..JobRow::queued(id, session.id, workflow::FIND, input, now)
        };
        let id = row.id.clone();
        let passed: Vec<&'static str> = ALL
            .into_iter()
            .filter(|stage| !stages.contains(stage))
            .filter_map(|passed| stage(name(passed)))
            .flatten()
            .copied()
            .collect();
        // Known as passed over before the job can begin: both in one commit.
        let stored = row.clone();
        self.inner
            .store
            .write(move |db| {
                store::jobs::insert(db, &stored)?;
                for step in passed {
                    store::jobs::begin_step(db, &id, step, now)?;
                    store::jobs::end_step(db, &id, step, SKIPPED, now)?;
                }
                Ok(())
            })
            .await
            .map_err(database)?;
        self.inner.told(&row);
        Ok(crate::jobs::view(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_its_four_steps() {
        for known in ALL {
            let steps = stage(name(known)).unwrap();
            assert!(steps.iter().all(|step| step.starts_with(name(known))), "{steps:?}");
            assert!(steps[0].ends_with(".prepare") && steps[3].ends_with(".apply"));
        }
        assert_eq!((stage(""), stage("rank")), (None, None));
    }
}
