//! The one-time secret of a pairing: as a QR code, as twelve words, and what follows from it.

use crate::bytes::Key;
use crate::{Random, RelayError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bip39::{Language, Mnemonic};
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// 128 random bits that a desktop shows and a phone reads, valid for one pairing.
#[derive(Clone)]
pub struct OneTimeSecret(Zeroizing<[u8; 16]>);

impl fmt::Debug for OneTimeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeSecret(…)")
    }
}

impl OneTimeSecret {
    /// A new one.
    pub fn generate(random: &Random) -> OneTimeSecret {
        let mut bytes = Zeroizing::new([0; 16]);
        random(bytes.as_mut_slice());
        OneTimeSecret(bytes)
    }

    /// A given one.
    pub fn from_bytes(bytes: [u8; 16]) -> OneTimeSecret {
        OneTimeSecret(Zeroizing::new(bytes))
    }

    /// As twelve English words of BIP-39, with its checksum.
    ///
    /// # Errors
    /// None in practice: every 128-bit value has its words.
    pub fn words(&self) -> Result<String, RelayError> {
        let mnemonic =
            Mnemonic::from_entropy(self.0.as_slice()).map_err(|_| RelayError::Code("its length"))?;
        Ok(mnemonic.words().collect::<Vec<_>>().join(" "))
    }

    /// From twelve words, in any case and with any white space between them.
    ///
    /// # Errors
    /// [`RelayError::Code`].
    pub fn from_words(typed: &str) -> Result<OneTimeSecret, RelayError> {
        let text = Zeroizing::new(typed.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, &text)
            .map_err(|_| RelayError::Code("a word is wrong or missing"))?;
        let (entropy, length) = mnemonic.to_entropy_array();
        if length != 16 {
            return Err(RelayError::Code("there are twelve words"));
        }
        let entropy = Zeroizing::new(entropy);
        let mut bytes = Zeroizing::new([0; 16]);
        bytes.copy_from_slice(&entropy[..16]);
        Ok(OneTimeSecret(bytes))
    }

    /// The pre-shared key of the handshake: HKDF-SHA-256 without salt, info `plantocode-psk-v1`.
    pub fn psk(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(derive(self.0.as_slice(), b"plantocode-psk-v1"))
    }

    /// The name of the mailbox where the two meet: HKDF-SHA-256 without salt, info `mailbox`, in hexadecimal. It tells
    /// nothing of the secret.
    pub fn mailbox(&self) -> String {
        hex::encode(derive(self.0.as_slice(), b"mailbox"))
    }

    /// The text of the QR code: `<origin>/phone#v1.<desktop's X25519 key>.<secret>`, both base64url.
    pub fn qr(&self, origin: &str, desktop: &Key) -> String {
        let key = URL_SAFE_NO_PAD.encode(desktop.0);
        format!("{origin}/phone#v1.{key}.{}", URL_SAFE_NO_PAD.encode(self.0.as_slice()))
    }

    /// Reads the text of a QR code: origin, the desktop's key, the secret.
    ///
    /// # Errors
    /// [`RelayError::Code`].
    pub fn from_qr(text: &str) -> Result<(String, Key, OneTimeSecret), RelayError> {
        let wrong = || RelayError::Code("it is not one of ours");
        let (origin, code) = text.split_once("/phone#v1.").ok_or_else(wrong)?;
        let (key, secret) = code.split_once('.').ok_or_else(wrong)?;
        let key: [u8; 32] = exactly(key).ok_or_else(wrong)?;
        let secret: [u8; 16] = exactly(secret).ok_or_else(wrong)?;
        Ok((origin.to_owned(), Key(key), OneTimeSecret::from_bytes(secret)))
    }
}

fn exactly<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// 32 bytes by HKDF-SHA-256 without salt.
pub(crate) fn derive(secret: &[u8], info: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    // 32 bytes are far below the 8160 that HKDF can give, the only case it refuses.
    let given = Hkdf::<Sha256>::new(None, secret).expand(info, &mut out);
    debug_assert!(given.is_ok());
    out
}

/// Six digits, each sequence equally likely: the first 24-bit number below 16 000 000 in HKDF's output, modulo
/// 1 000 000. The info is `plantocode-digits-v1`.
pub fn digits(handshake_hash: &[u8; 32]) -> String {
    let stream = derive(handshake_hash, b"plantocode-digits-v1");
    let numbers = stream.chunks_exact(3).map(|c| u32::from_be_bytes([0, c[0], c[1], c[2]]));
    // Ten numbers are each refused with probability 0.046: that all are is less likely than 2^-44, and then the
    // digits are those of the last, which is still the same at both ends.
    let mut last = 0;
    for number in numbers {
        last = number;
        if number < 16_000_000 {
            break;
        }
    }
    format!("{:06}", last % 1_000_000)
}
