//! `account`: the proxy server one is signed in to, if any.

use crate::Empty;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Sign-in.
    pub service Account / AccountClient = "account" {
        /// Who is signed in, and where.
        unary status [View] (Empty) -> AccountStatus;
        /// Signs in: the person opens the page that the first event names and decides there. Dropping the stream gives up.
        stream sign_in [Account] (SignIn) -> SignInEvent;
        /// Forgets the sign-in here and revokes it at the server, if that can be reached.
        unary sign_out [Account] (Empty) -> AccountStatus;
    }
}

/// Where the sign-in is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CredentialStore {
    /// In memory, until the engine ends.
    Memory,
    /// In a file that only this user can read. It is not encrypted.
    File,
    /// In the keyring of the system, which encrypts it and may ask for its password.
    Keyring,
}

/// How the person's browser and this engine find each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SignInWay {
    /// By a code that the person compares. The browser may be on any machine.
    #[default]
    Code,
    /// The browser comes back to this machine, on which it has to run.
    Browser,
}

/// Asks to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SignIn {
    /// The server's URL.
    pub server: String,
    /// Where to keep the sign-in.
    pub store: CredentialStore,
    /// How.
    #[serde(default)]
    #[ts(as = "Option<SignInWay>", optional)]
    pub way: SignInWay,
}

/// The way through a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SignInEvent {
    /// The person's turn.
    Code {
        /// The code to compare.
        user_code: String,
        /// The page to open.
        verification_uri: String,
        /// The same page with the code filled in.
        verification_uri_complete: String,
        /// How long the code is good for, in seconds.
        expires_in: u64,
    },
    /// The person's turn, in a browser on the engine's machine.
    Browser {
        /// The page to open.
        url: String,
        /// How long the engine waits, in seconds.
        expires_in: u64,
    },
    /// Done.
    SignedIn {
        /// Who is signed in now.
        status: AccountStatus,
    },
}

/// Who is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AccountStatus {
    /// The server; `None` when nobody is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub server: Option<String>,
    /// The person there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub user: Option<String>,
    /// Where the sign-in is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub store: Option<CredentialStore>,
}
