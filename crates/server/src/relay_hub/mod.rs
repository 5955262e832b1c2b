//! The relay: carries boxes and terminal frames between the devices of one account, and cannot read them.
//!
//! [`Hub`] is the state in memory: who is here, which boxes have not been acknowledged, which aliases lead where.
//! [`device_link_ws`] is the socket of a device, [`mailbox`] the socket of a phone that is not paired yet, [`tickets`]
//! lets a phone in by its key. Start reading at [`Hub::register`].
//!
//! What it does not know: what is in a [`Sealed`](relay::bytes::Sealed) or behind a frame's alias. Nothing here opens
//! one, and nothing of either is written anywhere.

pub(crate) mod device_link_ws;
mod hub;
mod lanes;
pub(crate) mod mailbox;
mod pace;
pub(crate) mod tickets;

pub(crate) use hub::Hub;
