//! Table `audit_subjects`: what stands behind the pseudonyms of the audit. Rows can be erased; the chains stay whole, because
//! they never held what was in them.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, Row as _};

use crate::{Store, StoreError};

/// A row of `audit_subjects`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectRow {
    /// Random; what the audit says instead.
    pub pseudonym: String,
    /// The organisation of the person; empty when nobody was signed in.
    pub org_id: String,
    /// The person; empty when nobody was signed in. Each person has their own pseudonym for the same address.
    pub user_id: String,
    /// Where the requests came from.
    pub address: String,
    /// When the pseudonym was made.
    pub created_ms: i64,
}

impl Store {
    /// The addresses behind pseudonyms; those that were erased are not among them.
    pub async fn addresses(&self, pseudonyms: &[String]) -> Result<HashMap<String, String>, StoreError> {
        let mut found = HashMap::new();
        for pseudonym in pseudonyms {
            let row = sqlx::query("SELECT address FROM audit_subjects WHERE pseudonym = $1")
                .bind(pseudonym)
                .fetch_optional(&self.pool)
                .await?;
            if let Some(row) = row {
                found.insert(pseudonym.clone(), row.try_get("address")?);
            }
        }
        Ok(found)
    }

    /// Erases what the database says about a person: name, password, the names and addresses of their devices, and the
    /// addresses behind the pseudonyms of the audit. Ids stay, so that usage and audit still add up; the account is disabled,
    /// its sign-ins and tokens are void. Says whether there is such a person.
    pub async fn erase_user(&self, user_id: &str, now_ms: i64) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let erased = sqlx::query(
            "UPDATE users SET login = $1, password_hash = '', disabled_ms = COALESCE(disabled_ms, $2) WHERE id = $3",
        )
        .bind(format!("erased-{user_id}"))
        .bind(now_ms)
        .bind(user_id)
        .execute(&mut *tx)
        .await?;
        if erased.rows_affected() == 0 {
            return Ok(false);
        }
        for table in [
            "audit_subjects",
            "web_sessions",
            "device_codes",
            "authorization_codes",
            "identities",
            "invitations",
            "own_limits",
        ] {
            let sql = format!("DELETE FROM {table} WHERE user_id = $1");
            sqlx::query(AssertSqlSafe(sql)).bind(user_id).execute(&mut *tx).await?;
        }
        for (table, fields) in [
            ("devices", "name = 'erased', address = ''"),
            ("api_tokens", "name = 'erased', tag = NULL, scope = NULL"),
            ("link_devices", "name = 'erased'"),
        ] {
            let revoked = "revoked_ms = COALESCE(revoked_ms, $1)";
            let sql = format!("UPDATE {table} SET {fields}, {revoked} WHERE user_id = $2");
            sqlx::query(AssertSqlSafe(sql)).bind(now_ms).bind(user_id).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
