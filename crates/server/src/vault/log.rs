use server_store::{ProviderKeyRow, Store, StoreError, VaultLogRow};

use crate::env::Env;

/// What a provider key is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A server loads its routes.
    Routes,
    /// An operator looks whether everything opens.
    Check,
    /// It is sealed under another master key.
    Rewrap,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Reason::Routes => "routes",
            Reason::Check => "check",
            Reason::Rewrap => "rewrap",
        }
    }
}

/// Writes down that keys were opened, or did not open, by whom and what for. What is not written down is not used.
pub(crate) async fn record(
    store: &Store,
    env: &Env,
    keys: &[(&ProviderKeyRow, bool)],
    reason: Reason,
    actor: &str,
) -> Result<(), StoreError> {
    let row = |(key, opened): &(&ProviderKeyRow, bool)| VaultLogRow {
        id: env.id(),
        at_ms: env.now_ms(),
        key_id: key.id.clone(),
        org_id: key.org_id.clone(),
        provider: key.provider.clone(),
        reason: reason.as_str().into(),
        actor: actor.to_owned(),
        opened: *opened,
    };
    store.add_vault_log(&keys.iter().map(row).collect::<Vec<_>>()).await
}
