//! The two Noise handshakes, by `snow`, with randomness from the caller.
//!
//! Transport messages are not `snow`'s: its transport takes no associated data, and ours binds sender, receiver,
//! session and number. So the two keys are taken at the end of the handshake and used with the same cipher and the
//! same nonce form as Noise has.

use crate::bytes::Key;
use crate::keys::DeviceKeys;
use crate::{Random, RelayError};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash};
use snow::{Builder, HandshakeState};
use std::fmt;
use zeroize::Zeroizing;

/// The pattern of a pairing.
pub const PAIRING: &str = "Noise_XXpsk3_25519_ChaChaPoly_BLAKE2s";
/// The pattern of a session.
pub const SESSION: &str = "Noise_KK_25519_ChaChaPoly_BLAKE2s";

/// The longest handshake message that is read, in bytes.
const LONGEST: usize = 4096;

/// `snow`'s own primitives with our randomness.
struct Resolver(Random);

struct Source(Random);

impl snow::types::Random for Source {
    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), snow::Error> {
        (self.0)(to);
        Ok(())
    }
}

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn snow::types::Random>> {
        Some(Box::new(Source(Random::clone(&self.0))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

/// Which end of a handshake this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Writes the first message: the phone.
    Initiator,
    /// Reads it: the desktop.
    Responder,
}

/// A handshake under way.
pub struct Handshake(HandshakeState);

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handshake(…)")
    }
}

impl Handshake {
    /// A handshake of `pattern`. `peer` for patterns that know the other's key beforehand, `psk` for those with one.
    ///
    /// # Errors
    /// [`RelayError::Malformed`] when the pattern needs what was not given.
    pub fn new(
        pattern: &str,
        end: End,
        keys: &DeviceKeys,
        peer: Option<&Key>,
        psk: Option<&[u8; 32]>,
        prologue: &[u8],
        random: &Random,
    ) -> Result<Handshake, RelayError> {
        let build = || -> Result<HandshakeState, snow::Error> {
            let resolver = Box::new(Resolver(Random::clone(random)));
            let mut builder = Builder::with_resolver(pattern.parse()?, resolver)
                .local_private_key(keys.noise_secret())?
                .prologue(prologue)?;
            if let Some(peer) = peer {
                builder = builder.remote_public_key(&peer.0)?;
            }
            if let Some(psk) = psk {
                builder = builder.psk(3, psk)?;
            }
            match end {
                End::Initiator => builder.build_initiator(),
                End::Responder => builder.build_responder(),
            }
        };
        build().map(Handshake).map_err(|_| RelayError::Malformed("a handshake without its keys"))
    }

    /// The next message of ours.
    ///
    /// # Errors
    /// [`RelayError::OutOfPlace`] when it is not our turn.
    pub fn write(&mut self, payload: &[u8]) -> Result<Vec<u8>, RelayError> {
        let mut message = vec![0; payload.len() + 256];
        let length = self
            .0
            .write_message(payload, &mut message)
            .map_err(|_| RelayError::OutOfPlace("a handshake message that is not ours to write"))?;
        message.truncate(length);
        Ok(message)
    }

    /// Reads the other's next message and returns its payload.
    ///
    /// # Errors
    /// [`RelayError::Forged`] when it was not made by the holder of the keys, for this handshake. The handshake is
    /// over then.
    pub fn read(&mut self, message: &[u8]) -> Result<Vec<u8>, RelayError> {
        if message.len() > LONGEST {
            return Err(RelayError::Malformed("a handshake message longer than the limit"));
        }
        let mut payload = vec![0; message.len()];
        let length = self
            .0
            .read_message(message, &mut payload)
            .map_err(|_| RelayError::Forged("a handshake message that does not fit"))?;
        payload.truncate(length);
        Ok(payload)
    }

    /// The other's static key, once it is known.
    pub fn peer(&self) -> Option<Key> {
        self.0.get_remote_static()?.try_into().ok().map(Key)
    }

    /// Ends the handshake.
    ///
    /// # Errors
    /// [`RelayError::OutOfPlace`] when messages are still missing.
    pub fn finish(mut self) -> Result<Finished, RelayError> {
        if !self.0.is_handshake_finished() {
            return Err(RelayError::OutOfPlace("an unfinished handshake"));
        }
        let hash = self.0.get_handshake_hash().try_into().map_err(|_| RelayError::Malformed("a hash"))?;
        let (first, second) = self.0.dangerously_get_raw_split();
        let (first, second) = (CipherKey(Zeroizing::new(first)), CipherKey(Zeroizing::new(second)));
        let (send, receive) = if self.0.is_initiator() { (first, second) } else { (second, first) };
        Ok(Finished { hash, send, receive })
    }
}

/// What a handshake leaves.
#[derive(Debug)]
pub struct Finished {
    /// The hash over all that was said: equal at both ends, and at no one else's.
    pub hash: [u8; 32],
    /// Seals what we send.
    pub send: CipherKey,
    /// Opens what we receive.
    pub receive: CipherKey,
}

/// A ChaCha20-Poly1305 key as Noise uses it: the nonce is 4 zero bytes and the number in 8 bytes little-endian.
#[derive(Clone)]
pub struct CipherKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for CipherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CipherKey(…)")
    }
}

impl CipherKey {
    /// A key from its bytes.
    pub fn new(bytes: [u8; 32]) -> CipherKey {
        CipherKey(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new((&*self.0).into())
    }

    /// Seals. A number must not be used twice with one key.
    pub fn seal(&self, number: u64, ad: &[u8], plain: &[u8]) -> Vec<u8> {
        // Fails for texts of more than 256 GiB only, and none reaches a megabyte.
        self.cipher().encrypt(&nonce(number), Payload { msg: plain, aad: ad }).unwrap_or_default()
    }

    /// Opens.
    ///
    /// # Errors
    /// [`RelayError::Forged`].
    pub fn open(&self, number: u64, ad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, RelayError> {
        self.cipher()
            .decrypt(&nonce(number), Payload { msg: sealed, aad: ad })
            .map_err(|_| RelayError::Forged("bytes that the key does not open"))
    }

    /// The key that follows this one: Noise's REKEY.
    #[must_use]
    pub fn next(&self) -> CipherKey {
        let sealed = Zeroizing::new(self.seal(u64::MAX, &[], &[0; 32]));
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(&sealed[..32]);
        CipherKey(key)
    }
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_le_bytes());
    nonce.into()
}
