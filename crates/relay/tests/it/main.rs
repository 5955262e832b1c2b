//! The device link from outside.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

#[path = "../../../rpc/tests/conformance/mod.rs"]
mod conformance;
mod desktops;
mod envelopes;
mod hostile;
mod hub;
mod pairings;
mod phone;
mod published;
mod records;
mod sessions;
mod vectors;
mod way;

use relay::Random;
use relay::keys::DeviceKeys;
use std::sync::{Arc, Mutex};

/// Randomness that is the same in every run: SplitMix64.
fn random(seed: u64) -> Random {
    let state = Mutex::new(seed);
    Arc::new(move |to| {
        let mut state = state.lock().unwrap();
        for byte in to {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (z >> 56) as u8;
        }
    })
}

fn keys(seed: u64) -> DeviceKeys {
    DeviceKeys::generate(&random(seed))
}
