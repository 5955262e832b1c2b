//! What a desktop signs for a phone it has accepted, so that the server lets that phone in.

use crate::RelayError;
use crate::bytes::{Key, Signature};
use crate::keys::{DeviceKeys, PublicKeys};
use crate::proof::{self, Fields};

const DOMAIN: &str = "plantocode-device-v1";

/// The longest certificate that is read, in bytes.
const LONGEST: usize = 4096;

/// “This phone is one of this account's, and these are its keys.” Signed by a desktop of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The server it is for, as an origin: `https://host`.
    pub origin: String,
    /// The account.
    pub account: String,
    /// The desktop that signs.
    pub issuer: String,
    /// What the phone calls itself; at most 64 characters.
    pub name: String,
    /// The phone's keys.
    pub keys: PublicKeys,
    /// When it was signed, in milliseconds since 1970.
    pub issued_at: u64,
    /// Random, hexadecimal; the server takes each only once.
    pub id: String,
}

impl Certificate {
    /// The canonical bytes that are signed.
    fn canonical(&self) -> Vec<u8> {
        Fields::new(DOMAIN)
            .text(&self.origin)
            .text(&self.account)
            .text(&self.issuer)
            .text(&self.name)
            .bytes(&self.keys.link.0)
            .bytes(&self.keys.noise.0)
            .number(self.issued_at)
            .text(&self.id)
            .finish()
    }

    /// Signs: the canonical bytes and 64 bytes of signature behind them.
    pub fn to_bytes(&self, desktop: &DeviceKeys) -> Vec<u8> {
        let mut bytes = self.canonical();
        let signature = desktop.sign(&bytes);
        bytes.extend_from_slice(&signature.0);
        bytes
    }

    /// Reads a certificate without trusting it: `issuer` says whose key to look up for [`Certificate::verify`].
    ///
    /// # Errors
    /// [`RelayError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<(Certificate, Signature), RelayError> {
        let malformed = || RelayError::Malformed("a certificate of another form");
        if bytes.len() > LONGEST {
            return Err(malformed());
        }
        let (body, signature) = bytes.split_last_chunk::<64>().ok_or_else(malformed)?;
        let mut rest = body.strip_prefix(DOMAIN.as_bytes()).ok_or_else(malformed)?;
        let mut fields = [&[][..]; 8];
        for field in &mut fields {
            let (length, behind) = rest.split_first_chunk::<8>().ok_or_else(malformed)?;
            let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| malformed())?;
            (*field, rest) = behind.split_at_checked(length).ok_or_else(malformed)?;
        }
        let text = |i: usize| std::str::from_utf8(fields[i]).map(str::to_owned).map_err(|_| malformed());
        let key = |i: usize| fields[i].try_into().map(Key).map_err(|_| malformed());
        if !rest.is_empty() {
            return Err(malformed());
        }
        let certificate = Certificate {
            origin: text(0)?,
            account: text(1)?,
            issuer: text(2)?,
            name: text(3)?,
            keys: PublicKeys { link: key(4)?, noise: key(5)? },
            issued_at: u64::from_be_bytes(fields[6].try_into().map_err(|_| malformed())?),
            id: text(7)?,
        };
        Ok((certificate, Signature(*signature)))
    }

    /// Checks the signature by `desktop`, which must be the link key of the device `issuer`. Origin, account, age and
    /// one-time id are the server's to check.
    ///
    /// # Errors
    /// [`RelayError::Forged`].
    pub fn verify(&self, signature: &Signature, desktop: &Key) -> Result<(), RelayError> {
        proof::verify(desktop, &self.canonical(), signature)
    }
}
