//! Sessions and their tasks.

use crate::error::{database, no_project, no_session};
use crate::task_text::merge::merge;
use crate::{Engine, Inner};
use api::events::Topic;
use api::sessions::{
    CreateSession, ExportSession, ExportedSession, GetSession, ImportSession, ListSessions, SaveTask,
    Session, SessionList, Sessions,
};
use api::{Empty, SessionId};
use rpc::{ApiError, Caller, ErrorCode};
use store::sessions::{SessionHead, SessionRow};
use store::task_steps::{self, NewText, Origin};

/// The longest task, in bytes: it must fit into one message of a link, escaped. A longer one is a document.
const MAX_TASK_BYTES: usize = 256 << 10;

/// The most sessions of one page.
const PAGE: u32 = 500;

pub(crate) fn view(row: SessionRow) -> Session {
    let head = SessionHead {
        id: row.id,
        project_id: row.project_id,
        title: row.title,
        task_version: row.task_version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    };
    Session { task: row.task, ..head_view(head) }
}

fn head_view(row: SessionHead) -> Session {
    Session {
        id: SessionId(row.id),
        project: row.project_id.into(),
        title: row.title,
        task: String::new(),
        task_version: row.task_version,
        created_at: row.created_at.max(0).cast_unsigned(),
        updated_at: row.updated_at.max(0).cast_unsigned(),
    }
}

/// Where a page ends, as clients carry it.
fn place(head: &SessionHead) -> String {
    format!("{}:{}", head.updated_at, head.id)
}

fn read_place(text: &str) -> Result<(i64, String), ApiError> {
    let parts = text.split_once(':').and_then(|(time, id)| Some((time.parse().ok()?, id.to_owned())));
    parts.ok_or_else(|| ApiError::invalid("after", "This is not the `next` of a page of sessions."))
}

/// The answer to a change of a task that was not made from its present version.
pub(crate) fn task_changed(version: u32) -> ApiError {
    let message = "The task was changed elsewhere meanwhile. The stored text was kept; yours was not saved.";
    ApiError::new(ErrorCode::Conflict, "task_changed", message).with("version", version)
}

pub(crate) fn check_task(text: &str) -> Result<(), ApiError> {
    if text.len() > MAX_TASK_BYTES { Err(too_long(text.len())) } else { Ok(()) }
}

fn too_long(bytes: usize) -> ApiError {
    let message =
        format!("The task has {bytes} bytes; at most {MAX_TASK_BYTES} can be kept. Nothing was stored.");
    ApiError::invalid("task_too_long", message)
}

impl Inner {
    /// One session.
    pub(crate) async fn session(&self, id: &SessionId) -> Result<SessionRow, ApiError> {
        let key = id.0.clone();
        let row = self.store.read(move |db| store::sessions::get(db, &key)).await.map_err(database)?;
        row.ok_or_else(|| no_session(id))
    }
}

/// What became of a save.
enum Saved {
    Stored(SessionRow),
    Changed(u32),
    TooLong(usize),
}

/// Stores a text, put together with the present one where that was changed meanwhile.
fn save(db: &store::Db<'_>, request: &SaveTask, by: &str, now: i64) -> store::Result<Option<Saved>> {
    let session = request.session.0.as_str();
    let Some(row) = store::sessions::get(db, session)? else { return Ok(None) };
    let new = |text, origin| NewText { session, text, origin, made_by: by, now };
    let stored = if row.task_version == request.base_version {
        task_steps::save(db, &new(&request.text, Origin::Typed))?
    } else {
        let Some(base) = &request.base_text else { return Ok(Some(Saved::Changed(row.task_version))) };
        let merged = merge(base, &request.text, &row.task);
        if merged.len() > MAX_TASK_BYTES {
            return Ok(Some(Saved::TooLong(merged.len())));
        }
        task_steps::save(db, &new(&merged, Origin::Merged))?
    };
    if !stored {
        return Ok(None);
    }
    Ok(store::sessions::get(db, session)?.map(Saved::Stored))
}

impl Sessions for Engine {
    async fn list(&self, _: &Caller, request: ListSessions) -> Result<SessionList, ApiError> {
        let project = request.project.map(|p| p.0);
        let after = request.after.as_deref().map(read_place).transpose()?;
        let limit = request.limit.unwrap_or(PAGE).clamp(1, PAGE);
        let list = move |db: &store::Db<'_>| {
            let after = after.as_ref().map(|(time, id)| (*time, id.as_str()));
            store::sessions::list(db, project.as_deref(), after, limit + 1)
        };
        let mut rows = self.inner.store.read(list).await.map_err(database)?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(place);
        Ok(SessionList { sessions: rows.into_iter().map(head_view).collect(), next })
    }

    async fn create(&self, _: &Caller, request: CreateSession) -> Result<Session, ApiError> {
        check_task(&request.task)?;
        let (id, now) = (self.inner.new_id(), self.inner.now());
        let (key, project) = (id.clone(), request.project.0.clone());
        let row = self
            .inner
            .store
            .write(move |db| {
                if store::projects::get(db, &project)?.is_none() {
                    return Ok(None);
                }
                store::sessions::insert(db, &key, &project, &request.task, now)?;
                store::sessions::get(db, &key)
            })
            .await
            .map_err(database)?;
        let row = row.ok_or_else(|| no_project(&request.project))?;
        self.inner.bus.tell(Topic::Session, &id, Some(&id));
        Ok(view(row))
    }

    async fn get(&self, _: &Caller, request: GetSession) -> Result<Session, ApiError> {
        self.inner.session(&request.session).await.map(view)
    }

    async fn save_task(&self, caller: &Caller, request: SaveTask) -> Result<Session, ApiError> {
        check_task(&request.text)?;
        check_task(request.base_text.as_deref().unwrap_or_default())?;
        let (id, now, by) = (request.session.clone(), self.inner.now(), caller.name.to_string());
        let saved = self.inner.store.write(move |db| save(db, &request, &by, now)).await.map_err(database)?;
        match saved.ok_or_else(|| no_session(&id))? {
            Saved::Stored(row) => {
                self.inner.bus.tell(Topic::Session, &id.0, Some(&id.0));
                Ok(view(row))
            }
            Saved::Changed(version) => Err(task_changed(version)),
            Saved::TooLong(bytes) => Err(too_long(bytes)),
        }
    }

    async fn delete(&self, _: &Caller, request: GetSession) -> Result<Empty, ApiError> {
        let id = request.session.0.clone();
        let open = self.inner.open_jobs(&id).await?;
        if let Some(runner) = self.inner.runner() {
            for job in open {
                runner.cancel(&job, "Its session was deleted.").await.map_err(database)?;
            }
        }
        let key = id.clone();
        let known =
            self.inner.store.write(move |db| store::sessions::delete(db, &key)).await.map_err(database)?;
        if !known {
            return Err(no_session(&request.session));
        }
        self.inner.bus.tell(Topic::Session, &id, Some(&id));
        Ok(Empty {})
    }

    async fn export(&self, _: &Caller, request: ExportSession) -> Result<ExportedSession, ApiError> {
        self.inner.export_session(request).await
    }

    async fn import(&self, caller: &Caller, request: ImportSession) -> Result<Session, ApiError> {
        self.import_session(caller, request).await
    }
}
