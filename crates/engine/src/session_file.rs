//! A session as a folder: to be read by people, and to be made again elsewhere.
//!
//! An imported session is somebody else's word. Its plans are checked against the project they come to, and nothing that
//! was decided about them counts here.

pub(crate) mod wire;

use crate::error::{database, no_project};
use crate::wire::Ending;
use crate::{Engine, Inner, plan_view, sessions};
use api::PlanId;
use api::events::Topic;
use api::plans::{GetPlan, Plans};
use api::sessions::{ExportSession, ExportedSession, GetSession, ImportSession, Session, Sessions};
use plan::Parser;
use rpc::{ApiError, Caller, ErrorCode};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use store::files::FileRow;
use store::jobs::{JobRow, JobState};
use store::plan_versions::{self, CommentRow, VersionRow};
use store::plans::PlanRow;
use store::{Db, files, plans, texts};
use wire::{CommentFile, FORM, PlanFile, RankedFile, SessionFile, VersionFile};

/// The file from which a session is made again.
const FILE: &str = "session.json";

/// The largest such file that is read, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// The highest number of a version that is believed.
const MOST_VERSIONS: u32 = 100_000;

/// The workflow of the jobs that stand for imported plans.
const IMPORTED: &str = "import";

/// Reads all of a session.
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

/// Writes the folder; the names of its files.
fn write(folder: &Path, texts: &[(String, String)]) -> std::io::Result<()> {
    let mut private = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut private, 0o700);
    // Fails when it is there: nothing is ever written into what somebody has.
    private.create(folder)?;
    let written = fill(folder, texts);
    if written.is_err() {
        // Half a session is of no use, and would stand in the way of the next try.
        drop(std::fs::remove_dir_all(folder));
    }
    written
}

fn fill(folder: &Path, texts: &[(String, String)]) -> std::io::Result<()> {
    for (name, text) in texts {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

fn whole_path(path: &str) -> Result<PathBuf, ApiError> {
    let path = PathBuf::from(path);
    if path.is_absolute() {
        return Ok(path);
    }
    Err(ApiError::invalid("path", "Name the folder with its whole path, from the root. Nothing was done."))
}

fn unreadable(why: impl std::fmt::Display) -> ApiError {
    let message = format!("This is no session that can be imported: {why}. Nothing was changed.");
    ApiError::invalid("session_file", message)
}

fn read(folder: &Path) -> Result<SessionFile, ApiError> {
    let path = folder.join(FILE);
    let found = std::fs::metadata(&path).map_err(|e| unreadable(format!("{}: {e}", path.display())))?;
    if !found.is_file() || found.len() > MAX_FILE {
        return Err(unreadable(format!("{FILE} is no file of at most {} MiB", MAX_FILE >> 20)));
    }
    let text = std::fs::read_to_string(&path).map_err(|e| unreadable(format!("{}: {e}", path.display())))?;
    let file: SessionFile = serde_json::from_str(&text).map_err(|e| unreadable(format!("{FILE}: {e}")))?;
    if file.plantocode_session == 0 || file.plantocode_session > FORM {
        return Err(unreadable("it was written by a newer version of this program"));
    }
    for path in file.files.iter().map(|file| &file.path) {
        plan::path::check(path).map_err(|e| unreadable(format!("a path in it is not allowed: {e}")))?;
    }
    let mut ids = HashSet::new();
    for plan in &file.plans {
        if !ids.insert(&plan.id) {
            return Err(unreadable("two of its plans are called the same"));
        }
        check_versions(plan)?;
        let ending = plan.ending.as_deref().unwrap_or_default();
        if !plan_view::is_ended(&plan.state) || serde_json::from_str::<Ending>(ending).is_err() {
            return Err(unreadable("it does not say how the answer with one of its plans ended"));
        }
    }
    Ok(file)
}

/// Decisions belong to ids of steps, and versions are counted: neither may be what it likes.
fn check_versions(plan: &PlanFile) -> Result<(), ApiError> {
    let mut last = 0;
    for version in &plan.versions {
        let ids: HashSet<&String> = version.steps.iter().map(|step| &step.id).collect();
        if version.number <= last || version.number > MOST_VERSIONS || ids.len() != version.steps.len() {
            return Err(unreadable("the versions of one of its plans are not in order"));
        }
        last = version.number;
    }
    Ok(())
}

/// Who did something where the session comes from: not to be taken for somebody here.
fn elsewhere(name: &str) -> String {
    format!("{name} (imported)")
}

impl Inner {
    pub(crate) async fn export_session(&self, request: ExportSession) -> Result<ExportedSession, ApiError> {
        let folder = whole_path(&request.folder)?;
        let (id, now) = (request.session.0.clone(), self.now());
        let found = self.store.read(move |db| gather(db, &id, now)).await.map_err(database)?;
        let file = found.ok_or_else(|| crate::error::no_session(&request.session))?;
        let mut written = vec![("task.md".to_owned(), file.task.clone())];
        for (n, made) in file.plans.iter().enumerate() {
            let id = PlanId(made.id.clone());
            let document = self.of_one_moment(&id).await?.1.document;
            let document = plan::export::stripped(&document).0;
            let name = crate::review::several::file_name(&document.title);
            let text = plan::export::markdown(&document, &[]);
            written.push((format!("plans/{:02}-{name}.md", n + 1), text));
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
        let note = "Imported with its session.".to_owned();
        // Its title and steps, as the newest version has them.
        let mut parser = Parser::new();
        parser.push(made.versions.last().map_or(&made.answer, |version| &version.document));
        let document = parser.finish(plan::Ending::Finished).0;
        let job = JobRow {
            state: JobState::Completed,
            note,
            plan_id: Some(id.clone()),
            ..JobRow::queued(self.new_id(), session.to_owned(), IMPORTED, "{}".to_owned(), self.now())
        };
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
        let (key, project, task) = (session.clone(), request.project.0.clone(), file.task.clone());
        let rows: Vec<FileRow> = file.files.into_iter().map(ranked).collect();
        let write = move |db: &Db<'_>| {
            if store::projects::get(db, &project)?.is_none() {
                return Ok(false);
            }
            store::sessions::insert(db, &key, &project, &task, now)?;
            files::replace(db, &key, &rows)?;
            made.iter().try_for_each(|plan| plan.store(db))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::wire::StoredStep;

    fn version(number: u32, ids: &[&str]) -> VersionFile {
        let step = |id: &&str| StoredStep { id: (*id).to_owned(), source: None, cut: false };
        VersionFile {
            number,
            origin: "edit".into(),
            note: String::new(),
            document: String::new(),
            steps: ids.iter().map(step).collect(),
            made_by: "ada".into(),
            created_at: 1,
        }
    }

    #[test]
    fn numbers_and_ids_of_versions_are_not_believed() {
        let check =
            |versions: Vec<VersionFile>| check_versions(&PlanFile { versions, ..PlanFile::default() });
        assert!(check(vec![version(1, &["s1"]), version(2, &["s1", "s2"]), version(7, &[])]).is_ok());
        for versions in [
            vec![version(0, &[])],
            vec![version(2, &[]), version(2, &[])],
            vec![version(3, &[]), version(2, &[])],
            vec![version(u32::MAX, &[])],
            // Who accepts one of two steps that are called the same would accept both.
            vec![version(2, &["s1", "s1"])],
        ] {
            assert_eq!(check(versions).unwrap_err().reason, "session_file");
        }
    }
}
