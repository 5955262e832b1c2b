//! Plans as models write them, in every cut.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

mod export;
mod parse;
mod verify;
