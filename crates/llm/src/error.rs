use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

/// What can be wrong with a request, an answer or a data file. Split by who has to act.
#[derive(Debug, thiserror::Error)]
pub enum LlmError {
    /// The canonical request is not what chat completions describes: the caller must mend it.
    #[error("the request is not a valid chat request: {0}")]
    Malformed(String),
    /// The request asks for something this provider cannot express: choose another model or drop the feature.
    #[error("{provider} cannot express {what}")]
    Unsupported {
        /// Display name of the dialect that was asked.
        provider: &'static str,
        /// The feature, in words.
        what: String,
    },
    /// The upstream sent bytes that are not its own protocol: treat it as broken.
    #[error("the upstream sent something that is not its protocol: {0}")]
    Garbled(String),
    /// The upstream answered with success, and its body says that it failed.
    #[error("the upstream failed: {}", .0.message)]
    Failed(UpstreamError),
    /// One event of the upstream is larger than the decoder will hold.
    #[error("one upstream event is larger than {limit} bytes")]
    TooLarge {
        /// The limit that was exceeded, in bytes.
        limit: usize,
    },
    /// A catalogue file cannot be used.
    #[error("the model catalogue cannot be read: {0}")]
    Catalogue(String),
    /// An approval header cannot be read.
    #[error("the approval headers cannot be read: {0}")]
    Approval(String),
}

/// An error as the upstream described it, reduced to the fields that are safe to pass on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamError {
    /// HTTP status the error amounts to; for an error inside a 200 stream, the status it would have had.
    pub status: u16,
    /// The provider's machine-readable code or type, when it gave one.
    pub code: Option<String>,
    /// The provider's sentence, at most [`UpstreamError::MESSAGE_LIMIT`] characters.
    pub message: String,
    /// How long the body asks to wait. Google says it there and in no header.
    pub retry_after: Option<Duration>,
}

impl UpstreamError {
    /// Longest message that is kept, in characters.
    pub const MESSAGE_LIMIT: usize = 600;

    /// Code of an answer that broke off.
    pub const CUT: &'static str = "upstream_cut";

    /// Code of an error that goes away on another day or after a payment, not after a pause.
    pub const QUOTA_EXHAUSTED: &'static str = "quota_exhausted";

    /// Builds an error, cutting the message to its limit.
    pub fn new(status: u16, code: Option<String>, message: &str) -> Self {
        let message = message.chars().take(Self::MESSAGE_LIMIT).collect();
        Self { status, code, message, retry_after: None }
    }

    /// An error inside a 200 stream of which only a name is known: the status is the one it would have had.
    pub(crate) fn named(code: Option<String>, message: &str) -> Self {
        Self::new(status_of(code.as_deref()).unwrap_or(502), code, message)
    }

    /// Whether waiting for seconds is of no use: the day's quota is used up, or the account has no credit.
    pub fn is_exhausted(&self) -> bool {
        self.status == 402
            || self.code.as_deref().is_some_and(|code| {
                matches!(code, Self::QUOTA_EXHAUSTED | "insufficient_quota" | "billing_hard_limit_reached")
            })
    }

    /// The stream ended before the provider said that it was finished.
    pub fn cut() -> Self {
        Self::new(502, Some(Self::CUT.into()), "the upstream ended the stream before it was finished")
    }

    /// Whether the answer broke off: the mark of [`UpstreamError::cut`], which our own proxy passes on.
    pub fn is_cut(&self) -> bool {
        self.code.as_deref() == Some(Self::CUT)
    }

    /// Reads the error body of any dialect we speak: OpenAI, Anthropic, Google, OpenRouter, OAuth, and the array form
    /// of some shims.
    /// A body that is none of them gives a message that names only the status, never the body.
    pub fn from_body(status: u16, body: &[u8]) -> Self {
        let parsed = std::str::from_utf8(body).ok().and_then(|text| {
            let text = text.trim();
            match text.starts_with('[') {
                true => serde_json::from_str::<Vec<Envelope>>(text).ok()?.into_iter().next(),
                false => serde_json::from_str::<Envelope>(text).ok(),
            }
        });
        match parsed.and_then(|envelope| envelope.into_error(status)) {
            Some(error) => error,
            // Where it stands inside a success, that status says nothing.
            None if (200..300).contains(&status) => {
                Self::new(502, None, "the upstream failed and does not say why")
            }
            None => Self::new(status, None, &format!("the upstream answered with status {status}")),
        }
    }
}

/// `{"error": …}` around the three shapes of an error.
#[derive(Deserialize)]
struct Envelope {
    error: Box<RawValue>,
    /// OAuth's.
    #[serde(default)]
    error_description: Option<String>,
    /// xAI's name of the error; its `error` is the sentence.
    #[serde(default)]
    code: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    message: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    /// A string at OpenAI, a number at OpenRouter and Google.
    #[serde(default)]
    code: Option<Box<RawValue>>,
    /// Google's name of the error.
    #[serde(default)]
    status: Option<Box<RawValue>>,
    /// Google's further words.
    #[serde(default)]
    details: Option<Box<RawValue>>,
    /// OpenRouter's further words.
    #[serde(default)]
    metadata: Option<Box<RawValue>>,
}

impl Envelope {
    fn into_error(self, status: u16) -> Option<UpstreamError> {
        let text = |raw: &Option<Box<RawValue>>| {
            raw.as_deref().and_then(|raw| serde_json::from_str::<String>(raw.get()).ok())
        };
        if let Ok(said) = serde_json::from_str::<String>(self.error.get()) {
            let code = text(&self.code).unwrap_or_else(|| said.clone());
            let message = self.error_description.unwrap_or(said);
            return Some(match status {
                200..=299 => UpstreamError::named(Some(code), &message),
                _ => UpstreamError::new(status, Some(code), &message),
            });
        }
        let body: Body = serde_json::from_str(self.error.get()).ok()?;
        let number = body.code.as_deref().and_then(|code| code.get().parse::<u16>().ok());
        let numeric = number.filter(|code| (400..600).contains(code));
        let code = text(&body.code).or_else(|| text(&body.status));
        let message = body.message.unwrap_or_else(|| match status {
            200..=299 => "the upstream failed and does not say why".to_owned(),
            _ => format!("the upstream answered with status {status}"),
        });
        let message = match body.metadata.as_deref().and_then(source) {
            Some(source) => format!("{source}: {message}"),
            None => message,
        };
        // Inside a 200 stream the body is the only place that says how bad it is.
        let status = match status {
            200..=299 => {
                let named = || status_of(code.as_deref()).or_else(|| status_of(body.kind.as_deref()));
                numeric.or_else(named).unwrap_or(502)
            }
            other => other,
        };
        let mut error = UpstreamError::new(status, code.or(body.kind), &message);
        if let Some(details) = &body.details {
            apply_details(&mut error, details);
        }
        Some(error)
    }
}

/// Which of OpenRouter's providers failed. Its `raw` is that provider's whole body, and stays out.
fn source(metadata: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Metadata {
        provider_name: String,
    }
    const LONGEST: usize = 60;
    let name = serde_json::from_str::<Metadata>(metadata.get()).ok()?.provider_name;
    (!name.is_empty()).then(|| name.chars().take(LONGEST).collect())
}

/// Google's `google.rpc` details: how long to wait, which quota is used up, that the key is wrong (a 400 there).
fn apply_details(error: &mut UpstreamError, details: &RawValue) {
    #[derive(Deserialize)]
    struct Detail {
        #[serde(default, rename = "@type")]
        kind: String,
        #[serde(default, rename = "retryDelay")]
        retry_delay: Option<String>,
        #[serde(default)]
        reason: Option<String>,
        #[serde(default)]
        violations: Vec<Violation>,
    }
    #[derive(Deserialize)]
    struct Violation {
        #[serde(default, rename = "quotaId")]
        quota_id: String,
    }
    let Ok(details) = serde_json::from_str::<Vec<Box<RawValue>>>(details.get()) else { return };
    let details = details.iter().filter_map(|detail| serde_json::from_str::<Detail>(detail.get()).ok());
    let mut exhausted = false;
    for detail in details {
        if detail.kind.ends_with("google.rpc.RetryInfo") {
            error.retry_after = detail.retry_delay.as_deref().and_then(seconds);
        }
        exhausted |= detail.kind.ends_with("google.rpc.QuotaFailure")
            && detail.violations.iter().any(|violation| violation.quota_id.contains("PerDay"));
        if detail.reason.as_deref() == Some("API_KEY_INVALID") {
            error.status = 401;
        }
    }
    if exhausted {
        // The delay that comes with it is that of the quota per minute.
        error.retry_after = None;
        error.code = Some(UpstreamError::QUOTA_EXHAUSTED.into());
    }
}

/// A duration in protobuf's JSON form: `45.837906927s`.
fn seconds(text: &str) -> Option<Duration> {
    let number: f64 = text.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(number).ok()
}

/// The HTTP status that an error of this code or type would have had, had it come before the stream began.
fn status_of(name: Option<&str>) -> Option<u16> {
    Some(match name? {
        "invalid_request_error" | "invalid_prompt" | "context_length_exceeded" | "INVALID_ARGUMENT" => 400,
        "authentication_error" | "UNAUTHENTICATED" => 401,
        "permission_error" | "PERMISSION_DENIED" => 403,
        "not_found_error" | "NOT_FOUND" => 404,
        "request_too_large" => 413,
        "rate_limit_error" | "rate_limit_exceeded" | "insufficient_quota" | "RESOURCE_EXHAUSTED" => 429,
        "api_error" | "server_error" | "INTERNAL" => 502,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        "overloaded_error" | "server_is_overloaded" => 529,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_shape_is_read_and_no_unknown_body_is_pasted() {
        let read = |status, body: &str| UpstreamError::from_body(status, body.as_bytes());
        let openai = read(
            400,
            r#"{"error":{"message":"bad","type":"invalid_request_error","param":null,"code":"x"}}"#,
        );
        assert_eq!((openai.status, openai.code.as_deref(), openai.message.as_str()), (400, Some("x"), "bad"));
        let anthropic = read(200, r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#);
        assert_eq!((anthropic.status, anthropic.code.as_deref()), (529, Some("overloaded_error")));
        let numeric = read(200, r#"{"error":{"code":402,"message":"no credits"}}"#);
        assert_eq!(numeric.status, 402);
        let shim = read(403, r#"[{"error":{"code":403,"message":"denied"}}]"#);
        assert_eq!(shim.message, "denied");
        let oauth = read(400, r#"{"error":"authorization_pending"}"#);
        assert_eq!(oauth.code.as_deref(), Some("authorization_pending"));
        let html = read(502, "<html>internal host names</html>");
        assert_eq!(html.message, "the upstream answered with status 502");
    }
}
