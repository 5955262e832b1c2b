//! The contract: everything a person can do is one method here.
//!
//! What it is for: one file per service with its requests, results and events, from which come the trait the
//! engine implements, the client every host uses, and the TypeScript the user interface compiles against.
//!
//! What it does not know: how anything is done. Pure data; no I/O, no clock, no runtime.
//!
//! Start reading at [`methods`] (the list of everything), then any service.

#[macro_use]
mod service;
pub mod account;
pub mod approvals;
pub mod backup;
pub mod devices;
pub mod diagnostics;
pub mod discovery;
pub mod events;
mod ids;
pub mod jobs;
pub mod models;
pub mod plans;
pub mod projects;
pub mod prompts;
pub mod research;
pub mod review;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod system;
pub mod tasks;
pub mod templates;
pub mod terminals;
pub mod typescript;
pub mod usage;

pub use ids::{
    ApprovalId, DeviceId, JobId, PermissionId, PlanId, ProjectId, SessionId, TerminalId, WebFindingId,
};

use rpc::MethodSpec;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The version of this contract. Raised when a method or a required member is removed or changes meaning;
/// additions keep it, because unknown members and variants are tolerated. It is 1 until a release carries the contract: what
/// was renamed before, as `approvals.permissions` that once was `approvals.scopes`, has not raised it.
pub const API_VERSION: u32 = 1;

/// Parameters of a method that needs none, and the result of one that returns nothing: `{}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Empty {}

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type TimeMs = u64;

/// Millionths of a US dollar.
pub type MicroUsd = u64;

/// Every method of the local API, service by service.
pub fn methods() -> Vec<MethodSpec> {
    [
        system::SystemClient::METHODS,
        events::EventsClient::METHODS,
        projects::ProjectsClient::METHODS,
        sessions::SessionsClient::METHODS,
        tasks::TasksClient::METHODS,
        discovery::DiscoveryClient::METHODS,
        models::ModelsClient::METHODS,
        approvals::ApprovalsClient::METHODS,
        plans::PlansClient::METHODS,
        prompts::PromptsClient::METHODS,
        research::ResearchClient::METHODS,
        templates::TemplatesClient::METHODS,
        jobs::JobsClient::METHODS,
        search::SearchClient::METHODS,
        usage::UsageClient::METHODS,
        settings::SettingsClient::METHODS,
        backup::BackupClient::METHODS,
        account::AccountClient::METHODS,
        terminals::TerminalsClient::METHODS,
        devices::DevicesClient::METHODS,
        diagnostics::DiagnosticsClient::METHODS,
    ]
    .concat()
}
