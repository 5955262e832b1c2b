//! A device's two keys, and how a person compares them.

use crate::Random;
use crate::bytes::{Key, Signature};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};
use std::fmt;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// A device's secret keys: X25519 for Noise, Ed25519 for signatures. Wiped when dropped, shown by nothing.
#[derive(Clone)]
pub struct DeviceKeys {
    noise: StaticSecret,
    link: SigningKey,
}

/// The bytes to keep in a private file: X25519 secret, then Ed25519 seed.
pub type SecretBytes = Zeroizing<[u8; 64]>;

impl DeviceKeys {
    /// New keys.
    pub fn generate(random: &Random) -> DeviceKeys {
        let mut bytes = Zeroizing::new([0; 64]);
        random(bytes.as_mut_slice());
        DeviceKeys::from_secret(&bytes)
    }

    /// Keys that were kept.
    pub fn from_secret(bytes: &SecretBytes) -> DeviceKeys {
        let (mut noise, mut link) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        noise.copy_from_slice(&bytes[..32]);
        link.copy_from_slice(&bytes[32..]);
        DeviceKeys { noise: StaticSecret::from(*noise), link: SigningKey::from_bytes(&link) }
    }

    /// The keys in the form to keep: in a file that only the user can read, and nowhere else.
    pub fn to_secret(&self) -> SecretBytes {
        let mut bytes = Zeroizing::new([0; 64]);
        bytes[..32].copy_from_slice(self.noise.as_bytes());
        bytes[32..].copy_from_slice(self.link.as_bytes());
        bytes
    }

    /// The public halves.
    pub fn public(&self) -> PublicKeys {
        PublicKeys {
            noise: Key(PublicKey::from(&self.noise).to_bytes()),
            link: Key(self.link.verifying_key().to_bytes()),
        }
    }

    /// Signs with the link key.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.link.sign(message).to_bytes())
    }

    pub(crate) fn noise_secret(&self) -> &[u8; 32] {
        self.noise.as_bytes()
    }
}

impl fmt::Debug for DeviceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeviceKeys").field(&self.public().fingerprint()).finish()
    }
}

/// A device's public keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKeys {
    /// X25519: opens sessions.
    pub noise: Key,
    /// Ed25519: signs registrations, certificates and tickets.
    pub link: Key,
}

impl PublicKeys {
    /// Both keys as people compare them: the first 16 bytes of
    /// SHA-256("plantocode-fingerprint-v1" ‖ X25519 ‖ Ed25519), in groups of four hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let hash = Sha256::new()
            .chain_update(b"plantocode-fingerprint-v1")
            .chain_update(self.noise.0)
            .chain_update(self.link.0)
            .finalize();
        hash[..16].chunks(2).map(hex::encode).collect::<Vec<_>>().join(" ")
    }
}
