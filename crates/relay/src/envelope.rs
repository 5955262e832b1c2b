//! The text envelopes between a device and the hub. The hub reads these, and never what is in a box.
//!
//! Both ends use the same types: a device writes [`ToHub`] and reads [`FromHub`], the hub the other way round. The
//! mailbox of a pairing has two small types of its own, because the phone there is nobody yet.
//! Unknown members are ignored and an unknown type reads as `Unknown`, so that either end may be newer.

use crate::bytes::{Key, Nonce, Sealed, Signature};
use crate::limits;
use crate::{RelayError, secret_text};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// The longest envelope that either end reads, in bytes: one box of the largest part, in base64, and its address.
pub const MAX_ENVELOPE_BYTES: usize = 96 * 1024;

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// Runs an engine, answers calls.
    Desktop,
    /// Calls. `mobile` also when it is another computer's browser.
    Mobile,
}

/// Where a device wants to go on from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resume {
    /// The token of the last [`FromHub::Registered`]. Useless without the device's key.
    #[serde(deserialize_with = "limits::name")]
    pub token: String,
    /// The highest `n` of a [`FromHub::Sealed`] that has been received; 0 for none.
    pub received: u64,
}

/// From a device to the hub.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ToHub {
    /// The answer to the challenge: who this is, and the proof. The first message; nothing else counts before it.
    Register {
        /// The device as the server knows it.
        #[serde(deserialize_with = "limits::name")]
        device_id: String,
        /// What it is.
        kind: DeviceKind,
        /// What people call it; only the owner's other devices are told.
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "limits::optional_name"
        )]
        name: Option<String>,
        /// By the device's link key over [`crate::proof::registration`].
        signature: Signature,
        /// Goes on with an earlier registration.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<Resume>,
    },
    /// I am here; every 15 seconds. Answered by [`FromHub::Heartbeat`].
    Heartbeat {},
    /// A box for another device of the same account.
    Sealed {
        /// The receiving device.
        #[serde(deserialize_with = "limits::name")]
        to: String,
        /// Counts this device's boxes from 1 without a hole; one that was seen is not delivered again.
        seq: u64,
        /// What only the receiver can open.
        #[serde(rename = "box")]
        sealed: Sealed,
        /// Whether the hub keeps it for a receiver that is away. Otherwise `unavailable` answers at once.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        queue: bool,
    },
    /// Every [`FromHub::Sealed`] up to this `n` has been taken; the hub may forget them.
    Ack {
        /// The highest one.
        up_to: u64,
    },
    /// Asks for an alias under which PTC1 frames reach `to`. Desktops only.
    OpenStream {
        /// The receiving device.
        #[serde(deserialize_with = "limits::name")]
        to: String,
        /// Comes back in [`FromHub::Stream`] or [`FromHub::Error`].
        #[serde(rename = "ref")]
        reference: u64,
    },
    /// No more frames come under this alias.
    CloseStream {
        /// The alias.
        #[serde(deserialize_with = "limits::name")]
        alias: String,
    },
    /// Carries on beyond the end of the present token. Answered by [`FromHub::Reauthorized`].
    Reauth {
        /// A desktop's new access token, or a phone's new ticket: for the same account and device.
        #[serde(with = "secret_text")]
        credential: SecretString,
    },
    /// Opens the mailbox of a pairing: one phone, 120 seconds. Desktops only.
    PairingOpen {
        /// The mailbox: 64 hexadecimal digits, [`crate::words::OneTimeSecret::mailbox`].
        #[serde(deserialize_with = "limits::name")]
        mailbox: String,
    },
    /// A handshake message for the phone in a mailbox.
    Pairing {
        /// The mailbox.
        #[serde(deserialize_with = "limits::name")]
        mailbox: String,
        /// The message.
        body: Sealed,
    },
    /// Closes a mailbox.
    PairingClose {
        /// The mailbox.
        #[serde(deserialize_with = "limits::name")]
        mailbox: String,
    },
    /// A type this build does not know.
    #[serde(other)]
    Unknown,
}

/// From the hub to a device.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum FromHub {
    /// The first message on a socket: what [`ToHub::Register`] has to sign.
    Challenge {
        /// Random, for this socket only.
        nonce: Nonce,
        /// Numbers the sockets; a later one fences an earlier one of the same device.
        generation: u64,
        /// The account that the token or ticket belongs to.
        #[serde(deserialize_with = "limits::name")]
        account: String,
        /// The id of that token or ticket.
        #[serde(deserialize_with = "limits::name")]
        token_id: String,
    },
    /// Registered.
    Registered {
        /// Names this link in logs.
        #[serde(deserialize_with = "limits::name")]
        link_id: String,
        /// As in the challenge.
        generation: u64,
        /// For [`Resume`].
        #[serde(deserialize_with = "limits::name")]
        resume_token: String,
        /// Whether an earlier registration goes on. If not, both counters begin again at 1.
        resumed: bool,
        /// The highest `seq` that the hub has of this device; 0 for none.
        received: u64,
        /// How often to send a heartbeat, in milliseconds.
        heartbeat_ms: u64,
        /// How long the token's authority lasts, in milliseconds; the link is closed then, unless [`ToHub::Reauth`].
        expires_in_ms: u64,
    },
    /// The answer to a heartbeat, within 10 seconds.
    Heartbeat {},
    /// A box from another device of the same account.
    Sealed {
        /// The sending device.
        #[serde(deserialize_with = "limits::name")]
        from: String,
        /// Counts the boxes for this device from 1.
        n: u64,
        /// The box.
        #[serde(rename = "box")]
        sealed: Sealed,
    },
    /// The hub has every box of this device up to this `seq`; they need not be kept for sending again.
    Received {
        /// The highest one.
        up_to: u64,
    },
    /// The alias that was asked for. Valid until either end registers anew or it is closed.
    Stream {
        /// Random, chosen by the hub.
        #[serde(deserialize_with = "limits::name")]
        alias: String,
        /// Of the [`ToHub::OpenStream`].
        #[serde(rename = "ref")]
        reference: u64,
    },
    /// An alias has ended, because the receiver registered anew, went away or was revoked.
    StreamClosed {
        /// The alias.
        #[serde(deserialize_with = "limits::name")]
        alias: String,
    },
    /// The receiver was too slow: frames of this alias were dropped, whole ones.
    Lagging {
        /// The alias.
        #[serde(deserialize_with = "limits::name")]
        alias: String,
    },
    /// Another device of the account came or went. All that are there are told after registering.
    Presence {
        /// The device.
        #[serde(deserialize_with = "limits::name")]
        device: String,
        /// What people call it.
        #[serde(default, deserialize_with = "limits::name")]
        name: String,
        /// What it is.
        kind: DeviceKind,
        /// Whether it has a registered socket.
        online: bool,
    },
    /// Boxes for this device were lost: what is shown must be read again, sessions begun again.
    Gap {},
    /// The socket ends soon; dial again.
    Goaway {
        /// How long it still lives, in milliseconds.
        after_ms: u64,
        /// Why, in words.
        #[serde(default, deserialize_with = "limits::sentence")]
        reason: String,
    },
    /// The authority has been extended.
    Reauthorized {
        /// As in [`FromHub::Registered`].
        expires_in_ms: u64,
    },
    /// This device is no longer one of the account's. Dialling again is of no use.
    Revoked {},
    /// Something was refused.
    Error {
        /// A stable word, for example `unavailable`, `rate_limited`, `unauthenticated`, `forbidden`, `invalid`.
        #[serde(deserialize_with = "limits::name")]
        code: String,
        /// In words.
        #[serde(default, deserialize_with = "limits::sentence")]
        message: String,
        /// The `seq` of the [`ToHub::Sealed`] that was not taken, or the `ref` it concerns. A device keeps the two apart by
        /// choosing its references above every `seq`.
        #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
        reference: Option<u64>,
    },
    /// The mailbox is open.
    PairingOpened {
        /// The mailbox.
        #[serde(deserialize_with = "limits::name")]
        mailbox: String,
    },
    /// A handshake message from the phone in a mailbox.
    Pairing {
        /// The mailbox.
        #[serde(deserialize_with = "limits::name")]
        mailbox: String,
        /// The message.
        body: Sealed,
    },
    /// A mailbox has ended.
    PairingClosed {
        /// The mailbox.
        #[serde(deserialize_with = "limits::name")]
        mailbox: String,
        /// Why, a stable word: `expired`, `left`, `closed`, `taken`.
        #[serde(default, deserialize_with = "limits::sentence")]
        reason: String,
    },
    /// A type this build does not know.
    #[serde(other)]
    Unknown,
}

/// From a phone that is not paired yet, on the mailbox socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ToMailbox {
    /// The first message: which mailbox.
    PairingJoin {
        /// 64 hexadecimal digits.
        #[serde(deserialize_with = "limits::name")]
        mailbox: String,
    },
    /// A handshake message for the desktop.
    Pairing {
        /// The message.
        body: Sealed,
    },
    /// A type this build does not know.
    #[serde(other)]
    Unknown,
}

/// To a phone that is not paired yet, on the mailbox socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum FromMailbox {
    /// A handshake message from the desktop.
    Pairing {
        /// The message.
        body: Sealed,
    },
    /// The mailbox has ended or never was.
    PairingClosed {
        /// Why, a stable word.
        #[serde(default, deserialize_with = "limits::sentence")]
        reason: String,
    },
    /// A type this build does not know.
    #[serde(other)]
    Unknown,
}

/// Reading and writing, the same for all four.
macro_rules! text_form {
    ($($name:ident)*) => {$(
        impl $name {
            /// Reads a text message.
            ///
            /// # Errors
            /// [`RelayError::Malformed`] when it is longer than [`MAX_ENVELOPE_BYTES`], not JSON, or not of this form.
            pub fn parse(text: &str) -> Result<Self, RelayError> {
                if text.len() > MAX_ENVELOPE_BYTES {
                    return Err(RelayError::Malformed("an envelope longer than the limit"));
                }
                serde_json::from_str(text).map_err(|_| RelayError::Malformed("an envelope of another form"))
            }

            /// Writes a text message. The key of a device is exposed by none; a credential is, for that is its use.
            pub fn to_text(&self) -> String {
                // None of these types has a map with odd keys or a number that JSON lacks, so this cannot fail.
                serde_json::to_string(self).unwrap_or_default()
            }
        }
    )*};
}
text_form!(ToHub FromHub ToMailbox FromMailbox);

/// The body of `POST /api/devices/enroll`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Enrolment {
    /// The canonical bytes with the signature: [`crate::certificate::Certificate::to_bytes`], base64.
    pub certificate: Sealed,
    /// By the phone's link key over [`crate::proof::enrolment`].
    pub proof: Signature,
}

/// The body of `POST /api/devices/ticket`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TicketRequest {
    /// The phone, as enrolment named it.
    #[serde(deserialize_with = "limits::name")]
    pub device: String,
    /// Of `POST /api/devices/challenge`.
    pub nonce: Nonce,
    /// By the phone's link key over [`crate::proof::ticket`].
    pub signature: Signature,
}

/// A public key, as the server stores it beside a device.
pub type LinkKey = Key;
