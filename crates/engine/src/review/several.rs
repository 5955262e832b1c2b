//! Several plans side by side, plans made of others, and drafts that no model wrote.

use super::wire::StoredStep;
use super::{Current, word};
use crate::error::{database, no_session};
use crate::wire::Ending;
use crate::workflow::with_findings;
use crate::{Inner, plan_view};
use api::events::Topic;
use api::plans::Plan;
use api::review::{
    ComparePlans, ComparedRow, Comparison, Disagreement, MergePlans, Origin, SavePlan, SavedPlan, StepSource,
};
use api::{PlanId, SessionId};
use plan::{Document, DraftFile, Source};
use rpc::{ApiError, Caller};
use store::jobs::{JobRow, JobState};
use store::plan_versions::VersionRow;
use store::plans::PlanRow;

/// Plans that are compared at most.
const MOST_PLANS: usize = 5;
/// Files that a draft is made from.
const DRAFT_FILES: usize = 20;
/// The folder for plans in a project.
const FOLDER: &str = ".plantocode/plans";

/// What a plan without an answer is made from.
struct New {
    session: String,
    document: Document,
    steps: Vec<StoredStep>,
    origin: Origin,
    note: String,
}

impl Inner {
    /// The plans with their documents, all of one session.
    pub(crate) async fn several(
        &self,
        ids: &[PlanId],
    ) -> Result<(String, Vec<(PlanRow, Current)>), ApiError> {
        if !(2..=MOST_PLANS).contains(&ids.len()) {
            let message = format!("Two to {MOST_PLANS} plans can be put side by side.");
            return Err(ApiError::invalid("plans_count", message));
        }
        let mut found = Vec::new();
        for id in ids {
            let row = self.finished_row(id).await?;
            let current = self.version(&row, None).await?;
            found.push((row, current));
        }
        let session = found[0].0.session_id.clone();
        if found.iter().any(|(row, _)| row.session_id != session) {
            let message = "The plans are of different sessions: they answer different tasks.";
            return Err(ApiError::invalid("sessions_differ", message));
        }
        Ok((session, found))
    }

    pub(crate) async fn compare(&self, request: &ComparePlans) -> Result<Comparison, ApiError> {
        let (_, found) = self.several(&request.plans).await?;
        let documents: Vec<&Document> = found.iter().map(|(_, current)| &current.document).collect();
        let alignment = tokio::task::block_in_place(|| plan::align(&documents));
        let source = |source: &Source| StepSource {
            plan: request.plans[source.plan].clone(),
            step: plan_view::count(source.step + 1),
        };
        let rows = alignment.rows.iter().map(|row| ComparedRow {
            steps: row.steps.iter().map(source).collect(),
            files: row.files.clone(),
        });
        let disagreements = alignment.disagreements.iter().map(|d| Disagreement {
            code: d.code.to_owned(),
            path: d.path.clone(),
            message: d.message.clone(),
            steps: d.steps.iter().map(source).collect(),
        });
        let (rows, disagreements) = (rows.collect(), disagreements.collect());
        let mut plans = Vec::new();
        for id in &request.plans {
            plans.push(self.plan(id).await?);
        }
        Ok(Comparison { plans, rows, disagreements })
    }

    pub(crate) async fn merge_plans(&self, caller: &Caller, request: MergePlans) -> Result<Plan, ApiError> {
        let mut ids: Vec<PlanId> = Vec::new();
        for step in &request.steps {
            if !ids.contains(&step.plan) {
                ids.push(step.plan.clone());
            }
        }
        let (session, found) = self.several(&ids).await?;
        for (id, (_, current)) in ids.iter().zip(&found) {
            if request.shown.iter().any(|shown| shown.plan == *id && shown.version != current.number) {
                return Err(super::conflict(current.number));
            }
        }
        let documents: Vec<&Document> = found.iter().map(|(_, current)| &current.document).collect();
        let chosen: Vec<Source> = request
            .steps
            .iter()
            .filter_map(|step| {
                let plan = ids.iter().position(|id| *id == step.plan)?;
                Some(Source { plan, step: (step.step as usize).checked_sub(1)? })
            })
            .collect();
        let title = request.title.filter(|title| !title.trim().is_empty());
        let title = title.unwrap_or_else(|| documents[0].title.clone());
        let (document, kept) = plan::merge(&documents, &title, &chosen);
        if kept.len() < request.steps.len() {
            let message = "A chosen step does not exist, or was chosen twice. No plan was made.";
            return Err(ApiError::invalid("no_step", message));
        }
        let steps = kept.iter().enumerate().map(|(at, source)| StoredStep {
            id: format!("s{}", at + 1),
            source: Some(StepSource {
                plan: ids[source.plan].clone(),
                step: plan_view::count(source.step + 1),
            }),
            cut: false,
        });
        let steps = steps.collect();
        let note = format!("Made by hand from {} plans.", ids.len());
        self.add_plan(caller, New { session, document, steps, origin: Origin::Merge, note }).await
    }

    pub(crate) async fn draft_plan(&self, caller: &Caller, session: &SessionId) -> Result<Plan, ApiError> {
        let row = self.session(session).await?;
        if row.task.trim().is_empty() {
            return Err(ApiError::invalid("task_empty", "The task is empty. Describe the change first."));
        }
        let root = self.root(&row.project_id).await?;
        let key = row.id.clone();
        let ranked = self.store.read(move |db| store::files::list(db, &key)).await.map_err(database)?;
        if ranked.is_empty() {
            let message =
                "No files were found for this task yet. Search first; a draft is made of what was found.";
            return Err(ApiError::invalid("no_files", message));
        }
        let files: Vec<DraftFile> = tokio::task::block_in_place(|| {
            ranked
                .iter()
                .filter(|file| file.included)
                .take(DRAFT_FILES)
                .map(|file| {
                    let text = root.read(&file.path).unwrap_or_default();
                    let symbols = discovery::outline(&file.path, &text).into_iter().map(|s| s.name);
                    let reasons: Vec<serde_json::Value> =
                        serde_json::from_str(&file.reasons).unwrap_or_default();
                    let said = |reason: &serde_json::Value| Some(reason.get("detail")?.as_str()?.to_owned());
                    DraftFile {
                        path: file.path.clone(),
                        reasons: reasons.iter().filter_map(said).take(3).collect(),
                        symbols: symbols.collect(),
                        test: file.test,
                    }
                })
                .collect()
        });
        let document = plan::draft(&row.task, &files);
        let ids =
            (1..=document.steps.len()).map(|n| StoredStep { id: format!("s{n}"), source: None, cut: false });
        let steps = ids.collect();
        let note = "Made without a model from the task and the files found for it.".to_owned();
        self.add_plan(caller, New { session: row.id, document, steps, origin: Origin::Draft, note }).await
    }

    /// Stores a plan that no model has answered with, checked.
    async fn add_plan(&self, caller: &Caller, new: New) -> Result<Plan, ApiError> {
        let (id, job, now) = (self.new_id(), self.new_id(), self.now());
        let checked = self
            .check(&new.session, &new.document)
            .await
            .map_err(|why| ApiError::invalid("cannot_check", why))?;
        let internal = |e: serde_json::Error| ApiError::internal(e.to_string());
        let origin = word(&new.origin)?;
        // Done when it is stored; it says in the list of jobs where the plan came from.
        let job = JobRow {
            state: JobState::Completed,
            note: new.note.clone(),
            plan_id: Some(id.clone()),
            ..JobRow::queued(job, new.session.clone(), &origin, "{}".to_owned(), now)
        };
        let row = PlanRow {
            id: id.clone(),
            session_id: new.session.clone(),
            job_id: job.id.clone(),
            state: plan_view::state_name(plan::State::Complete).to_owned(),
            trouble: None,
            title: new.document.title.clone(),
            step_count: plan_view::count(new.document.steps.len()),
            errors: 0,
            warnings: 0,
            ending: Some(serde_json::to_string(&Ending::Finished).map_err(internal)?),
            answer_hash: None,
            findings: "[]".to_owned(),
            provider: None,
            model: None,
            usage: None,
            created_at: now,
        };
        let row = with_findings(row, &checked).map_err(|e| ApiError::internal(e.to_string()))?;
        let version = VersionRow {
            plan_id: id.clone(),
            number: 1,
            origin,
            note: new.note,
            document_hash: String::new(),
            steps: serde_json::to_string(&new.steps).map_err(internal)?,
            made_by: caller.name.clone(),
            created_at: now,
        };
        // What stands outside of the steps follows the plan, where a reader of answers finds it.
        let text = plan::export::xml(&new.document);
        let answer = format!("{text}\n{}\n", new.document.outside.join("\n"));
        let (session, noted) = (new.session.clone(), row.clone());
        let known = self
            .store
            .write(move |db| {
                if store::sessions::get(db, &row.session_id)?.is_none() {
                    return Ok(false);
                }
                store::jobs::insert(db, &job)?;
                let hash = store::texts::put(db, answer.as_bytes())?;
                store::plans::put(db, &PlanRow { answer_hash: Some(hash), ..row })?;
                store::plan_versions::insert(db, &version, &answer)?;
                Ok(true)
            })
            .await
            .map_err(database)?;
        if !known {
            return Err(no_session(&session.as_str().into()));
        }
        self.note_base(&noted, &new.document).await;
        self.bus.tell(Topic::Plan, &id, Some(&session));
        self.plan(&id.as_str().into()).await
    }

    /// Writes a plan into its project: Markdown for people, and the wire form for programs.
    pub(crate) async fn save_plan(&self, request: &SavePlan) -> Result<SavedPlan, ApiError> {
        let row = self.finished_row(&request.plan).await?;
        let session = self.session(&row.session_id.as_str().into()).await?;
        let root = self.root(&session.project_id).await?;
        let document = plan::export::stripped(&self.version(&row, None).await?.document).0;
        let name = file_name(request.name.as_deref().unwrap_or(&document.title));
        let text = plan::export::file(&document);
        let written = tokio::task::spawn_blocking(move || root.write_named(FOLDER, &name, &text)).await;
        let path = written.map_err(|e| ApiError::internal(e.to_string()))?.map_err(|e| {
            let message =
                format!("The plan could not be written to {FOLDER} in the project: {e}. It is kept here.");
            ApiError::new(rpc::ErrorCode::Unavailable, "not_written", message)
        })?;
        Ok(SavedPlan { path })
    }
}

/// A plain name for a file: letters, digits and dashes.
pub(crate) fn file_name(title: &str) -> String {
    let words: Vec<String> = title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let name: String = words.join("-").chars().take(60).collect();
    let name = name.trim_matches('-').to_owned();
    if name.is_empty() || plan::path::check(&name).is_err() { "plan".to_owned() } else { name }
}
