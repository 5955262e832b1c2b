//! Tables `identities` and `issuer_sign_ins`: people whom somebody else vouches for, and sign-ins that are away at an issuer.

use sqlx::Row as _;

use crate::{Store, StoreError, UserRow, users};

/// A sign-in that is away at an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerSignInRow {
    /// SHA-256 of `state`, hex.
    pub state_hash: String,
    /// SHA-256 of what the browser keeps in a cookie, hex.
    pub browser_hash: String,
    /// Which issuer.
    pub issuer_id: String,
    /// Where it goes on.
    pub next: String,
    /// Until when it may come back.
    pub expires_ms: i64,
}

impl Store {
    /// The user whom an issuer knows by this subject.
    pub async fn identity(&self, issuer: &str, subject: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2")
            .bind(issuer)
            .bind(subject)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(row.try_get("user_id")?)).transpose()
    }

    /// Whether an issuer vouches for this user.
    pub async fn is_vouched_for(&self, user_id: &str) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT issuer FROM identities WHERE user_id = $1 LIMIT 1")
            .bind(user_id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// Adds a user whom an issuer knows by this subject, both or neither; [`StoreError::Conflict`] when the name is taken or
    /// the subject has come meanwhile.
    pub async fn add_identity(&self, issuer: &str, subject: &str, user: &UserRow) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        users::insert(&mut *tx, user).await?;
        sqlx::query("INSERT INTO identities (issuer, subject, user_id, created_ms) VALUES ($1, $2, $3, $4)")
            .bind(issuer)
            .bind(subject)
            .bind(&user.id)
            .bind(user.created_ms)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Adds a sign-in that goes to an issuer, and forgets those that did not come back in time.
    pub async fn add_issuer_sign_in(&self, row: &IssuerSignInRow, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM issuer_sign_ins WHERE expires_ms <= $1")
            .bind(now_ms)
            .execute(&self.pool)
            .await?;
        sqlx::query(
            "INSERT INTO issuer_sign_ins (state_hash, browser_hash, issuer_id, next, expires_ms) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&row.state_hash)
        .bind(&row.browser_hash)
        .bind(&row.issuer_id)
        .bind(&row.next)
        .bind(row.expires_ms)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The sign-in that comes back, once and to the browser that it left from.
    pub async fn take_issuer_sign_in(
        &self,
        state_hash: &str,
        browser_hash: &str,
        now_ms: i64,
    ) -> Result<Option<IssuerSignInRow>, StoreError> {
        let row = sqlx::query(
            "DELETE FROM issuer_sign_ins WHERE state_hash = $1 AND browser_hash = $2 AND expires_ms > $3 RETURNING *",
        )
        .bind(state_hash)
        .bind(browser_hash)
        .bind(now_ms)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(IssuerSignInRow {
                state_hash: row.try_get("state_hash")?,
                browser_hash: row.try_get("browser_hash")?,
                issuer_id: row.try_get("issuer_id")?,
                next: row.try_get("next")?,
                expires_ms: row.try_get("expires_ms")?,
            })
        })
        .transpose()
    }
}
