//! Reading the log.

use crate::wire::{Attention, Info, Size, State};
use crate::{Result, TerminalError, lock};
use rusqlite::{Connection, OptionalExtension, Row};
use std::sync::Mutex;

/// What happened at an offset, before the byte there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) at: u64,
    pub(crate) kind: MarkKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MarkKind {
    Resize(Size),
    Exit,
}

/// A reading connection. Its calls block; async code runs them on a blocking thread.
pub(crate) struct Reader(Mutex<Connection>);

const INFO: &str = "SELECT number, scrollback, id, epoch, title, program_title, label, cwd, command, cols, rows, state, \
     code, signal, head, log_start, started_at, ended_at, last_output_at, bells, notice FROM terminals";

/// A terminal as the log knows it.
pub(crate) struct Stored {
    pub(crate) number: i64,
    pub(crate) scrollback: u32,
    pub(crate) info: Info,
}

impl Reader {
    pub(super) fn new(connection: Connection) -> Reader {
        Reader(Mutex::new(connection))
    }

    /// The newest terminals, at most `limit`.
    pub(crate) fn list(&self, limit: u32) -> Result<Vec<Info>> {
        let connection = lock(&self.0);
        let mut statement = connection.prepare_cached(&format!("{INFO} ORDER BY number DESC LIMIT ?1"))?;
        let rows = statement.query_map([limit], |row| stored(row).map(|stored| stored.info))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn get(&self, id: &str) -> Result<Option<Stored>> {
        let connection = lock(&self.0);
        let mut statement = connection.prepare_cached(&format!("{INFO} WHERE id = ?1"))?;
        Ok(statement.query_row([id], stored).optional()?)
    }

    /// Bytes from `from`, up to `to`. Fewer than asked for means that the log ends there.
    ///
    /// # Errors
    /// [`TerminalError::Invalid`] when `from` has been pruned.
    pub(crate) fn bytes(&self, number: i64, from: u64, to: u64) -> Result<Vec<u8>> {
        let connection = lock(&self.0);
        let mut statement = connection.prepare_cached(
            "SELECT start, body FROM segments WHERE terminal = ?1 AND start < ?3 AND start >= \
             coalesce((SELECT max(start) FROM segments WHERE terminal = ?1 AND start <= ?2), 0) ORDER BY start",
        )?;
        let is_pruned: bool = connection
            .prepare_cached("SELECT log_start > ?2 FROM terminals WHERE number = ?1")?
            .query_row((number, from), |row| row.get(0))?;
        let pruned = || TerminalError::Invalid("this part of the output is no longer kept".to_owned());
        if is_pruned {
            return Err(pruned());
        }
        let mut rows = statement.query((number, from, to))?;
        let mut bytes = Vec::new();
        while let Some(row) = rows.next()? {
            let start: u64 = row.get(0)?;
            let raw = zstd::bulk::decompress(row.get_ref(1)?.as_blob().unwrap_or_default(), super::SEGMENT)
                .map_err(|e| TerminalError::failed("a part of the terminals' log cannot be read", e))?;
            let next = from + bytes.len() as u64;
            if start > next {
                return Err(pruned());
            }
            let skip = usize::try_from(next - start).unwrap_or(usize::MAX).min(raw.len());
            let room = usize::try_from(to - next).unwrap_or(usize::MAX);
            bytes.extend(raw[skip..].iter().take(room));
        }
        Ok(bytes)
    }

    /// Marks at `from` and later.
    pub(crate) fn marks(&self, number: i64, from: u64) -> Result<Vec<Mark>> {
        let connection = lock(&self.0);
        let mut statement = connection.prepare_cached(
            "SELECT place, kind, cols, rows FROM marks WHERE terminal = ?1 AND place >= ?2 ORDER BY number",
        )?;
        let rows = statement.query_map((number, from), |row| {
            let kind: String = row.get(1)?;
            let size = Size { cols: row.get(2)?, rows: row.get(3)? };
            let kind = if kind == "exit" { MarkKind::Exit } else { MarkKind::Resize(size) };
            Ok(Mark { at: row.get(0)?, kind })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The last size that was set before `at`.
    pub(crate) fn size_before(&self, number: i64, at: u64) -> Result<Option<Size>> {
        let connection = lock(&self.0);
        let mut statement = connection.prepare_cached(
            "SELECT cols, rows FROM marks WHERE terminal = ?1 AND place < ?2 AND kind = 'resize' \
             ORDER BY number DESC LIMIT 1",
        )?;
        let size = |row: &Row<'_>| Ok(Size { cols: row.get(0)?, rows: row.get(1)? });
        Ok(statement.query_row((number, at), size).optional()?)
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let state: String = row.get("state")?;
    let command: Option<String> = row.get("command")?;
    Ok(Stored {
        number: row.get("number")?,
        scrollback: row.get("scrollback")?,
        info: Info {
            id: row.get("id")?,
            epoch: row.get("epoch")?,
            title: row.get("title")?,
            program_title: row.get("program_title")?,
            label: row.get("label")?,
            cwd: row.get("cwd")?,
            command: command.and_then(|command| serde_json::from_str(&command).ok()),
            size: Size { cols: row.get("cols")?, rows: row.get("rows")? },
            state: match state.as_str() {
                "running" => State::Running,
                "exited" => State::Exited { code: row.get("code")?, signal: row.get("signal")? },
                _ => State::Lost,
            },
            head: row.get("head")?,
            log_start: row.get("log_start")?,
            started_at: row.get("started_at")?,
            ended_at: row.get("ended_at")?,
            last_output_at: row.get("last_output_at")?,
            attention: Attention { bells: row.get("bells")?, notice: row.get("notice")? },
        },
    })
}
