//! Finds secrets in text that is about to leave the machine.
//!
//! Rules are data (`rules/secrets.toml`): a keyword prefilter over the whole text, then a regular expression, then
//! an entropy minimum and allow patterns. Nothing here decides what happens with a finding; that is
//! the policy of whoever calls.
//!
//! What this crate does **not** know: files, networks, approvals, policies. Its findings carry positions, never the
//! secret.
//!
//! Start reading at [`Guard::scan`], then the rules.

mod redact;
mod rules;
mod scan;

pub use redact::redact;
pub use scan::{Finding, Guard};

/// Why a rule file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The file is not what a rule file looks like.
    #[error("the rule file cannot be read: {0}")]
    File(#[from] toml::de::Error),
    /// A rule of the file makes no sense.
    #[error("rule `{rule}`: {problem}")]
    Rule {
        /// The rule.
        rule: String,
        /// What is wrong with it.
        problem: String,
    },
}
