//! The chained record of everything that left, or was kept from leaving.
//!
//! `hash(n) = SHA-256("plantocode-audit-v1" ‖ hash(n−1) ‖ length(record) u64 BE ‖ record)`, with 32 zero bytes
//! before the first. The exact bytes are stored, so verifying needs no knowledge of their form.

use crate::{Db, Result};
use rusqlite::params;
use sha2::{Digest, Sha256};

const DOMAIN: &[u8] = b"plantocode-audit-v1";

/// A stored record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its position, from 1 and without gaps.
    pub seq: i64,
    /// The job it belongs to.
    pub job_id: String,
    /// `intent` or `outcome`.
    pub kind: String,
    /// The record, as JSON bytes.
    pub record: Vec<u8>,
    /// The hash of the chain up to here.
    pub hash: Vec<u8>,
}

/// Where a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every record is as it was written.
    Whole {
        /// How many there are.
        records: u64,
    },
    /// A record is missing, was changed, or stands in another place.
    Broken {
        /// The first position that is wrong.
        at: i64,
    },
}

/// Appends a record; returns its position and the chain's hash.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn append(
    db: &Db<'_>,
    job: &str,
    approval: &str,
    kind: &str,
    record: &[u8],
    now: i64,
) -> Result<(i64, Vec<u8>)> {
    let last = db.one("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
    })?;
    let (seq, previous) = last.unwrap_or((0, vec![0; 32]));
    let hash = chain(&previous, record);
    db.change(
        "INSERT INTO audit (seq, job_id, approval_id, kind, record, hash, written_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![seq + 1, job, approval, kind, record, hash, now],
    )?;
    Ok((seq + 1, hash))
}

fn chain(previous: &[u8], record: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(DOMAIN);
    hash.update(previous);
    hash.update((record.len() as u64).to_be_bytes());
    hash.update(record);
    hash.finalize().to_vec()
}

/// How many records of a kind an approval has.
///
/// # Errors
/// When the database refuses.
pub fn count(db: &Db<'_>, approval: &str, kind: &str) -> Result<u64> {
    // Records from before approvals were noted are found by the job, which then asked only once.
    let sql = "SELECT COUNT(*) FROM audit WHERE kind = ?2 AND (approval_id = ?1 OR (approval_id IS NULL
                 AND job_id = (SELECT job_id FROM approvals WHERE id = ?1)))";
    Ok(db.one(sql, [approval, kind], |row| row.get(0))?.unwrap_or(0))
}

/// The newest record of a kind that an approval has.
///
/// # Errors
/// When the database refuses.
pub fn last(db: &Db<'_>, approval: &str, kind: &str) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT record FROM audit WHERE approval_id = ?1 AND kind = ?2 ORDER BY seq DESC LIMIT 1";
    db.one(sql, [approval, kind], |row| row.get(0))
}

/// The records of a job.
///
/// # Errors
/// When the database refuses.
pub fn of_job(db: &Db<'_>, job: &str) -> Result<Vec<AuditRow>> {
    db.all("SELECT seq, job_id, kind, record, hash FROM audit WHERE job_id = ?1 ORDER BY seq", [job], |row| {
        Ok(AuditRow {
            seq: row.get(0)?,
            job_id: row.get(1)?,
            kind: row.get(2)?,
            record: row.get(3)?,
            hash: row.get(4)?,
        })
    })
}

/// Gives each record of a kind to `look`, in order. Row by row: there may be more of them than fit into memory.
///
/// # Errors
/// When the database refuses.
pub fn each(db: &Db<'_>, kind: &str, mut look: impl FnMut(&[u8])) -> Result<()> {
    let mut statement = db.0.prepare_cached("SELECT record FROM audit WHERE kind = ?1 ORDER BY seq")?;
    let mut rows = statement.query([kind])?;
    while let Some(row) = rows.next()? {
        look(row.get_ref(0)?.as_blob().unwrap_or_default());
    }
    Ok(())
}

/// Walks the whole chain.
///
/// # Errors
/// When the database refuses.
pub fn verify(db: &Db<'_>) -> Result<Verdict> {
    let mut statement = db.0.prepare_cached("SELECT seq, record, hash FROM audit ORDER BY seq")?;
    // Row by row: there may be more of them than fit into memory.
    let mut rows = statement.query([])?;
    let mut previous = vec![0; 32];
    let mut expected = 1;
    while let Some(row) = rows.next()? {
        let (seq, record, hash): (i64, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if seq != expected || hash != chain(&previous, &record) {
            return Ok(Verdict::Broken { at: expected });
        }
        previous = hash;
        expected += 1;
    }
    Ok(Verdict::Whole { records: (expected - 1) as u64 })
}
