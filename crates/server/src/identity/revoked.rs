use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use server_store::{Store, StoreError};

/// Devices, and people who may not sign in any more, whose unexpired access tokens are void. Known on this node at once, on others within a second.
#[derive(Clone, Debug, Default)]
pub(crate) struct Revoked(Arc<RwLock<Void>>);

#[derive(Debug, Default)]
struct Void {
    devices: HashSet<String>,
    people: HashSet<String>,
}

impl Revoked {
    /// Whether tokens of this device are void.
    pub fn contains(&self, device_id: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).devices.contains(device_id)
    }

    /// Whether this device, or all of this person, is void.
    pub fn covers(&self, device_id: &str, user_id: &str) -> bool {
        let void = self.0.read().unwrap_or_else(PoisonError::into_inner);
        void.devices.contains(device_id) || void.people.contains(user_id)
    }

    /// Voids a device on this node.
    pub fn add(&self, device_id: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).devices.insert(device_id.to_owned());
    }

    /// Takes over what all nodes know, from `since_ms` on: an older access token has expired by itself.
    pub async fn reload(&self, store: &Store, since_ms: i64) -> Result<(), StoreError> {
        let devices = store.devices_revoked_since(since_ms).await?.into_iter().collect();
        let people = store.disabled_users().await?.into_iter().collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Void { devices, people };
        Ok(())
    }
}
