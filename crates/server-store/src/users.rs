//! Table `users`.

use sqlx::Row as _;
use sqlx::any::AnyRow;

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

    /// Gives a user another role. `false` when there is no such user.
    pub async fn set_role(&self, id: &str, role: Role) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE users SET role = $1 WHERE id = $2")
            .bind(role.as_str())
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Disables a user since a moment, or (`None`) enables them again. `false` when there is no such user.
    pub async fn disable_user(&self, id: &str, since_ms: Option<i64>) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE users SET disabled_ms = $1 WHERE id = $2")
            .bind(since_ms)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ids of all who may not sign in any more.
    pub async fn disabled_users(&self) -> Result<Vec<String>, StoreError> {
        let rows =
            sqlx::query("SELECT id FROM users WHERE disabled_ms IS NOT NULL").fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// Whether anybody can administer this server.
    pub async fn has_admin(&self) -> Result<bool, StoreError> {
        let row =
            sqlx::query("SELECT COUNT(*) AS n FROM users WHERE role = 'admin'").fetch_one(&self.pool).await?;
        Ok(row.try_get::<i64, _>("n")? > 0)
    }
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
