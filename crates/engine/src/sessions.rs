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

/// A text whose lines end as every editor's do here. A window's text field knows no other end, and places are counted in it.
pub(crate) fn plain_lines(text: String) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
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

/// How often a save is put together with a text that is another one again when it is to be stored. Saves take turns, so
/// only steps back and suggestions come between.
const TRIES: usize = 8;

/// Texts that together have fewer bytes are merged at once; others on a thread for work that takes a while.
const AT_ONCE: usize = 16 << 10;

/// Saves of one task take turns. Who merges does not hold the database, so the next could otherwise always come first.
#[derive(Default)]
pub(crate) struct Turns([tokio::sync::Mutex<()>; 16]);

impl Turns {
    /// The turn of a session; some sessions share one.
    fn of(&self, session: &SessionId) -> &tokio::sync::Mutex<()> {
        let sum = session.0.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        &self.0[sum % self.0.len()]
    }
}

/// What became of a save.
enum Saved {
    Stored(SessionRow),
    /// The task has another version by now.
    Moved,
    Gone,
}

/// A text to be stored, and the version of the task that it takes the place of.
struct Save {
    session: String,
    version: u32,
    text: String,
    origin: Origin,
    by: String,
    now: i64,
}

impl Save {
    fn store(&self, db: &store::Db<'_>) -> store::Result<Saved> {
        let Some(row) = store::sessions::get(db, &self.session)? else { return Ok(Saved::Gone) };
        if row.task_version != self.version {
            return Ok(Saved::Moved);
        }
        let Save { session, text, origin, by, now, .. } = self;
        let new = NewText { session, text, origin: *origin, made_by: by, now: *now };
        let stored = task_steps::save(db, &new)?;
        let row = store::sessions::get(db, session)?.filter(|_| stored);
        Ok(row.map_or(Saved::Gone, Saved::Stored))
    }
}

/// Three texts as one, away from the threads that serve links if that takes a while.
async fn merged(base: &str, mine: &str, theirs: String) -> Result<String, ApiError> {
    if base.len() + mine.len() + theirs.len() < AT_ONCE {
        return Ok(merge(base, mine, &theirs));
    }
    let (base, mine) = (base.to_owned(), mine.to_owned());
    let merged = tokio::task::spawn_blocking(move || merge(&base, &mine, &theirs)).await;
    merged.map_err(|e| ApiError::internal(e.to_string()))
}

impl Inner {
    /// Stores a text, put together with the present one where that was changed meanwhile. They are put together before
    /// the database is asked to store the result: nobody else's change waits for that.
    async fn save_text(&self, request: &SaveTask, by: &str) -> Result<SessionRow, ApiError> {
        let _turn = self.turns.of(&request.session).lock().await;
        let mut version = request.base_version;
        for _ in 0..TRIES {
            let row = self.session(&request.session).await?;
            version = row.task_version;
            let (text, origin) = if version == request.base_version {
                (request.text.clone(), Origin::Typed)
            } else {
                let Some(base) = &request.base_text else { break };
                (merged(base, &request.text, row.task).await?, Origin::Merged)
            };
            if text.len() > MAX_TASK_BYTES {
                return Err(too_long(text.len()));
            }
            let save = Save { session: row.id, version, text, origin, by: by.to_owned(), now: self.now() };
            match self.store.write(move |db| save.store(db)).await.map_err(database)? {
                Saved::Stored(row) => return Ok(row),
                Saved::Moved => {}
                Saved::Gone => return Err(no_session(&request.session)),
            }
        }
        Err(task_changed(version))
    }
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
        let task = plain_lines(request.task);
        let row = self
            .inner
            .store
            .write(move |db| {
                if store::projects::get(db, &project)?.is_none() {
                    return Ok(None);
                }
                store::sessions::insert(db, &key, &project, &task, now)?;
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
        let request = SaveTask {
            text: plain_lines(request.text),
            base_text: request.base_text.map(plain_lines),
            ..request
        };
        let row = self.inner.save_text(&request, &caller.name).await?;
        self.inner.bus.tell(Topic::Session, &row.id, Some(&row.id));
        Ok(view(row))
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
