use std::time::Duration;

use llm::{LlmError, UpstreamError};

/// Why there is no answer, split by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The request itself is wrong, or no route can express it: change the request.
    #[error(transparent)]
    Invalid(#[from] LlmError),
    /// The upstream refuses this request and would refuse it again: change the request.
    #[error("{provider} refused the request ({status}): {message}")]
    Rejected {
        /// Who refused.
        provider: String,
        /// HTTP status.
        status: u16,
        /// The upstream's machine-readable code.
        code: Option<String>,
        /// The upstream's sentence.
        message: String,
    },
    /// The key or token is missing, wrong or not allowed to do this: get another one.
    #[error("{provider} does not accept the key: {message}")]
    Unauthorized {
        /// Who refused.
        provider: String,
        /// HTTP status, 401 or 403.
        status: u16,
        /// The upstream's machine-readable code.
        code: Option<String>,
        /// What it said, without the key.
        message: String,
    },
    /// Too many requests: wait.
    #[error("{provider} is limiting requests: {message}")]
    RateLimited {
        /// Who limits.
        provider: String,
        /// How long to wait, when the upstream said so.
        retry_after: Option<Duration>,
        /// What it said.
        message: String,
    },
    /// The account of the key has no credit left, or its quota for the day is used up: seconds do not help, a payment or
    /// another key does.
    #[error("{provider} has no quota or credit left for this key: {message}")]
    Exhausted {
        /// Who refused.
        provider: String,
        /// When to ask again, if the upstream said so.
        retry_after: Option<Duration>,
        /// What it said.
        message: String,
    },
    /// The upstream cannot be reached, is too slow or is failing: try again later or elsewhere.
    #[error("{provider} is not available: {message}")]
    Unavailable {
        /// Who.
        provider: String,
        /// HTTP status, when there was one.
        status: Option<u16>,
        /// What happened, without the address.
        message: String,
    },
    /// The answer broke off after it had begun: what was received is all there is.
    #[error("{provider} broke off: {message}")]
    Cut {
        /// Who.
        provider: String,
        /// What happened.
        message: String,
    },
    /// The caller cancelled.
    #[error("canceled")]
    Canceled,
    /// The HTTP client cannot be built on this machine.
    #[error("the HTTP client cannot be set up: {0}")]
    Setup(String),
}

/// Whose words an error reply is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A model provider's.
    Providers,
    /// Our own server's.
    Ours,
}

impl From<llm::Dialect> for Whose {
    fn from(dialect: llm::Dialect) -> Self {
        match dialect {
            llm::Dialect::Relayed => Whose::Ours,
            _ => Whose::Providers,
        }
    }
}

impl GatewayError {
    /// Whether another route may succeed where this one failed.
    pub(crate) fn may_work_elsewhere(&self) -> bool {
        match self {
            GatewayError::Unauthorized { .. }
            | GatewayError::RateLimited { .. }
            | GatewayError::Exhausted { .. }
            | GatewayError::Unavailable { .. }
            | GatewayError::Cut { .. }
            | GatewayError::Invalid(
                LlmError::Unsupported { .. } | LlmError::Garbled(_) | LlmError::TooLarge { .. },
            ) => true,
            GatewayError::Invalid(_)
            | GatewayError::Rejected { .. }
            | GatewayError::Canceled
            | GatewayError::Setup(_) => false,
        }
    }

    /// Sorts an upstream's own error by its status.
    pub(crate) fn from_upstream(
        provider: &str,
        error: UpstreamError,
        retry_after: Option<Duration>,
        whose: Whose,
    ) -> Self {
        let exhausted = error.is_exhausted();
        let UpstreamError { status, code, message, retry_after: said } = error;
        let retry_after = retry_after.or(said).map(|wait| wait.min(crate::retry::LONGEST));
        let provider = provider.to_owned();
        match status {
            401 => Self::Unauthorized { provider, status, code, message },
            // A provider's 403 is about the key; our server says 403 of a request it will not pass on.
            403 if whose == Whose::Providers => Self::Unauthorized { provider, status, code, message },
            // Our server's own budgets answer otherwise: a 402 of ours is a provider's, passed on.
            _ if exhausted => Self::Exhausted { provider, retry_after, message },
            429 => Self::RateLimited { provider, retry_after, message },
            408 | 500.. => Self::Unavailable { provider, status: Some(status), message },
            300..=399 => {
                let message = "it answered with a redirect, which is not followed".into();
                Self::Unavailable { provider, status: Some(status), message }
            }
            _ => Self::Rejected { provider, status, code, message },
        }
    }

    /// A failure of the connection. The address is removed: it can contain what should not be shown.
    pub(crate) fn from_transport(provider: &str, error: reqwest::Error) -> Self {
        Self::Unavailable { provider: provider.to_owned(), status: None, message: describe(error) }
    }
}

/// The whole chain of causes, without the URL.
pub(crate) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
