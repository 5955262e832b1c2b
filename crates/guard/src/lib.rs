//! Finds secrets in text that is about to leave the machine.
//!
//! Rules are data (`rules/*.toml`): one pass over the text finds keywords, and only around a keyword is a rule tried:
//! a regular expression at the keyword, near it, or on the value that is assigned to the name it stands in. What is
//! found must also pass the rule's entropy, its checksum and its allow patterns. Nothing here decides what happens
//! with a finding; that is the policy of whoever calls.
//!
//! What this crate does **not** know: files, networks, approvals, policies. Its findings carry positions, never the
//! secret.
//!
//! Start reading at [`Guard::scan`], then the rules. `docs/guard.md` has the rule format and what was measured.

mod assign;
mod chance;
mod check;
mod pattern;
mod redact;
mod rules;
mod scan;

pub use redact::redact;
pub use scan::{Finding, Guard, Scan};

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
