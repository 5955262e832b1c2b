//! Packs as a reader gets them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

mod budget;
mod forms;
mod reader;
mod secrets;
