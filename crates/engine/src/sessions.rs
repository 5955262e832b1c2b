//! Sessions and their tasks.

use crate::error::{database, no_project, no_session};
use crate::{Engine, Inner};
use api::events::Topic;
use api::sessions::{CreateSession, GetSession, ListSessions, SaveTask, Session, SessionList, Sessions};
use api::{Empty, SessionId};
use rpc::{ApiError, Caller, ErrorCode};
use store::sessions::SessionRow;

/// The longest task, in bytes: it must fit into one message of a link, escaped. A longer one is a document.
const MAX_TASK_BYTES: usize = 256 << 10;

/// The longest title, in characters.
const MAX_TITLE: usize = 80;

fn view(row: SessionRow) -> Session {
    Session {
        id: SessionId(row.id),
        project: row.project_id.into(),
        title: title(&row.task),
        task: row.task,
        task_version: row.task_version,
        created_at: row.created_at.max(0).cast_unsigned(),
        updated_at: row.updated_at.max(0).cast_unsigned(),
    }
}

/// The first line that says something.
pub(crate) fn title(task: &str) -> String {
    let line = task.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    if line.chars().count() <= MAX_TITLE {
        return line.to_owned();
    }
    let short: String = line.chars().take(MAX_TITLE - 1).collect();
    format!("{}…", short.trim_end())
}

fn check_task(text: &str) -> Result<(), ApiError> {
    if text.len() > MAX_TASK_BYTES {
        let message = format!(
            "The task has {} bytes; at most {MAX_TASK_BYTES} can be kept. Nothing was stored.",
            text.len()
        );
        return Err(ApiError::invalid("task_too_long", message));
    }
    Ok(())
}

impl Inner {
    /// One session.
    pub(crate) async fn session(&self, id: &SessionId) -> Result<SessionRow, ApiError> {
        let key = id.0.clone();
        let row = self.store.read(move |db| store::sessions::get(db, &key)).await.map_err(database)?;
        row.ok_or_else(|| no_session(id))
    }
}

impl Sessions for Engine {
    async fn list(&self, _: &Caller, request: ListSessions) -> Result<SessionList, ApiError> {
        let project = request.project.map(|p| p.0);
        let rows = self.inner.store.read(move |db| store::sessions::list(db, project.as_deref())).await;
        let heads =
            rows.map_err(database)?.into_iter().map(|row| Session { task: String::new(), ..view(row) });
        Ok(SessionList { sessions: heads.collect() })
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

    async fn save_task(&self, _: &Caller, request: SaveTask) -> Result<Session, ApiError> {
        check_task(&request.text)?;
        let (id, now) = (request.session.0.clone(), self.inner.now());
        let key = id.clone();
        let (saved, row) = self
            .inner
            .store
            .write(move |db| {
                let saved = store::sessions::save_task(db, &key, &request.text, request.base_version, now)?;
                Ok((saved, store::sessions::get(db, &key)?))
            })
            .await
            .map_err(database)?;
        let row = row.ok_or_else(|| no_session(&request.session))?;
        if !saved {
            let message =
                "The task was changed elsewhere meanwhile. The stored text was kept; yours was not saved.";
            return Err(
                ApiError::new(ErrorCode::Conflict, "task_changed", message).with("version", row.task_version)
            );
        }
        self.inner.bus.tell(Topic::Session, &id, Some(&id));
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
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_title_is_the_first_line_that_says_something() {
        assert_eq!(super::title("\n  Add a retry  \nmore"), "Add a retry");
        assert_eq!(super::title(""), "");
        let long = super::title(&"ü".repeat(200));
        assert_eq!((long.chars().count(), long.ends_with('…')), (80, true));
    }
}
