//! Paired devices and the link to them.
//!
//! The list of paired keys is this engine's own: no server adds to it. The link to the relay is kept only while
//! somebody is signed in and a device is paired or being paired ([`link`]); [`pairing`] adds a device.

mod keys;
mod link;
mod pairing;

use crate::error::database;
use crate::{Engine, Inner};
use api::devices::{
    ChangeDevice, ConfirmPairing, Device, DeviceList, DeviceScope, Devices, LinkState, LinkStatus, PairEvent,
    RevokeDevice,
};
use api::events::Topic;
use api::{DeviceId, Empty};
use relay::bytes::Key;
use relay::client::Peer;
use relay::keys::{DeviceKeys, PublicKeys};
use rpc::{ApiError, Caller, ItemStream, Scope, Scopes};
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::devices::DeviceRow;

/// What this engine is at the relay.
pub(crate) struct DeviceLinks {
    keys: DeviceKeys,
    /// The link to the relay of the server that is signed in to.
    running: tokio::sync::Mutex<Option<link::Running>>,
    /// Open sessions by the phone's link key.
    sessions: Mutex<HashMap<Key, u32>>,
    /// The pairing under way.
    pairing: Mutex<Option<pairing::UnderWay>>,
    /// One start of the link at a time.
    starting: tokio::sync::Mutex<()>,
    /// One change of the list at a time, so that none undoes another's revocation.
    changing: tokio::sync::Mutex<()>,
    /// Whether a try to start the link waits.
    retrying: AtomicBool,
}

impl DeviceLinks {
    /// With the keys of this data directory, made when they are first needed.
    pub(crate) fn open(dir: &crate::DataDir, env: &crate::Env) -> std::io::Result<DeviceLinks> {
        Ok(DeviceLinks {
            keys: keys::load_or_make(&dir.data.join("device.key"), env)?,
            running: tokio::sync::Mutex::default(),
            sessions: Mutex::default(),
            pairing: Mutex::default(),
            starting: tokio::sync::Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            retrying: AtomicBool::new(false),
        })
    }

    /// The keys of this device.
    pub(crate) fn keys(&self) -> &relay::keys::DeviceKeys {
        &self.keys
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Key, u32>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_online(&self, row: &DeviceRow) -> bool {
        Key::from_base64(&row.link_key).is_some_and(|key| self.sessions().contains_key(&key))
    }
}

const SCOPES: [(DeviceScope, Scope); 6] = [
    (DeviceScope::View, Scope::View),
    (DeviceScope::Files, Scope::Files),
    (DeviceScope::Edit, Scope::Edit),
    (DeviceScope::Run, Scope::Run),
    (DeviceScope::Approve, Scope::Approve),
    (DeviceScope::Type, Scope::Type),
];

/// The rights of a device; looking is always one of them. Granting folders, signing in and pairing never are.
fn granted(scopes: &[DeviceScope]) -> Scopes {
    let asked = SCOPES.into_iter().filter(|(scope, _)| scopes.contains(scope));
    asked.map(|(_, scope)| scope).fold(Scopes::NONE.with(Scope::View), Scopes::with)
}

fn stored(scopes: Scopes) -> String {
    let held = SCOPES.into_iter().filter(|(_, scope)| scopes.contains(*scope));
    held.map(|(_, scope)| scope.name()).collect::<Vec<_>>().join(" ")
}

fn read_scopes(text: &str) -> Scopes {
    let named = |name: &&str| SCOPES.into_iter().find(|(_, scope)| scope.name() == *name);
    let held: Vec<DeviceScope> = text.split(' ').filter_map(|name| named(&name)).map(|(s, _)| s).collect();
    granted(&held)
}

fn public_keys(row: &DeviceRow) -> Option<PublicKeys> {
    Some(PublicKeys { noise: Key::from_base64(&row.noise_key)?, link: Key::from_base64(&row.link_key)? })
}

fn peer(row: &DeviceRow) -> Option<Peer> {
    Some(Peer {
        keys: public_keys(row)?,
        name: row.name.clone(),
        device: row.relay_id.clone(),
        scopes: read_scopes(&row.scopes),
    })
}

fn no_device(id: &DeviceId) -> ApiError {
    ApiError::not_found("no_device", "This device is not paired, or was revoked.").with("device", id)
}

impl Inner {
    fn device_view(&self, row: DeviceRow) -> Device {
        let time = |ms: i64| ms.max(0).cast_unsigned();
        let scopes = read_scopes(&row.scopes);
        Device {
            online: self.devices.is_online(&row),
            fingerprint: public_keys(&row).map(|keys| keys.fingerprint()).unwrap_or_default(),
            scopes: SCOPES.into_iter().filter(|(_, s)| scopes.contains(*s)).map(|(s, _)| s).collect(),
            paired_at: time(row.paired_at),
            last_seen_at: row.seen_at.map(time),
            name: row.name,
            id: row.id.into(),
        }
    }

    async fn device_rows(&self) -> Result<Vec<DeviceRow>, ApiError> {
        self.store.read(store::devices::list).await.map_err(database)
    }

    async fn device_list(&self) -> Result<DeviceList, ApiError> {
        let rows = self.device_rows().await?;
        Ok(DeviceList { devices: rows.into_iter().map(|row| self.device_view(row)).collect() })
    }

    async fn device_row(&self, id: &DeviceId) -> Result<DeviceRow, ApiError> {
        let key = id.0.clone();
        let row = self.store.read(move |db| store::devices::get(db, &key)).await.map_err(database)?;
        row.ok_or_else(|| no_device(id))
    }
}

impl Devices for Engine {
    async fn status(&self, _: &Caller, _: Empty) -> Result<LinkStatus, ApiError> {
        let (state, server, trouble) = self.inner.link_state().await;
        Ok(LinkStatus {
            state,
            server: server.or_else(|| self.inner.signed_in_server()),
            name: self.inner.env.machine.clone(),
            fingerprint: self.inner.devices.keys.public().fingerprint(),
            trouble,
        })
    }

    async fn list(&self, _: &Caller, _: Empty) -> Result<DeviceList, ApiError> {
        self.inner.device_list().await
    }

    async fn pair(&self, _: &Caller, _: Empty) -> Result<ItemStream<PairEvent>, ApiError> {
        pairing::pair(&self.inner).await
    }

    async fn confirm(&self, _: &Caller, request: ConfirmPairing) -> Result<Device, ApiError> {
        pairing::confirm(&self.inner, &request).await
    }

    async fn change(&self, _: &Caller, request: ChangeDevice) -> Result<Device, ApiError> {
        let _one_at_a_time = self.inner.devices.changing.lock().await;
        let scopes = granted(&request.scopes);
        let (id, text) = (request.device.0.clone(), stored(scopes));
        let changed = self.inner.store.write(move |db| store::devices::set_scopes(db, &id, &text)).await;
        if !changed.map_err(database)? {
            return Err(no_device(&request.device));
        }
        let row = self.inner.device_row(&request.device).await?;
        if let Some(peer) = peer(&row) {
            self.inner.admit_again(peer).await;
        }
        self.inner.bus.tell(Topic::Device, &row.id, None);
        Ok(self.inner.device_view(row))
    }

    async fn revoke(&self, _: &Caller, request: RevokeDevice) -> Result<DeviceList, ApiError> {
        let _one_at_a_time = self.inner.devices.changing.lock().await;
        let row = self.inner.device_row(&request.device).await?;
        let id = row.id.clone();
        self.inner.store.write(move |db| store::devices::delete(db, &id)).await.map_err(database)?;
        // From here on its keys open nothing, whatever the server does or does not hear.
        if let Some(keys) = public_keys(&row) {
            self.inner.end_device(&keys).await;
        }
        self.inner.bus.tell(Topic::Device, &row.id, None);
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move { inner.refresh_link().await });
        self.inner.device_list().await
    }
}

impl Inner {
    /// How the link is: its state, its server, and the trouble with it.
    async fn link_state(&self) -> (LinkState, Option<String>, Option<String>) {
        let running = self.devices.running.lock().await;
        let Some(running) = running.as_ref() else {
            let state =
                if self.signed_in_server().is_some() { LinkState::Idle } else { LinkState::SignedOut };
            return (state, None, None);
        };
        let (state, trouble) = running.state();
        (state, Some(running.origin().to_owned()), trouble)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_always_looks_and_never_grants() {
        let nothing = granted(&[]);
        assert!(nothing.contains(Scope::View) && !nothing.contains(Scope::Type));
        let all: Vec<DeviceScope> = SCOPES.into_iter().map(|(scope, _)| scope).collect();
        let everything = granted(&all);
        for never in [Scope::Grant, Scope::Account, Scope::Pair] {
            assert!(!everything.contains(never), "{}", never.name());
        }
        assert_eq!(read_scopes(&stored(everything)), everything);
        assert_eq!(read_scopes("grant account pair nonsense"), nothing);
    }
}
