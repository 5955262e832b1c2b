//! What requests used.

use crate::{Db, Result};
use rusqlite::params;

/// What one request used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageRow {
    /// The job that sent it.
    pub job_id: String,
    /// The session it belongs to.
    pub session_id: String,
    /// Who answered.
    pub provider: String,
    /// Which model.
    pub model: String,
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Of these, from a cache.
    pub cached_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// The cost in millionths of a dollar; `None` when the price is not known.
    pub cost: Option<u64>,
    /// Whether these figures are estimated.
    pub estimated: bool,
}

/// The sums of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSum {
    /// Who answered.
    pub provider: String,
    /// Which model.
    pub model: String,
    /// How many requests.
    pub requests: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// The cost of those whose price is known.
    pub cost: u64,
    /// How many of the requests have no known price.
    pub unpriced: u64,
}

/// Adds what a request used.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn insert(db: &Db<'_>, row: &UsageRow, now: i64) -> Result<()> {
    db.change(
        "INSERT INTO usage (job_id, provider, model, input_tokens, cached_tokens, output_tokens, cost, estimated, at, session_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            row.job_id, row.provider, row.model, row.input_tokens, row.cached_tokens, row.output_tokens, row.cost,
            row.estimated, now, row.session_id
        ],
    )?;
    Ok(())
}

/// Sums by model since a time, the dearest first.
///
/// # Errors
/// When the database refuses.
pub fn since(db: &Db<'_>, since: i64) -> Result<Vec<ModelSum>> {
    db.all(
        "SELECT provider, model, COUNT(*), SUM(input_tokens), SUM(output_tokens), COALESCE(SUM(cost), 0) AS cost,
           COUNT(*) - COUNT(cost) FROM usage
         WHERE at >= ?1 GROUP BY provider, model ORDER BY cost DESC, provider, model",
        [since],
        |row| {
            Ok(ModelSum {
                provider: row.get(0)?,
                model: row.get(1)?,
                requests: row.get(2)?,
                input_tokens: row.get(3)?,
                output_tokens: row.get(4)?,
                cost: row.get(5)?,
                unpriced: row.get(6)?,
            })
        },
    )
}

/// What was spent since a time, by a session or by all of them, in millionths of a dollar.
///
/// # Errors
/// When the database refuses.
pub fn spent(db: &Db<'_>, session: Option<&str>, since: i64) -> Result<u64> {
    let sql = "SELECT COALESCE(SUM(cost), 0) FROM usage WHERE at >= ?2 AND (?1 IS NULL OR session_id = ?1)";
    Ok(db.one(sql, params![session, since], |row| row.get(0))?.unwrap_or(0))
}

/// What requests are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Days (UTC), as `2026-11-28`.
    Day,
    /// Sessions.
    Session,
    /// Models, as `provider/model`.
    Model,
    /// Jobs.
    Job,
}

/// The sums of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSum {
    /// The day, session, model or job.
    pub key: String,
    /// How many requests.
    pub requests: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Of these, from a cache.
    pub cached_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// The cost of those whose price is known.
    pub cost: u64,
    /// How many of the requests have no known price.
    pub unpriced: u64,
}

/// Sums by group since a time: days in order, everything else by cost, the dearest first.
///
/// # Errors
/// When the database refuses.
pub fn grouped(db: &Db<'_>, since: i64, group: Group) -> Result<Vec<GroupSum>> {
    let (key, order) = match group {
        Group::Day => ("strftime('%Y-%m-%d', at / 1000, 'unixepoch')", "key"),
        Group::Session => ("COALESCE(session_id, '')", "cost DESC, key"),
        Group::Model => ("provider || '/' || model", "cost DESC, key"),
        Group::Job => ("job_id", "cost DESC, key"),
    };
    let sql = format!(
        "SELECT {key} AS key, COUNT(*), SUM(input_tokens), SUM(cached_tokens), SUM(output_tokens),
           COALESCE(SUM(cost), 0) AS cost, COUNT(*) - COUNT(cost) FROM usage
         WHERE at >= ?1 GROUP BY 1 ORDER BY {order}"
    );
    db.all(&sql, [since], |row| {
        Ok(GroupSum {
            key: row.get(0)?,
            requests: row.get(1)?,
            input_tokens: row.get(2)?,
            cached_tokens: row.get(3)?,
            output_tokens: row.get(4)?,
            cost: row.get(5)?,
            unpriced: row.get(6)?,
        })
    })
}
