//! Plans: started, followed, read, checked again, exported.

use crate::error::{database, no_plan};
use crate::live::Following;
use crate::plan_view;
use crate::questions::workflow;
use crate::wire::{Ending, PlanInput, Sent};
use crate::workflow::with_findings;
use crate::{Engine, Inner};
use api::PlanId;
use api::events::Topic;
use api::jobs::Job;
use api::plans::{ExportPlan, ExportedPlan, GetPlan, Plan, PlanEvent, PlanList, PlanState, Plans, StartPlan};
use api::review::{
    AskStep, CommentStep, ComparePlans, Comparison, CompletePlan, DecideSteps, DiffPlan, DraftPlan, EditStep,
    GetPlanStatus, MergeByModel, MergePlans, PlanDiff, PlanStatus, PlanVersions, RepairStep, RevertPlan,
    SavePlan, SavedPlan,
};
use api::sessions::GetSession;
use futures_util::StreamExt;
use rpc::{ApiError, Caller, ItemStream};
use std::sync::Arc;
use store::jobs::JobRow;
use store::plans::PlanRow;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

/// Closes plans that were being written by a job which has ended without closing them: the process died in between.
pub(crate) async fn close_orphans(inner: &Inner) -> store::Result<()> {
    let orphans = inner.store.read(store::plans::orphans).await?;
    for (plan, note) in orphans {
        let sent = Sent { ending: Ending::Broken, trouble: Some(note), alarm: None };
        if let Err(error) = inner.conclude(&plan, &sent).await {
            tracing::error!(%error, "an unfinished plan cannot be closed");
        }
    }
    Ok(())
}

impl Inner {
    pub(crate) async fn plan_row(&self, id: &PlanId) -> Result<PlanRow, ApiError> {
        let key = id.0.clone();
        let row = self.store.read(move |db| store::plans::get(db, &key)).await.map_err(database)?;
        row.ok_or_else(|| no_plan(id))
    }

    pub(crate) async fn plan(&self, id: &PlanId) -> Result<Plan, ApiError> {
        let row = self.plan_row(id).await?;
        if row.state == plan_view::STREAMING
            && let Some(Following { steps, title, .. }) = self.live.follow(&id.0)
        {
            let step_count = plan_view::count(steps.len());
            return Ok(Plan { steps, title, step_count, ..plan_view::head(row) });
        }
        self.reviewed(row).await
    }

    /// Checks a plan against the project as it is now.
    pub(crate) async fn verify_plan(&self, id: &PlanId) -> Result<Plan, ApiError> {
        let row = self.plan_row(id).await?;
        if row.state == plan_view::STREAMING {
            return self.plan(id).await;
        }
        let current = self.version(&row, None).await?;
        let findings = self.check_since(&row, &current.document).await?;
        let row = with_findings(row, &findings).map_err(|e| ApiError::internal(e.to_string()))?;
        let session = row.session_id.clone();
        let stored = self.store.write(move |db| {
            // Checking takes a while: what was found in an older version says nothing of the present one.
            let now = store::plan_versions::latest(db, &row.id)?.map_or(1, |version| version.number);
            if now == current.number && store::plans::get(db, &row.id)?.is_some() {
                store::plans::put(db, &row)?;
            }
            Ok(())
        });
        stored.await.map_err(database)?;
        self.bus.tell(Topic::Plan, &id.0, Some(&session));
        self.plan(id).await
    }

    /// Gives the plan, everything that changes in it, and the plan again when it has ended.
    async fn follow(self: Arc<Inner>, id: PlanId, events: mpsc::Sender<Result<PlanEvent, ApiError>>) {
        let mut changes = self.bus.subscribe();
        let mut following = self.live.follow(&id.0).map(|f| f.events);
        loop {
            let plan = self.plan(&id).await;
            let ended = plan.as_ref().map_or(true, |plan| plan.state != PlanState::Streaming);
            if events.send(plan.map(|plan| PlanEvent::Plan { plan })).await.is_err() || ended {
                return;
            }
            // Until the plan has to be read whole again.
            while let Some(live) = &mut following {
                match live.recv().await {
                    Ok(event) => {
                        if events.send(Ok(event)).await.is_err() {
                            return;
                        }
                    }
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => following = None,
                }
            }
            if following.is_none() {
                tokio::select! {
                    () = events.closed() => return,
                    () = changed(&mut changes, &id) => following = self.live.follow(&id.0).map(|f| f.events),
                }
            }
        }
    }
}

/// Waits for a change of this plan or of its job.
async fn changed(changes: &mut tokio::sync::broadcast::Receiver<api::events::Change>, id: &PlanId) {
    loop {
        match changes.recv().await {
            Ok(change) if change.topic == Topic::Plan && change.id != id.0 => {}
            Ok(change) if matches!(change.topic, Topic::Plan | Topic::Job) => return,
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

impl Plans for Engine {
    async fn start(&self, _: &Caller, request: StartPlan) -> Result<Job, ApiError> {
        let session = self.inner.session(&request.session).await?;
        if session.task.trim().is_empty() {
            return Err(ApiError::invalid("task_empty", "The task is empty. Describe the change first."));
        }
        let model = self.inner.model_for_job(request.model).await?;
        let input = serde_json::to_string(&PlanInput { model, base: None });
        let input = input.map_err(|e| ApiError::internal(e.to_string()))?;
        let (id, now) = (self.inner.new_id(), self.inner.now());
        let row = JobRow {
            note: "Prepares what would be sent.".to_owned(),
            plan_id: Some(self.inner.new_id()),
            ..JobRow::queued(id, session.id, workflow::PLAN, input, now)
        };
        self.inner.enqueue(row).await
    }

    async fn list(&self, _: &Caller, request: GetSession) -> Result<PlanList, ApiError> {
        let id = request.session.0;
        let rows = self.inner.store.read(move |db| store::plans::list(db, &id)).await.map_err(database)?;
        Ok(PlanList { plans: rows.into_iter().map(plan_view::head).collect() })
    }

    async fn get(&self, _: &Caller, request: GetPlan) -> Result<Plan, ApiError> {
        let plan = self.inner.plan(&request.plan).await?;
        self.inner.in_view.shown(&plan);
        Ok(plan)
    }

    async fn watch(&self, _: &Caller, request: GetPlan) -> Result<ItemStream<PlanEvent>, ApiError> {
        self.inner.plan_row(&request.plan).await?;
        let (events, receiver) = mpsc::channel(64);
        tokio::spawn(Arc::clone(&self.inner).follow(request.plan, events));
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|event| (event, receiver))
        });
        Ok(stream.boxed())
    }

    async fn verify(&self, _: &Caller, request: GetPlan) -> Result<Plan, ApiError> {
        self.inner.verify_plan(&request.plan).await
    }

    async fn export(&self, _: &Caller, request: ExportPlan) -> Result<ExportedPlan, ApiError> {
        self.inner.export_plan(&request).await
    }

    async fn edit_step(&self, caller: &Caller, request: EditStep) -> Result<Plan, ApiError> {
        self.inner.edit_step(caller, request).await
    }

    async fn repair(&self, caller: &Caller, request: RepairStep) -> Result<Plan, ApiError> {
        self.inner.repair(caller, request).await
    }

    async fn decide(&self, caller: &Caller, request: DecideSteps) -> Result<Plan, ApiError> {
        self.inner.decide(caller, request).await
    }

    async fn comment(&self, caller: &Caller, request: CommentStep) -> Result<Plan, ApiError> {
        self.inner.comment(caller, request).await
    }

    async fn versions(&self, _: &Caller, request: GetPlan) -> Result<PlanVersions, ApiError> {
        self.inner.versions(&request.plan).await
    }

    async fn diff(&self, _: &Caller, request: DiffPlan) -> Result<PlanDiff, ApiError> {
        self.inner.plan_diff(&request).await
    }

    async fn revert(&self, caller: &Caller, request: RevertPlan) -> Result<Plan, ApiError> {
        self.inner.revert(caller, request).await
    }

    async fn compare(&self, _: &Caller, request: ComparePlans) -> Result<Comparison, ApiError> {
        self.inner.compare(&request).await
    }

    async fn merge(&self, caller: &Caller, request: MergePlans) -> Result<Plan, ApiError> {
        self.inner.merge_plans(caller, request).await
    }

    async fn complete(&self, _: &Caller, request: CompletePlan) -> Result<Job, ApiError> {
        self.inner.complete_plan(request).await
    }

    async fn merge_by_model(&self, _: &Caller, request: MergeByModel) -> Result<Job, ApiError> {
        self.inner.merge_by_model(request).await
    }

    async fn ask_step(&self, _: &Caller, request: AskStep) -> Result<Job, ApiError> {
        self.inner.ask_step(request).await
    }

    async fn draft(&self, caller: &Caller, request: DraftPlan) -> Result<Plan, ApiError> {
        self.inner.draft_plan(caller, &request.session).await
    }

    async fn status(&self, _: &Caller, request: GetPlanStatus) -> Result<PlanStatus, ApiError> {
        self.inner.plan_status(&request).await
    }

    async fn save(&self, _: &Caller, request: SavePlan) -> Result<SavedPlan, ApiError> {
        self.inner.save_plan(&request).await
    }
}
