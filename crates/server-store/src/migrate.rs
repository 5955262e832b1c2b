//! Migrations: numbered, appended, never edited.

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Row as _};

use crate::{Store, StoreError};

/// All migrations in order; the first has version 1. `{bytes}` stands for the byte type of the database.
const MIGRATIONS: [&str; 9] = [
    include_str!("migrations/0001_begin.sql"),
    include_str!("migrations/0002_link_devices.sql"),
    include_str!("migrations/0003_api_tokens.sql"),
    include_str!("migrations/0004_signing_keys_rotate.sql"),
    include_str!("migrations/0005_audit_checkpoints.sql"),
    include_str!("migrations/0006_authorization_codes.sql"),
    include_str!("migrations/0007_issuers.sql"),
    include_str!("migrations/0008_nodes_and_subjects.sql"),
    include_str!("migrations/0009_administration.sql"),
];

/// Any number that no other program uses on the same database.
const ADVISORY_LOCK: i64 = 0x706c_616e_746f;

impl Store {
    pub(crate) async fn migrate(&self, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        if self.is_postgres {
            // Two nodes that start at once take turns.
            let lock = format!("SELECT CAST(pg_advisory_xact_lock({ADVISORY_LOCK}) AS TEXT)");
            sqlx::query(AssertSqlSafe(lock)).execute(&mut *tx).await?;
        }
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS schema_migrations \
             (version BIGINT PRIMARY KEY, checksum TEXT NOT NULL, applied_ms BIGINT NOT NULL)",
        )
        .execute(&mut *tx)
        .await?;
        let rows = sqlx::query("SELECT version, checksum FROM schema_migrations ORDER BY version")
            .fetch_all(&mut *tx)
            .await?;
        let known = MIGRATIONS.len() as i64;
        for row in &rows {
            let version: i64 = row.try_get("version")?;
            let text = usize::try_from(version - 1).ok().and_then(|at| MIGRATIONS.get(at));
            let text = text.ok_or(StoreError::Newer { found: version, known })?;
            if row.try_get::<String, _>("checksum")? != checksum(text) {
                return Err(StoreError::Edited { version });
            }
        }
        let bytes = if self.is_postgres { "BYTEA" } else { "BLOB" };
        for (version, text) in (1_i64..).zip(MIGRATIONS).skip(rows.len()) {
            for statement in
                text.replace("{bytes}", bytes).split(";\n").filter(|text| !text.trim().is_empty())
            {
                sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut *tx).await?;
            }
            sqlx::query("INSERT INTO schema_migrations (version, checksum, applied_ms) VALUES ($1, $2, $3)")
                .bind(version)
                .bind(checksum(text))
                .bind(now_ms)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

fn checksum(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
