//! Table `provider_keys`: the vault's rows; the key itself is sealed.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{Store, StoreError};

/// A row of `provider_keys`.
#[derive(Clone, Debug)]
pub struct ProviderKeyRow {
    /// Id.
    pub id: String,
    /// Organisation that pays for it.
    pub org_id: String,
    /// Name of the provider.
    pub provider: String,
    /// Wire form.
    pub dialect: String,
    /// Base URL.
    pub base_url: String,
    /// Models it serves, a JSON array.
    pub models: String,
    /// Counts the keys that have stood in this row; bound into the seal.
    pub version: i64,
    /// The key, sealed by the vault.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_ms: i64,
}

impl ProviderKeyRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.try_get("id")?,
            org_id: row.try_get("org_id")?,
            provider: row.try_get("provider")?,
            dialect: row.try_get("dialect")?,
            base_url: row.try_get("base_url")?,
            models: row.try_get("models")?,
            version: row.try_get("version")?,
            sealed: row.try_get("sealed")?,
            created_ms: row.try_get("created_ms")?,
        })
    }
}

impl Store {
    /// Adds a key.
    pub async fn add_provider_key(&self, key: &ProviderKeyRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO provider_keys (id, org_id, provider, dialect, base_url, models, version, sealed, created_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&key.id)
        .bind(&key.org_id)
        .bind(&key.provider)
        .bind(&key.dialect)
        .bind(&key.base_url)
        .bind(&key.models)
        .bind(key.version)
        .bind(key.sealed.clone())
        .bind(key.created_ms)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// All keys, oldest first: the order in which their routes are tried.
    pub async fn provider_keys(&self) -> Result<Vec<ProviderKeyRow>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM provider_keys ORDER BY created_ms, id").fetch_all(&self.pool).await?;
        rows.iter().map(ProviderKeyRow::read).collect()
    }

    /// The key of this id.
    pub async fn provider_key(&self, id: &str) -> Result<Option<ProviderKeyRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM provider_keys WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(ProviderKeyRow::read).transpose()
    }

    /// Puts another key into a row, one version later. `false` when the row has gone or was changed meanwhile.
    pub async fn replace_provider_key(&self, key: &ProviderKeyRow) -> Result<bool, StoreError> {
        let done =
            sqlx::query("UPDATE provider_keys SET sealed = $1, version = $2 WHERE id = $3 AND version = $4")
                .bind(key.sealed.clone())
                .bind(key.version)
                .bind(&key.id)
                .bind(key.version - 1)
                .execute(&self.pool)
                .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Removes a key. `false` when there was none.
    pub async fn remove_provider_key(&self, id: &str) -> Result<bool, StoreError> {
        let done =
            sqlx::query("DELETE FROM provider_keys WHERE id = $1").bind(id).execute(&self.pool).await?;
        Ok(done.rows_affected() > 0)
    }
}
