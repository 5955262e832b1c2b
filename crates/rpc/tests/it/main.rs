//! The suite of every link, over the one in memory.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

#[path = "../conformance/mod.rs"]
mod conformance;

use conformance::{Joined, Way};
use rpc::{Caller, Link, Router};
use std::sync::Arc;

/// Two ends joined in memory. Cut means that the one who serves is gone, as when a host ends.
struct InMemory;

impl Way for InMemory {
    const LARGEST: usize = rpc::link::MAX_MESSAGE_BYTES;

    async fn open(router: Arc<Router>, caller: Caller) -> Joined {
        let (here, there) = Link::pair();
        let (middle, served) = Link::pair();
        tokio::spawn(rpc::serve(router, caller, served));
        let carry = tokio::spawn(async move {
            let (Link { tx: to_client, rx: mut of_client }, Link { tx: to_engine, rx: mut of_engine }) =
                (there, middle);
            let inward = async {
                while let Some(message) = of_client.recv().await {
                    if to_engine.send(message).await.is_err() {
                        return;
                    }
                }
            };
            let outward = async {
                while let Some(message) = of_engine.recv().await {
                    if to_client.send(message).await.is_err() {
                        return;
                    }
                }
            };
            tokio::select! { () = inward => {}, () = outward => {} }
        });
        let cut = carry.abort_handle();
        Joined { link: here, cut: Box::new(move || cut.abort()), held: Box::new(()) }
    }
}

conformance::over!(InMemory);
