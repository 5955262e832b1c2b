//! Table `link_devices`: who may stand at the relay, by the key each has proved to hold.
//!
//! A desktop adds itself with the access token of its sign-in; a phone is added by the certificate of a desktop.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{Store, StoreError};

/// A row of `link_devices`.
#[derive(Clone, Debug)]
pub struct LinkDeviceRow {
    /// Id.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// `desktop` or `mobile`.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// Its Ed25519 public key, in base64. No two rows have the same.
    pub link_key: String,
    /// A desktop's sign-in: its end is the end of the link.
    pub sign_in_id: Option<String>,
    /// The desktop whose certificate added a phone.
    pub issuer_id: Option<String>,
    /// When it was added.
    pub created_ms: i64,
    /// When it last registered.
    pub seen_ms: Option<i64>,
    /// Since when it is refused.
    pub revoked_ms: Option<i64>,
}

impl LinkDeviceRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.try_get("id")?,
            user_id: row.try_get("user_id")?,
            kind: row.try_get("kind")?,
            name: row.try_get("name")?,
            link_key: row.try_get("link_key")?,
            sign_in_id: row.try_get("sign_in_id")?,
            issuer_id: row.try_get("issuer_id")?,
            created_ms: row.try_get("created_ms")?,
            seen_ms: row.try_get("seen_ms")?,
            revoked_ms: row.try_get("revoked_ms")?,
        })
    }
}

impl Store {
    /// Adds a device, unless its id or key is known already. `true` if it was added.
    pub async fn add_link_device(&self, device: &LinkDeviceRow) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO link_devices (id, user_id, kind, name, link_key, sign_in_id, issuer_id, created_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )
        .bind(&device.id)
        .bind(&device.user_id)
        .bind(&device.kind)
        .bind(&device.name)
        .bind(&device.link_key)
        .bind(&device.sign_in_id)
        .bind(&device.issuer_id)
        .bind(device.created_ms)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The device with this id.
    pub async fn link_device(&self, id: &str) -> Result<Option<LinkDeviceRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM link_devices WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(LinkDeviceRow::read).transpose()
    }

    /// The device with this key.
    pub async fn link_device_by_key(&self, link_key: &str) -> Result<Option<LinkDeviceRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM link_devices WHERE link_key = $1")
            .bind(link_key)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(LinkDeviceRow::read).transpose()
    }

    /// The devices of a person that are not revoked, the newest first.
    pub async fn link_devices(&self, user_id: &str) -> Result<Vec<LinkDeviceRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM link_devices WHERE user_id = $1 AND revoked_ms IS NULL ORDER BY created_ms DESC, id",
        )
        .bind(user_id)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(LinkDeviceRow::read).collect()
    }

    /// A desktop signed in anew, or calls itself something else.
    pub async fn update_link_device(&self, id: &str, name: &str, sign_in_id: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE link_devices SET name = $1, sign_in_id = $2 WHERE id = $3")
            .bind(name)
            .bind(sign_in_id)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Notes that a device has registered. `false` if it was revoked meanwhile.
    pub async fn link_device_seen(&self, id: &str, now_ms: i64) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE link_devices SET seen_ms = $1 WHERE id = $2 AND revoked_ms IS NULL")
            .bind(now_ms)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Refuses a person's device from now on. `true` if it was accepted until now.
    pub async fn revoke_link_device(&self, user_id: &str, id: &str, now_ms: i64) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE link_devices SET revoked_ms = $1 WHERE id = $2 AND user_id = $3 AND revoked_ms IS NULL",
        )
        .bind(now_ms)
        .bind(id)
        .bind(user_id)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }
}
