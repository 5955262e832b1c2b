//! Table `web_sessions`: sign-ins of browsers on the server's own pages.

use sqlx::Row as _;

use crate::{Store, StoreError};

impl Store {
    /// Adds a session, and forgets expired ones.
    pub async fn add_web_session(
        &self,
        hash: &str,
        user_id: &str,
        now_ms: i64,
        expires_ms: i64,
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM web_sessions WHERE expires_ms <= $1")
            .bind(now_ms)
            .execute(&self.pool)
            .await?;
        sqlx::query("INSERT INTO web_sessions (hash, user_id, expires_ms) VALUES ($1, $2, $3)")
            .bind(hash)
            .bind(user_id)
            .bind(expires_ms)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The user of a session that has not expired.
    pub async fn web_session_user(&self, hash: &str, now_ms: i64) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT user_id FROM web_sessions WHERE hash = $1 AND expires_ms > $2")
            .bind(hash)
            .bind(now_ms)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(row.try_get("user_id")?)).transpose()
    }

    /// Ends a session.
    pub async fn end_web_session(&self, hash: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM web_sessions WHERE hash = $1").bind(hash).execute(&self.pool).await?;
        Ok(())
    }
}
