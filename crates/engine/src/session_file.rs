//! A session as a folder: to be read by people, and to be made again elsewhere.
//!
//! An imported session is somebody else's word. Its plans are checked against the project they come to, and nothing that
//! was decided about them counts here.

mod findings;
mod folder;
pub(crate) mod wire;

use crate::error::{damaged, database, no_project};
use crate::wire::Ending;
use crate::{Engine, Inner, plan_view, sessions};
use api::events::Topic;
use api::plans::{GetPlan, Plans};
use api::sessions::{ExportSession, ExportedSession, GetSession, ImportSession, Session, Sessions};
use folder::{FILE, read, unreadable, whole_path, write};
use plan::{Document, Parser};
use rpc::{ApiError, Caller, ErrorCode};
use std::collections::HashMap;
use store::files::FileRow;
use store::jobs::{JobRow, JobState};
use store::plan_versions::{self, CommentRow, VersionRow};
use store::plans::PlanRow;
use store::web_findings;
use store::{Db, files, plans, texts};
use wire::{CommentFile, FORM, PlanFile, RankedFile, SessionFile, VersionFile};

/// The workflow of the jobs that stand for imported plans.
const IMPORTED: &str = "import";

/// Reads all of a session. One call of [`store::Store::read`] reads of one moment, so what is written meanwhile is in
/// none of it or in all of it.
fn gather(db: &Db<'_>, id: &str, now: i64) -> store::Result<Option<SessionFile>> {
    let Some(session) = store::sessions::get(db, id)? else { return Ok(None) };
    let ranked = files::list(db, id)?.into_iter().map(|file| RankedFile {
        path: file.path,
        test: file.test,
        rank: file.rank,
        score: file.score,
        bytes: file.bytes,
        included: file.included,
        by_hand: file.by_hand,
        reasons: file.reasons,
    });
    let mut made = plans::list(db, id)?;
    made.retain(|plan| plan.state != plan_view::STREAMING);
    made.reverse();
    Ok(Some(SessionFile {
        plantocode_session: FORM,
        exported_at: now,
        created_at: session.created_at,
        task: session.task,
        files: ranked.collect(),
        plans: made.into_iter().map(|plan| gather_plan(db, plan)).collect::<store::Result<_>>()?,
        web_findings: web_findings::list(db, id)?.into_iter().filter_map(findings::file).collect(),
    }))
}

fn gather_plan(db: &Db<'_>, plan: PlanRow) -> store::Result<PlanFile> {
    let versions = plan_versions::list(db, &plan.id)?.into_iter().map(|version| {
        Ok(VersionFile {
            document: plan_versions::document(db, &version)?,
            steps: serde_json::from_str(&version.steps).map_err(|e| store::StoreError::Text(e.into()))?,
            number: version.number,
            origin: version.origin,
            note: version.note,
            made_by: version.made_by,
            created_at: version.created_at,
        })
    });
    let versions = versions.collect::<store::Result<_>>()?;
    let said = plan_versions::comments(db, &plan.id)?.into_iter();
    let comments = said.map(|said| CommentFile {
        step: said.step_id,
        text: said.text,
        by: said.written_by,
        at: said.created_at,
    });
    Ok(PlanFile {
        answer: plans::answer(db, &plan)?,
        versions,
        comments: comments.collect(),
        id: plan.id,
        state: plan.state,
        trouble: plan.trouble,
        provider: plan.provider,
        model: plan.model,
        ending: plan.ending,
        created_at: plan.created_at,
    })
}

/// A plan as its newest version has it; `None` where what is kept of its steps is not of that document.
fn newest(made: &PlanFile) -> Option<Document> {
    let mut parser = Parser::new();
    let ending = made.ending.as_deref().and_then(|json| serde_json::from_str::<Ending>(json).ok());
    let Some(version) = made.versions.last() else {
        parser.push(&made.answer);
        return Some(parser.finish(ending.unwrap_or(Ending::Broken).for_plan()).0);
    };
    parser.push(&version.document);
    let mut document = parser.finish(plan::Ending::Finished).0;
    if document.steps.len() != version.steps.len() {
        return None;
    }
    for (step, stored) in document.steps.iter_mut().zip(&version.steps) {
        step.complete = !stored.cut;
    }
    Some(document)
}

/// Who did something where the session comes from: not to be taken for somebody here.
fn elsewhere(name: &str) -> String {
    format!("{name} (imported)")
}

impl Inner {
    /// A job that has ended, for what was made elsewhere.
    fn import_job(&self, session: &str) -> JobRow {
        let note = "Imported with its session.".to_owned();
        let row = JobRow::queued(self.new_id(), session.to_owned(), IMPORTED, "{}".to_owned(), self.now());
        JobRow { state: JobState::Completed, note, ..row }
    }

    pub(crate) async fn export_session(&self, request: ExportSession) -> Result<ExportedSession, ApiError> {
        let folder = whole_path(&request.folder)?;
        let (id, now) = (request.session.0.clone(), self.now());
        let found = self.store.read(move |db| gather(db, &id, now)).await.map_err(database)?;
        let file = found.ok_or_else(|| crate::error::no_session(&request.session))?;
        let mut written = vec![("task.md".to_owned(), file.task.clone())];
        for (n, made) in file.plans.iter().enumerate() {
            let document = plan::export::stripped(&newest(made).ok_or_else(|| damaged("plan"))?).0;
            let name = crate::review::several::file_name(&document.title);
            let text = plan::export::markdown(&document, &[]);
            written.push((format!("plans/{:02}-{name}.md", n + 1), text));
        }
        if !file.web_findings.is_empty() {
            written.push(("web-findings.md".to_owned(), findings::markdown(&file.web_findings)));
        }
        let json = serde_json::to_string_pretty(&file).map_err(|e| ApiError::internal(e.to_string()))?;
        written.push((FILE.to_owned(), json));
        let names = written.iter().map(|(name, _)| name.clone()).collect();
        let into = folder.clone();
        let outcome = tokio::task::spawn_blocking(move || write(&into, &written)).await;
        outcome.map_err(|e| ApiError::internal(e.to_string()))?.map_err(|e| {
            if e.kind() == std::io::ErrorKind::AlreadyExists {
                let message =
                    format!("{} exists and is not written into. Choose another name.", folder.display());
                return ApiError::new(ErrorCode::Conflict, "file_exists", message);
            }
            let message =
                format!("{} could not be written: {e}. The session is as it was.", folder.display());
            ApiError::new(ErrorCode::Unavailable, "not_written", message)
        })?;
        Ok(ExportedSession { folder: folder.display().to_string(), files: names })
    }

    /// The rows of an imported plan, under new ids.
    fn imported(
        &self,
        session: &str,
        made: &PlanFile,
        ids: &HashMap<String, String>,
    ) -> Result<Imported, ApiError> {
        let id = ids.get(&made.id).cloned().unwrap_or_default();
        // Its title and steps, as the newest version has them.
        let document =
            newest(made).ok_or_else(|| unreadable("a version of one of its plans does not fit its steps"))?;
        let job = JobRow { plan_id: Some(id.clone()), ..self.import_job(session) };
        let plan = PlanRow {
            id: id.clone(),
            session_id: session.to_owned(),
            job_id: job.id.clone(),
            state: made.state.clone(),
            trouble: made.trouble.clone(),
            step_count: plan_view::count(document.steps.len()),
            title: document.title,
            errors: 0,
            warnings: 0,
            ending: made.ending.clone(),
            answer_hash: None,
            findings: "[]".to_owned(),
            provider: made.provider.clone(),
            model: made.model.clone(),
            usage: None,
            created_at: made.created_at,
        };
        let versions = made.versions.iter().map(|version| {
            let mut steps = version.steps.clone();
            for step in &mut steps {
                // A source that did not come along can be shown by nobody.
                step.source = step.source.take().and_then(|source| {
                    let plan = ids.get(&source.plan.0)?.clone().into();
                    Some(api::review::StepSource { plan, ..source })
                });
            }
            let row = VersionRow {
                plan_id: id.clone(),
                number: version.number,
                origin: version.origin.clone(),
                note: version.note.clone(),
                document_hash: String::new(),
                steps: serde_json::to_string(&steps).map_err(|e| ApiError::internal(e.to_string()))?,
                made_by: elsewhere(&version.made_by),
                created_at: version.created_at,
            };
            Ok((row, version.document.clone()))
        });
        let versions = versions.collect::<Result<_, ApiError>>()?;
        let comments = made.comments.iter().map(|said| CommentRow {
            step_id: said.step.clone(),
            text: said.text.clone(),
            written_by: elsewhere(&said.by),
            created_at: said.at,
        });
        Ok(Imported { job, plan, answer: made.answer.clone(), versions, comments: comments.collect() })
    }
}

/// What is stored for a plan.
struct Imported {
    job: JobRow,
    plan: PlanRow,
    answer: String,
    versions: Vec<(VersionRow, String)>,
    comments: Vec<CommentRow>,
}

impl Imported {
    fn store(&self, db: &Db<'_>) -> store::Result<()> {
        store::jobs::insert(db, &self.job)?;
        let hash = texts::put(db, self.answer.as_bytes())?;
        plans::put(db, &PlanRow { answer_hash: Some(hash), ..self.plan.clone() })?;
        for (version, document) in &self.versions {
            plan_versions::insert(db, version, document)?;
        }
        self.comments.iter().try_for_each(|said| plan_versions::comment(db, &self.plan.id, said))
    }
}

fn ranked(file: RankedFile) -> FileRow {
    FileRow {
        path: file.path,
        test: file.test,
        rank: file.rank,
        score: file.score,
        bytes: file.bytes,
        included: file.included,
        by_hand: file.by_hand,
        // What others wrote is shown as reasons only if it reads as such.
        reasons: serde_json::from_str::<Vec<api::discovery::RankReason>>(&file.reasons)
            .map_or_else(|_| "[]".to_owned(), |_| file.reasons),
    }
}

impl Engine {
    pub(crate) async fn import_session(
        &self,
        caller: &Caller,
        request: ImportSession,
    ) -> Result<Session, ApiError> {
        let folder = whole_path(&request.folder)?;
        let file = tokio::task::spawn_blocking(move || read(&folder)).await;
        let file = file.map_err(|e| ApiError::internal(e.to_string()))??;
        sessions::check_task(&file.task)?;
        let inner = &self.inner;
        let (session, now) = (inner.new_id(), inner.now());
        let ids: HashMap<String, String> =
            file.plans.iter().map(|plan| (plan.id.clone(), inner.new_id())).collect();
        let made = file.plans.iter().map(|plan| inner.imported(&session, plan, &ids));
        let made = made.collect::<Result<Vec<Imported>, ApiError>>()?;
        let imported: Vec<String> = made.iter().map(|plan| plan.plan.id.clone()).collect();
        let found = inner.imported_findings(&session, file.web_findings)?;
        let task = sessions::plain_lines(file.task.clone());
        let (key, project) = (session.clone(), request.project.0.clone());
        let rows: Vec<FileRow> = file.files.into_iter().map(ranked).collect();
        let write = move |db: &Db<'_>| {
            if store::projects::get(db, &project)?.is_none() {
                return Ok(false);
            }
            store::sessions::insert(db, &key, &project, &task, now)?;
            files::replace(db, &key, &rows)?;
            made.iter().try_for_each(|plan| plan.store(db))?;
            found.store(db)?;
            Ok(true)
        };
        if !inner.store.write(write).await.map_err(database)? {
            return Err(no_project(&request.project));
        }
        let this = GetSession { session: session.clone().into() };
        for plan in imported {
            // What the check finds here may be something else than where the plan was made.
            if let Err(error) = self.verify(caller, GetPlan { plan: plan.into() }).await {
                Sessions::delete(self, caller, this).await?;
                return Err(error);
            }
        }
        inner.bus.tell(Topic::Session, &session, Some(&session));
        Sessions::get(self, caller, this).await
    }
}
