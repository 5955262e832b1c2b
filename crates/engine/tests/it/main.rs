//! The engine through its API, on real repositories, with simulated providers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

mod approvals;
mod backup;
mod chaos;
mod clocks;
mod containment;
mod crash;
mod diagnostics;
mod files;
mod fixture;
mod keeping;
mod keyed;
mod permissions;
mod plan_asks;
mod plans;
mod prompts;
mod research;
mod review;
mod rights;
mod sessions;
mod together;
mod travel;
mod workflows;
