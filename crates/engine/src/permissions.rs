//! Standing permissions and budgets: what may be sent without asking again, and what may be spent at all.
//!
//! Both are decided inside the transaction that approves, together with the money that is set aside for the request, so
//! two jobs can never both find the last cent.

use crate::error::database;
use crate::manifest::under;
use crate::settings::budgets;
use crate::wire::StoredManifest;
use crate::{Engine, Inner};
use api::approvals::{
    Destination, EndPermission, ListPermissions, Manifest, Permission, PermissionList, Remember,
};
use api::events::Topic;
use rpc::{ApiError, ErrorCode};
use store::Db;
use store::permissions::PermissionRow;

/// The longest a permission can hold.
const LONGEST_MINUTES: u32 = 24 * 60;

/// What counts as a day of the day's budget: the last 24 hours.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Whether a request may be approved.
pub(crate) enum Room {
    /// It may, and its ceiling is set aside.
    Held,
    /// A budget would be exceeded, or cannot be kept; why, in words.
    Full(String),
}

/// Sets a request's ceiling aside if the budgets have room for it.
pub(crate) fn hold(
    db: &Db<'_>,
    stored: &StoredManifest,
    approval: &str,
    permission: Option<&str>,
    now: i64,
) -> store::Result<Room> {
    let manifest = &stored.manifest;
    let session = manifest.session.0.as_str();
    let budgets = budgets(db)?;
    let ceiling = manifest.cost_ceiling;
    for (limit, whose, spent, held, word) in [
        (budgets.session, Some(session), 0, Some(session), "this session"),
        (budgets.day, None, now - DAY_MS, None, "24 hours"),
    ] {
        let Some(limit) = limit else { continue };
        if stored.target.prices.is_none() {
            return Ok(Room::Full(format!(
                "The price of {} is not known, so the budget for {word} cannot be kept. Nothing was sent. Choose a model with a known \
                 price, or remove the budget.",
                manifest.model
            )));
        }
        let used = store::usage::spent(db, whose, spent)? + store::permissions::held(db, held)?;
        if used.saturating_add(ceiling) > limit {
            return Ok(Room::Full(format!(
                "This could cost up to {}, and of the budget of {} for {word} only {} is left. Nothing was sent. Raise the budget, send \
                 fewer files, or choose a cheaper model.",
                dollars(ceiling),
                dollars(limit),
                dollars(limit.saturating_sub(used))
            )));
        }
    }
    store::permissions::hold(db, approval, session, permission, ceiling, now)?;
    Ok(Room::Held)
}

fn dollars(micro: u64) -> String {
    let cents = micro.div_ceil(100);
    format!("${}.{:04}", cents / 10_000, cents % 10_000)
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// The permission that covers a manifest, if there is one with room. A secret in the manifest ends every permission of
/// the session: it was given for requests without.
pub(crate) fn covering(
    db: &Db<'_>,
    stored: &StoredManifest,
    now: i64,
) -> store::Result<Option<PermissionRow>> {
    let manifest = &stored.manifest;
    let holding = store::permissions::holding(db, &manifest.session.0, now)?;
    if !manifest.secrets.is_empty() {
        for permission in &holding {
            let secret = &manifest.secrets[0];
            let why = format!("A secret was found in {}, line {}.", secret.source, secret.line);
            store::permissions::end(db, &permission.id, &why, now)?;
        }
        return Ok(None);
    }
    if manifest.overflow_tokens > 0 || stored.target.prices.is_none() {
        return Ok(None);
    }
    for permission in holding {
        let Ok(known) = serde_json::from_str::<Vec<(String, String)>>(&permission.destinations) else {
            continue;
        };
        let fits = permission.door == door(stored)
            && !stored.target.destinations.is_empty()
            && stored.target.destinations.iter().all(|to| known.contains(to))
            && lies_under(manifest, &permission.under)
            // Whoever let a model read files has not let it look for what stands in them on the web.
            && (permission.web || manifest.web.is_none());
        let left = permission
            .cap
            .saturating_sub(permission.spent + store::permissions::held_by_permission(db, &permission.id)?);
        if fits && manifest.cost_ceiling <= left {
            return Ok(Some(permission));
        }
    }
    Ok(None)
}

/// The parts that say nothing of files outside of the manifest's.
const OWN_WORDS: [&str; 6] = ["instructions", "task", "text", "passage", "wish", "question"];

/// Whether all that a request holds of the project lies in a folder. Lists of paths, definitions and plans speak of the whole
/// project: a permission for a folder does not cover them, but for the list of paths that every plan needs.
fn lies_under(manifest: &Manifest, folder: &str) -> bool {
    folder.is_empty()
        || (!manifest.files.is_empty()
            && manifest.files.iter().all(|file| under(&file.path, folder))
            && manifest
                .parts
                .iter()
                .all(|part| OWN_WORDS.contains(&part.name.as_str()) || part.name == "tree"))
}

/// The door as permissions name it: going through another server is another door.
fn door(stored: &StoredManifest) -> String {
    match stored.target.dialect {
        None => format!("server {}", stored.target.base_url),
        Some(_) => format!("direct {}", stored.target.base_url),
    }
}

/// The permission that a person gives with an approval.
pub(crate) fn row(
    inner: &Inner,
    stored: &StoredManifest,
    remember: &Remember,
    by: &str,
) -> Result<PermissionRow, ApiError> {
    if remember.minutes == 0 || remember.minutes > LONGEST_MINUTES {
        let message = format!("A permission holds for 1 to {LONGEST_MINUTES} minutes. Nothing was sent.");
        return Err(ApiError::invalid("permission_minutes", message));
    }
    let folder = remember.under.as_deref().unwrap_or_default().trim_matches('/');
    if !folder.is_empty() && plan::path::check(folder).is_err() {
        return Err(ApiError::invalid(
            "permission_folder",
            "The folder must be a path inside the project. Nothing was sent.",
        ));
    }
    let manifest = &stored.manifest;
    if manifest.files.iter().any(|file| !under(&file.path, folder)) {
        let message = format!("Not every file of this request lies in {folder}. Nothing was sent.");
        return Err(ApiError::invalid("permission_folder", message));
    }
    if stored.target.prices.is_none() {
        let message = format!(
            "The price of {} is not known, so no cap could hold. Approve each request by itself; nothing was sent.",
            manifest.model
        );
        return Err(ApiError::invalid("permission_unpriced", message));
    }
    if !manifest.secrets.is_empty() {
        let message =
            "Secrets were found in this request, so only this one can be approved. Nothing was sent.";
        return Err(ApiError::invalid("permission_secrets", message));
    }
    let now = inner.now();
    Ok(PermissionRow {
        id: inner.new_id(),
        session_id: manifest.session.0.clone(),
        door: door(stored),
        destinations: serde_json::to_string(&stored.target.destinations)
            .map_err(|e| ApiError::internal(e.to_string()))?,
        under: folder.to_owned(),
        cap: remember.cap,
        spent: 0,
        created_at: now,
        created_by: by.to_owned(),
        expires_at: now + i64::from(remember.minutes) * 60_000,
        ended_at: None,
        ended_why: None,
        web: remember.web.unwrap_or(false),
    })
}

fn view(row: PermissionRow, held: u64, now: i64) -> Permission {
    let destinations: Vec<(String, String)> = serde_json::from_str(&row.destinations).unwrap_or_default();
    let time = |at: i64| at.max(0).cast_unsigned();
    Permission {
        holds: row.holds_at(now) && row.spent < row.cap,
        id: row.id.into(),
        session: row.session_id.into(),
        door: row.door,
        destinations: destinations
            .into_iter()
            .map(|(provider, model)| Destination { provider, model })
            .collect(),
        under: row.under,
        cap: row.cap,
        spent: row.spent,
        held,
        created_at: time(row.created_at),
        created_by: row.created_by,
        web: row.web,
        expires_at: time(row.expires_at),
        ended: row.ended_why,
    }
}

impl Engine {
    pub(crate) async fn list_permissions(
        &self,
        request: ListPermissions,
    ) -> Result<PermissionList, ApiError> {
        let (session, now) = (request.session.map(|s| s.0), self.inner.now());
        let rows = self.inner.store.read(move |db| {
            let rows = store::permissions::list(db, session.as_deref())?;
            rows.into_iter()
                .map(|row| Ok((store::permissions::held_by_permission(db, &row.id)?, row)))
                .collect::<store::Result<Vec<_>>>()
        });
        let rows = rows.await.map_err(database)?;
        Ok(PermissionList { permissions: rows.into_iter().map(|(held, row)| view(row, held, now)).collect() })
    }

    pub(crate) async fn end_permission(
        &self,
        by: &str,
        request: EndPermission,
    ) -> Result<PermissionList, ApiError> {
        let (id, why, now) =
            (request.permission.0.clone(), format!("Withdrawn from {by}."), self.inner.now());
        let row = self
            .inner
            .store
            .write(move |db| {
                store::permissions::end(db, &id, &why, now)?;
                store::permissions::get(db, &id)
            })
            .await
            .map_err(database)?;
        let Some(row) = row else {
            return Err(ApiError::not_found(
                "no_permission",
                "This permission does not exist, or its session was deleted.",
            ));
        };
        self.inner.bus.tell(Topic::Approval, "", Some(&row.session_id));
        self.list_permissions(ListPermissions { session: Some(row.session_id.into()) }).await
    }
}

impl Inner {
    /// Whether the permission by which something was approved still holds. What a person approved by hand does.
    pub(crate) async fn still_allowed(&self, by: Option<&str>) -> store::Result<bool> {
        let Some(id) = by.and_then(|by| by.strip_prefix(BY_PERMISSION)) else { return Ok(true) };
        let (id, now) = (id.to_owned(), self.now());
        let row = self.store.read(move |db| store::permissions::get(db, &id)).await?;
        Ok(row.is_some_and(|row| row.holds_at(now)))
    }
}

/// How an approval by a permission is recorded, before the permission's id.
pub(crate) const BY_PERMISSION: &str = "permission ";

/// Where a permission is at its end without room, that is said to whoever asks.
pub(crate) fn full(message: String) -> ApiError {
    ApiError::new(ErrorCode::Quota, "budget_exceeded", message)
}

#[cfg(test)]
mod tests {
    #[test]
    fn money_is_shown_without_losing_a_fraction() {
        assert_eq!(super::dollars(250_000), "$0.25");
        assert_eq!(super::dollars(1_000_000), "$1");
        assert_eq!(super::dollars(120), "$0.0002");
        assert_eq!(super::dollars(0), "$0");
    }
}
