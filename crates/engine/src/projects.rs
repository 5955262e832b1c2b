//! Granted roots.

use crate::error::database;
use crate::{Engine, Inner};
use api::events::Topic;
use api::projects::{GrantProject, Project, ProjectList, Projects, WithdrawProject};
use api::{Empty, ProjectId};
use rpc::{ApiError, Caller};
use std::path::Path;
use store::projects::ProjectRow;

fn view(row: ProjectRow) -> Project {
    let path = Path::new(&row.path);
    Project {
        id: ProjectId(row.id),
        name: path.file_name().map_or_else(|| row.path.clone(), |name| name.to_string_lossy().into_owned()),
        present: path.is_dir(),
        granted_at: row.granted_at.max(0).cast_unsigned(),
        path: row.path,
    }
}

pub(crate) async fn grant(inner: &Inner, path: &Path) -> Result<Project, ApiError> {
    let refuse = |message: String| ApiError::invalid("not_a_folder", message).with("path", path.display());
    if !path.is_absolute() {
        return Err(refuse("Give the folder's whole path, beginning at the root of the file system.".into()));
    }
    let real =
        path.canonicalize().map_err(|e| refuse(format!("{} cannot be opened: {e}.", path.display())))?;
    if !real.is_dir() {
        return Err(refuse(format!("{} is not a folder.", path.display())));
    }
    if real.parent().is_none() {
        return Err(refuse("The whole file system cannot be granted. Choose a project's folder.".into()));
    }
    let text = real.to_str().ok_or_else(|| refuse("The folder's name is not valid Unicode.".into()))?;
    let now = inner.now();
    let row = ProjectRow { id: inner.new_id(), path: text.to_owned(), granted_at: now, used_at: now };
    let row = inner.store.write(move |db| store::projects::grant(db, &row)).await.map_err(database)?;
    inner.bus.tell(Topic::Project, &row.id, None);
    Ok(view(row))
}

impl Projects for Engine {
    async fn list(&self, _: &Caller, _: Empty) -> Result<ProjectList, ApiError> {
        let rows = self.inner.store.read(store::projects::list).await.map_err(database)?;
        Ok(ProjectList { projects: rows.into_iter().map(view).collect() })
    }

    async fn grant(&self, _: &Caller, request: GrantProject) -> Result<Project, ApiError> {
        grant(&self.inner, Path::new(&request.path)).await
    }

    async fn withdraw(&self, _: &Caller, request: WithdrawProject) -> Result<Empty, ApiError> {
        let id = request.project.0.clone();
        let known =
            self.inner.store.write(move |db| store::projects::withdraw(db, &id)).await.map_err(database)?;
        if !known {
            return Err(crate::error::no_project(&request.project));
        }
        self.inner.bus.tell(Topic::Project, &request.project.0, None);
        Ok(Empty {})
    }
}
