//! Table `own_limits`: limits of one person, or of each person of an organisation, in the place of the configuration's.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{Store, StoreError};

/// Limits that were set. `None` leaves one as it is by default, 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnLimits {
    /// Requests per minute.
    pub requests_per_minute: Option<u32>,
    /// Tokens per minute.
    pub tokens_per_minute: Option<u32>,
    /// Requests at the same time.
    pub concurrent: Option<u32>,
    /// What may be spent in a day of UTC, in micro-dollars.
    pub day_microusd: Option<u64>,
    /// What may be spent in a month of UTC, in micro-dollars.
    pub month_microusd: Option<u64>,
}

/// A row of `own_limits`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnLimitsRow {
    /// The organisation.
    pub org_id: String,
    /// Whose they are; `None` for each person of the organisation who has none of their own.
    pub user_id: Option<String>,
    /// The limits.
    pub limits: OwnLimits,
}

/// Stands for each person of an organisation: no id is empty.
const EVERYBODY: &str = "";

fn read<T: TryFrom<i64>>(row: &AnyRow, column: &'static str) -> Result<Option<T>, StoreError> {
    let Some(value) = row.try_get::<Option<i64>, _>(column)? else { return Ok(None) };
    let unreadable = |_| StoreError::Unreadable { column, value: value.to_string() };
    T::try_from(value).map(Some).map_err(unreadable)
}

impl OwnLimits {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            requests_per_minute: read(row, "requests_per_minute")?,
            tokens_per_minute: read(row, "tokens_per_minute")?,
            concurrent: read(row, "concurrent")?,
            day_microusd: read(row, "day_microusd")?,
            month_microusd: read(row, "month_microusd")?,
        })
    }
}

impl Store {
    /// All limits that were set, of all organisations.
    pub async fn own_limits(&self) -> Result<Vec<OwnLimitsRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM own_limits").fetch_all(&self.pool).await?;
        let read = |row: &AnyRow| {
            let user_id: String = row.try_get("user_id")?;
            Ok(OwnLimitsRow {
                org_id: row.try_get("org_id")?,
                user_id: (user_id != EVERYBODY).then_some(user_id),
                limits: OwnLimits::read(row)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The limits that were set for somebody, or for each person of an organisation.
    pub async fn own_limits_of(
        &self,
        org_id: &str,
        user_id: Option<&str>,
    ) -> Result<Option<OwnLimits>, StoreError> {
        let row = sqlx::query("SELECT * FROM own_limits WHERE org_id = $1 AND user_id = $2")
            .bind(org_id)
            .bind(user_id.unwrap_or(EVERYBODY))
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(OwnLimits::read).transpose()
    }

    /// Sets the limits of somebody, or of each person of an organisation, in the place of those that were set before.
    pub async fn set_own_limits(
        &self,
        org_id: &str,
        user_id: Option<&str>,
        limits: &OwnLimits,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let set = |column: &str| format!("{column} = excluded.{column}");
        self.put_own_limits((org_id, user_id), limits, now_ms, set).await
    }

    /// Sets those limits of somebody that are given, in one step; the others stay as they are.
    pub async fn change_own_limits(
        &self,
        org_id: &str,
        user_id: Option<&str>,
        limits: &OwnLimits,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let set = |column: &str| format!("{column} = COALESCE(excluded.{column}, own_limits.{column})");
        self.put_own_limits((org_id, user_id), limits, now_ms, set).await
    }

    /// `set` says what becomes of a column that there is already.
    async fn put_own_limits(
        &self,
        (org_id, user_id): (&str, Option<&str>),
        limits: &OwnLimits,
        now_ms: i64,
        set: impl Fn(&str) -> String,
    ) -> Result<(), StoreError> {
        const COLUMNS: [&str; 5] =
            ["requests_per_minute", "tokens_per_minute", "concurrent", "day_microusd", "month_microusd"];
        // No budget is larger than this; what is has no end.
        let money = |amount: Option<u64>| amount.map(|amount| i64::try_from(amount).unwrap_or(i64::MAX));
        let set: Vec<String> = COLUMNS.iter().map(|column| set(column)).collect();
        let statement = format!(
            "INSERT INTO own_limits (org_id, user_id, {}, changed_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (org_id, user_id) DO UPDATE SET {}, changed_ms = excluded.changed_ms",
            COLUMNS.join(", "),
            set.join(", "),
        );
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(org_id)
            .bind(user_id.unwrap_or(EVERYBODY))
            .bind(limits.requests_per_minute.map(i64::from))
            .bind(limits.tokens_per_minute.map(i64::from))
            .bind(limits.concurrent.map(i64::from))
            .bind(money(limits.day_microusd))
            .bind(money(limits.month_microusd))
            .bind(now_ms)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes the limits of somebody, or of each person of an organisation, away: the defaults hold again.
    pub async fn reset_own_limits(&self, org_id: &str, user_id: Option<&str>) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM own_limits WHERE org_id = $1 AND user_id = $2")
            .bind(org_id)
            .bind(user_id.unwrap_or(EVERYBODY))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
