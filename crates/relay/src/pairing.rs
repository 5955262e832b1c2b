//! A pairing: two devices that share a one-time secret exchange their keys, and a person compares six digits.
//!
//! ```text
//! phone → desktop   1  commitment: SHA-256("plantocode-commit-v1" ‖ X25519 ‖ Ed25519 ‖ blind)
//! desktop → phone   2  {device, name, link}            sealed, with the desktop's static key
//! phone → desktop   3  {name, link, blind}             sealed, with the phone's static key
//! desktop → phone   4  accepted{…} | refused{…}        transport message number 0
//! ```
//! The commitment fixes the phone's keys before it sees anything of the desktop, so that nobody in the middle can
//! look for keys that give the same digits. What is sent on what socket is the caller's business.

use crate::bytes::{Key, Sealed};
use crate::keys::{DeviceKeys, PublicKeys};
use crate::noise::{CipherKey, End, Handshake, PAIRING};
use crate::words::{OneTimeSecret, digits};
use crate::{Random, RelayError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

const PROLOGUE: &[u8] = b"plantocode-pairing-v1";
/// The longest name of a device, in characters; more is cut.
const NAME: usize = 64;

/// What a desktop says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesktopInfo {
    /// The device as the server knows it.
    pub device: String,
    /// What people call it.
    pub name: String,
    /// Its Ed25519 key.
    pub link: Key,
}

#[derive(Serialize, Deserialize)]
struct PhoneInfo {
    name: String,
    link: Key,
    blind: Key,
}

/// The desktop's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Decision {
    /// Paired.
    Accepted {
        /// To enrol with: [`crate::certificate::Certificate::to_bytes`].
        certificate: Sealed,
        /// What the phone may do, by name.
        scopes: Vec<String>,
        /// The desktop's device id.
        device: String,
        /// The desktop's X25519 key.
        key: Key,
    },
    /// Not paired.
    Refused {
        /// A stable word: `digits`, `refused`, `expired`.
        reason: String,
    },
}

fn commitment(keys: &PublicKeys, blind: &Key) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"plantocode-commit-v1")
        .chain_update(keys.noise.0)
        .chain_update(keys.link.0)
        .chain_update(blind.0)
        .finalize()
        .into()
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    // Structs of texts and bytes: nothing in them can fail to be JSON.
    serde_json::to_vec(value).unwrap_or_default()
}

fn shortened(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(NAME).collect()
}

/// The desktop's half.
#[derive(Debug)]
pub struct Desktop {
    handshake: Handshake,
    info: DesktopInfo,
    commitment: [u8; 32],
}

impl Desktop {
    /// Waits for the phone that knows `secret`.
    ///
    /// # Errors
    /// None in practice.
    pub fn new(
        keys: &DeviceKeys,
        secret: &OneTimeSecret,
        info: DesktopInfo,
        random: &Random,
    ) -> Result<Desktop, RelayError> {
        let psk = secret.psk();
        let handshake = Handshake::new(PAIRING, End::Responder, keys, None, Some(&psk), PROLOGUE, random)?;
        Ok(Desktop { handshake, info, commitment: [0; 32] })
    }

    /// Reads message 1 and writes message 2.
    ///
    /// # Errors
    /// The pairing is over: [`RelayError::Forged`] or [`RelayError::Malformed`].
    pub fn answer(&mut self, first: &[u8]) -> Result<Vec<u8>, RelayError> {
        let payload = self.handshake.read(first)?;
        self.commitment = payload.try_into().map_err(|_| RelayError::Malformed("a commitment"))?;
        self.handshake.write(&json(&self.info))
    }

    /// Reads message 3: who the phone is, and the digits that it shows.
    ///
    /// # Errors
    /// The pairing is over: [`RelayError::Forged`] when the secret differs or the commitment does not open to the
    /// keys that came.
    pub fn meet(mut self, third: &[u8]) -> Result<Arrived, RelayError> {
        let payload = self.handshake.read(third)?;
        let phone: PhoneInfo =
            serde_json::from_slice(&payload).map_err(|_| RelayError::Malformed("a phone's introduction"))?;
        let noise = self.handshake.peer().ok_or(RelayError::Malformed("a phone without a key"))?;
        let keys = PublicKeys { noise, link: phone.link };
        if commitment(&keys, &phone.blind) != self.commitment {
            return Err(RelayError::Forged("keys that the phone had not committed to"));
        }
        let finished = self.handshake.finish()?;
        Ok(Arrived {
            name: shortened(&phone.name),
            keys,
            digits: digits(&finished.hash),
            send: finished.send,
        })
    }
}

/// A phone that knows the secret. Nothing is granted yet.
pub struct Arrived {
    /// What it calls itself.
    pub name: String,
    /// Its keys.
    pub keys: PublicKeys,
    /// What the person must read on the phone and type here.
    pub digits: String,
    send: CipherKey,
}

impl fmt::Debug for Arrived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrived").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Arrived {
    /// Message 4. Takes the whole: there is one answer.
    pub fn decide(self, decision: &Decision) -> Vec<u8> {
        self.send.seal(0, PROLOGUE, &json(decision))
    }
}

/// The phone's half.
#[derive(Debug)]
pub struct Phone {
    handshake: Handshake,
    expected: Option<Key>,
    introduction: Vec<u8>,
}

impl Phone {
    /// Writes message 1. `expected` is the desktop's key when it came by QR code.
    ///
    /// # Errors
    /// None in practice.
    pub fn begin(
        keys: &DeviceKeys,
        secret: &OneTimeSecret,
        expected: Option<Key>,
        name: &str,
        random: &Random,
    ) -> Result<(Phone, Vec<u8>), RelayError> {
        let mut blind = Key([0; 32]);
        random(&mut blind.0);
        let psk = secret.psk();
        let mut handshake =
            Handshake::new(PAIRING, End::Initiator, keys, None, Some(&psk), PROLOGUE, random)?;
        let public = keys.public();
        let first = handshake.write(&commitment(&public, &blind))?;
        let introduction = json(&PhoneInfo { name: name.to_owned(), link: public.link, blind });
        Ok((Phone { handshake, expected, introduction }, first))
    }

    /// Reads message 2 and writes message 3.
    ///
    /// # Errors
    /// The pairing is over: [`RelayError::Forged`] when the desktop is not the one of the QR code.
    pub fn answer(mut self, second: &[u8]) -> Result<(Waiting, Vec<u8>), RelayError> {
        let payload = self.handshake.read(second)?;
        let desktop: DesktopInfo = serde_json::from_slice(&payload)
            .map_err(|_| RelayError::Malformed("a desktop's introduction"))?;
        let noise = self.handshake.peer().ok_or(RelayError::Malformed("a desktop without a key"))?;
        if self.expected.is_some_and(|expected| expected != noise) {
            return Err(RelayError::Forged("a desktop other than the one whose code was scanned"));
        }
        let third = self.handshake.write(&self.introduction)?;
        let finished = self.handshake.finish()?;
        let keys = PublicKeys { noise, link: desktop.link };
        Ok((Waiting { desktop, keys, digits: digits(&finished.hash), receive: finished.receive }, third))
    }
}

/// A phone that shows the digits and waits.
pub struct Waiting {
    /// What the desktop says of itself.
    pub desktop: DesktopInfo,
    /// Its keys.
    pub keys: PublicKeys,
    /// To be shown.
    pub digits: String,
    receive: CipherKey,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("desktop", &self.desktop).finish_non_exhaustive()
    }
}

impl Waiting {
    /// Reads message 4.
    ///
    /// # Errors
    /// [`RelayError::Forged`] when it is not by this desktop.
    pub fn decision(self, fourth: &[u8]) -> Result<Decision, RelayError> {
        let payload = self.receive.open(0, PROLOGUE, fourth)?;
        let decision: Decision =
            serde_json::from_slice(&payload).map_err(|_| RelayError::Malformed("a decision"))?;
        match &decision {
            Decision::Accepted { device, key, .. }
                if *key != self.keys.noise || *device != self.desktop.device =>
            {
                Err(RelayError::Forged("an acceptance in another desktop's name"))
            }
            _ => Ok(decision),
        }
    }
}
