//! Plans as models write them, in every cut.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

mod answers;
mod export;
mod fuzz;
mod parse;
mod several;
mod verify;
