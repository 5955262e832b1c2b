//! `plantocode permissions`: what may be sent without being asked for each time.

use crate::session;
use crate::show::{self, GOOD, QUIET, STRONG, styled};
use api::approvals::{ApprovalsClient, EndPermission, ListPermissions, Permission};
use api::sessions::SessionsClient;
use clap::{Args, Subcommand};
use host::Host;
use std::process::ExitCode;

/// List standing permissions, given with `m` at an approval, or withdraw one.
#[derive(Subcommand)]
pub enum Command {
    List(List),
    End(End),
}

/// List standing permissions, the newest first, with those that have ended.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode permissions list
  plantocode permissions list --session 0199c0de")]
pub struct List {
    /// Only those of this session; the beginning of its id is enough.
    #[arg(long, value_name = "ID")]
    session: Option<String>,
}

/// Withdraw a standing permission. What was sent under it stays sent.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode permissions end 0199c0de")]
pub struct End {
    /// Its id, or the beginning of it, as `plantocode permissions list` says it.
    #[arg(value_name = "PERMISSION")]
    id: String,
}

pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let told = tell(&host, command).await;
    host.close().await;
    told.map(|()| ExitCode::SUCCESS)
}

async fn tell(host: &Host, command: Command) -> anyhow::Result<()> {
    let approvals = ApprovalsClient(host.client.clone());
    match command {
        Command::List(list) => {
            let session = match &list.session {
                Some(id) => Some(session::find(&SessionsClient(host.client.clone()), id).await?.id),
                None => None,
            };
            let all = approvals.permissions(&ListPermissions { session }).await?.permissions;
            if all.is_empty() {
                show::note(
                    "There is no standing permission. `m USD MINUTES [FOLDER]` at an approval gives one.",
                );
            }
            Ok(all.iter().try_for_each(line)?)
        }
        Command::End(End { id }) => {
            anyhow::ensure!(!id.is_empty(), "the id of the permission is empty");
            let all = approvals.permissions(&ListPermissions::default()).await?.permissions;
            let found: Vec<_> =
                all.into_iter().filter(|permission| permission.id.0.starts_with(&id)).collect();
            let [one] = found.as_slice() else {
                let many = if found.is_empty() { "no" } else { "more than one" };
                anyhow::bail!(
                    "there is {many} permission whose id begins with {id}; `plantocode permissions list` shows them"
                );
            };
            let permission = one.id.clone();
            let left = approvals.end_permission(&EndPermission { permission: permission.clone() }).await?;
            Ok(left.permissions.iter().filter(|known| known.id == permission).try_for_each(line)?)
        }
    }
}

fn line(permission: &Permission) -> std::io::Result<()> {
    let state = match &permission.ended {
        _ if permission.holds => {
            styled(GOOD, format!("until {}", crate::backup::time(permission.expires_at)))
        }
        Some(why) => format!("ended: {}", show::harmless(why)),
        None => "over".to_owned(),
    };
    let places: Vec<String> =
        permission.destinations.iter().map(|place| format!("{}/{}", place.provider, place.model)).collect();
    let under = if permission.under.is_empty() { "the whole project" } else { &permission.under };
    let web = if permission.web { ", searches of the web included" } else { "" };
    let detail = format!(
        "session {} · {} through {} · files of {under}{web}",
        permission.session,
        places.join(", "),
        permission.door
    );
    show::line(format_args!(
        "{}  {} of {} spent or set aside  {state}\n  {}",
        styled(STRONG, &permission.id.0),
        show::money(permission.spent + permission.held),
        show::money(permission.cap),
        styled(QUIET, detail)
    ))
}
