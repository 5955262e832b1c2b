//! Table `vault_log`: each time that a provider key was opened.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{Store, StoreError};

/// A row of `vault_log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultLogRow {
    /// Id.
    pub id: String,
    /// When.
    pub at_ms: i64,
    /// Which key.
    pub key_id: String,
    /// Whose key.
    pub org_id: String,
    /// Of which provider.
    pub provider: String,
    /// What for, in a word.
    pub reason: String,
    /// Who: the node, or the command.
    pub actor: String,
    /// Whether it opened.
    pub opened: bool,
}

impl VaultLogRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.try_get("id")?,
            at_ms: row.try_get("at_ms")?,
            key_id: row.try_get("key_id")?,
            org_id: row.try_get("org_id")?,
            provider: row.try_get("provider")?,
            reason: row.try_get("reason")?,
            actor: row.try_get("actor")?,
            opened: row.try_get::<i64, _>("opened")? != 0,
        })
    }
}

impl Store {
    /// Adds rows, all or none.
    pub async fn add_vault_log(&self, rows: &[VaultLogRow]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for row in rows {
            sqlx::query(
                "INSERT INTO vault_log (id, at_ms, key_id, org_id, provider, reason, actor, opened) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(&row.id)
            .bind(row.at_ms)
            .bind(&row.key_id)
            .bind(&row.org_id)
            .bind(&row.provider)
            .bind(&row.reason)
            .bind(&row.actor)
            .bind(i64::from(row.opened))
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The newest rows of an organisation, or (`None`) of all.
    pub async fn vault_log(&self, org_id: Option<&str>, limit: i64) -> Result<Vec<VaultLogRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM vault_log WHERE ($1 = '' OR org_id = $1) ORDER BY at_ms DESC, id DESC LIMIT $2",
        )
        .bind(org_id.unwrap_or_default())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(VaultLogRow::read).collect()
    }
}
