//! The server's tables, on SQLite or PostgreSQL, with one set of SQL.
//!
//! One file per table with its rows and its queries. Column types are the ones both databases share: TEXT ids and
//! JSON, BIGINT milliseconds, micro-dollars and flags, and bytes. Statements use `$1`.
//!
//! What this crate does **not** know: clocks (every time is passed in, in milliseconds since 1970), secrets in the
//! clear (it stores hashes and sealed bytes), HTTP, and what any of the rows are for.
//!
//! Start reading at [`Store::open`], then any table.

mod api_tokens;
mod audit;
mod audit_checkpoints;
mod audit_subjects;
mod authorization_codes;
mod device_codes;
mod devices;
mod identities;
mod invitations;
mod link_devices;
mod migrate;
mod nodes;
mod orgs;
mod own_limits;
mod provider_keys;
mod record;
mod recorder;
mod refresh_tokens;
mod sealed;
mod setup_links;
mod signing_keys;
mod store;
mod usage;
mod users;
mod vault_log;
mod web_sessions;

pub use api_tokens::{ApiTokenRow, LiveToken, TokenKind};
pub use audit::AuditRow;
pub use audit_checkpoints::{AuditKeyRow, ChainHead, CheckpointRow};
pub use audit_subjects::SubjectRow;
pub use authorization_codes::{AuthorizationCodeRow, Redeemed};
pub use device_codes::{CodeStatus, DeviceCodeRow, Poll};
pub use devices::DeviceRow;
pub use identities::IssuerSignInRow;
pub use link_devices::LinkDeviceRow;
pub use orgs::OrgRow;
pub use own_limits::{OwnLimits, OwnLimitsRow};
pub use provider_keys::ProviderKeyRow;
pub use record::{LedgerKind, Recording, Settlement};
pub use refresh_tokens::{RefreshRow, Rotation};
pub use sealed::Resealed;
pub use signing_keys::SigningKeyRow;
pub use store::{Store, StoreError};
pub use usage::{Spent, UsageRow, UsageSum};
pub use users::{AccountChange, Role, UserRow};
pub use vault_log::VaultLogRow;
pub use web_sessions::WebSessionRow;
