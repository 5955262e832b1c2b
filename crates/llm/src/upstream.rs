//! What a proxy says it sent to a provider, in a form by which whoever asked can check it.
//!
//! Translating a request is deterministic, so the sender of a canonical request can make the provider's body again and
//! compare its hash. A proxy that sends something else has to lie about a hash it does not know to be checked, or to say
//! openly what it changed.

use serde::{Deserialize, Serialize};

use crate::provider_transformers::encode;
use crate::{Dialect, LlmError, ModelLimits, body_hash, percent};

/// The version of the translations. Raised whenever one of them makes other bytes of the same request.
pub const TRANSLATIONS: u32 = 2;

/// Reply header: an [`Upstream`], see [`Upstream::header`].
pub const HEADER_UPSTREAM: &str = "x-plantocode-upstream";

/// A body that was sent to a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// [`TRANSLATIONS`] of whoever sent it.
    pub translations: u32,
    /// The provider.
    pub provider: String,
    /// The model that was asked there.
    pub model: String,
    /// The wire form of the body.
    pub dialect: Dialect,
    /// What the translation knew of the model.
    pub limits: ModelLimits,
    /// SHA-256 of the body, in lower-case hex.
    pub body_hash: String,
    /// What was changed in the request before it was translated, such as a redaction; in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

/// What a check of an [`Upstream`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The provider received what the canonical request becomes.
    Same,
    /// The proxy says what it changed, so that the body cannot be made again here.
    Changed(Vec<String>),
    /// The proxy translates in another version, so that the body cannot be made again here.
    OtherVersion,
    /// The provider received something else.
    Different,
}

impl Upstream {
    /// The value of [`HEADER_UPSTREAM`]: JSON, percent-encoded.
    ///
    /// # Errors
    /// [`LlmError::Approval`], which no value of this type leads to.
    pub fn header(&self) -> Result<String, LlmError> {
        let json = serde_json::to_string(self).map_err(|e| LlmError::Approval(e.to_string()))?;
        Ok(percent::encode(&json, b""))
    }

    /// Reads what [`Upstream::header`] wrote.
    ///
    /// # Errors
    /// [`LlmError::Approval`] for anything else.
    pub fn parse(header: &str) -> Result<Upstream, LlmError> {
        let broken = || LlmError::Approval("what was sent must be percent-encoded JSON".into());
        let json = percent::decode(header).ok_or_else(broken)?;
        serde_json::from_str(&json).map_err(|_| broken())
    }

    /// Whether this is what a canonical request becomes.
    pub fn check(&self, canonical: &[u8]) -> Verdict {
        if !self.changes.is_empty() {
            return Verdict::Changed(self.changes.clone());
        }
        if self.translations != TRANSLATIONS {
            return Verdict::OtherVersion;
        }
        match encode(self.dialect, canonical, &self.model, &self.limits) {
            Ok(wire) if hex::encode(body_hash(&wire.body)) == self.body_hash => Verdict::Same,
            _ => Verdict::Different,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Thinking;

    /// All that a request can have, but what not every form has: a search, and a schema beside thinking.
    const RICH: &str = r#"{"model":"m","messages":[
        {"role":"system","content":"Plan"},
        {"role":"developer","content":"Briefly"},
        {"role":"user","content":[
            {"type":"text","text":"Retry","cache_control":{"type":"ephemeral"}},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"high"}},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
        {"role":"assistant","content":"Looking","tool_calls":[
            {"id":"c1","type":"function","function":{"name":"look","arguments":"{\"a\":1}"}}]},
        {"role":"tool","tool_call_id":"c1","content":"Found"},
        {"role":"user","content":"Go on"}],
        "tools":[{"type":"function","function":{"name":"look","description":"Looks","strict":true,
            "parameters":{"type":"object","properties":{"a":{"type":["integer","null"]}},"required":["a"],"additionalProperties":false}}}],
        "tool_choice":"auto","parallel_tool_calls":false,
        "reasoning_effort":"high","temperature":0.5,"max_completion_tokens":9000,"stream":true}"#;

    const SCHEMA: &str = r#""response_format":{"type":"json_schema","json_schema":{"name":"plan","strict":true, "schema":{"type":"object","properties":{"b":{"type":"string"}},"required":["b"],"additionalProperties":false}}},"#;

    /// Three requests in every wire form, at models of each kind: who changes a translation raises [`TRANSLATIONS`], or engines of
    /// the version before would take servers of this one for liars.
    #[test]
    fn a_changed_translation_has_a_new_version() {
        use sha2::{Digest, Sha256};
        let plain = r#"{"model":"m","messages":[{"role":"system","content":"Plan"},{"role":"user","content":"Retry"}],"max_completion_tokens":900,"stream":true}"#;
        let schema = RICH.replace("\"reasoning_effort\":\"high\",", SCHEMA);
        let mut hash = Sha256::new();
        let kinds = [Thinking::None, Thinking::Budget, Thinking::Level, Thinking::Effort, Thinking::Fixed];
        for dialect in ALL {
            for thinking in kinds {
                let limits = ModelLimits { thinking, ..ModelLimits::default() };
                for request in [plain, RICH, &schema] {
                    let wire = encode(dialect, request.as_bytes(), "upstream", &limits);
                    hash.update(wire.unwrap_or_else(|error| panic!("{dialect:?}: {error}")).body);
                }
            }
        }
        let told = format!("{TRANSLATIONS} {}", &hex::encode(hash.finalize())[..16]);
        expect_test::expect!["2 2afcbe26f9ea289c"].assert_eq(&told);
    }

    const ALL: [Dialect; 8] = [
        Dialect::OpenAi,
        Dialect::OpenAiResponses,
        Dialect::Anthropic,
        Dialect::Gemini,
        Dialect::Xai,
        Dialect::XaiChat,
        Dialect::OpenRouter,
        Dialect::Compatible,
    ];

    #[test]
    fn what_was_sent_is_checked_in_every_wire_form() {
        let canonical =
            br#"{"model":"m","messages":[{"role":"user","content":"Retry \u00fc, 100 %"}],"stream":true}"#;
        let limits = ModelLimits::default();
        for dialect in ALL {
            let wire = encode(dialect, canonical, "upstream", &limits).unwrap();
            let sent = Upstream {
                translations: TRANSLATIONS,
                provider: "p".into(),
                model: "upstream".into(),
                dialect,
                limits: limits.clone(),
                body_hash: hex::encode(body_hash(&wire.body)),
                changes: Vec::new(),
            };
            let header = sent.header().unwrap();
            assert!(header.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{header}");
            assert_eq!(Upstream::parse(&header).unwrap(), sent);
            assert_eq!(sent.check(canonical), Verdict::Same, "{dialect:?}");
            let other = String::from_utf8_lossy(canonical).replace("Retry", "Leak");
            assert_eq!(sent.check(other.as_bytes()), Verdict::Different, "{dialect:?}");
            let elsewhere = Upstream { model: "another".into(), ..sent.clone() };
            // Gemini names the model in the address, not in the body.
            if dialect != Dialect::Gemini {
                assert_eq!(elsewhere.check(canonical), Verdict::Different, "{dialect:?}");
            }
            let newer = Upstream { translations: TRANSLATIONS + 1, ..sent.clone() };
            assert_eq!(newer.check(canonical), Verdict::OtherVersion);
            let changed = Upstream { changes: vec!["redacted 1".into()], ..sent };
            assert_eq!(changed.check(canonical), Verdict::Changed(vec!["redacted 1".into()]));
        }
        for broken in ["", "{}", "%7B", "%", "null"] {
            assert!(Upstream::parse(broken).is_err(), "{broken}");
        }
    }
}
