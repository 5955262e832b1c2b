//! What is signed, byte for byte. The form is that of the approval hash (`docs/protocol.md`, section 3):
//! a domain, then each field as its length in 8 bytes big-endian and its bytes; integers are 8 bytes big-endian.

use crate::RelayError;
use crate::bytes::{Key, Nonce, Signature};
use ed25519_dalek::VerifyingKey;

/// Fields, each with its length, behind a domain.
#[derive(Clone, Debug)]
pub struct Fields(Vec<u8>);

impl Fields {
    /// Begins with a domain, for example `plantocode-link-v1`.
    pub fn new(domain: &str) -> Fields {
        Fields(domain.as_bytes().to_vec())
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Fields {
        self.0.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds a text.
    #[must_use]
    pub fn text(self, text: &str) -> Fields {
        self.bytes(text.as_bytes())
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, number: u64) -> Fields {
        self.bytes(&number.to_be_bytes())
    }

    /// All of it.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// What a registration proves: this device, on this socket, to this server, for this token.
#[derive(Clone, Copy, Debug)]
pub struct Registration<'a> {
    /// The server's origin as the device dialled it: `https://host` without a slash at its end.
    pub origin: &'a str,
    /// The account.
    pub account: &'a str,
    /// The device.
    pub device: &'a str,
    /// Of the challenge.
    pub generation: u64,
    /// Of the challenge.
    pub nonce: &'a Nonce,
    /// Of the challenge.
    pub token_id: &'a str,
}

/// The bytes that `register` signs.
pub fn registration(of: &Registration<'_>) -> Vec<u8> {
    Fields::new("plantocode-link-v1")
        .text(of.origin)
        .text(of.account)
        .text(of.device)
        .number(of.generation)
        .bytes(&of.nonce.0)
        .text(of.token_id)
        .finish()
}

/// The bytes that a request for a ticket signs.
pub fn ticket(origin: &str, device: &str, nonce: &Nonce) -> Vec<u8> {
    Fields::new("plantocode-ticket-v1").text(origin).text(device).bytes(&nonce.0).finish()
}

/// The bytes that an enrolment signs: the certificate as it is sent, its signature included.
pub fn enrolment(origin: &str, certificate: &[u8]) -> Vec<u8> {
    Fields::new("plantocode-enroll-v1").text(origin).bytes(certificate).finish()
}

/// Checks a signature by a link key.
///
/// # Errors
/// [`RelayError::Forged`].
pub fn verify(key: &Key, message: &[u8], signature: &Signature) -> Result<(), RelayError> {
    let forged = |_| RelayError::Forged("a signature that the key did not make");
    let key = VerifyingKey::from_bytes(&key.0).map_err(forged)?;
    // Strict: a small-order key would let one signature stand for many messages.
    key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)).map_err(forged)
}
