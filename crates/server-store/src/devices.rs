//! Table `devices`: one row per sign-in of a client; its id is the `sid` of tokens.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{Store, StoreError};

/// A row of `devices`.
#[derive(Clone, Debug)]
pub struct DeviceRow {
    /// Id.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// Which client it is; empty for one that only compared a code.
    pub client: String,
    /// How the client called itself.
    pub name: String,
    /// Where it signed in from.
    pub address: String,
    /// The key that its refresh tokens are bound to, by its thumbprint.
    pub thumbprint: Option<String>,
    /// When it signed in.
    pub created_ms: i64,
    /// When it last renewed its access.
    pub seen_ms: Option<i64>,
    /// Since when its tokens are void.
    pub revoked_ms: Option<i64>,
}

impl DeviceRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.try_get("id")?,
            user_id: row.try_get("user_id")?,
            client: row.try_get("client")?,
            name: row.try_get("name")?,
            address: row.try_get("address")?,
            thumbprint: row.try_get("thumbprint")?,
            created_ms: row.try_get("created_ms")?,
            seen_ms: row.try_get("seen_ms")?,
            revoked_ms: row.try_get("revoked_ms")?,
        })
    }
}

impl Store {
    /// Adds a device.
    pub async fn add_device(&self, device: &DeviceRow) -> Result<(), StoreError> {
        insert(&self.pool, device).await
    }

    /// The device with this id.
    pub async fn device(&self, id: &str) -> Result<Option<DeviceRow>, StoreError> {
        let row =
            sqlx::query("SELECT * FROM devices WHERE id = $1").bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(DeviceRow::read).transpose()
    }

    /// The devices of a user that can still renew their access, the last used first.
    pub async fn devices_of(&self, user_id: &str, now_ms: i64) -> Result<Vec<DeviceRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM devices WHERE user_id = $1 AND revoked_ms IS NULL AND id IN \
             (SELECT device_id FROM refresh_tokens WHERE used_ms IS NULL AND expires_ms > $2) \
             ORDER BY COALESCE(seen_ms, created_ms) DESC, id",
        )
        .bind(user_id)
        .bind(now_ms)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(DeviceRow::read).collect()
    }

    /// Ends everything that a user is signed in with, but the page session `but`, and what was approved and is not collected
    /// yet; the devices that were valid until now.
    pub async fn end_sign_ins(
        &self,
        user_id: &str,
        but: Option<&str>,
        now_ms: i64,
    ) -> Result<Vec<String>, StoreError> {
        let mut tx = self.begin().await?;
        let rows = sqlx::query(
            "UPDATE devices SET revoked_ms = $1 WHERE user_id = $2 AND revoked_ms IS NULL RETURNING id",
        )
        .bind(now_ms)
        .bind(user_id)
        .fetch_all(&mut *tx)
        .await?;
        sqlx::query("UPDATE device_codes SET status = 'denied' WHERE user_id = $1 AND status = 'approved'")
            .bind(user_id)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE authorization_codes SET used_ms = $1 WHERE user_id = $2 AND used_ms IS NULL")
            .bind(now_ms)
            .bind(user_id)
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM web_sessions WHERE user_id = $1 AND hash <> $2")
            .bind(user_id)
            .bind(but.unwrap_or_default())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// Voids a device. `true` if it was valid until now.
    pub async fn revoke_device(&self, id: &str, now_ms: i64) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE devices SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL")
            .bind(now_ms)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ids of devices revoked since a moment: what a node needs to refuse their unexpired access tokens.
    pub async fn devices_revoked_since(&self, since_ms: i64) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query("SELECT id FROM devices WHERE revoked_ms >= $1")
            .bind(since_ms)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }
}

pub(crate) async fn insert<'e>(
    executor: impl sqlx::Executor<'e, Database = sqlx::Any>,
    device: &DeviceRow,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO devices (id, user_id, client, name, address, thumbprint, created_ms, seen_ms, revoked_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&device.id)
    .bind(&device.user_id)
    .bind(&device.client)
    .bind(&device.name)
    .bind(&device.address)
    .bind(device.thumbprint.as_deref())
    .bind(device.created_ms)
    .bind(device.seen_ms)
    .bind(device.revoked_ms)
    .execute(executor)
    .await?;
    Ok(())
}
