//! Migrations: numbered, appended, never edited.

use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::{Store, StoreError};

/// A migration: its name and its text.
macro_rules! migration {
    ($name:literal) => {
        ($name, include_str!(concat!("migrations/", $name, ".sql")))
    };
}

/// All migrations in order; the first has version 1. `{bytes}` stands for the byte type of the database.
const MIGRATIONS: [(&str, &str); 11] = [
    migration!("0001_begin"),
    migration!("0002_link_devices"),
    migration!("0003_api_tokens"),
    migration!("0004_signing_keys_rotate"),
    migration!("0005_audit_checkpoints"),
    migration!("0006_authorization_codes"),
    migration!("0007_issuers"),
    migration!("0008_nodes_and_subjects"),
    migration!("0009_administration"),
    migration!("0010_device_keys"),
    migration!("0011_own_limits"),
];

/// Any number that no other program uses on the same database.
const ADVISORY_LOCK: i64 = 0x706c_616e_746f;

impl Store {
    /// Two nodes that start at once set up one after the other: until this transaction ends no other gets past here. SQLite
    /// has one writer anyway.
    pub(crate) async fn take_turns(&self, tx: &mut AnyConnection) -> Result<(), StoreError> {
        if self.is_postgres {
            let lock = format!("SELECT CAST(pg_advisory_xact_lock({ADVISORY_LOCK}) AS TEXT)");
            sqlx::query(AssertSqlSafe(lock)).execute(&mut *tx).await?;
        }
        Ok(())
    }

    /// The names of the migrations that this build has and the database has not seen. It changes nothing.
    pub async fn pending_migrations(url: &str) -> Result<Vec<&'static str>, StoreError> {
        let store = Self::connect(url).await?;
        let seen = store.seen().await?;
        store.close().await;
        Ok(MIGRATIONS.iter().skip(seen).map(|(name, _)| *name).collect())
    }

    /// How many migrations the database has seen. It changes nothing.
    async fn seen(&self) -> Result<usize, StoreError> {
        let table = match self.is_postgres {
            true => {
                "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM information_schema.tables \
                     WHERE table_schema = current_schema() AND table_name = 'schema_migrations'"
            }
            false => "SELECT COUNT(*) AS n FROM sqlite_master WHERE name = 'schema_migrations'",
        };
        let table: i64 = sqlx::query(table).fetch_one(&self.pool).await?.try_get("n")?;
        match table {
            0 => Ok(0),
            _ => applied(&mut *self.pool.acquire().await?).await,
        }
    }

    pub(crate) async fn migrate(&self, now_ms: i64) -> Result<(), StoreError> {
        // Nearly every start finds nothing to do, and need not wait for whoever writes at the moment.
        if self.seen().await? == MIGRATIONS.len() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        self.take_turns(&mut tx).await?;
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS schema_migrations \
             (version BIGINT PRIMARY KEY, checksum TEXT NOT NULL, applied_ms BIGINT NOT NULL)",
        )
        .execute(&mut *tx)
        .await?;
        let applied = applied(&mut tx).await?;
        let bytes = if self.is_postgres { "BYTEA" } else { "BLOB" };
        for (version, (_, text)) in (1_i64..).zip(MIGRATIONS).skip(applied) {
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

/// How many migrations have been applied; an error when they are not the first of this build.
async fn applied(connection: &mut AnyConnection) -> Result<usize, StoreError> {
    let rows = sqlx::query("SELECT version, checksum FROM schema_migrations ORDER BY version")
        .fetch_all(connection)
        .await?;
    let known = MIGRATIONS.len() as i64;
    for row in &rows {
        let version: i64 = row.try_get("version")?;
        let migration = usize::try_from(version - 1).ok().and_then(|at| MIGRATIONS.get(at));
        let (_, text) = migration.ok_or(StoreError::Newer { found: version, known })?;
        if row.try_get::<String, _>("checksum")? != checksum(text) {
            return Err(StoreError::Edited { version });
        }
    }
    Ok(rows.len())
}

fn checksum(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
