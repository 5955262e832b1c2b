//! Who may sign people in, and for whom.

use serde::Deserialize;

/// Clients and issuers beside the server's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Identity {
    /// Clients that may sign people in by a browser, beside PlanToCode's own.
    pub clients: Vec<Client>,
}

/// A client without a secret: a program on a person's machine, or a page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// What people are asked about.
    pub name: String,
    /// Where answers may go: exactly these; any port where the host is 127.0.0.1 or [::1].
    pub redirect_uris: Vec<String>,
}
