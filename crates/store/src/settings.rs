//! Settings by name, as JSON. Never a secret.

use crate::{Db, Result};

/// A setting's value.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn get(db: &Db<'_>, name: &str) -> Result<Option<String>> {
    db.one("SELECT value FROM settings WHERE name = ?1", [name], |row| row.get(0))
}

/// Stores a setting.
///
/// # Errors
/// When the database refuses.
pub fn put(db: &Db<'_>, name: &str, value: &str) -> Result<()> {
    db.change(
        "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [name, value],
    )?;
    Ok(())
}

/// Removes a setting.
///
/// # Errors
/// When the database refuses.
pub fn remove(db: &Db<'_>, name: &str) -> Result<()> {
    db.change("DELETE FROM settings WHERE name = ?1", [name])?;
    Ok(())
}
