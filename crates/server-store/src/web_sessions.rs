//! Table `web_sessions`: sign-ins of browsers on the server's own pages.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{Store, StoreError};

/// A row of `web_sessions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSessionRow {
    /// SHA-256 of the token, hex.
    pub hash: String,
    /// Whose it is.
    pub user_id: String,
    /// When it began.
    pub created_ms: i64,
    /// Until when it lasts.
    pub expires_ms: i64,
    /// Where the browser was.
    pub address: String,
    /// What the browser says it is.
    pub agent: String,
}

impl WebSessionRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            hash: row.try_get("hash")?,
            user_id: row.try_get("user_id")?,
            created_ms: row.try_get("created_ms")?,
            expires_ms: row.try_get("expires_ms")?,
            address: row.try_get("address")?,
            agent: row.try_get("agent")?,
        })
    }
}

impl Store {
    /// Adds a session, and forgets expired ones.
    pub async fn add_web_session(&self, session: &WebSessionRow) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM web_sessions WHERE expires_ms <= $1")
            .bind(session.created_ms)
            .execute(&self.pool)
            .await?;
        sqlx::query(
            "INSERT INTO web_sessions (hash, user_id, created_ms, expires_ms, address, agent) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&session.hash)
        .bind(&session.user_id)
        .bind(session.created_ms)
        .bind(session.expires_ms)
        .bind(&session.address)
        .bind(&session.agent)
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

    /// The sessions of a user, the newest first.
    pub async fn web_sessions_of(
        &self,
        user_id: &str,
        now_ms: i64,
    ) -> Result<Vec<WebSessionRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM web_sessions WHERE user_id = $1 AND expires_ms > $2 ORDER BY created_ms DESC, hash",
        )
        .bind(user_id)
        .bind(now_ms)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(WebSessionRow::read).collect()
    }

    /// Ends a session; `false` when it is not one of this user's.
    pub async fn end_web_session(&self, hash: &str, user_id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM web_sessions WHERE hash = $1 AND user_id = $2")
            .bind(hash)
            .bind(user_id)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}
