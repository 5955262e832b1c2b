//! Table `users`.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use crate::{Store, StoreError};

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything, also for others.
    Admin,
    /// Work, and see what is one's own.
    Member,
    /// See everything, change nothing.
    Auditor,
}

impl Role {
    /// The word in the table and in tokens.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Member => "member",
            Role::Auditor => "auditor",
        }
    }

    /// Reads [`Role::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        [Role::Admin, Role::Member, Role::Auditor].into_iter().find(|role| role.as_str() == word)
    }
}

/// What changes about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// Another role.
    Role(Role),
    /// Disabled since a moment, or enabled again.
    Disabled(Option<i64>),
}

/// A row of `users`.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// Id.
    pub id: String,
    /// Organisation.
    pub org_id: String,
    /// Name for signing in, unique, lower case.
    pub login: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// Role.
    pub role: Role,
    /// When it was made.
    pub created_ms: i64,
    /// Since when it may not sign in any more.
    pub disabled_ms: Option<i64>,
}

impl UserRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let role: String = row.try_get("role")?;
        Ok(Self {
            id: row.try_get("id")?,
            org_id: row.try_get("org_id")?,
            login: row.try_get("login")?,
            password_hash: row.try_get("password_hash")?,
            role: Role::parse(&role).ok_or(StoreError::Unreadable { column: "users.role", value: role })?,
            created_ms: row.try_get("created_ms")?,
            disabled_ms: row.try_get("disabled_ms")?,
        })
    }
}

impl Store {
    /// Adds a user; [`StoreError::Conflict`] when the login is taken.
    pub async fn add_user(&self, user: &UserRow) -> Result<(), StoreError> {
        insert(&self.pool, user).await
    }

    /// The user with this login.
    pub async fn user_by_login(&self, login: &str) -> Result<Option<UserRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM users WHERE login = $1")
            .bind(login)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(UserRow::read).transpose()
    }

    /// The user with this id.
    pub async fn user(&self, id: &str) -> Result<Option<UserRow>, StoreError> {
        let row =
            sqlx::query("SELECT * FROM users WHERE id = $1").bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(UserRow::read).transpose()
    }

    /// The people of an organisation, by name.
    pub async fn users(&self, org_id: &str) -> Result<Vec<UserRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM users WHERE org_id = $1 ORDER BY login")
            .bind(org_id)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(UserRow::read).collect()
    }

    /// Changes somebody's account in the name of an administrator of the same organisation, who is one at that very moment: of
    /// two who turn each other out at once, the second no longer administers. Nobody changes their own. With another role an
    /// invitation is void. `false` when nothing was changed.
    pub async fn change_account(
        &self,
        by: &str,
        id: &str,
        change: AccountChange,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        self.take_turns(&mut tx).await?;
        let column = match change {
            AccountChange::Role(_) => "role",
            AccountChange::Disabled(_) => "disabled_ms",
        };
        let update = format!(
            "UPDATE users SET {column} = $1 WHERE id = $2 AND EXISTS (SELECT 1 FROM users a WHERE a.id = $3 \
             AND a.id <> users.id AND a.org_id = users.org_id AND a.role = 'admin' AND a.disabled_ms IS NULL)"
        );
        let update = sqlx::query(AssertSqlSafe(update));
        let update = match change {
            AccountChange::Role(role) => update.bind(role.as_str()),
            AccountChange::Disabled(since_ms) => update.bind(since_ms),
        };
        if update.bind(id).bind(by).execute(&mut *tx).await?.rows_affected() == 0 {
            return Ok(false);
        }
        if let AccountChange::Role(_) = change {
            sqlx::query("DELETE FROM invitations WHERE user_id = $1").bind(id).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Ids of all who may not sign in any more.
    pub async fn disabled_users(&self) -> Result<Vec<String>, StoreError> {
        let rows =
            sqlx::query("SELECT id FROM users WHERE disabled_ms IS NOT NULL").fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// Whether anybody can administer this server.
    pub async fn has_admin(&self) -> Result<bool, StoreError> {
        has_admin(&self.pool).await
    }
}

pub(crate) async fn has_admin<'e>(
    executor: impl sqlx::Executor<'e, Database = sqlx::Any>,
) -> Result<bool, StoreError> {
    let count = "SELECT COUNT(*) AS n FROM users WHERE role = 'admin'";
    Ok(sqlx::query(count).fetch_one(executor).await?.try_get::<i64, _>("n")? > 0)
}

pub(crate) async fn insert<'e>(
    executor: impl sqlx::Executor<'e, Database = sqlx::Any>,
    user: &UserRow,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO users (id, org_id, login, password_hash, role, created_ms, disabled_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&user.id)
    .bind(&user.org_id)
    .bind(&user.login)
    .bind(&user.password_hash)
    .bind(user.role.as_str())
    .bind(user.created_ms)
    .bind(user.disabled_ms)
    .execute(executor)
    .await?;
    Ok(())
}
