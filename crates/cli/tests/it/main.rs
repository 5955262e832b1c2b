//! The command line as a process: its terminal and its signals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends by panicking")]

mod at_terminal;
mod cut_off;
#[cfg(target_os = "linux")]
mod full;
mod generic;
#[cfg(target_os = "linux")]
mod kept;
mod killed;
mod local;
#[cfg(target_os = "linux")]
mod offline;
mod place;
mod refine;
mod research;
mod review;
mod serve;
mod sign_in;
mod story;
mod trees;
