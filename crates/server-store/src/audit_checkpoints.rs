//! Tables `audit_checkpoints` and `audit_keys`: signed statements of how far the chains of the audit had come.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{Store, StoreError};

/// A row of `audit_checkpoints`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointRow {
    /// Gapless from 1, over all nodes.
    pub number: i64,
    /// When it was made.
    pub at_ms: i64,
    /// The exact bytes that were signed.
    pub statement: Vec<u8>,
    /// Which key signed.
    pub kid: String,
    /// The signature.
    pub signature: Vec<u8>,
}

/// A row of `audit_keys`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditKeyRow {
    /// Id.
    pub kid: String,
    /// The key, sealed by the vault.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_ms: i64,
}

/// The end of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// The chain.
    pub node: String,
    /// Its last record.
    pub seq: i64,
    /// That record's hash.
    pub hash: String,
}

impl CheckpointRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            number: row.try_get("number")?,
            at_ms: row.try_get("at_ms")?,
            statement: row.try_get("statement")?,
            kid: row.try_get("kid")?,
            signature: row.try_get("signature")?,
        })
    }
}

impl Store {
    /// Adds a key; the first one that is there signs.
    pub async fn add_audit_key(&self, key: &AuditKeyRow) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO audit_keys (kid, sealed, created_ms) VALUES ($1, $2, $3)")
            .bind(&key.kid)
            .bind(key.sealed.clone())
            .bind(key.created_ms)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// All keys, oldest first.
    pub async fn audit_keys(&self) -> Result<Vec<AuditKeyRow>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM audit_keys ORDER BY created_ms, kid").fetch_all(&self.pool).await?;
        let read = |row: &AnyRow| {
            Ok(AuditKeyRow {
                kid: row.try_get("kid")?,
                sealed: row.try_get("sealed")?,
                created_ms: row.try_get("created_ms")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Adds a checkpoint. A number is one checkpoint's: of two nodes at once, one is refused.
    pub async fn add_checkpoint(&self, row: &CheckpointRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO audit_checkpoints (number, at_ms, statement, kid, signature) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(row.number)
        .bind(row.at_ms)
        .bind(row.statement.clone())
        .bind(&row.kid)
        .bind(row.signature.clone())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The newest checkpoint.
    pub async fn last_checkpoint(&self) -> Result<Option<CheckpointRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM audit_checkpoints ORDER BY number DESC LIMIT 1")
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(CheckpointRow::read).transpose()
    }

    /// Checkpoints after a number, in order.
    pub async fn checkpoints(&self, after: i64, limit: i64) -> Result<Vec<CheckpointRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM audit_checkpoints WHERE number > $1 ORDER BY number LIMIT $2")
            .bind(after)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(CheckpointRow::read).collect()
    }

    /// The ends of the chains that have grown since a moment.
    pub async fn chain_heads(&self, since_ms: i64) -> Result<Vec<ChainHead>, StoreError> {
        let rows = sqlx::query(
            "SELECT node, seq, hash FROM audit_records WHERE (node, seq) IN \
             (SELECT node, MAX(seq) FROM audit_records WHERE at_ms >= $1 GROUP BY node) ORDER BY node",
        )
        .bind(since_ms)
        .fetch_all(&self.pool)
        .await?;
        let read = |row: &AnyRow| {
            Ok(ChainHead { node: row.try_get("node")?, seq: row.try_get("seq")?, hash: row.try_get("hash")? })
        };
        rows.iter().map(read).collect()
    }

    /// The hash of one record.
    pub async fn audit_hash(&self, node: &str, seq: i64) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT hash FROM audit_records WHERE node = $1 AND seq = $2")
            .bind(node)
            .bind(seq)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(row.try_get("hash")?)).transpose()
    }
}
