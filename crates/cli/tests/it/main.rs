//! The command line as a process: its terminal and its signals.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

mod local;
mod serve;
