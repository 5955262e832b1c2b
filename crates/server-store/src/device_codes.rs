//! Table `device_codes`: sign-ins that wait for somebody to approve them in a browser.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{Store, StoreError};

/// Where a device code stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeStatus {
    /// Nobody has decided.
    Pending,
    /// Approved, not yet collected.
    Approved,
    /// Refused.
    Denied,
    /// Collected.
    Used,
}

impl CodeStatus {
    fn as_str(self) -> &'static str {
        match self {
            CodeStatus::Pending => "pending",
            CodeStatus::Approved => "approved",
            CodeStatus::Denied => "denied",
            CodeStatus::Used => "used",
        }
    }

    fn parse(word: String) -> Result<Self, StoreError> {
        [CodeStatus::Pending, CodeStatus::Approved, CodeStatus::Denied, CodeStatus::Used]
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or(StoreError::Unreadable { column: "device_codes.status", value: word })
    }
}

/// A row of `device_codes`.
#[derive(Clone, Debug)]
pub struct DeviceCodeRow {
    /// SHA-256 of the device code, hex.
    pub device_hash: String,
    /// What the person types or reads.
    pub user_code: String,
    /// How the client called itself.
    pub client_name: String,
    /// Where it asked from.
    pub address: String,
    /// When it asked.
    pub created_ms: i64,
    /// Until when it can be approved and collected.
    pub expires_ms: i64,
    /// When it last asked for the result.
    pub last_poll_ms: i64,
    /// Where it stands.
    pub status: CodeStatus,
    /// Who approved it.
    pub user_id: Option<String>,
}

/// What came of asking for the result.
#[derive(Clone, Debug)]
pub enum Poll {
    /// No such code, or collected already.
    Unknown,
    /// Its time is over.
    Expired,
    /// Asked again too soon.
    TooSoon,
    /// Nobody has decided.
    Pending,
    /// Somebody refused.
    Denied,
    /// Approved; this was the one collection.
    Approved(Box<DeviceCodeRow>),
}

impl DeviceCodeRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            device_hash: row.try_get("device_hash")?,
            user_code: row.try_get("user_code")?,
            client_name: row.try_get("client_name")?,
            address: row.try_get("address")?,
            created_ms: row.try_get("created_ms")?,
            expires_ms: row.try_get("expires_ms")?,
            last_poll_ms: row.try_get("last_poll_ms")?,
            status: CodeStatus::parse(row.try_get("status")?)?,
            user_id: row.try_get("user_id")?,
        })
    }
}

impl Store {
    /// Adds a code, and forgets those that ended long ago.
    pub async fn add_device_code(&self, code: &DeviceCodeRow) -> Result<(), StoreError> {
        const DAY_MS: i64 = 86_400_000;
        sqlx::query("DELETE FROM device_codes WHERE expires_ms < $1")
            .bind(code.created_ms - DAY_MS)
            .execute(&self.pool)
            .await?;
        sqlx::query(
            "INSERT INTO device_codes (device_hash, user_code, client_name, address, created_ms, expires_ms, \
             last_poll_ms, status, user_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&code.device_hash)
        .bind(&code.user_code)
        .bind(&code.client_name)
        .bind(&code.address)
        .bind(code.created_ms)
        .bind(code.expires_ms)
        .bind(code.last_poll_ms)
        .bind(code.status.as_str())
        .bind(code.user_id.as_deref())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The undecided, unexpired code that a person typed.
    pub async fn pending_device_code(
        &self,
        user_code: &str,
        now_ms: i64,
    ) -> Result<Option<DeviceCodeRow>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM device_codes WHERE user_code = $1 AND status = 'pending' AND expires_ms > $2",
        )
        .bind(user_code)
        .bind(now_ms)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(DeviceCodeRow::read).transpose()
    }

    /// Decides a pending code for a user. `false` when it is not pending any more.
    pub async fn decide_device_code(
        &self,
        user_code: &str,
        user_id: &str,
        approve: bool,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let status = if approve { CodeStatus::Approved } else { CodeStatus::Denied };
        let done = sqlx::query(
            "UPDATE device_codes SET status = $1, user_id = $2 \
             WHERE user_code = $3 AND status = 'pending' AND expires_ms > $4",
        )
        .bind(status.as_str())
        .bind(user_id)
        .bind(user_code)
        .bind(now_ms)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Asks for the result of a code; an approved one is given exactly once.
    pub async fn poll_device_code(
        &self,
        device_hash: &str,
        interval_ms: i64,
        now_ms: i64,
    ) -> Result<Poll, StoreError> {
        let mut tx = self.begin().await?;
        let collected = sqlx::query(
            "UPDATE device_codes SET status = 'used' \
             WHERE device_hash = $1 AND status = 'approved' AND expires_ms > $2 RETURNING *",
        )
        .bind(device_hash)
        .bind(now_ms)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(row) = collected {
            let code = DeviceCodeRow::read(&row)?;
            tx.commit().await?;
            return Ok(Poll::Approved(Box::new(code)));
        }
        let row = sqlx::query("SELECT * FROM device_codes WHERE device_hash = $1")
            .bind(device_hash)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(code) = row.as_ref().map(DeviceCodeRow::read).transpose()? else { return Ok(Poll::Unknown) };
        sqlx::query("UPDATE device_codes SET last_poll_ms = $1 WHERE device_hash = $2")
            .bind(now_ms)
            .bind(device_hash)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(match code.status {
            _ if code.expires_ms <= now_ms => Poll::Expired,
            CodeStatus::Used => Poll::Unknown,
            CodeStatus::Denied => Poll::Denied,
            _ if now_ms - code.last_poll_ms < interval_ms => Poll::TooSoon,
            _ => Poll::Pending,
        })
    }
}
