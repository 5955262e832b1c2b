//! Tables `usage_records` and `ledger_entries`: what was used, and what it cost, in one transaction.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{Store, StoreError};

/// A row of `usage_records`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// The request.
    pub request_id: String,
    /// Organisation that pays.
    pub org_id: String,
    /// Who asked.
    pub user_id: String,
    /// With which device; empty for a token.
    pub device_id: String,
    /// With which token for programs, if with one.
    pub token_id: Option<String>,
    /// The client's job, if it named one.
    pub job: Option<String>,
    /// When it ended.
    pub at_ms: i64,
    /// Who answered.
    pub provider: String,
    /// The model that answered, which is the one that is billed.
    pub model: String,
    /// Prompt tokens, cached ones included.
    pub input_tokens: i64,
    /// Answer tokens, reasoning included.
    pub output_tokens: i64,
    /// Prompt tokens read from the cache.
    pub cache_read_tokens: i64,
    /// Prompt tokens written to the cache.
    pub cache_write_tokens: i64,
    /// Answer tokens spent on reasoning.
    pub reasoning_tokens: i64,
    /// Whether the numbers are an estimate.
    pub estimated: bool,
    /// Cost; `None` when the price is not known.
    pub cost_microusd: Option<i64>,
    /// How the request ended.
    pub outcome: String,
}

pub(crate) const DAY_MS: i64 = 86_400_000;

/// What one person has spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Organisation that pays.
    pub org_id: String,
    /// Who spent it.
    pub user_id: String,
    /// How much.
    pub microusd: i64,
}

/// Usage of one user and model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageSum {
    /// Provider.
    pub provider: String,
    /// Model.
    pub model: String,
    /// Requests.
    pub requests: i64,
    /// Prompt tokens.
    pub input_tokens: i64,
    /// Answer tokens.
    pub output_tokens: i64,
    /// Known cost.
    pub cost_microusd: i64,
}

impl UsageRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            request_id: row.try_get("request_id")?,
            org_id: row.try_get("org_id")?,
            user_id: row.try_get("user_id")?,
            device_id: row.try_get("device_id")?,
            token_id: row.try_get("token_id")?,
            job: row.try_get("job")?,
            at_ms: row.try_get("at_ms")?,
            provider: row.try_get("provider")?,
            model: row.try_get("model")?,
            input_tokens: row.try_get("input_tokens")?,
            output_tokens: row.try_get("output_tokens")?,
            cache_read_tokens: row.try_get("cache_read_tokens")?,
            cache_write_tokens: row.try_get("cache_write_tokens")?,
            reasoning_tokens: row.try_get("reasoning_tokens")?,
            estimated: row.try_get::<i64, _>("estimated")? != 0,
            cost_microusd: row.try_get("cost_microusd")?,
            outcome: row.try_get("outcome")?,
        })
    }
}

impl Store {
    /// What each person has spent on the days from that of `since_ms` on, by the calendar of UTC.
    pub async fn spent_since(&self, since_ms: i64) -> Result<Vec<Spent>, StoreError> {
        let rows = sqlx::query(
            "SELECT org_id, user_id, CAST(SUM(microusd) AS BIGINT) AS microusd FROM spend_days WHERE day >= $1 \
             GROUP BY org_id, user_id",
        )
        .bind(since_ms.div_euclid(DAY_MS))
        .fetch_all(&self.pool)
        .await?;
        let read = |row: &AnyRow| {
            Ok(Spent {
                org_id: row.try_get("org_id")?,
                user_id: row.try_get("user_id")?,
                microusd: row.try_get("microusd")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The usage of one request, if it has settled.
    pub async fn usage_of(&self, request_id: &str) -> Result<Option<UsageRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM usage_records WHERE request_id = $1")
            .bind(request_id)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(UsageRow::read).transpose()
    }

    /// What each person spent on each day from that of `since_ms` on, oldest first; of one user, if named.
    pub async fn spent_by_day(
        &self,
        org_id: &str,
        user_id: Option<&str>,
        since_ms: i64,
    ) -> Result<Vec<(i64, String, i64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT day, user_id, microusd FROM spend_days WHERE org_id = $1 AND ($2 = '' OR user_id = $2) AND day >= $3 \
             ORDER BY day, user_id",
        )
        .bind(org_id)
        .bind(user_id.unwrap_or_default())
        .bind(since_ms.div_euclid(DAY_MS))
        .fetch_all(&self.pool)
        .await?;
        let read = |row: &AnyRow| {
            Ok((row.try_get::<i64, _>("day")? * DAY_MS, row.try_get("user_id")?, row.try_get("microusd")?))
        };
        rows.iter().map(read).collect()
    }

    /// The newest requests of an organisation, or of one user in it.
    pub async fn recent_usage(
        &self,
        org_id: &str,
        user_id: Option<&str>,
        limit: i64,
    ) -> Result<Vec<UsageRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM usage_records WHERE org_id = $1 AND ($2 = '' OR user_id = $2) \
             ORDER BY at_ms DESC, request_id DESC LIMIT $3",
        )
        .bind(org_id)
        .bind(user_id.unwrap_or_default())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(UsageRow::read).collect()
    }

    /// Usage since a moment by model, of an organisation or of one user in it.
    pub async fn usage_by_model(
        &self,
        org_id: &str,
        user_id: Option<&str>,
        since_ms: i64,
    ) -> Result<Vec<UsageSum>, StoreError> {
        let rows = sqlx::query(
            "SELECT provider, model, COUNT(*) AS requests, CAST(SUM(input_tokens) AS BIGINT) AS input_tokens, \
             CAST(SUM(output_tokens) AS BIGINT) AS output_tokens, \
             CAST(COALESCE(SUM(cost_microusd), 0) AS BIGINT) AS cost_microusd \
             FROM usage_records WHERE org_id = $1 AND ($2 = '' OR user_id = $2) AND at_ms >= $3 \
             GROUP BY provider, model ORDER BY provider, model",
        )
        .bind(org_id)
        .bind(user_id.unwrap_or_default())
        .bind(since_ms)
        .fetch_all(&self.pool)
        .await?;
        let read = |row: &AnyRow| {
            Ok(UsageSum {
                provider: row.try_get("provider")?,
                model: row.try_get("model")?,
                requests: row.try_get("requests")?,
                input_tokens: row.try_get("input_tokens")?,
                output_tokens: row.try_get("output_tokens")?,
                cost_microusd: row.try_get("cost_microusd")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The sum of all ledger entries of an organisation.
    pub async fn balance(&self, org_id: &str) -> Result<i64, StoreError> {
        let row = sqlx::query(
            "SELECT CAST(COALESCE(SUM(amount_microusd), 0) AS BIGINT) AS sum FROM ledger_entries WHERE org_id = $1",
        )
        .bind(org_id)
        .fetch_one(&self.pool)
        .await?;
        Ok(row.try_get("sum")?)
    }
}
