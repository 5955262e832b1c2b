//! The PlanToCode server: people sign in, provider keys stay here, and every model is reached through one door.
//!
//! A request to the proxy is authenticated, limited, compared with its approval, scanned for secrets, recorded, sent
//! over the routes its owner may use, and settled on every way out.
//!
//! What this crate does **not** know: plans, repositories, terminals, and the wire forms of providers (crate `llm`
//! does). It reads clock, randomness and ids in [`env`] alone.
//!
//! Start reading at [`Server::start`], then `handlers/proxy/chat.rs` and `exchange/`.

pub mod admin;
mod audit;
mod clients;
pub mod config;
mod cors;
mod data_dir;
pub mod doctor;
pub mod env;
mod error;
mod exchange;
mod filter;
#[doc(hidden)]
pub mod fuzzing;
mod handlers;
mod identity;
mod limits;
mod metrics;
mod nodes;
mod pages;
mod policy;
mod provider_keys;
mod relay_hub;
mod request_id;
mod routes;
mod running;
mod server;
mod state;
mod telemetry;
mod tls;
mod usage;
mod vault;

pub use audit::{AuditReport, ChainReport, CheckpointReport};
pub use config::Config;
pub use error::ServerError;
pub use server::{Running, Server};
