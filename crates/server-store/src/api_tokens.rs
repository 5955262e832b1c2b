//! Table `api_tokens`: tokens for programs and agents, each with what it may do. Only their hashes are stored.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{Role, Store, StoreError};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A program of the person's own; may last.
    Api,
    /// A coding agent on one task; short-lived.
    Agent,
}

impl TokenKind {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenKind::Api => "api",
            TokenKind::Agent => "agent",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [TokenKind::Api, TokenKind::Agent].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A row of `api_tokens`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiTokenRow {
    /// Id, for lists and records; no part of the token.
    pub id: String,
    /// SHA-256 of the token, hex.
    pub hash: String,
    /// Organisation whose keys it uses.
    pub org_id: String,
    /// Who answers for it.
    pub user_id: String,
    /// What it is for.
    pub kind: TokenKind,
    /// What its owner calls it.
    pub name: String,
    /// Models it may ask for, as a JSON list; empty for all.
    pub models: String,
    /// Whether each request needs an approval.
    pub needs_approval: bool,
    /// What its owner approved once for all its requests, as JSON: its requests are bound to that instead.
    pub scope: Option<String>,
    /// The most that all its requests together may cost.
    pub budget_microusd: Option<i64>,
    /// What they have cost so far.
    pub spent_microusd: i64,
    /// A word that stands in every record of it, such as the plan an agent works on.
    pub tag: Option<String>,
    /// When it was made.
    pub created_ms: i64,
    /// When it ends by itself.
    pub expires_ms: Option<i64>,
    /// Since when it is void.
    pub revoked_ms: Option<i64>,
}

impl ApiTokenRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let kind: String = row.try_get("kind")?;
        Ok(Self {
            id: row.try_get("id")?,
            hash: row.try_get("hash")?,
            org_id: row.try_get("org_id")?,
            user_id: row.try_get("user_id")?,
            kind: TokenKind::parse(&kind).ok_or(StoreError::Unreadable { column: "kind", value: kind })?,
            name: row.try_get("name")?,
            models: row.try_get("models")?,
            needs_approval: row.try_get::<String, _>("approval")? == "required",
            scope: row.try_get("scope")?,
            budget_microusd: row.try_get("budget_microusd")?,
            spent_microusd: row.try_get("spent_microusd")?,
            tag: row.try_get("tag")?,
            created_ms: row.try_get("created_ms")?,
            expires_ms: row.try_get("expires_ms")?,
            revoked_ms: row.try_get("revoked_ms")?,
        })
    }
}

/// A token that works, with the role of its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveToken {
    /// The token.
    pub token: ApiTokenRow,
    /// The role of its owner.
    pub role: Role,
}

impl Store {
    /// Adds a token.
    pub async fn add_api_token(&self, token: &ApiTokenRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO api_tokens (id, hash, org_id, user_id, kind, name, models, approval, budget_microusd, \
             spent_microusd, tag, created_ms, expires_ms, revoked_ms, scope) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        )
        .bind(&token.id)
        .bind(&token.hash)
        .bind(&token.org_id)
        .bind(&token.user_id)
        .bind(token.kind.as_str())
        .bind(&token.name)
        .bind(&token.models)
        .bind(if token.needs_approval { "required" } else { "none" })
        .bind(token.budget_microusd)
        .bind(token.spent_microusd)
        .bind(token.tag.as_deref())
        .bind(token.created_ms)
        .bind(token.expires_ms)
        .bind(token.revoked_ms)
        .bind(token.scope.as_deref())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Every token that works now, of people who are not disabled: what a node keeps in memory.
    pub async fn live_api_tokens(&self, now_ms: i64) -> Result<Vec<LiveToken>, StoreError> {
        let rows = sqlx::query(
            "SELECT api_tokens.*, users.role AS role FROM api_tokens JOIN users ON users.id = api_tokens.user_id \
             WHERE api_tokens.revoked_ms IS NULL AND (api_tokens.expires_ms IS NULL OR api_tokens.expires_ms > $1) \
             AND users.disabled_ms IS NULL",
        )
        .bind(now_ms)
        .fetch_all(&self.pool)
        .await?;
        let read = |row: &AnyRow| {
            let role: String = row.try_get("role")?;
            Ok(LiveToken {
                token: ApiTokenRow::read(row)?,
                role: Role::parse(&role).ok_or(StoreError::Unreadable { column: "role", value: role })?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The tokens of an organisation, or of one user in it, newest first.
    pub async fn api_tokens(
        &self,
        org_id: &str,
        user_id: Option<&str>,
    ) -> Result<Vec<ApiTokenRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM api_tokens WHERE org_id = $1 AND ($2 = '' OR user_id = $2) ORDER BY created_ms DESC, id",
        )
        .bind(org_id)
        .bind(user_id.unwrap_or_default())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(ApiTokenRow::read).collect()
    }

    /// Voids a token of an organisation, or only if it is one user's. `true` if it worked until now.
    pub async fn revoke_api_token(
        &self,
        id: &str,
        org_id: &str,
        user_id: Option<&str>,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE api_tokens SET revoked_ms = $1 WHERE id = $2 AND org_id = $3 AND ($4 = '' OR user_id = $4) \
             AND revoked_ms IS NULL",
        )
        .bind(now_ms)
        .bind(id)
        .bind(org_id)
        .bind(user_id.unwrap_or_default())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }
}
