//! The history of a task, as clients see it and walk along it.

use crate::Inner;
use crate::error::{database, no_session};
use crate::sessions::{task_changed, view};
use api::events::Topic;
use api::sessions::Session;
use api::tasks::{GetTaskStep, MoveTask, TaskHistory, TaskOrigin, TaskStep, TaskStepText, TaskSteps};
use rpc::{ApiError, Caller, ErrorCode};
use store::sessions::SessionRow;
use store::task_steps::{self, Origin, StepRow, Way};

/// How many steps one page has: at most, and when nothing is asked for.
const PAGE: (u32, u32) = (200, 50);

fn step(row: StepRow, present: u32) -> TaskStep {
    TaskStep {
        number: row.number,
        origin: match row.origin {
            Origin::Written => TaskOrigin::Written,
            Origin::Typed => TaskOrigin::Typed,
            Origin::Merged => TaskOrigin::Merged,
            Origin::Suggested => TaskOrigin::Suggested,
            Origin::Undone => TaskOrigin::Undone,
            Origin::Redone => TaskOrigin::Redone,
            Origin::Restored => TaskOrigin::Restored,
        },
        made_by: row.made_by,
        begun_at: row.begun_at.max(0).cast_unsigned(),
        saved_at: row.saved_at.max(0).cast_unsigned(),
        present: row.number == present,
    }
}

pub(super) async fn history(inner: &Inner, request: TaskHistory) -> Result<TaskSteps, ApiError> {
    let session = inner.session(&request.session).await?;
    let limit = request.limit.unwrap_or(PAGE.1).clamp(1, PAGE.0);
    let (id, present) = (session.id, session.task_step);
    let read = move |db: &store::Db<'_>| {
        let steps = task_steps::list(db, &id, request.before, limit)?;
        // A step that was forgotten leads nowhere.
        let there = |number: Option<u32>| -> store::Result<bool> {
            number.map_or(Ok(false), |number| Ok(task_steps::get(db, &id, number)?.is_some()))
        };
        let now = task_steps::get(db, &id, present)?;
        let (parent, redo) = now.map_or((None, None), |step| (step.parent, step.redo));
        Ok((steps, there(parent)?, there(redo)?))
    };
    let (rows, can_undo, can_redo) = inner.store.read(read).await.map_err(database)?;
    let steps = rows.into_iter().map(|row| step(row, present)).collect();
    Ok(TaskSteps { steps, can_undo, can_redo })
}

pub(super) async fn text(inner: &Inner, request: GetTaskStep) -> Result<TaskStepText, ApiError> {
    let session = inner.session(&request.session).await?;
    let number = request.step;
    if number == session.task_step {
        return Ok(TaskStepText { step: number, text: session.task });
    }
    let read = move |db: &store::Db<'_>| {
        let step = task_steps::get(db, &session.id, number)?;
        step.map_or(Ok(None), |step| task_steps::text(db, &step))
    };
    let text = inner.store.read(read).await.map_err(database)?;
    text.map(|text| TaskStepText { step: number, text }).ok_or_else(|| no_step(number))
}

fn no_step(number: u32) -> ApiError {
    let message = "The task has no such step. The history shows those that are kept.";
    ApiError::not_found("no_task_step", message).with("step", number)
}

/// What became of a walk.
enum Walked {
    Moved(SessionRow),
    Changed(u32),
    Nowhere,
}

pub(super) async fn walk(
    inner: &Inner,
    caller: &Caller,
    request: MoveTask,
    way: Way,
) -> Result<Session, ApiError> {
    let (now, by) = (inner.now(), caller.name.to_string());
    let id = request.session.0.clone();
    let walk = move |db: &store::Db<'_>| {
        let Some(row) = store::sessions::get(db, &id)? else { return Ok(None) };
        if row.task_version != request.version {
            return Ok(Some(Walked::Changed(row.task_version)));
        }
        if !task_steps::walk(db, &id, way, &by, now)? {
            return Ok(Some(Walked::Nowhere));
        }
        Ok(store::sessions::get(db, &id)?.map(Walked::Moved))
    };
    let walked = inner.store.write(walk).await.map_err(database)?;
    match walked.ok_or_else(|| no_session(&request.session))? {
        Walked::Moved(row) => {
            inner.bus.tell(Topic::Session, &row.id, Some(&row.id));
            Ok(view(row))
        }
        Walked::Changed(version) => Err(task_changed(version)),
        Walked::Nowhere => Err(match way {
            Way::To(step) => no_step(step),
            Way::Undo => nothing("There is nothing to take back."),
            Way::Redo => nothing("There is nothing to do again."),
        }),
    }
}

fn nothing(message: &str) -> ApiError {
    ApiError::new(ErrorCode::Conflict, "no_task_step", message)
}
