//! Table `refresh_tokens`: hashes only; the tokens of one device are a family.

use sqlx::Row as _;

use crate::{Store, StoreError};

/// A row of `refresh_tokens`.
#[derive(Clone, Debug)]
pub struct RefreshRow {
    /// SHA-256 of the token, hex.
    pub hash: String,
    /// Family.
    pub device_id: String,
    /// When it was issued.
    pub created_ms: i64,
    /// Until when it may be used.
    pub expires_ms: i64,
}

/// What came of presenting a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It was good; the successor is stored.
    Rotated {
        /// Family.
        device_id: String,
    },
    /// It had been used a moment ago, and its successor has not: the same successor is to be given again.
    Repeated {
        /// Family.
        device_id: String,
    },
    /// It had been used before: somebody else has it. The device has been revoked.
    Reused {
        /// The family that died.
        device_id: String,
    },
    /// Unknown, expired, or of a revoked device.
    Refused,
}

impl Store {
    /// Adds the first token of a device.
    pub async fn add_refresh_token(&self, token: &RefreshRow) -> Result<(), StoreError> {
        insert(&self.pool, token).await
    }

    /// Presents a token: uses it up and stores `successor_hash` in its place.
    ///
    /// Within `grace_ms` of its use the same token may come again (a reply was lost); the caller derives the
    /// successor from the token, so it can repeat it.
    pub async fn rotate_refresh_token(
        &self,
        hash: &str,
        successor_hash: &str,
        now_ms: i64,
        lifetime_ms: i64,
        grace_ms: i64,
    ) -> Result<Rotation, StoreError> {
        let mut tx = self.begin().await?;
        // Writing first makes two simultaneous presentations take turns on either database.
        let fresh = sqlx::query(
            "UPDATE refresh_tokens SET used_ms = $1 WHERE hash = $2 AND used_ms IS NULL AND expires_ms > $1 \
             AND device_id IN (SELECT id FROM devices WHERE revoked_ms IS NULL) RETURNING device_id",
        )
        .bind(now_ms)
        .bind(hash)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(row) = fresh {
            let device_id: String = row.try_get("device_id")?;
            let successor = RefreshRow {
                hash: successor_hash.into(),
                device_id: device_id.clone(),
                created_ms: now_ms,
                expires_ms: now_ms + lifetime_ms,
            };
            insert(&mut *tx, &successor).await?;
            sqlx::query("UPDATE devices SET seen_ms = $1 WHERE id = $2")
                .bind(now_ms)
                .bind(&device_id)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            return Ok(Rotation::Rotated { device_id });
        }
        let used = sqlx::query(
            "SELECT t.device_id, t.used_ms, s.used_ms AS successor_used_ms, d.revoked_ms FROM refresh_tokens t \
             JOIN devices d ON d.id = t.device_id LEFT JOIN refresh_tokens s ON s.hash = $2 WHERE t.hash = $1",
        )
        .bind(hash)
        .bind(successor_hash)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = used else { return Ok(Rotation::Refused) };
        let device_id: String = row.try_get("device_id")?;
        let used_ms: Option<i64> = row.try_get("used_ms")?;
        let successor_used: Option<i64> = row.try_get("successor_used_ms")?;
        let revoked: Option<i64> = row.try_get("revoked_ms")?;
        let Some(used_ms) = used_ms.filter(|_| revoked.is_none()) else { return Ok(Rotation::Refused) };
        if now_ms - used_ms <= grace_ms && successor_used.is_none() {
            return Ok(Rotation::Repeated { device_id });
        }
        sqlx::query("UPDATE devices SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL")
            .bind(now_ms)
            .bind(&device_id)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Rotation::Reused { device_id })
    }

    /// The family a token belongs to, used or not.
    pub async fn refresh_token_device(&self, hash: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT device_id FROM refresh_tokens WHERE hash = $1")
            .bind(hash)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(row.try_get("device_id")?)).transpose()
    }
}

pub(crate) async fn insert<'e>(
    executor: impl sqlx::Executor<'e, Database = sqlx::Any>,
    token: &RefreshRow,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO refresh_tokens (hash, device_id, created_ms, expires_ms) VALUES ($1, $2, $3, $4)",
    )
    .bind(&token.hash)
    .bind(&token.device_id)
    .bind(token.created_ms)
    .bind(token.expires_ms)
    .execute(executor)
    .await?;
    Ok(())
}
