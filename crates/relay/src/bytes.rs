//! Bytes in envelopes: base64 in JSON, each kind with its own type and length.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// The longest body that [`Sealed`] reads, in bytes.
pub const MAX_SEALED_BYTES: usize = 64 * 1024;

/// Bytes for somebody else. The hub carries them and there is nothing here that opens them; `Debug` tells the
/// length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Wraps what has been sealed.
    pub fn new(bytes: Vec<u8>) -> Sealed {
        Sealed(bytes)
    }

    /// The bytes as they travel.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes travel.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Sealed, D::Error> {
        let text = String::deserialize(from)?;
        if text.len() > MAX_SEALED_BYTES / 3 * 4 + 4 {
            return Err(de::Error::custom("a box is too long"));
        }
        STANDARD.decode(text).map(Sealed).map_err(|_| de::Error::custom("a box is not base64"))
    }
}

/// Bytes of a fixed length that are no secret.
macro_rules! fixed {
    ($(#[$doc:meta] $name:ident [$length:literal])*) => {$(
        #[$doc]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $length]);

        impl $name {
            /// Reads base64 text.
            pub fn from_base64(text: &str) -> Option<$name> {
                STANDARD.decode(text).ok()?.try_into().ok().map($name)
            }

            /// Base64 text, as it stands in JSON.
            pub fn to_base64(&self) -> String {
                STANDARD.encode(self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({}…)", stringify!($name), hex::encode(&self.0[..4]))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.to_base64())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                let text = String::deserialize(from)?;
                $name::from_base64(&text).ok_or_else(|| {
                    de::Error::custom(concat!("not ", stringify!($length), " bytes in base64"))
                })
            }
        }
    )*};
}
fixed! {
    /// A public key, X25519 or Ed25519: 32 bytes.
    Key[32]
    /// A number used once: 32 random bytes.
    Nonce[32]
    /// An Ed25519 signature: 64 bytes.
    Signature[64]
}
