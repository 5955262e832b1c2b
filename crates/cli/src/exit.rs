//! Exit codes, as `--help` lists them.

use rpc::ApiError;
use std::process::ExitCode;

/// The command line is wrong.
pub const USAGE: u8 = 2;
/// Secrets were found in what would be sent.
pub const SECRETS: u8 = 3;
/// Not approved: nothing was sent.
pub const NOT_APPROVED: u8 = 4;
/// The plan was cut or could not be read.
pub const CUT: u8 = 5;
/// The check of a plan found errors.
pub const FINDINGS: u8 = 6;
/// Interrupted with Ctrl-C, as a shell counts it.
pub const INTERRUPTED: u8 = 130;

/// An end that is not an error of the program: a message for stderr, and a code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Ended {
    /// The exit code.
    pub code: u8,
    /// What to tell.
    pub message: String,
}

impl Ended {
    /// An end with this code and message, as the error that carries it.
    pub fn error(code: u8, message: impl Into<String>) -> anyhow::Error {
        Ended { code, message: message.into() }.into()
    }
}

/// The exit code of an error.
pub fn code_of(error: &anyhow::Error) -> ExitCode {
    if let Some(ended) = error.downcast_ref::<Ended>() {
        return ended.code.into();
    }
    match error.downcast_ref::<ApiError>() {
        Some(e) if e.reason == "secret_found" => SECRETS.into(),
        _ => ExitCode::FAILURE,
    }
}
