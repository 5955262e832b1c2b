//! Everything that the vault has sealed, for changing the master key: all rows in one step, or none.

use crate::{Store, StoreError};

/// Rows under a new seal.
#[derive(Clone, Debug, Default)]
pub struct Resealed {
    /// Ids of `provider_keys` and their new seals.
    pub provider_keys: Vec<(String, Vec<u8>)>,
    /// Names of `signing_keys` and their new seals.
    pub signing_keys: Vec<(String, Vec<u8>)>,
    /// Names of `audit_keys` and their new seals.
    pub audit_keys: Vec<(String, Vec<u8>)>,
}

impl Store {
    /// Puts all new seals in the place of the old ones.
    pub async fn reseal(&self, rows: &Resealed) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for (statement, rows) in [
            ("UPDATE provider_keys SET sealed = $1 WHERE id = $2", &rows.provider_keys),
            ("UPDATE signing_keys SET sealed = $1 WHERE kid = $2", &rows.signing_keys),
            ("UPDATE audit_keys SET sealed = $1 WHERE kid = $2", &rows.audit_keys),
        ] {
            for (id, sealed) in rows {
                sqlx::query(statement).bind(sealed.clone()).bind(id).execute(&mut *tx).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }
}
