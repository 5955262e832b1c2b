//! Sealing of what must not stand in the database in the clear.
//!
//! Each record has a data key of its own, wrapped by the master key; both seals are bound to what the record is,
//! so that a row that is moved, or whose base URL is changed, does not open.

mod log;
mod seal;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use server_store::ProviderKeyRow;
use sha2::Sha256;
use url::Url;

use crate::ServerError;
use crate::env::Env;
pub(crate) use log::{Reason, record};
use seal::{open, rewrap, seal};

/// The key that wraps all others.
pub(crate) struct MasterKey(SecretBox<[u8; 32]>);

impl MasterKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    pub fn from_hex(text: &str) -> Option<Self> {
        Some(Self::new(hex::decode(text).ok()?.try_into().ok()?))
    }
}

/// Seals and opens records.
pub(crate) struct Vault {
    master: MasterKey,
    env: Env,
}

impl Vault {
    pub fn new(master: MasterKey, env: Env) -> Self {
        Self { master, env }
    }

    /// Seals a provider key into its row.
    pub fn seal_provider_key(&self, row: &mut ProviderKeyRow, key: &SecretString) -> Result<(), ServerError> {
        let binding = provider_binding(row)?;
        row.sealed =
            seal(self.master.0.expose_secret(), &binding, key.expose_secret().as_bytes(), &self.env)?;
        Ok(())
    }

    /// Opens the provider key of a row.
    pub fn open_provider_key(&self, row: &ProviderKeyRow) -> Result<SecretString, ServerError> {
        let binding = provider_binding(row)?;
        let key = open(self.master.0.expose_secret(), &binding, &row.sealed, "provider key")?;
        let key = String::from_utf8(key).map_err(|_| ServerError::Sealed("provider key"))?;
        Ok(key.into())
    }

    /// Seals the private half of a signing key.
    pub fn seal_signing_key(&self, kid: &str, key: &[u8; 32]) -> Result<Vec<u8>, ServerError> {
        seal(self.master.0.expose_secret(), &binding(&["signing-key", kid]), key, &self.env)
    }

    /// A provider key under another master key.
    pub fn rewrap_provider_key(&self, row: &ProviderKeyRow, new: &MasterKey) -> Result<Vec<u8>, ServerError> {
        self.rewrap(&provider_binding(row)?, &row.sealed, new, "provider key")
    }

    /// A signing key under another master key.
    pub fn rewrap_signing_key(
        &self,
        kid: &str,
        sealed: &[u8],
        new: &MasterKey,
    ) -> Result<Vec<u8>, ServerError> {
        self.rewrap(&binding(&["signing-key", kid]), sealed, new, "signing key")
    }

    fn rewrap(
        &self,
        binding: &[u8],
        sealed: &[u8],
        new: &MasterKey,
        what: &'static str,
    ) -> Result<Vec<u8>, ServerError> {
        rewrap(self.master.0.expose_secret(), new.0.expose_secret(), binding, sealed, &self.env, what)
    }

    /// Opens the private half of a signing key.
    pub fn open_signing_key(&self, kid: &str, sealed: &[u8]) -> Result<SecretBox<[u8; 32]>, ServerError> {
        const WHAT: &str = "signing key";
        let key = open(self.master.0.expose_secret(), &binding(&["signing-key", kid]), sealed, WHAT)?;
        let key: [u8; 32] = key.try_into().map_err(|_| ServerError::Sealed(WHAT))?;
        Ok(SecretBox::new(Box::new(key)))
    }

    /// A value that only this server can derive from `input`; `purpose` keeps uses apart.
    pub fn derive(&self, purpose: &str, input: &str) -> Result<[u8; 32], ServerError> {
        let mac = Hmac::<Sha256>::new_from_slice(self.master.0.expose_secret());
        let mut mac = mac.map_err(|_| ServerError::Setup("the master key has a wrong length".into()))?;
        mac.update(&binding(&["derive", purpose, input]));
        Ok(mac.finalize().into_bytes().into())
    }
}

/// What a provider key is bound to: its row, the provider, the origin it may be sent to, and its version.
fn provider_binding(row: &ProviderKeyRow) -> Result<Vec<u8>, ServerError> {
    let url: Url =
        row.base_url.parse().map_err(|error| ServerError::Config(format!("{}: {error}", row.base_url)))?;
    let origin = url.origin().ascii_serialization();
    Ok(binding(&["provider-key", &row.id, &row.provider, &origin, &row.version.to_string()]))
}

/// Fields with their lengths, so that no border between two of them can be moved.
fn binding(fields: &[&str]) -> Vec<u8> {
    let mut bytes = b"plantocode-vault-v1".to_vec();
    for field in fields {
        bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
        bytes.extend_from_slice(field.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::new(MasterKey::new([7; 32]), Env::system())
    }

    fn row() -> ProviderKeyRow {
        ProviderKeyRow {
            id: "k1".into(),
            org_id: "org".into(),
            provider: "openai".into(),
            dialect: "openai".into(),
            base_url: "https://api.example/v1".into(),
            models: "[]".into(),
            version: 1,
            sealed: Vec::new(),
            created_ms: 0,
        }
    }

    #[test]
    fn a_key_opens_only_where_it_was_sealed() {
        let vault = vault();
        let mut good = row();
        vault.seal_provider_key(&mut good, &"the-key".to_owned().into()).unwrap();
        assert_eq!(vault.open_provider_key(&good).unwrap().expose_secret(), "the-key");
        assert!(!good.sealed.windows(7).any(|window| window == b"the-key"));
        let path_only = ProviderKeyRow { base_url: "https://api.example/v2".into(), ..good.clone() };
        assert!(vault.open_provider_key(&path_only).is_ok(), "the origin is bound, not the path");
        let changed = [
            ProviderKeyRow { id: "k2".into(), ..good.clone() },
            ProviderKeyRow { provider: "other".into(), ..good.clone() },
            ProviderKeyRow { base_url: "https://evil.example/v1".into(), ..good.clone() },
            ProviderKeyRow { version: 2, ..good.clone() },
        ];
        for row in changed {
            assert!(matches!(vault.open_provider_key(&row), Err(ServerError::Sealed(_))), "{row:?}");
        }
        let other = Vault::new(MasterKey::new([8; 32]), Env::system());
        assert!(matches!(other.open_provider_key(&good), Err(ServerError::Sealed(_))));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let vault = vault();
        let mut good = row();
        vault.seal_provider_key(&mut good, &"the-key".to_owned().into()).unwrap();
        for at in 0..good.sealed.len() {
            let mut bad = good.clone();
            bad.sealed[at] ^= 1;
            assert!(vault.open_provider_key(&bad).is_err(), "byte {at}");
        }
        for length in 0..good.sealed.len() {
            let bad = ProviderKeyRow { sealed: good.sealed[..length].to_vec(), ..good.clone() };
            assert!(vault.open_provider_key(&bad).is_err(), "length {length}");
        }
    }

    #[test]
    fn under_a_new_master_key_the_same_opens_and_the_old_one_opens_nothing() {
        let vault = vault();
        let mut row = row();
        vault.seal_provider_key(&mut row, &"the-key".to_owned().into()).unwrap();
        let sealed = vault.seal_signing_key("k", &[1; 32]).unwrap();
        let new = Vault::new(MasterKey::new([8; 32]), Env::system());
        let moved =
            ProviderKeyRow { sealed: vault.rewrap_provider_key(&row, &new.master).unwrap(), ..row.clone() };
        assert_eq!(new.open_provider_key(&moved).unwrap().expose_secret(), "the-key");
        assert!(vault.open_provider_key(&moved).is_err());
        let elsewhere = ProviderKeyRow { id: "k2".into(), ..moved };
        assert!(new.open_provider_key(&elsewhere).is_err(), "what it is bound to stays");
        let moved = vault.rewrap_signing_key("k", &sealed, &new.master).unwrap();
        assert_eq!(new.open_signing_key("k", &moved).unwrap().expose_secret(), &[1; 32]);
        assert!(
            new.rewrap_provider_key(&row, &vault.master).is_err(),
            "what it cannot open it does not rewrap"
        );
    }

    #[test]
    fn sealing_twice_never_gives_the_same_bytes() {
        let vault = vault();
        assert_ne!(
            vault.seal_signing_key("k", &[1; 32]).unwrap(),
            vault.seal_signing_key("k", &[1; 32]).unwrap()
        );
    }
}
