//! The whole server over HTTP, against simulated providers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account_pages;
mod administration;
mod api_tokens;
mod approval;
mod at_once;
mod audit;
mod authorize;
mod balancer;
mod cancel;
mod compose;
#[path = "../../../rpc/tests/conformance/mod.rs"]
#[allow(dead_code, unused_imports, reason = "not every part of the suite concerns the relay")]
mod conformance;
mod cors;
mod deploy;
mod device_link;
mod devices;
mod dialect_errors;
mod dialects;
mod filter;
mod fuzz;
mod issuers;
mod limits;
mod log;
mod metrics;
mod openapi;
mod process;
mod proofs;
mod relayed;
mod relayed_calls;
mod sdk;
mod secrets;
mod shared_limits;
mod story;
mod streams;
mod support;
mod telemetry;
mod tls;
mod tokens;
mod transcriptions;
mod two_nodes;
mod user_limits;
mod web_search;
