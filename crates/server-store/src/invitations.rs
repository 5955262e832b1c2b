//! Table `invitations`: one-time links by which people set a password of their own.

use sqlx::Row as _;

use crate::{Store, StoreError};

impl Store {
    /// Adds a link for a user; earlier ones for the same user are void.
    pub async fn add_invitation(&self, hash: &str, user_id: &str, expires_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("DELETE FROM invitations WHERE user_id = $1").bind(user_id).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO invitations (hash, user_id, expires_ms) VALUES ($1, $2, $3)")
            .bind(hash)
            .bind(user_id)
            .bind(expires_ms)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whom a link is for that could be used now.
    pub async fn invited(&self, hash: &str, now_ms: i64) -> Result<Option<String>, StoreError> {
        let row = sqlx::query(
            "SELECT user_id FROM invitations WHERE hash = $1 AND used_ms IS NULL AND expires_ms > $2",
        )
        .bind(hash)
        .bind(now_ms)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| Ok(row.try_get("user_id")?)).transpose()
    }

    /// Uses a link up and sets the password of its user, both or neither. Whose it was; `None` when it was used, expired or
    /// never existed.
    pub async fn accept_invitation(
        &self,
        hash: &str,
        password_hash: &str,
        now_ms: i64,
    ) -> Result<Option<String>, StoreError> {
        let mut tx = self.pool.begin().await?;
        let row = sqlx::query(
            "UPDATE invitations SET used_ms = $1 WHERE hash = $2 AND used_ms IS NULL AND expires_ms > $1 RETURNING user_id",
        )
        .bind(now_ms)
        .bind(hash)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let user_id: String = row.try_get("user_id")?;
        sqlx::query("UPDATE users SET password_hash = $1 WHERE id = $2")
            .bind(password_hash)
            .bind(&user_id)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Some(user_id))
    }
}
