//! Segments, rows and quotas.

use super::super::{Mark, MarkKind, SEGMENT};
use super::{Place, Summary};
use crate::wire::{Info, State};
use crate::{Quota, Result, TerminalError};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A segment shorter than this is rewritten when more comes, so that slow output does not make a row per word.
const REWRITTEN: usize = 8 * 1024;
/// Free pages of the file that are kept for the next output.
const SPARE_PAGES: i64 = 256;

/// A segment in memory.
struct Segment {
    start: u64,
    raw: Vec<u8>,
    /// What its row costs on disk; 0 before the first commit.
    cost: u64,
    dirty: bool,
}

/// A terminal whose output comes in.
struct Tail {
    open: Segment,
    /// Full segments before it that are not committed.
    full: Vec<Segment>,
    place: Arc<Place>,
}

/// Owns the writing connection.
pub(super) struct Scribe {
    db: Connection,
    quota: Quota,
    tails: HashMap<i64, Tail>,
    /// What each terminal costs on disk, in bytes.
    stored: HashMap<i64, u64>,
    compressor: zstd::bulk::Compressor<'static>,
}

impl Scribe {
    pub(super) fn new(db: Connection, quota: Quota) -> Result<Scribe> {
        let stored = {
            let mut statement = db.prepare("SELECT number, stored FROM terminals WHERE stored > 0")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        let compressor = zstd::bulk::Compressor::new(1)
            .map_err(|e| TerminalError::failed("no compression for the terminals' log", e))?;
        Ok(Scribe { db, quota, tails: HashMap::new(), stored, compressor })
    }

    /// Adds output to its terminal's segments, in memory.
    pub(super) fn ingest(&mut self, number: i64, start: u64, mut bytes: &[u8], place: &Arc<Place>) {
        let segment = |start| Segment { start, raw: Vec::new(), cost: 0, dirty: false };
        let tail = self.tails.entry(number).or_insert_with(|| Tail {
            open: segment(start),
            full: Vec::new(),
            place: Arc::clone(place),
        });
        while !bytes.is_empty() {
            let open = &mut tail.open;
            let is_settled = open.cost > 0 && !open.dirty && open.raw.len() >= REWRITTEN;
            if is_settled || open.raw.len() == SEGMENT {
                let next = segment(open.start + open.raw.len() as u64);
                tail.full.push(std::mem::replace(open, next));
            }
            let open = &mut tail.open;
            let (now, later) = bytes.split_at(bytes.len().min(SEGMENT - open.raw.len()));
            open.raw.extend_from_slice(now);
            open.dirty = true;
            bytes = later;
        }
    }

    /// Writes what is dirty, and what else happened, in one transaction.
    pub(super) fn commit(&mut self, marks: &[(i64, Mark)], summaries: &[Summary]) -> Result<()> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut grown: HashMap<i64, u64> = HashMap::new();
        for (number, tail) in &mut self.tails {
            for segment in tail.full.iter_mut().chain([&mut tail.open]).filter(|segment| segment.dirty) {
                let more = write(&transaction, &mut self.compressor, *number, segment)?;
                *grown.entry(*number).or_default() += more;
            }
        }
        for (number, mark) in marks {
            write_mark(&transaction, *number, *mark)?;
        }
        for summary in summaries {
            write_summary(&transaction, summary)?;
        }
        for (number, more) in &grown {
            let stored = self.stored.get(number).copied().unwrap_or(0) + more;
            transaction
                .prepare_cached("UPDATE terminals SET stored = ?2 WHERE number = ?1")?
                .execute((number, stored))?;
        }
        transaction.commit()?;
        for (number, more) in grown {
            *self.stored.entry(number).or_default() += more;
        }
        for tail in self.tails.values_mut() {
            tail.full.clear();
            tail.open.dirty = false;
        }
        for summary in summaries.iter().filter(|summary| summary.state != State::Running) {
            self.tails.remove(&summary.number);
        }
        Ok(())
    }

    /// Removes the oldest output beyond the quotas.
    pub(super) fn prune(&mut self) -> Result<()> {
        let over: Vec<(i64, u64)> = self
            .stored
            .iter()
            .filter_map(|(number, stored)| Some((*number, stored.checked_sub(self.quota.per_terminal)?)))
            .filter(|(_, excess)| *excess > 0)
            .collect();
        let mut removed = false;
        for (number, excess) in over {
            removed |= self.prune_one(number, excess)? > 0;
        }
        let total: u64 = self.stored.values().sum();
        let mut excess = total.saturating_sub(self.quota.total);
        if excess > 0 {
            for number in self.oldest_first()? {
                let gone = self.prune_one(number, excess)?;
                removed |= gone > 0;
                excess = excess.saturating_sub(gone);
                if excess == 0 {
                    break;
                }
            }
        }
        if removed { self.vacuum() } else { Ok(()) }
    }

    /// Ended terminals before running ones, the ones that ended first before the others.
    fn oldest_first(&self) -> Result<Vec<i64>> {
        let mut statement = self.db.prepare_cached(
            "SELECT number FROM terminals WHERE stored > 0 ORDER BY state = 'running', ended_at, number",
        )?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Removes whole segments from the front of a terminal's log until `excess` bytes are gone, but never the one
    /// that is being filled. Returns what went.
    fn prune_one(&mut self, number: i64, excess: u64) -> Result<u64> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let open = self.tails.get(&number).map(|tail| tail.open.start);
        let mut gone = 0;
        let mut log_start = 0;
        {
            let mut select = transaction.prepare_cached(
                "SELECT number, start, length, length(body) FROM segments WHERE terminal = ?1 ORDER BY start",
            )?;
            let mut delete = transaction.prepare_cached("DELETE FROM segments WHERE number = ?1")?;
            let mut rows = select.query([number])?;
            while gone < excess
                && let Some(row) = rows.next()?
            {
                let (start, length): (u64, u64) = (row.get(1)?, row.get(2)?);
                if Some(start) == open {
                    break;
                }
                log_start = start + length;
                gone += cost(row.get(3)?);
                delete.execute([row.get::<_, i64>(0)?])?;
            }
        }
        if gone == 0 {
            return Ok(0);
        }
        let stored = self.stored.get(&number).copied().unwrap_or(0).saturating_sub(gone);
        transaction
            .prepare_cached("UPDATE terminals SET log_start = ?2, stored = ?3 WHERE number = ?1")?
            .execute((number, log_start, stored))?;
        // The last size before the log's start is where a replay begins.
        transaction
            .prepare_cached(
                "DELETE FROM marks WHERE terminal = ?1 AND place < ?2 AND number < \
                 (SELECT max(number) FROM marks WHERE terminal = ?1 AND place < ?2)",
            )?
            .execute((number, log_start))?;
        transaction.commit()?;
        self.stored.insert(number, stored);
        if let Some(tail) = self.tails.get(&number) {
            tail.place.log_start.store(log_start, Ordering::Release);
        }
        Ok(gone)
    }

    /// Gives free pages back to the file system, except a few.
    fn vacuum(&self) -> Result<()> {
        let free: i64 = self.db.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        if free > 2 * SPARE_PAGES {
            let mut statement =
                self.db.prepare(&format!("PRAGMA incremental_vacuum({})", free - SPARE_PAGES))?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            drop(rows);
            self.settle()?;
        }
        Ok(())
    }

    /// Brings the write-ahead log into the file, which may shrink by it. A reader may delay that until the next time.
    pub(super) fn settle(&self) -> Result<()> {
        Ok(self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    pub(super) fn begin(&mut self, info: &Info, scrollback: u32) -> Result<i64> {
        let command = info.command.as_ref().map(serde_json::to_string).transpose();
        let command = command.map_err(|e| TerminalError::failed("the command cannot be stored", e))?;
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT INTO terminals (id, epoch, title, label, cwd, command, cols, rows, scrollback, state, started_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'running', ?10)",
            (
                &info.id,
                info.epoch,
                &info.title,
                &info.label,
                &info.cwd,
                command,
                info.size.cols,
                info.size.rows,
                scrollback,
                info.started_at,
            ),
        )?;
        let number = transaction.last_insert_rowid();
        write_mark(&transaction, number, Mark { at: 0, kind: MarkKind::Resize(info.size) })?;
        transaction.commit()?;
        Ok(number)
    }

    pub(super) fn forget(&mut self, id: &str) -> Result<()> {
        let number: rusqlite::Result<i64> = self.db.query_row(
            "DELETE FROM terminals WHERE id = ?1 AND state <> 'running' RETURNING number",
            [id],
            |row| row.get(0),
        );
        match number {
            Ok(number) => {
                self.tails.remove(&number);
                self.stored.remove(&number);
                self.vacuum()
            }
            Err(rusqlite::Error::QueryReturnedNoRows) => Err(TerminalError::NotFound(id.to_owned())),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a row with a body of `length` bytes takes in pages of 4 KiB: several to a page, or pages of its own.
fn cost(length: u64) -> u64 {
    const PAGE: u64 = 4096;
    match (PAGE - 16) / (length + 24) {
        0 => PAGE * length.div_ceil(PAGE - 4) + 64,
        per_page => PAGE / per_page,
    }
}

/// Writes a segment's row; returns how much more it costs than before.
fn write(
    transaction: &Transaction<'_>,
    compressor: &mut zstd::bulk::Compressor<'static>,
    number: i64,
    segment: &mut Segment,
) -> Result<u64> {
    let body = compressor
        .compress(&segment.raw)
        .map_err(|e| TerminalError::failed("output cannot be compressed", e))?;
    transaction
        .prepare_cached(
            "INSERT INTO segments (terminal, start, length, body) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (terminal, start) DO UPDATE SET length = excluded.length, body = excluded.body",
        )?
        .execute((number, segment.start, segment.raw.len(), &body))?;
    transaction
        .prepare_cached("UPDATE terminals SET head = ?2 WHERE number = ?1 AND head < ?2")?
        .execute((number, segment.start + segment.raw.len() as u64))?;
    let cost = cost(body.len() as u64);
    let more = cost.saturating_sub(segment.cost);
    segment.cost = cost.max(segment.cost);
    Ok(more)
}

fn write_mark(transaction: &Transaction<'_>, number: i64, mark: Mark) -> Result<()> {
    let (kind, cols, rows) = match mark.kind {
        MarkKind::Resize(size) => ("resize", size.cols, size.rows),
        MarkKind::Exit => ("exit", 0, 0),
    };
    transaction
        .prepare_cached("INSERT INTO marks (terminal, place, kind, cols, rows) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((number, mark.at, kind, cols, rows))?;
    Ok(())
}

fn write_summary(transaction: &Transaction<'_>, summary: &Summary) -> Result<()> {
    let (state, code, signal) = match &summary.state {
        State::Running => ("running", 0, None),
        State::Exited { code, signal } => ("exited", *code, signal.as_deref()),
        State::Lost => ("lost", 0, None),
    };
    transaction
        .prepare_cached(
            "UPDATE terminals SET cols = ?2, rows = ?3, state = ?4, code = ?5, signal = ?6, ended_at = ?7, \
             last_output_at = ?8, program_title = ?9, bells = ?10, notice = ?11 WHERE number = ?1",
        )?
        .execute((
            summary.number,
            summary.size.cols,
            summary.size.rows,
            state,
            code,
            signal,
            summary.ended_at,
            summary.last_output_at,
            &summary.program_title,
            summary.attention.bells,
            &summary.attention.notice,
        ))?;
    Ok(())
}
