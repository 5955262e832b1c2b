//! `devices`: phones and other machines that follow this engine through a relay that cannot read.

use crate::{DeviceId, Empty, TimeMs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Paired devices and the link to them.
    pub service Devices / DevicesClient = "devices" {
        /// Whether this engine can be reached through the relay.
        unary status [View] (Empty) -> LinkStatus;
        /// The paired devices.
        unary list [View] (Empty) -> DeviceList;
        /// Offers a pairing for two minutes. Canceling the stream withdraws it.
        stream pair [Pair] (Empty) -> PairEvent;
        /// Answers a device that has arrived: with the digits it shows, and what it may do.
        unary confirm [Pair] (ConfirmPairing) -> Device;
        /// Changes what a device may do. Its links end and are made anew.
        unary change [Pair] (ChangeDevice) -> Device;
        /// Ends a device's links and forgets its keys before this returns.
        unary revoke [Pair] (RevokeDevice) -> DeviceList;
    }
}

/// What a paired device may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeviceScope {
    /// Read sessions, plans, jobs and terminals.
    View,
    /// List and read files of projects, and rank them.
    Files,
    /// Change tasks and sessions.
    Edit,
    /// Start jobs.
    Run,
    /// Approve what leaves the machine, which spends money.
    Approve,
    /// Start terminals and type into them: full control.
    Type,
}

/// How the link to the relay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// Not signed in to a server.
    SignedOut,
    /// No device is paired: no link is kept.
    Idle,
    /// It is being made.
    Connecting,
    /// Devices can reach this engine.
    Online,
}

/// The link to the relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LinkStatus {
    /// How it is.
    pub state: LinkState,
    /// The server that relays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub server: Option<String>,
    /// The name under which devices see this engine.
    pub name: String,
    /// The fingerprint of this engine's keys; a paired device shows the same.
    pub fingerprint: String,
    /// Why the link is not there, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub trouble: Option<String>,
}

/// A paired device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// What it calls itself.
    pub name: String,
    /// The fingerprint of its keys.
    pub fingerprint: String,
    /// What it may do.
    pub scopes: Vec<DeviceScope>,
    /// Whether it is connected now.
    pub online: bool,
    /// When it was paired.
    pub paired_at: TimeMs,
    /// When it was last connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_seen_at: Option<TimeMs>,
}

/// The paired devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DeviceList {
    /// The newest first.
    pub devices: Vec<Device>,
}

/// How a pairing goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PairEvent {
    /// The offer stands: show the code.
    Offered {
        /// Names the pairing for `devices.confirm`.
        pairing: String,
        /// What the code says: the phone page's address with key and secret in its fragment.
        url: String,
        /// The same secret for typing.
        words: Vec<String>,
        /// The code's squares, row by row: `1` is dark. With no border.
        code: Vec<String>,
        /// Until when.
        expires_at: TimeMs,
    },
    /// A device has come and shows six digits.
    Arrived {
        /// What it calls itself.
        name: String,
        /// The fingerprint of its keys.
        fingerprint: String,
        /// How often the digits may still be typed.
        tries: u32,
    },
    /// It is paired.
    Paired {
        /// The device.
        device: Device,
    },
}

/// Answers a device that has arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ConfirmPairing {
    /// The pairing.
    pub pairing: String,
    /// The digits that the device shows.
    pub digits: String,
    /// What it may do. [`DeviceScope::View`] is always part of it.
    pub scopes: Vec<DeviceScope>,
}

/// Changes what a device may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChangeDevice {
    /// The device.
    pub device: DeviceId,
    /// What it may do from now on.
    pub scopes: Vec<DeviceScope>,
}

/// Revokes a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RevokeDevice {
    /// The device.
    pub device: DeviceId,
}
