//! The history of tasks: steps that undo and redo walk along, also after a restart and from another device.
//!
//! Nothing is ever taken out of the middle: an undo is a new step with an old text. `parent` says where the next undo
//! leads, `redo` what it took back.

use crate::{Db, Result, sessions, texts};
use rusqlite::{OptionalExtension, Row, params};

/// Saves of one device that follow each other within this time are one step, in milliseconds.
const PAUSE: i64 = 4_000;

/// The longest time that one step of typing covers, in milliseconds.
const LONGEST: i64 = 60_000;

/// How many steps a task keeps; older ones are forgotten.
const KEPT: u32 = 1_000;

/// Where a step comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The first text.
    Written,
    /// A person's typing.
    Typed,
    /// Edits of two devices in one text.
    Merged,
    /// A model's words.
    Suggested,
    /// A step back.
    Undone,
    /// A step forward again.
    Redone,
    /// An older step chosen from the history.
    Restored,
}

impl Origin {
    const NAMES: [(Origin, &'static str); 7] = [
        (Origin::Written, "written"),
        (Origin::Typed, "typed"),
        (Origin::Merged, "merged"),
        (Origin::Suggested, "suggested"),
        (Origin::Undone, "undone"),
        (Origin::Redone, "redone"),
        (Origin::Restored, "restored"),
    ];

    fn name(self) -> &'static str {
        Origin::NAMES.iter().find(|(origin, _)| *origin == self).map_or("written", |(_, name)| name)
    }

    fn named(name: &str) -> Origin {
        Origin::NAMES.iter().find(|(_, n)| *n == name).map_or(Origin::Written, |(origin, _)| *origin)
    }
}

/// A step of a task's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// Counts the steps of a session.
    pub number: u32,
    /// Where its text is, unless it is the present one.
    pub text_hash: Option<String>,
    /// The step to which undo leads.
    pub parent: Option<u32>,
    /// The step that this one took back.
    pub redo: Option<u32>,
    /// Where it comes from.
    pub origin: Origin,
    /// Who made it.
    pub made_by: String,
    /// When it was begun.
    pub begun_at: i64,
    /// When it was saved last.
    pub saved_at: i64,
}

const COLUMNS: &str = "number, text_hash, parent, redo, origin, made_by, begun_at, saved_at";

fn read(row: &Row<'_>) -> rusqlite::Result<StepRow> {
    Ok(StepRow {
        number: row.get(0)?,
        text_hash: row.get(1)?,
        parent: row.get(2)?,
        redo: row.get(3)?,
        origin: Origin::named(&row.get::<_, String>(4)?),
        made_by: row.get(5)?,
        begun_at: row.get(6)?,
        saved_at: row.get(7)?,
    })
}

/// A new text of a task.
#[derive(Clone, Copy, Debug)]
pub struct NewText<'a> {
    /// The session.
    pub session: &'a str,
    /// The text.
    pub text: &'a str,
    /// Where it comes from.
    pub origin: Origin,
    /// Who made it.
    pub made_by: &'a str,
    /// When.
    pub now: i64,
}

/// Which way through the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To what was before.
    Undo,
    /// To what the last undo took back.
    Redo,
    /// To this step.
    To(u32),
}

/// Notes the first step of a session that was just made.
pub(crate) fn begin(db: &Db<'_>, session: &str, now: i64) -> Result<()> {
    db.change(
        "INSERT INTO task_steps (session_id, number, origin, made_by, begun_at, saved_at) VALUES (?1, 1, 'written', '', ?2, ?2)",
        params![session, now],
    )?;
    Ok(())
}

/// Gives a task a new text: as part of the present step when it goes on with it, otherwise as a step of its own. The same
/// text changes nothing. Whether the session exists.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn save(db: &Db<'_>, new: &NewText<'_>) -> Result<bool> {
    let Some(session) = sessions::get(db, new.session)? else { return Ok(false) };
    if session.task == new.text {
        return Ok(true);
    }
    let Some(present) = get(db, new.session, session.task_step)? else { return Ok(false) };
    let typing = [new.origin, present.origin].iter().all(|o| matches!(o, Origin::Typed | Origin::Merged));
    let goes_on = (present.saved_at..=present.saved_at.saturating_add(PAUSE)).contains(&new.now)
        && new.now - present.begun_at <= LONGEST;
    if typing && goes_on && present.made_by == new.made_by {
        db.change(
            "UPDATE task_steps SET saved_at = ?3 WHERE session_id = ?1 AND number = ?2",
            params![new.session, present.number, new.now],
        )?;
        sessions::set_task(db, new.session, new.text, present.number, new.now)?;
        return Ok(true);
    }
    push(db, &session.task, &present, new, (Some(present.number), None))?;
    // Not when walking, which makes steps too: an undo must not forget where the next one leads.
    forget_before(db, new.session, present.number.saturating_sub(KEPT - 1))?;
    Ok(true)
}

/// Walks through the history; whether there was anything that way.
///
/// # Errors
/// When the database refuses.
pub fn walk(db: &Db<'_>, session: &str, way: Way, made_by: &str, now: i64) -> Result<bool> {
    let Some(row) = sessions::get(db, session)? else { return Ok(false) };
    let Some(present) = get(db, session, row.task_step)? else { return Ok(false) };
    let to = match way {
        Way::Undo => present.parent,
        Way::Redo => present.redo,
        Way::To(number) => Some(number).filter(|number| *number != present.number),
    };
    let Some(target) = to.map(|number| get(db, session, number)).transpose()?.flatten() else {
        return Ok(false);
    };
    let Some(text) = text(db, &target)? else { return Ok(false) };
    let (origin, links) = match way {
        Way::Undo => (Origin::Undone, (target.parent, Some(present.number))),
        Way::Redo => (Origin::Redone, (target.parent, target.redo)),
        Way::To(_) => (Origin::Restored, (Some(present.number), None)),
    };
    push(db, &row.task, &present, &NewText { session, text: &text, origin, made_by, now }, links)?;
    Ok(true)
}

/// Lays the present step's text down and begins a step with the links (parent, redo).
fn push(
    db: &Db<'_>,
    old: &str,
    present: &StepRow,
    new: &NewText<'_>,
    (parent, redo): (Option<u32>, Option<u32>),
) -> Result<()> {
    let hash = texts::put(db, old.as_bytes())?;
    db.change(
        "UPDATE task_steps SET text_hash = ?3 WHERE session_id = ?1 AND number = ?2",
        params![new.session, present.number, hash],
    )?;
    let number = present.number + 1;
    db.change(
        "INSERT INTO task_steps (session_id, number, parent, redo, origin, made_by, begun_at, saved_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
        params![new.session, number, parent, redo, new.origin.name(), new.made_by, new.now],
    )?;
    sessions::set_task(db, new.session, new.text, number, new.now)
}

/// Forgets the steps up to `last`, with their texts.
fn forget_before(db: &Db<'_>, session: &str, last: u32) -> Result<()> {
    let sql =
        "SELECT text_hash FROM task_steps WHERE session_id = ?1 AND number <= ?2 AND text_hash IS NOT NULL";
    let texts = db.all(sql, params![session, last], |row| row.get::<_, String>(0))?;
    if texts.is_empty() {
        return Ok(());
    }
    db.change("DELETE FROM task_steps WHERE session_id = ?1 AND number <= ?2", params![session, last])?;
    texts::forget(db, &texts)
}

/// One step.
///
/// # Errors
/// When the database refuses.
pub fn get(db: &Db<'_>, session: &str, number: u32) -> Result<Option<StepRow>> {
    let sql = format!("SELECT {COLUMNS} FROM task_steps WHERE session_id = ?1 AND number = ?2");
    Ok(db.0.prepare_cached(&sql)?.query_row(params![session, number], read).optional()?)
}

/// The text of a step that is not the present one.
///
/// # Errors
/// When the database refuses, or the stored bytes are damaged.
pub fn text(db: &Db<'_>, step: &StepRow) -> Result<Option<String>> {
    let Some(hash) = &step.text_hash else { return Ok(None) };
    Ok(texts::get(db, hash)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The steps of a session before one (all when `None`), the newest first.
///
/// # Errors
/// When the database refuses.
pub fn list(db: &Db<'_>, session: &str, before: Option<u32>, limit: u32) -> Result<Vec<StepRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM task_steps WHERE session_id = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3"
    );
    db.all(&sql, params![session, before.unwrap_or(u32::MAX), limit], read)
}
