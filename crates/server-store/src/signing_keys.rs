//! Table `signing_keys`: keys that sign access tokens; the private half is sealed.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{Store, StoreError};

/// A row of `signing_keys`.
#[derive(Clone, Debug)]
pub struct SigningKeyRow {
    /// Id, as it stands in token headers.
    pub kid: String,
    /// Ed25519 public key, 32 bytes.
    pub public_key: Vec<u8>,
    /// The private half, sealed by the vault.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_ms: i64,
    /// From when on it signs; it is published before.
    pub active_ms: i64,
    /// Since when it is not accepted any more.
    pub retired_ms: Option<i64>,
}

impl SigningKeyRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            kid: row.try_get("kid")?,
            public_key: row.try_get("public_key")?,
            sealed: row.try_get("sealed")?,
            created_ms: row.try_get("created_ms")?,
            active_ms: row.try_get("active_ms")?,
            retired_ms: row.try_get("retired_ms")?,
        })
    }
}

impl Store {
    /// Adds a key.
    pub async fn add_signing_key(&self, key: &SigningKeyRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO signing_keys (kid, public_key, sealed, created_ms, active_ms, retired_ms) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&key.kid)
        .bind(key.public_key.clone())
        .bind(key.sealed.clone())
        .bind(key.created_ms)
        .bind(key.active_ms)
        .bind(key.retired_ms)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The keys that are accepted, newest first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM signing_keys WHERE retired_ms IS NULL ORDER BY created_ms DESC, kid")
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(SigningKeyRow::read).collect()
    }

    /// A key is not accepted any more.
    pub async fn retire_signing_key(&self, kid: &str, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE signing_keys SET retired_ms = $1 WHERE kid = $2 AND retired_ms IS NULL")
            .bind(now_ms)
            .bind(kid)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// No key but this one is accepted any more.
    pub async fn retire_signing_keys_but(&self, kid: &str, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE signing_keys SET retired_ms = $1 WHERE kid <> $2 AND retired_ms IS NULL")
            .bind(now_ms)
            .bind(kid)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// All keys, also those that are not accepted any more.
    pub async fn all_signing_keys(&self) -> Result<Vec<SigningKeyRow>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM signing_keys ORDER BY created_ms, kid").fetch_all(&self.pool).await?;
        rows.iter().map(SigningKeyRow::read).collect()
    }
}
