//! The greeting.

use crate::Engine;
use api::system::{Greeting, Hello, System};
use rpc::{ApiError, Caller, Scope};

const ENGINE_NAME: &str = "engine_id";

impl System for Engine {
    async fn hello(&self, caller: &Caller, hello: Hello) -> Result<Greeting, ApiError> {
        tracing::debug!(client = hello.client, api = hello.api, caller = caller.name, "a client says hello");
        if hello.api > api::API_VERSION {
            let message = "This engine is older than the program that calls it. Close all PlanToCode programs and \
                           start again.";
            return Err(ApiError::invalid("api_newer", message));
        }
        let fresh = self.inner.new_id();
        let engine = self
            .inner
            .store
            .write(move |db| {
                if let Some(known) = store::settings::get(db, ENGINE_NAME)? {
                    return Ok(known);
                }
                store::settings::put(db, ENGINE_NAME, &fresh)?;
                Ok(fresh)
            })
            .await
            .map_err(crate::error::database)?;
        let scopes =
            Scope::ALL.into_iter().filter(|s| caller.scopes.contains(*s)).map(|s| s.name().to_owned());
        Ok(Greeting {
            api: api::API_VERSION,
            build: env!("CARGO_PKG_VERSION").to_owned(),
            engine,
            scopes: scopes.collect(),
        })
    }
}
