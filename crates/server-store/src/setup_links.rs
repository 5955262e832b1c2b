//! Table `setup_links`: one-time links for the first administrator.

use crate::{Store, StoreError, UserRow, users};

impl Store {
    /// Adds a link.
    pub async fn add_setup_link(&self, hash: &str, expires_ms: i64) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO setup_links (hash, expires_ms) VALUES ($1, $2)")
            .bind(hash)
            .bind(expires_ms)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Whether a link could be used now.
    pub async fn setup_link_is_good(&self, hash: &str, now_ms: i64) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT hash FROM setup_links WHERE hash = $1 AND used_ms IS NULL AND expires_ms > $2",
        )
        .bind(hash)
        .bind(now_ms)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.is_some())
    }

    /// Uses a link up and adds the first administrator, both or neither. `false` when the link was used, expired or never
    /// existed, or when somebody administers already, by whichever link; [`StoreError::Conflict`] when the name is taken, and
    /// then the link is still good.
    pub async fn set_up(&self, hash: &str, user: &UserRow, now_ms: i64) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        self.take_turns(&mut tx).await?;
        // Written to before it is read: so SQLite lets no other process in between either.
        let used = sqlx::query(
            "UPDATE setup_links SET used_ms = $1 WHERE hash = $2 AND used_ms IS NULL AND expires_ms > $1",
        )
        .bind(now_ms)
        .bind(hash)
        .execute(&mut *tx)
        .await?;
        if used.rows_affected() == 0 || users::has_admin(&mut *tx).await? {
            return Ok(false);
        }
        users::insert(&mut *tx, user).await?;
        tx.commit().await?;
        Ok(true)
    }
}
