use std::time::Duration;

use llm::{LlmError, UpstreamError};

/// Why there is no answer, split by what the caller can do about it. Each is one sentence that names who failed once:
/// `provider` is empty where the message says that already, as the words of our server about a provider do.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The request itself is wrong, or no route can express it: change the request.
    #[error(transparent)]
    Invalid(#[from] LlmError),
    /// The upstream refuses this request and would refuse it again: change the request.
    #[error("{}", said(provider, &format!("refused the request ({status})"), message))]
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
    #[error("{}", said(provider, "does not accept the key", message))]
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
    #[error("{}", said(provider, "is limiting requests", message))]
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
    #[error("{}", said(provider, "has no quota or credit left for this key", message))]
    Exhausted {
        /// Who refused.
        provider: String,
        /// When to ask again, if the upstream said so.
        retry_after: Option<Duration>,
        /// What it said.
        message: String,
    },
    /// The upstream cannot be reached, is too slow or is failing: try again later or elsewhere.
    #[error("{}", said(provider, "is not available", message))]
    Unavailable {
        /// Who.
        provider: String,
        /// HTTP status, when there was one.
        status: Option<u16>,
        /// What happened, without the address.
        message: String,
    },
    /// The answer broke off after it had begun: what was received is all there is.
    #[error("{}", said(provider, "broke off", message))]
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

/// The codes under which our server passes on what it says of a provider, as a whole sentence that names it. Others of its codes
/// that begin like these, as `upstream_failed`, are for words in which nobody is named.
const WHOLE_SENTENCES: [&str; 7] = [
    "upstream_rejected",
    "upstream_unauthorized",
    "upstream_rate_limited",
    "upstream_quota_exhausted",
    "upstream_overloaded",
    "upstream_unavailable",
    UpstreamError::CUT,
];

/// One sentence of who does what, and what was said.
fn said(provider: &str, what: &str, message: &str) -> String {
    match provider {
        "" => message.to_owned(),
        provider => format!("{} {what}: {message}", llm::vendor(provider)),
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
        // What our server says of a provider is whole, and names the one that it asked in the end.
        let whole =
            whose == Whose::Ours && code.as_deref().is_some_and(|code| WHOLE_SENTENCES.contains(&code));
        let provider = if whole { String::new() } else { provider.to_owned() };
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

    /// The same for an error inside of an answer that had begun.
    pub(crate) fn from_stream(provider: &str, error: UpstreamError, whose: Whose) -> Self {
        if !error.is_cut() {
            return Self::from_upstream(provider, error, None, whose);
        }
        // Our server passes on what a provider's answer ended with: a whole sentence. Where its own answer ended without an end,
        // nobody said anything, and the words are those of the decoder here.
        let passed_on = whose == Whose::Ours && error != UpstreamError::cut();
        let provider = if passed_on { String::new() } else { provider.to_owned() };
        Self::Cut { provider, message: error.message }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What our server says of an error that it had with a provider, as its callers read it.
    fn passed_on(error: &GatewayError, status: u16, code: &str) -> GatewayError {
        let said = UpstreamError::new(status, Some(code.into()), &error.to_string());
        GatewayError::from_upstream("plans.example", said, None, Whose::Ours)
    }

    #[test]
    fn who_failed_is_said_once_also_through_our_server() {
        let told = |status, code: Option<&str>, message: &str| {
            let error = UpstreamError::new(status, code.map(str::to_owned), message);
            GatewayError::from_upstream("openai", error, None, Whose::Providers)
        };
        for (status, words, answered, code) in [
            (429, "OpenAI is limiting requests: slow down", 429, "upstream_rate_limited"),
            (400, "OpenAI refused the request (400): slow down", 400, "upstream_rejected"),
            (401, "OpenAI does not accept the key: slow down", 502, "upstream_unauthorized"),
            (
                402,
                "OpenAI has no quota or credit left for this key: slow down",
                402,
                "upstream_quota_exhausted",
            ),
            (500, "OpenAI is not available: slow down", 502, "upstream_unavailable"),
        ] {
            let error = told(status, None, "slow down");
            assert_eq!(error.to_string(), words);
            assert_eq!(passed_on(&error, answered, code).to_string(), words);
        }
        let cut = GatewayError::from_stream("openai", UpstreamError::cut(), Whose::Providers);
        let passed = UpstreamError::new(502, Some(UpstreamError::CUT.into()), &cut.to_string());
        let passed = GatewayError::from_stream("plans.example", passed, Whose::Ours);
        assert!(cut.to_string().starts_with("OpenAI broke off: ") && passed.to_string() == cut.to_string());
        // The connection to our server ended, and it had said nothing.
        let ended = GatewayError::from_stream("plans.example", UpstreamError::cut(), Whose::Ours);
        assert!(ended.to_string().starts_with("plans.example broke off: the upstream ended"), "{ended}");
        // What its server says of an answer that it could not read names nobody.
        let garbled = UpstreamError::new(502, Some("upstream_failed".into()), "the answer is garbled");
        let garbled = GatewayError::from_upstream("plans.example", garbled, None, Whose::Ours);
        assert_eq!(garbled.to_string(), "plans.example is not available: the answer is garbled");
        // What the server says of itself is said of the server.
        let own = UpstreamError::new(429, Some("rate_limited".into()), "20 requests a minute are allowed");
        let own = GatewayError::from_upstream("plans.example", own, None, Whose::Ours);
        assert_eq!(own.to_string(), "plans.example is limiting requests: 20 requests a minute are allowed");
        let hers = GatewayError::Unavailable { provider: "herd".into(), status: None, message: "x".into() };
        assert_eq!(hers.to_string(), "herd is not available: x");
    }
}
