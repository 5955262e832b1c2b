//! Table `invitations`: one-time links by which people set a password of their own.

use sqlx::Row as _;

use crate::{Store, StoreError};

impl Store {
    /// Adds a link by which somebody sets a password; earlier ones for the same user are void. `by` is the administrator who
    /// invites, or nobody for whoever is on the machine itself.
    ///
    /// Nobody is invited who is disabled, or whom an issuer vouches for: a password would be a second way in, past the issuer.
    /// And no administrator invites another one, or themselves, who has a password already: with the link they would be
    /// that person. `false` then, and when `by` does not administer.
    pub async fn add_invitation(
        &self,
        hash: &str,
        user_id: &str,
        expires_ms: i64,
        by: Option<&str>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        self.take_turns(&mut tx).await?;
        sqlx::query("DELETE FROM invitations WHERE user_id = $1").bind(user_id).execute(&mut *tx).await?;
        let added = sqlx::query(
            "INSERT INTO invitations (hash, user_id, expires_ms) SELECT $1, u.id, $3 FROM users u \
             WHERE u.id = $2 AND u.disabled_ms IS NULL \
             AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.user_id = u.id) \
             AND ($4 = '' OR ((u.role <> 'admin' OR u.password_hash = '!') AND EXISTS (SELECT 1 FROM users a \
             WHERE a.id = $4 AND a.org_id = u.org_id AND a.role = 'admin' AND a.disabled_ms IS NULL)))",
        )
        .bind(hash)
        .bind(user_id)
        .bind(expires_ms)
        .bind(by.unwrap_or_default())
        .execute(&mut *tx)
        .await?;
        if added.rows_affected() == 0 {
            // The earlier link stays as it was.
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
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
    /// never existed, or when the account is disabled.
    pub async fn accept_invitation(
        &self,
        hash: &str,
        password_hash: &str,
        now_ms: i64,
    ) -> Result<Option<String>, StoreError> {
        let mut tx = self.begin().await?;
        self.take_turns(&mut tx).await?;
        let row = sqlx::query(
            "UPDATE invitations SET used_ms = $1 WHERE hash = $2 AND used_ms IS NULL AND expires_ms > $1 RETURNING user_id",
        )
        .bind(now_ms)
        .bind(hash)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let user_id: String = row.try_get("user_id")?;
        let set = sqlx::query("UPDATE users SET password_hash = $1 WHERE id = $2 AND disabled_ms IS NULL")
            .bind(password_hash)
            .bind(&user_id)
            .execute(&mut *tx)
            .await?;
        if set.rows_affected() == 0 {
            return Ok(None);
        }
        tx.commit().await?;
        Ok(Some(user_id))
    }
}
