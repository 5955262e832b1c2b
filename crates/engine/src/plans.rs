//! Plans: started, followed, read, checked again, exported.

use crate::error::{damaged, database, no_plan};
use crate::live::Following;
use crate::plan_view;
use crate::questions::workflow;
use crate::wire::{Ending, PlanInput, Sent};
use crate::workflow::with_findings;
use crate::{Engine, Inner};
use api::PlanId;
use api::events::Topic;
use api::jobs::Job;
use api::plans::{
    ExportPlan, ExportedPlan, Finding, GetPlan, Plan, PlanEvent, PlanFormat, PlanList, PlanState, Plans,
    StartPlan,
};
use api::sessions::GetSession;
use futures_util::StreamExt;
use plan::{Document, Parser};
use rpc::{ApiError, Caller, ItemStream};
use std::sync::Arc;
use store::jobs::JobRow;
use store::plans::PlanRow;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

/// Closes plans that were being written by a job which has ended without closing them: the process died in between.
pub(crate) async fn close_orphans(inner: &Inner) -> store::Result<()> {
    let orphans = inner
        .store
        .read(|db| {
            let mut orphans = Vec::new();
            for job in store::jobs::list(db, u32::MAX)?.into_iter().filter(|job| job.state.is_final()) {
                let Some(id) = &job.plan_id else { continue };
                if store::plans::get(db, id)?.is_some_and(|plan| plan.state == plan_view::STREAMING) {
                    orphans.push((id.clone(), job.note));
                }
            }
            Ok(orphans)
        })
        .await?;
    for (plan, note) in orphans {
        let sent = Sent { ending: Ending::Broken, trouble: Some(note) };
        if let Err(error) = inner.conclude(&plan, &sent).await {
            tracing::error!(%error, "an unfinished plan cannot be closed");
        }
    }
    Ok(())
}

impl Inner {
    async fn plan_row(&self, id: &PlanId) -> Result<PlanRow, ApiError> {
        let key = id.0.clone();
        let row = self.store.read(move |db| store::plans::get(db, &key)).await.map_err(database)?;
        row.ok_or_else(|| no_plan(id))
    }

    /// The answer and what is read from it.
    async fn document(&self, row: &PlanRow) -> Result<(String, Document), ApiError> {
        let key = row.clone();
        let answer = self.store.read(move |db| store::plans::answer(db, &key)).await.map_err(database)?;
        let ending = match &row.ending {
            Some(json) => serde_json::from_str::<Ending>(json).map_err(|_| damaged("plan"))?,
            None => Ending::Broken,
        };
        let mut parser = Parser::new();
        parser.push(&answer);
        let (document, _) = parser.finish(ending.for_plan());
        Ok((answer, document))
    }

    async fn plan(&self, id: &PlanId) -> Result<Plan, ApiError> {
        let row = self.plan_row(id).await?;
        if row.state == plan_view::STREAMING
            && let Some(Following { steps, title, .. }) = self.live.follow(&id.0)
        {
            let step_count = plan_view::count(steps.len());
            return Ok(Plan { steps, title, step_count, ..plan_view::head(row) });
        }
        let (_, document) = self.document(&row).await?;
        let findings: Vec<Vec<Finding>> = serde_json::from_str(&row.findings).map_err(|_| damaged("plan"))?;
        let mut steps = plan_view::steps(&document, &[]);
        for (step, findings) in steps.iter_mut().zip(findings) {
            step.findings = findings;
        }
        Ok(Plan { steps, ..plan_view::head(row) })
    }

    /// A finished plan, or one of its steps counted from 1, as a text to work from; and its session.
    pub(crate) async fn plan_text(
        &self,
        id: &PlanId,
        step: Option<u32>,
    ) -> Result<(api::SessionId, String), ApiError> {
        let row = self.plan_row(id).await?;
        if row.state == plan_view::STREAMING {
            let message = "The plan is still being written. Hand it over when it is complete.";
            return Err(ApiError::new(rpc::ErrorCode::Conflict, "plan_streaming", message));
        }
        let (_, mut document) = self.document(&row).await?;
        if let Some(number) = step {
            let index = usize::try_from(number).unwrap_or(0).wrapping_sub(1);
            let Some(one) = document.steps.get(index).cloned() else {
                let message = "The plan has no such step.";
                return Err(ApiError::not_found("no_step", message).with("step", number));
            };
            return Ok((row.session_id.into(), plan::export::step_markdown(number, &one)));
        }
        document.steps.retain(|step| step.complete);
        Ok((row.session_id.into(), plan::export::markdown(&document, &[])))
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
        let input = serde_json::to_string(&PlanInput { model });
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
        self.inner.plan(&request.plan).await
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
        let row = self.inner.plan_row(&request.plan).await?;
        if row.state == plan_view::STREAMING {
            return self.inner.plan(&request.plan).await;
        }
        let (_, document) = self.inner.document(&row).await?;
        let findings = self.inner.check(&row.session_id, &document).await;
        let findings = findings.map_err(|why| ApiError::invalid("cannot_check", why))?;
        let row = with_findings(row, &findings).map_err(|e| ApiError::internal(e.to_string()))?;
        let session = row.session_id.clone();
        self.inner.store.write(move |db| store::plans::put(db, &row)).await.map_err(database)?;
        self.inner.bus.tell(Topic::Plan, &request.plan.0, Some(&session));
        self.inner.plan(&request.plan).await
    }

    async fn export(&self, _: &Caller, request: ExportPlan) -> Result<ExportedPlan, ApiError> {
        let row = self.inner.plan_row(&request.plan).await?;
        let (answer, document) = self.inner.document(&row).await?;
        let stored: Vec<Vec<Finding>> = serde_json::from_str(&row.findings).map_err(|_| damaged("plan"))?;
        let findings: Vec<Vec<plan::Finding>> = stored
            .into_iter()
            .map(|step| step.into_iter().map(plan_view::stored_finding).collect())
            .collect();
        let text = match request.format {
            PlanFormat::Markdown => plan::export::markdown(&document, &findings),
            PlanFormat::Xml => plan::export::xml(&document),
            PlanFormat::Json => {
                plan::export::json(&document, &findings).map_err(|e| ApiError::internal(e.to_string()))?
            }
            PlanFormat::Raw => answer,
        };
        Ok(ExportedPlan { text })
    }
}
