use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use server_store::{Store, StoreError};

/// Devices whose unexpired access tokens are void. Known on this node at once, on others within a second.
#[derive(Clone, Debug, Default)]
pub(crate) struct Revoked(Arc<RwLock<HashSet<String>>>);

impl Revoked {
    /// Whether tokens of this device are void.
    pub fn contains(&self, device_id: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(device_id)
    }

    /// Voids a device on this node.
    pub fn add(&self, device_id: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(device_id.to_owned());
    }

    /// Takes over what all nodes know, from `since_ms` on: an older access token has expired by itself.
    pub async fn reload(&self, store: &Store, since_ms: i64) -> Result<(), StoreError> {
        let known = store.devices_revoked_since(since_ms).await?.into_iter().collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }
}
