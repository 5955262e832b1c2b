//! What tests need of the outside world, without the outside world: simulated model providers, a private PostgreSQL and Redis,
//! git repositories, a man in the middle, a network that fails, child processes that end with the test, broken inputs made of good ones.
//!
//! A missing tool is a panic with a sentence that says what to install, so that a test fails and never skips.
//!
//! What this crate does **not** know: any of our own crates. It speaks the providers' public wire forms from their
//! documentation, so that it cannot share a mistake with the code under test.
//!
//! Start reading at [`Simulator`], then [`Behaviour`].
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "only tests use this crate, and a test ends by panicking"
)]

mod cutter;
mod http;
mod keyring;
pub mod load;
mod mutate;
pub mod packages;
mod postgres;
mod redis;
mod repo;
mod simulator;
mod spawned;
mod tamper;

pub use cutter::{Cut, Cutter};
pub use keyring::Keyring;
pub use mutate::Mutator;
pub use postgres::Postgres;
pub use redis::Redis;
pub use repo::Repo;
pub use simulator::{Behaviour, Fail, Page, Received, Simulator, Style};
pub use spawned::Spawned;
pub use tamper::Tamper;
