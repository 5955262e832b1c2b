//! The engine through its API, on real repositories, with simulated providers.

mod approvals;
mod crash;
mod files;
mod fixture;
mod plans;
mod rights;
mod sessions;
