//! The suite of every link over real sockets, and who is let in.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

#[path = "../../../rpc/tests/conformance/mod.rs"]
mod conformance;
mod socket;
mod ways;
mod web;

use rpc::{ApiError, Caller, Router};
use std::sync::Arc;

rpc::api! {
    /// A service for these tests.
    pub service Echo / EchoClient = "echo" {
        /// Says who calls and repeats the text.
        unary say [View] (String) -> String;
    }
}

struct Impl;
impl Echo for Impl {
    async fn say(&self, caller: &Caller, text: String) -> Result<String, ApiError> {
        Ok(format!("{}: {text}", caller.name))
    }
}

fn router() -> Arc<Router> {
    let mut router = Router::new();
    EchoClient::mount(&mut router, Arc::new(Impl));
    Arc::new(router)
}
