//! Table `audit_records`: chained records, stored as the exact bytes that were hashed.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{Store, StoreError};

/// A row of `audit_records`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Chain: one per start of a server.
    pub node: String,
    /// Position in the chain, gapless from 1.
    pub seq: i64,
    /// The request it is about.
    pub request_id: String,
    /// Organisation it belongs to; empty when nobody was signed in.
    pub org_id: String,
    /// When it was written.
    pub at_ms: i64,
    /// Hash of this record, which contains the one before; hex.
    pub hash: String,
    /// The record.
    pub record: Vec<u8>,
}

impl AuditRow {
    pub(crate) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            node: row.try_get("node")?,
            seq: row.try_get("seq")?,
            request_id: row.try_get("request_id")?,
            org_id: row.try_get("org_id")?,
            at_ms: row.try_get("at_ms")?,
            hash: row.try_get("hash")?,
            record: row.try_get("record")?,
        })
    }
}

impl Store {
    /// All chains, by name.
    pub async fn audit_nodes(&self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query("SELECT DISTINCT node FROM audit_records ORDER BY node")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok(row.try_get("node")?)).collect()
    }

    /// Part of a chain: records after `after_seq`, in order.
    pub async fn audit_chain(
        &self,
        node: &str,
        after_seq: i64,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM audit_records WHERE node = $1 AND seq > $2 ORDER BY seq LIMIT $3")
                .bind(node)
                .bind(after_seq)
                .bind(limit)
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(AuditRow::read).collect()
    }

    /// The newest records of an organisation.
    pub async fn recent_audit(&self, org_id: &str, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM audit_records WHERE org_id = $1 ORDER BY at_ms DESC, node DESC, seq DESC LIMIT $2",
        )
        .bind(org_id)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(AuditRow::read).collect()
    }
}
