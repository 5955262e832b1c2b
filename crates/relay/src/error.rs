//! What can go wrong, by what the caller can do about it.

/// Why something was refused.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Bytes or text that are not of the expected form. The connection they came on is not worth keeping.
    #[error("Something malformed arrived: {0}.")]
    Malformed(&'static str),
    /// Bytes that claim to be someone's and are not. They are dropped; nothing that was shown is in doubt.
    #[error("Something forged arrived: {0}.")]
    Forged(&'static str),
    /// Something genuine in the wrong place: repeated, out of order, too early. It is dropped.
    #[error("Something arrived out of place: {0}.")]
    OutOfPlace(&'static str),
    /// The session has lost something and cannot go on; the phone begins another.
    #[error("The session with the other device is broken: {0}.")]
    Broken(&'static str),
    /// What was typed or scanned is not a pairing code.
    #[error("This is not a pairing code: {0}.")]
    Code(&'static str),
    /// The hub cannot be reached.
    #[error("The server cannot be reached: {0}.")]
    Unreachable(String),
    /// The hub or the settings refuse; dialling again does not help until something is changed.
    #[error("The server refuses this device: {0}.")]
    Refused(String),
    /// The device link has ended.
    #[error("The device link has ended.")]
    Ended,
}
