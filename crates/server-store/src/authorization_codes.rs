//! Table `authorization_codes`: sign-ins that a person has allowed on the consent page and a client has yet to collect.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{DeviceRow, RefreshRow, Store, StoreError, devices, refresh_tokens};

/// A row of `authorization_codes`.
#[derive(Clone, Debug)]
pub struct AuthorizationCodeRow {
    /// SHA-256 of the code, hex.
    pub hash: String,
    /// The client it was given to.
    pub client_id: String,
    /// The address it was sent to.
    pub redirect_uri: String,
    /// SHA-256 of the client's secret, as the client sent it.
    pub challenge: String,
    /// Who allowed it.
    pub user_id: String,
    /// How the client called the device.
    pub device_name: String,
    /// Where the browser was.
    pub address: String,
    /// When it was made.
    pub created_ms: i64,
    /// Until when it can be collected.
    pub expires_ms: i64,
}

/// What came of presenting a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// It was good: a device of this user was made, with its first refresh token.
    SignedIn {
        /// Who.
        user_id: String,
    },
    /// It had been used before, so that two have it: the sign-in it led to has been ended.
    Again {
        /// The device that was made of it.
        device_id: String,
    },
    /// Unknown, expired, or not this client's; a code that is presented wrongly is void from then on.
    Refused,
}

impl AuthorizationCodeRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            hash: row.try_get("hash")?,
            client_id: row.try_get("client_id")?,
            redirect_uri: row.try_get("redirect_uri")?,
            challenge: row.try_get("challenge")?,
            user_id: row.try_get("user_id")?,
            device_name: row.try_get("device_name")?,
            address: row.try_get("address")?,
            created_ms: row.try_get("created_ms")?,
            expires_ms: row.try_get("expires_ms")?,
        })
    }
}

impl Store {
    /// Adds a code, and forgets those that ended long ago.
    pub async fn add_authorization_code(&self, code: &AuthorizationCodeRow) -> Result<(), StoreError> {
        const DAY_MS: i64 = 86_400_000;
        sqlx::query("DELETE FROM authorization_codes WHERE expires_ms < $1")
            .bind(code.created_ms - DAY_MS)
            .execute(&self.pool)
            .await?;
        sqlx::query(
            "INSERT INTO authorization_codes (hash, client_id, redirect_uri, challenge, user_id, device_name, address, \
             created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&code.hash)
        .bind(&code.client_id)
        .bind(&code.redirect_uri)
        .bind(&code.challenge)
        .bind(&code.user_id)
        .bind(&code.device_name)
        .bind(&code.address)
        .bind(code.created_ms)
        .bind(code.expires_ms)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Presents a code: uses it up and, if `fits` says that it was presented rightly, makes a device of its user.
    ///
    /// All of it is one step, so that of two who present a code the second always finds the device of the first.
    /// `device` and `refresh` carry the ids; the rest of the device comes from the code.
    pub async fn redeem_authorization_code(
        &self,
        hash: &str,
        device: DeviceRow,
        refresh: &RefreshRow,
        fits: impl FnOnce(&AuthorizationCodeRow) -> bool,
    ) -> Result<Redeemed, StoreError> {
        let now_ms = device.created_ms;
        let mut tx = self.begin().await?;
        // Writing first makes two simultaneous presentations take turns on either database.
        let fresh = sqlx::query(
            "UPDATE authorization_codes SET used_ms = $1, device_id = $2 \
             WHERE hash = $3 AND used_ms IS NULL RETURNING *",
        )
        .bind(now_ms)
        .bind(&device.id)
        .bind(hash)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(row) = fresh {
            let code = AuthorizationCodeRow::read(&row)?;
            let good = code.expires_ms > now_ms && fits(&code);
            let user_id = code.user_id.clone();
            if good {
                let device = DeviceRow {
                    user_id: code.user_id,
                    client: code.client_id,
                    name: code.device_name,
                    address: code.address,
                    ..device
                };
                devices::insert(&mut *tx, &device).await?;
                refresh_tokens::insert(&mut *tx, refresh).await?;
            }
            tx.commit().await?;
            return Ok(if good { Redeemed::SignedIn { user_id } } else { Redeemed::Refused });
        }
        let used = sqlx::query(
            "UPDATE devices SET revoked_ms = COALESCE(revoked_ms, $1) \
             WHERE id IN (SELECT device_id FROM authorization_codes WHERE hash = $2) RETURNING id",
        )
        .bind(now_ms)
        .bind(hash)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        match used {
            Some(row) => Ok(Redeemed::Again { device_id: row.try_get("id")? }),
            None => Ok(Redeemed::Refused),
        }
    }
}
