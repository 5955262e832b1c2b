//! Table `orgs`.

use sqlx::Row as _;

use crate::{Store, StoreError};

/// A row of `orgs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgRow {
    /// Id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_ms: i64,
}

impl Store {
    /// Adds an organisation.
    pub async fn add_org(&self, id: &str, name: &str, now_ms: i64) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO orgs (id, name, created_ms) VALUES ($1, $2, $3)")
            .bind(id)
            .bind(name)
            .bind(now_ms)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Adds an organisation if there is none, also when two nodes set up the same database at once.
    pub async fn ensure_org(&self, id: &str, name: &str, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        self.take_turns(&mut tx).await?;
        sqlx::query(
            "INSERT INTO orgs (id, name, created_ms) SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT 1 FROM orgs)",
        )
        .bind(id)
        .bind(name)
        .bind(now_ms)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ids of all organisations, oldest first.
    pub async fn orgs(&self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query("SELECT id FROM orgs ORDER BY created_ms, id").fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// The organisation of this id.
    pub async fn org(&self, id: &str) -> Result<Option<OrgRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM orgs WHERE id = $1").bind(id).fetch_optional(&self.pool).await?;
        row.map(|row| {
            Ok(OrgRow {
                id: row.try_get("id")?,
                name: row.try_get("name")?,
                created_ms: row.try_get("created_ms")?,
            })
        })
        .transpose()
    }

    /// Gives an organisation another name.
    pub async fn rename_org(&self, id: &str, name: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE orgs SET name = $1 WHERE id = $2")
            .bind(name)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
