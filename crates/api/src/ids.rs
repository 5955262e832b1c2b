//! Ids: UUIDv7 in text form, one type per thing, so that a plan's id is never taken for a job's.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> $name {
                $name(id)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> $name {
                $name(id.to_owned())
            }
        }
    )* };
}

id! {
    /// A granted project root.
    ProjectId,
    /// A session: one task on its way from words to code.
    SessionId,
    /// A job: one run of a workflow.
    JobId,
    /// A question to the person: may exactly these bytes leave?
    ApprovalId,
    /// A standing permission to send.
    PermissionId,
    /// A plan.
    PlanId,
    /// A question for the web and what was found.
    WebFindingId,
    /// A terminal.
    TerminalId,
    /// A paired device.
    DeviceId,
}
