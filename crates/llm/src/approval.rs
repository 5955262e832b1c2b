//! An approval covers exact bytes: which body, where to, over which path, and for how much at most.
//!
//! Both ends compute the same [`Approval::fingerprint`]; the proxy computes it from the bytes it received, so an
//! approval given for one body is worthless for any other.

use sha2::{Digest, Sha256};

use crate::{LlmError, percent};

/// Request header: the fingerprint of the approval, lower-case hex.
pub const HEADER_APPROVAL: &str = "x-plantocode-approval";
/// Request header: the approved destinations in order, see [`encode_destinations`].
pub const HEADER_DESTINATIONS: &str = "x-plantocode-destinations";
/// Request header: the highest cost that was approved, in micro-dollars.
pub const HEADER_CEILING: &str = "x-plantocode-ceiling-microusd";
/// Request header: the client's id of the job that sends, for the audit row and for cancelling.
pub const HEADER_JOB: &str = "x-plantocode-job";
/// Request header: the repository-relative paths in the body, see [`encode_files`].
pub const HEADER_FILES: &str = "x-plantocode-files";
/// Reply header: `node/sequence/hash` of the audit record of this request.
pub const HEADER_AUDIT: &str = "x-plantocode-audit";

const DOMAIN: &[u8] = b"plantocode-approval-v1";

/// A provider and the model asked there, as the provider names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// Name of the provider, without `/`.
    pub provider: String,
    /// The provider's own name of the model; may contain `/`.
    pub model: String,
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

impl std::str::FromStr for Destination {
    type Err = LlmError;

    /// Reads `provider/model`. A provider's name has no `/`; a model's may.
    fn from_str(text: &str) -> Result<Self, LlmError> {
        match text.split_once('/') {
            Some((provider, model)) if !provider.is_empty() && !model.is_empty() => {
                Ok(Self { provider: provider.into(), model: model.into() })
            }
            _ => Err(LlmError::Malformed(format!("`{text}` is not provider/model"))),
        }
    }
}

/// What somebody agreed to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// HTTP method, upper case.
    pub method: String,
    /// Path of the endpoint that is called, without query.
    pub path: String,
    /// SHA-256 of the uncompressed HTTP body, see [`body_hash`].
    pub body_hash: [u8; 32],
    /// Where the content may go, in order of preference.
    pub destinations: Vec<Destination>,
    /// Highest cost in micro-dollars.
    pub ceiling_microusd: u64,
}

impl Approval {
    /// The approval of exactly these bytes.
    pub fn of_body(
        method: &str,
        path: &str,
        body: &[u8],
        destinations: Vec<Destination>,
        ceiling_microusd: u64,
    ) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            body_hash: body_hash(body),
            destinations,
            ceiling_microusd,
        }
    }

    /// Lower-case hex of SHA-256 over the domain and every field.
    ///
    /// The input is: the ASCII domain `plantocode-approval-v1`, then each field as a 64-bit big-endian byte length
    /// and its bytes. Fields in order: method, path, body hash (32 bytes), number of destinations (8 bytes
    /// big-endian), provider and model of each, ceiling (8 bytes big-endian).
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        let mut field = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        field(self.method.as_bytes());
        field(self.path.as_bytes());
        field(&self.body_hash);
        field(&(self.destinations.len() as u64).to_be_bytes());
        for destination in &self.destinations {
            field(destination.provider.as_bytes());
            field(destination.model.as_bytes());
        }
        field(&self.ceiling_microusd.to_be_bytes());
        hex::encode(hash.finalize())
    }

    /// The request headers that carry this approval to the proxy.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            (HEADER_APPROVAL, self.fingerprint()),
            (HEADER_DESTINATIONS, encode_destinations(&self.destinations)),
            (HEADER_CEILING, self.ceiling_microusd.to_string()),
        ]
    }
}

/// SHA-256 of a request body.
pub fn body_hash(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

/// `provider/model,provider/model`; `,`, `%` and anything that may not stand in a header is percent-encoded.
pub fn encode_destinations(destinations: &[Destination]) -> String {
    let one = |d: &Destination| {
        format!("{}/{}", percent::encode(&d.provider, b",/"), percent::encode(&d.model, b","))
    };
    destinations.iter().map(one).collect::<Vec<_>>().join(",")
}

/// Reads what [`encode_destinations`] wrote. An empty list, or an entry without `/`, is an error.
pub fn decode_destinations(header: &str) -> Result<Vec<Destination>, LlmError> {
    let broken = || LlmError::Approval("destinations must be `provider/model,provider/model`".into());
    let one = |entry: &str| {
        let (provider, model) = entry.trim().split_once('/')?;
        let (provider, model) = (percent::decode(provider)?, percent::decode(model)?);
        (!provider.is_empty() && !model.is_empty()).then_some(Destination { provider, model })
    };
    header.split(',').map(|entry| one(entry).ok_or_else(broken)).collect()
}

/// The repository-relative paths a body contains, as a JSON array that may stand in a header.
pub fn encode_files(paths: &[String]) -> Result<String, LlmError> {
    let json = serde_json::to_string(paths).map_err(|error| LlmError::Approval(error.to_string()))?;
    Ok(percent::encode(&json, b""))
}

/// Reads what [`encode_files`] wrote.
pub fn decode_files(header: &str) -> Result<Vec<String>, LlmError> {
    let broken = || LlmError::Approval("files must be a percent-encoded JSON array of paths".into());
    let json = percent::decode(header).ok_or_else(broken)?;
    serde_json::from_str(&json).map_err(|_| broken())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Approval {
        let destinations = vec![
            Destination { provider: "anthropic".into(), model: "claude-sonnet-4-5".into() },
            Destination { provider: "hub".into(), model: "vendor/model,x".into() },
        ];
        Approval::of_body("POST", "/v1/chat/completions", b"{\"model\":\"m\"}", destinations, 70_000)
    }

    /// The published vector: another implementation must arrive at the same text.
    #[test]
    fn fingerprint_matches_the_published_vector() {
        let approval = example();
        expect_test::expect!["548f58d1c36c715b44f0863472074a97c448d5b8d18164b92adf55592b127f86"]
            .assert_eq(&hex::encode(approval.body_hash));
        expect_test::expect!["edbb2eb40a8877b57dd02704532c9d1a787d03bcf19d05c5a74b4f942db9ead8"]
            .assert_eq(&approval.fingerprint());
    }

    #[test]
    fn every_field_changes_the_fingerprint() {
        let base = example();
        let mut variants = vec![base.clone(); 6];
        variants[0].method = "PUT".into();
        variants[1].path.push('x');
        variants[2].body_hash[31] ^= 1;
        variants[3].destinations.swap(0, 1);
        variants[4].ceiling_microusd += 1;
        // A border between two fields cannot be moved.
        variants[5].destinations[0] =
            Destination { provider: "anthropicc".into(), model: "laude-sonnet-4-5".into() };
        for variant in variants {
            assert_ne!(variant.fingerprint(), base.fingerprint(), "{variant:?}");
        }
    }

    #[test]
    fn headers_survive_every_character() {
        let destinations = example().destinations;
        assert_eq!(decode_destinations(&encode_destinations(&destinations)).unwrap(), destinations);
        let files = vec!["src/a%41.rs".to_owned(), "документ\n.md".to_owned(), "a,\"b\"".to_owned()];
        let header = encode_files(&files).unwrap();
        assert!(header.bytes().all(|b| (0x20..0x7f).contains(&b)), "{header}");
        assert_eq!(decode_files(&header).unwrap(), files);
    }

    #[test]
    fn broken_destination_lists_are_refused() {
        for header in ["", "openai", "openai/", "/gpt", "openai/a,,openai/b", "openai/%zz"] {
            assert!(decode_destinations(header).is_err(), "{header:?}");
        }
    }
}
