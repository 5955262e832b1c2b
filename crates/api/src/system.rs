//! `system`: the greeting that opens every link.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// The engine itself.
    pub service System / SystemClient = "system" {
        /// The first call on every link: says who calls and learns what answers.
        unary hello [None] (Hello) -> Greeting;
    }
}

/// What a client says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Hello {
    /// The contract version the client was built with.
    pub api: u32,
    /// The client's name and version, for diagnostics.
    pub client: String,
}

/// What the engine says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Greeting {
    /// The contract version the engine answers.
    pub api: u32,
    /// The engine's version.
    pub build: String,
    /// Names this data directory; client state is keyed by it.
    pub engine: String,
    /// The scopes that this link holds, by name.
    pub scopes: Vec<String>,
}
