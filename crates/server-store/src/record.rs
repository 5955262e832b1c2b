//! What ends together is stored together: audit records, usage, ledger entries and the sums that budgets are kept by, for many
//! requests in one transaction and few statements.
//!
//! Each statement to PostgreSQL crosses a socket: that, not the rows, is what storing costs there. To SQLite everything is handed
//! to [`crate::recorder`] in one piece.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rusqlite::{Connection, Statement, TransactionBehavior, params};
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection};

use crate::usage::DAY_MS;
use crate::{AuditRow, Store, StoreError, SubjectRow, UsageRow};

/// The most rows in one statement. SQLite takes 32,766 values in one, PostgreSQL 65,535.
const MOST_ROWS: usize = 64;

/// What a request used, and what had been set aside for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What it used.
    pub usage: UsageRow,
    /// What was set aside before it left, in micro-dollars; given back here.
    pub reserved_microusd: Option<i64>,
}

/// Why money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerKind {
    /// Set aside before a request.
    Reserve,
    /// The cost of a request.
    Settle,
    /// Given back.
    Refund,
}

impl LedgerKind {
    fn as_str(self) -> &'static str {
        match self {
            LedgerKind::Reserve => "reserve",
            LedgerKind::Settle => "settle",
            LedgerKind::Refund => "refund",
        }
    }
}

struct LedgerRow<'a> {
    usage: &'a UsageRow,
    kind: LedgerKind,
    microusd: i64,
}

/// What is stored in one step, or not at all.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Audit records, in the order of their chain.
    pub records: Vec<AuditRow>,
    /// The subjects that are new in them.
    pub subjects: Vec<SubjectRow>,
    /// What requests used that have ended.
    pub settlements: Vec<Arc<Settlement>>,
}

impl Recording {
    fn usage(&self) -> Vec<&UsageRow> {
        self.settlements.iter().map(|settlement| &settlement.usage).collect()
    }

    fn ledger(&self) -> Vec<LedgerRow<'_>> {
        self.settlements.iter().flat_map(|settlement| entries(settlement)).collect()
    }
}

impl Store {
    /// Appends audit records with the subjects that are new in them, and stores settlements, all or nothing. A request settles
    /// once and a place in a chain is taken once: the second time is a conflict.
    pub async fn record(&self, recording: &Arc<Recording>) -> Result<(), StoreError> {
        if let Some(recorder) = &self.recorder {
            return recorder.record(recording).await;
        }
        let mut tx = self.begin().await?;
        insert(&mut tx, (&SUBJECTS, self.is_postgres), &recording.subjects, bind_subject).await?;
        insert(&mut tx, (&AUDIT, self.is_postgres), &recording.records, bind_audit).await?;
        let usage = recording.usage();
        insert(&mut tx, (&USAGE, self.is_postgres), &usage, |query, row| bind_usage(query, row)).await?;
        insert(&mut tx, (&LEDGER, self.is_postgres), &recording.ledger(), bind_ledger).await?;
        let sums = Sums::of(&usage);
        for ((org_id, user_id, day), microusd) in sums.days {
            sqlx::query(ADD_DAY)
                .bind(org_id)
                .bind(user_id)
                .bind(day)
                .bind(microusd)
                .execute(&mut *tx)
                .await?;
        }
        for (token, microusd) in sums.tokens {
            sqlx::query(ADD_TOKEN).bind(microusd).bind(token).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// The same in SQLite alone, row by row: what costs over [`Store`]'s connection is handing statements and values over, which
/// this one does not do.
pub(crate) fn record(connection: &mut Connection, recording: &Recording) -> Result<(), StoreError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    each(&tx, &SUBJECTS, &recording.subjects, |insert, row| {
        let SubjectRow { pseudonym, org_id, user_id, address, created_ms } = row;
        insert.execute(params![pseudonym, org_id, user_id, address, created_ms])
    })?;
    each(&tx, &AUDIT, &recording.records, |insert, row| {
        let AuditRow { node, seq, request_id, org_id, at_ms, hash, record } = row;
        insert.execute(params![node, seq, request_id, org_id, at_ms, hash, record])
    })?;
    let usage = recording.usage();
    each(&tx, &USAGE, &usage, |insert, row| {
        insert.execute(params![
            row.request_id,
            row.org_id,
            row.user_id,
            row.device_id,
            row.token_id,
            row.job,
            row.at_ms,
            row.provider,
            row.model,
            row.input_tokens,
            row.output_tokens,
            row.cache_read_tokens,
            row.cache_write_tokens,
            row.reasoning_tokens,
            i64::from(row.estimated),
            row.cost_microusd,
            row.outcome,
        ])
    })?;
    each(&tx, &LEDGER, &recording.ledger(), |insert, row| {
        let LedgerRow { usage, kind, microusd } = row;
        insert.execute(params![
            usage.request_id,
            kind.as_str(),
            usage.org_id,
            usage.user_id,
            microusd,
            usage.at_ms
        ])
    })?;
    let sums = Sums::of(&usage);
    for ((org_id, user_id, day), microusd) in sums.days {
        tx.prepare_cached(ADD_DAY)?.execute(params![org_id, user_id, day, microusd])?;
    }
    for (token, microusd) in sums.tokens {
        tx.prepare_cached(ADD_TOKEN)?.execute(params![microusd, token])?;
    }
    tx.commit()?;
    Ok(())
}

fn each<T>(
    connection: &Connection,
    table: &Table,
    rows: &[T],
    insert: impl Fn(&mut Statement<'_>, &T) -> rusqlite::Result<usize>,
) -> rusqlite::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(table.statement(1, false))?;
    rows.iter().try_for_each(|row| insert(&mut statement, row).map(drop))
}

/// The entries of a settlement: their sum is what it cost.
fn entries(settlement: &Settlement) -> impl Iterator<Item = LedgerRow<'_>> {
    let usage = &settlement.usage;
    let row = move |kind, microusd| LedgerRow { usage, kind, microusd };
    let reserved = settlement.reserved_microusd;
    let held = reserved.map(|amount| [row(LedgerKind::Reserve, -amount), row(LedgerKind::Refund, amount)]);
    held.into_iter().flatten().chain(usage.cost_microusd.map(|cost| row(LedgerKind::Settle, -cost)))
}

/// The sums that budgets are kept by. Keys in order, so that two nodes never wait for each other in a circle.
struct Sums<'a> {
    days: BTreeMap<(&'a str, &'a str, i64), i64>,
    tokens: BTreeMap<&'a str, i64>,
}

const ADD_DAY: &str = "INSERT INTO spend_days (org_id, user_id, day, microusd) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (org_id, user_id, day) DO UPDATE SET microusd = spend_days.microusd + excluded.microusd";
const ADD_TOKEN: &str = "UPDATE api_tokens SET spent_microusd = spent_microusd + $1 WHERE id = $2";

impl<'a> Sums<'a> {
    fn of(usage: &[&'a UsageRow]) -> Self {
        let mut sums = Self { days: BTreeMap::new(), tokens: BTreeMap::new() };
        for row in usage {
            let Some(cost) = row.cost_microusd else { continue };
            let day = (row.org_id.as_str(), row.user_id.as_str(), row.at_ms.div_euclid(DAY_MS));
            let day = sums.days.entry(day).or_default();
            *day = day.saturating_add(cost);
            if let Some(token) = &row.token_id {
                let spent = sums.tokens.entry(token).or_default();
                *spent = spent.saturating_add(cost);
            }
        }
        sums
    }
}

/// A table and the columns of its rows.
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
}

const AUDIT: Table = Table {
    name: "audit_records",
    columns: &["node", "seq", "request_id", "org_id", "at_ms", "hash", "record"],
};

const SUBJECTS: Table =
    Table { name: "audit_subjects", columns: &["pseudonym", "org_id", "user_id", "address", "created_ms"] };

const USAGE: Table = Table {
    name: "usage_records",
    columns: &[
        "request_id",
        "org_id",
        "user_id",
        "device_id",
        "token_id",
        "job",
        "at_ms",
        "provider",
        "model",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "estimated",
        "cost_microusd",
        "outcome",
    ],
};

const LEDGER: Table = Table {
    name: "ledger_entries",
    columns: &["request_id", "kind", "org_id", "user_id", "amount_microusd", "at_ms"],
};

impl Table {
    /// The statement for so many rows. To SQLite a `$1` is the name of a value, and it looks each up in the list of all
    /// names: with a thousand values that is most of what inserting costs. A bare `?` is a number to it.
    fn insert(&self, rows: usize, is_postgres: bool) -> String {
        let mut sql = format!("INSERT INTO {} ({}) VALUES ", self.name, self.columns.join(", "));
        for row in 0..rows {
            sql.push_str(if row == 0 { "(" } else { ", (" });
            for column in 1..=self.columns.len() {
                sql.push_str(if column == 1 { "" } else { ", " });
                match is_postgres {
                    true => sql.push_str(&format!("${}", row * self.columns.len() + column)),
                    false => sql.push('?'),
                }
            }
            sql.push(')');
        }
        sql
    }

    /// The statement for a number of rows that is a power of two, made once.
    fn statement(&self, rows: usize, is_postgres: bool) -> &'static str {
        type Made = HashMap<(&'static str, usize, bool), &'static str>;
        static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);
        // A panic elsewhere leaves the map whole.
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        // As many as there are tables, powers of two up to the most, and databases: they are kept for good.
        made.entry((self.name, rows, is_postgres))
            .or_insert_with(|| Box::leak(self.insert(rows, is_postgres).into_boxed_str()))
    }
}

type Values<'q> = Query<'q, Any, AnyArguments>;

/// Inserts rows, in pieces whose sizes are powers of two: so there are only a few different statements, and each is prepared
/// once per connection.
async fn insert<'q, T>(
    tx: &mut AnyConnection,
    (table, is_postgres): (&Table, bool),
    mut rows: &'q [T],
    bind: impl Fn(Values<'q>, &'q T) -> Values<'q>,
) -> Result<(), StoreError> {
    while !rows.is_empty() {
        // The largest power of two that is not more than there are.
        let size = (1 << rows.len().ilog2()).min(MOST_ROWS);
        let (piece, rest) = rows.split_at(size);
        let query = sqlx::query(table.statement(size, is_postgres));
        piece.iter().fold(query, &bind).execute(&mut *tx).await?;
        rows = rest;
    }
    Ok(())
}

fn bind_audit<'q>(query: Values<'q>, row: &'q AuditRow) -> Values<'q> {
    query
        .bind(&row.node)
        .bind(row.seq)
        .bind(&row.request_id)
        .bind(&row.org_id)
        .bind(row.at_ms)
        .bind(&row.hash)
        .bind(row.record.as_slice())
}

fn bind_subject<'q>(query: Values<'q>, row: &'q SubjectRow) -> Values<'q> {
    query.bind(&row.pseudonym).bind(&row.org_id).bind(&row.user_id).bind(&row.address).bind(row.created_ms)
}

fn bind_usage<'q>(query: Values<'q>, row: &'q UsageRow) -> Values<'q> {
    query
        .bind(&row.request_id)
        .bind(&row.org_id)
        .bind(&row.user_id)
        .bind(&row.device_id)
        .bind(row.token_id.as_deref())
        .bind(row.job.as_deref())
        .bind(row.at_ms)
        .bind(&row.provider)
        .bind(&row.model)
        .bind(row.input_tokens)
        .bind(row.output_tokens)
        .bind(row.cache_read_tokens)
        .bind(row.cache_write_tokens)
        .bind(row.reasoning_tokens)
        .bind(i64::from(row.estimated))
        .bind(row.cost_microusd)
        .bind(&row.outcome)
}

fn bind_ledger<'q>(query: Values<'q>, row: &'q LedgerRow<'q>) -> Values<'q> {
    query
        .bind(&row.usage.request_id)
        .bind(row.kind.as_str())
        .bind(&row.usage.org_id)
        .bind(&row.usage.user_id)
        .bind(row.microusd)
        .bind(row.usage.at_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_places_of_its_own() {
        let columns =
            "INSERT INTO ledger_entries (request_id, kind, org_id, user_id, amount_microusd, at_ms)";
        let values = "($1, $2, $3, $4, $5, $6), ($7, $8, $9, $10, $11, $12)";
        assert_eq!(LEDGER.insert(2, true), format!("{columns} VALUES {values}"));
        assert_eq!(LEDGER.statement(1, false), format!("{columns} VALUES (?, ?, ?, ?, ?, ?)"));
    }
}
