//! The keyring of the system: where a sign-in is kept so that neither a copy of the disk nor a backup holds it.

use crate::DataDir;
use ::keyring::{Entry, Error};
use rpc::{ApiError, ErrorCode};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// Under what name the keyring shows the entry.
const SERVICE: &str = "plantocode";

/// How long the keyring may take: it may ask the person for its password first.
const PATIENCE: Duration = Duration::from_secs(120);

/// The entry of one data directory.
#[derive(Clone)]
pub(crate) struct Keyring {
    account: String,
}

impl Keyring {
    pub(crate) fn of(dir: &DataDir) -> Keyring {
        Keyring { account: format!("sign-in of {}", dir.state.display()) }
    }

    /// Stores the token in place of what was there.
    pub(crate) async fn put(&self, token: &SecretString) -> Result<(), ApiError> {
        let token = token.clone();
        self.ask(move |entry| entry.set_password(token.expose_secret())).await
    }

    /// The token; `None` when there is none.
    pub(crate) async fn get(&self) -> Result<Option<SecretString>, ApiError> {
        self.ask(|entry| match entry.get_password() {
            Ok(token) => Ok(Some(token.into())),
            Err(Error::NoEntry) => Ok(None),
            Err(e) => Err(e),
        })
        .await
    }

    /// Removes the token; it is no error when there is none.
    pub(crate) async fn remove(&self) -> Result<(), ApiError> {
        self.ask(|entry| match entry.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(e) => Err(e),
        })
        .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Entry) -> ::keyring::Result<T> + Send + 'static,
    ) -> Result<T, ApiError> {
        let account = self.account.clone();
        // The library waits for the other process without a runtime.
        let asked = tokio::task::spawn_blocking(move || Entry::new(SERVICE, &account).and_then(|e| work(&e)));
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(e))) => Err(silent(&said(&e))),
            Ok(Err(e)) => Err(ApiError::internal(e.to_string())),
            Err(_) => Err(silent("it does not answer")),
        }
    }
}

/// What went wrong, without what the error may carry of the secret.
fn said(e: &Error) -> String {
    match e {
        Error::NoDefaultStore => "there is none in this session".to_owned(),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "its entry is damaged".to_owned(),
        e => e.to_string(),
    }
}

fn silent(why: &str) -> ApiError {
    let message = format!(
        "The keyring of this system cannot be used: {why}. Unlock it, or sign in anew and choose another place: a file that \
         only you can read (`plantocode login --keep file`), or memory."
    );
    ApiError::new(ErrorCode::Unavailable, "keyring", message)
}
