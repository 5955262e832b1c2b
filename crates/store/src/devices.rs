//! Paired devices: the only list of keys that this engine trusts.

use crate::{Db, Result};
use rusqlite::{Row, params};

/// A paired device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// Its id here.
    pub id: String,
    /// The origin of the server whose relay leads to it.
    pub server: String,
    /// Its id at that relay; not known before its first session.
    pub relay_id: Option<String>,
    /// What it calls itself.
    pub name: String,
    /// Its X25519 key, in base64.
    pub noise_key: String,
    /// Its Ed25519 key, in base64.
    pub link_key: String,
    /// What it may do: names with spaces between them.
    pub scopes: String,
    /// When it was paired.
    pub paired_at: i64,
    /// When it was last connected.
    pub seen_at: Option<i64>,
}

const COLUMNS: &str = "id, server, relay_id, name, noise_key, link_key, scopes, paired_at, seen_at";

fn read(row: &Row<'_>) -> rusqlite::Result<DeviceRow> {
    Ok(DeviceRow {
        id: row.get(0)?,
        server: row.get(1)?,
        relay_id: row.get(2)?,
        name: row.get(3)?,
        noise_key: row.get(4)?,
        link_key: row.get(5)?,
        scopes: row.get(6)?,
        paired_at: row.get(7)?,
        seen_at: row.get(8)?,
    })
}

/// Every device, the newest first.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn list(db: &Db<'_>) -> Result<Vec<DeviceRow>> {
    db.all(&format!("SELECT {COLUMNS} FROM devices ORDER BY paired_at DESC, id"), [], read)
}

/// One device.
///
/// # Errors
/// When the database refuses.
pub fn get(db: &Db<'_>, id: &str) -> Result<Option<DeviceRow>> {
    db.one(&format!("SELECT {COLUMNS} FROM devices WHERE id = ?1"), [id], read)
}

/// Adds a device. One with the same link key is replaced: it was paired again.
///
/// # Errors
/// When the database refuses.
pub fn insert(db: &Db<'_>, row: &DeviceRow) -> Result<()> {
    db.change("DELETE FROM devices WHERE link_key = ?1 OR noise_key = ?2", [&row.link_key, &row.noise_key])?;
    db.change(
        &format!("INSERT INTO devices ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
        params![
            row.id,
            row.server,
            row.relay_id,
            row.name,
            row.noise_key,
            row.link_key,
            row.scopes,
            row.paired_at,
            row.seen_at
        ],
    )?;
    Ok(())
}

/// Changes what a device may do; whether there is one.
///
/// # Errors
/// When the database refuses.
pub fn set_scopes(db: &Db<'_>, id: &str, scopes: &str) -> Result<bool> {
    Ok(db.change("UPDATE devices SET scopes = ?2 WHERE id = ?1", [id, scopes])? > 0)
}

/// Notes the id of a device at its relay, by its link key; the id here, if there is such a device.
///
/// # Errors
/// When the database refuses.
pub fn recognise(db: &Db<'_>, link_key: &str, relay_id: &str) -> Result<Option<String>> {
    db.change("UPDATE devices SET relay_id = ?2 WHERE link_key = ?1", [link_key, relay_id])?;
    db.one("SELECT id FROM devices WHERE link_key = ?1", [link_key], |row| row.get(0))
}

/// Notes when a device was last connected, by its link key; the id here, if there is such a device.
///
/// # Errors
/// When the database refuses.
pub fn seen(db: &Db<'_>, link_key: &str, now: i64) -> Result<Option<String>> {
    db.change("UPDATE devices SET seen_at = ?2 WHERE link_key = ?1", params![link_key, now])?;
    db.one("SELECT id FROM devices WHERE link_key = ?1", [link_key], |row| row.get(0))
}

/// Forgets a device and its keys; whether there was one.
///
/// # Errors
/// When the database refuses.
pub fn delete(db: &Db<'_>, id: &str) -> Result<bool> {
    Ok(db.change("DELETE FROM devices WHERE id = ?1", [id])? > 0)
}
