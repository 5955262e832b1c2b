//! `approvals`: nothing leaves the machine without one that covers exactly those bytes.

use crate::models::Door;
use crate::{ApprovalId, JobId, MicroUsd, PermissionId, SessionId, TimeMs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// What would be sent, and the person's answer.
    pub service Approvals / ApprovalsClient = "approvals" {
        /// What would be sent: everything the person needs to decide.
        unary get [View] (GetApproval) -> Manifest;
        /// The exact text of one part or file as it would be sent.
        unary text [Files] (GetText) -> PartText;
        /// Makes a new manifest for the same job: other files, another model, secrets redacted. The old one
        /// can no longer be approved.
        unary revise [Run] (Revise) -> Manifest;
        /// Approves these bytes. A fingerprint other than the manifest's is a `conflict`; a manifest with
        /// secrets in it is `forbidden`.
        unary approve [Approve] (Approve) -> Manifest;
        /// Refuses. Nothing is sent, and the job ends as canceled.
        unary refuse [Approve] (GetApproval) -> Manifest;
        /// Standing permissions, the newest first, with those that have ended.
        unary permissions [View] (ListPermissions) -> PermissionList;
        /// Withdraws a standing permission. What was sent under it stays sent.
        unary end_permission [Approve] (EndPermission) -> PermissionList;
    }
}

/// The state of an approval. All but `Waiting` are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody has answered.
    Waiting,
    /// Approved.
    Approved,
    /// Refused.
    Refused,
    /// Another manifest took its place.
    Superseded,
}

/// What would be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Manifest {
    /// The approval this manifest asks for.
    pub id: ApprovalId,
    /// The job that waits for it.
    pub job: JobId,
    /// The session.
    pub session: SessionId,
    /// Whether it was answered.
    pub state: ApprovalState,
    /// What it is for, in a few words: `a plan of the change`.
    #[serde(default)]
    pub purpose: String,
    /// Who answered: a client's name, or `permission` and the one that covers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub by: Option<String>,
    /// The files, in the order in which they are sent.
    pub files: Vec<ManifestFile>,
    /// Files that were ranked and are not sent, so that they can be ticked again.
    pub left_out: Vec<String>,
    /// What goes besides files.
    pub parts: Vec<ManifestPart>,
    /// The model asked for: `provider/model`.
    pub model: String,
    /// The door.
    pub door: Door,
    /// The door in words.
    pub via: String,
    /// Where the bytes may go, in order of preference.
    pub destinations: Vec<Destination>,
    /// What the provider may look up on the web, if this lets it. The words that it looks for leave to search engines and are
    /// chosen by the model from what is sent here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub web: Option<ManifestWeb>,
    /// Tokens of the whole request.
    pub input_tokens: u64,
    /// Whether the count is exact for this model, or an estimate.
    pub tokens_exact: bool,
    /// The most tokens the answer may have.
    pub max_output_tokens: u64,
    /// How many tokens too many this is for the model; 0 when it fits. Such a manifest cannot be approved.
    pub overflow_tokens: u64,
    /// The likely cost, if the price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cost_estimate: Option<MicroUsd>,
    /// The cost that cannot be exceeded; 0 when the price is unknown or nothing is charged.
    pub cost_ceiling: MicroUsd,
    /// Secrets found in what would be sent.
    pub secrets: Vec<SecretFinding>,
    /// Whether secrets were replaced in this manifest's bytes.
    pub redacted: bool,
    /// Size of the request's body in bytes.
    pub body_bytes: u64,
    /// SHA-256 of the body, hexadecimal.
    pub body_hash: String,
    /// What is approved: body, method, path, destinations and ceiling in one hash, hexadecimal.
    pub fingerprint: String,
    /// When it was made.
    pub created_at: TimeMs,
}

/// One file of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ManifestFile {
    /// Relative to the root.
    pub path: String,
    /// Bytes as sent.
    pub bytes: u64,
    /// Tokens as sent.
    pub tokens: u64,
    /// Why it is here.
    pub reason: String,
    /// Whether the file on disk differs from what would be sent.
    pub changed: bool,
}

/// A part of the request that is not a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ManifestPart {
    /// `instructions`, `task`, `tree`, …
    pub name: String,
    /// Bytes as sent.
    pub bytes: u64,
    /// Tokens as sent.
    pub tokens: u64,
}

/// A place the bytes may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Destination {
    /// The provider.
    pub provider: String,
    /// The model there.
    pub model: String,
}

/// A search of the web by the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ManifestWeb {
    /// The most searches.
    pub searches: u64,
    /// Whether the provider keeps to that number. Otherwise the model is asked to, and the cost may be higher.
    pub kept: bool,
    /// The only hosts that are searched; every one when empty.
    pub domains: Vec<String>,
}

/// A secret, without the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SecretFinding {
    /// The file, or the name of the part.
    pub source: String,
    /// The line, from 1.
    pub line: u32,
    /// The rule that found it.
    pub rule: String,
    /// What it is, in words.
    pub description: String,
    /// Whether a comment in the file allows it, or it only has the form of a secret: shown, but not blocking.
    pub allowed: bool,
}

/// Names an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GetApproval {
    /// The approval.
    pub approval: ApprovalId,
}

/// Asks for the exact text of a part or file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GetText {
    /// The approval.
    pub approval: ApprovalId,
    /// A file's path or a part's name.
    pub source: String,
}

/// The text as it would be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PartText {
    /// The text.
    pub text: String,
}

/// Asks for another manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Revise {
    /// The approval to replace.
    pub approval: ApprovalId,
    /// The files to send; those of the old manifest when absent.
    #[serde(default)]
    #[ts(optional)]
    pub files: Option<Vec<String>>,
    /// Another model.
    #[serde(default)]
    #[ts(optional)]
    pub model: Option<String>,
    /// Whether secrets are replaced before sending; as before when absent.
    #[serde(default)]
    #[ts(optional)]
    pub redact: Option<bool>,
}

/// The person's yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Approve {
    /// The approval.
    pub approval: ApprovalId,
    /// The fingerprint that the person was shown.
    pub fingerprint: String,
    /// Also approve what the same session asks later, within these bounds.
    #[serde(default)]
    #[ts(optional)]
    pub remember: Option<Remember>,
}

/// The bounds of a standing permission. The session, the door and the destinations are those of the request that it is
/// given with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Remember {
    /// The most that all requests under it may cost, this one excluded.
    pub cap: MicroUsd,
    /// How long it holds.
    pub minutes: u32,
    /// The folder that every file must lie in; the whole project when absent.
    #[serde(default)]
    #[ts(optional)]
    pub under: Option<String>,
    /// Whether it covers requests that let the provider search the web; not when absent.
    #[serde(default)]
    #[ts(optional)]
    pub web: Option<bool>,
}

/// A standing permission. It ends with its time, its cap, its session, a secret in a request, or the person's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Permission {
    /// Its id.
    pub id: PermissionId,
    /// The session whose requests it covers.
    pub session: SessionId,
    /// The door in words.
    pub door: String,
    /// Where requests may go.
    pub destinations: Vec<Destination>,
    /// The folder that every file must lie in; empty for the whole project.
    pub under: String,
    /// Whether it covers requests that let the provider search the web.
    #[serde(default)]
    pub web: bool,
    /// The most that may be spent.
    pub cap: MicroUsd,
    /// What was spent.
    pub spent: MicroUsd,
    /// What is set aside for requests under way.
    pub held: MicroUsd,
    /// Whether it holds now.
    pub holds: bool,
    /// When it was given.
    pub created_at: TimeMs,
    /// By whom.
    pub created_by: String,
    /// When it ends.
    pub expires_at: TimeMs,
    /// Why it ended before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ended: Option<String>,
}

/// Asks for standing permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ListPermissions {
    /// Only those of this session.
    #[serde(default)]
    #[ts(optional)]
    pub session: Option<SessionId>,
}

/// Standing permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PermissionList {
    /// The newest first.
    pub permissions: Vec<Permission>,
}

/// Names a standing permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EndPermission {
    /// The permission.
    pub permission: PermissionId,
}
