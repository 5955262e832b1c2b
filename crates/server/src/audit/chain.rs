use serde::Deserialize;
use server_store::{AuditRow, Store};
use sha2::{Digest as _, Sha256};

use super::wire::Record;
use crate::ServerError;

const DOMAIN: &[u8] = b"plantocode-audit-v1";

/// `previous` of the first record.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Hash of a record's exact bytes together with the hash before it; hex.
pub(super) fn link(previous: &str, record: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(DOMAIN);
    for field in [previous.as_bytes(), record] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    hex::encode(hash.finalize())
}

/// What a walk over one chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// The chain.
    pub node: String,
    /// Records that are in order.
    pub records: i64,
    /// Hash of the last one in order; compare it with what clients were told to notice a cut tail.
    pub head: String,
    /// Where and how the chain breaks.
    pub broken: Option<(i64, String)>,
}

#[derive(Deserialize)]
struct Anything {}

/// Walks a chain from its beginning and stops where it breaks.
pub async fn verify_chain(store: &Store, node: &str) -> Result<ChainReport, ServerError> {
    const PAGE: i64 = 500;
    let mut report = ChainReport { node: node.into(), records: 0, head: GENESIS.into(), broken: None };
    loop {
        let rows = store.audit_chain(node, report.records, PAGE).await?;
        if rows.is_empty() {
            return Ok(report);
        }
        for row in rows {
            if let Some(problem) = problem(&row, node, report.records + 1, &report.head) {
                report.broken = Some((report.records + 1, problem));
                return Ok(report);
            }
            report.records = row.seq;
            report.head = row.hash;
        }
    }
}

fn problem(row: &AuditRow, node: &str, seq: i64, previous: &str) -> Option<String> {
    if row.seq != seq {
        return Some(format!("record {seq} is missing, {} follows", row.seq));
    }
    if link(previous, &row.record) != row.hash {
        return Some("the record, or the one before it, was changed".into());
    }
    let Ok(record) = serde_json::from_slice::<Record<'_, Anything>>(&row.record) else {
        return Some("the record cannot be read".into());
    };
    let same = record.node == node
        && record.seq == seq
        && record.previous == previous
        && record.at_ms == row.at_ms
        && record.request_id == row.request_id;
    (!same).then(|| "the row does not belong to its record".into())
}
