//! The engine through its API, on real repositories, with simulated providers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

mod approvals;
mod backup;
mod containment;
mod crash;
mod files;
mod fixture;
mod keeping;
mod plan_asks;
mod plans;
mod prompts;
mod review;
mod rights;
mod scopes;
mod sessions;
mod workflows;
