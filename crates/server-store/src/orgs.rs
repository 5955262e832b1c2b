//! Table `orgs`.

use sqlx::Row as _;

use crate::{Store, StoreError};

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

    /// Ids of all organisations, oldest first.
    pub async fn orgs(&self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query("SELECT id FROM orgs ORDER BY created_ms, id").fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }
}
