//! `plantocode login`, `logout`, `whoami`.

use crate::browser;
use crate::show::{self, STRONG, styled};
use anyhow::Context;
use api::Empty;
use api::account::{AccountClient, AccountStatus, CredentialStore, SignIn, SignInEvent, SignInWay};
use clap::{Args, ValueEnum};
use futures_util::StreamExt;
use host::Host;
use std::process::ExitCode;

/// Sign in to a proxy server: with a code that you confirm in a browser anywhere, or in the browser of this machine.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode login --server https://plans.example.com
  plantocode login --server https://plans.example.com --browser
  plantocode login --server https://plans.example.com --keep keyring")]
pub struct Login {
    /// The server's URL.
    #[arg(long, value_name = "URL")]
    server: String,
    /// Where to keep the sign-in: in the keyring of the system, in a file that only you can read (not encrypted), or in
    /// memory until the running engine ends.
    #[arg(long, value_enum, default_value = "file")]
    keep: Keep,
    /// Open the browser of this machine, which comes back here by itself; there is no code to compare.
    #[arg(long)]
    browser: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Keep {
    Keyring,
    File,
    Memory,
}

pub async fn login(arguments: Login) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let store = match arguments.keep {
        Keep::Memory if host.is_engine() => anyhow::bail!(
            "no engine is running that could keep the sign-in in memory. Start one with `plantocode serve`, or leave --keep out"
        ),
        Keep::Memory => CredentialStore::Memory,
        Keep::File => CredentialStore::File,
        Keep::Keyring => CredentialStore::Keyring,
    };
    let way = if arguments.browser { SignInWay::Browser } else { SignInWay::Code };
    let request = SignIn { server: arguments.server, store, way };
    let events = AccountClient(host.client.clone()).sign_in(&request).await;
    let mut events = match events {
        Err(error) if error.reason == "no_browser_sign_in" => {
            anyhow::bail!("{error} Leave --browser out")
        }
        events => events?,
    };
    while let Some(event) = events.next().await {
        match event? {
            SignInEvent::Code { user_code, verification_uri, verification_uri_complete, expires_in } => {
                show::line(format_args!("Open   {}", styled(STRONG, &verification_uri_complete)))?;
                show::line(format_args!("Code   {}", styled(STRONG, &user_code)))?;
                show::note(format!(
                    "Check that the page at {verification_uri} shows the same code, then confirm. Waiting for {} minutes.",
                    expires_in / 60
                ));
            }
            SignInEvent::Browser { url, expires_in } => {
                show::line(format_args!("Open   {}", styled(STRONG, &url)))?;
                show::note(format!(
                    "In the browser of this machine, and allow it there. Waiting for {} minutes.",
                    expires_in / 60
                ));
                // The address came from a server that the person named: nothing but a web address is given to the system.
                if url.starts_with("https://") || url.starts_with("http://") {
                    browser::open(&url);
                }
            }
            SignInEvent::SignedIn { status } => {
                let printed = print(&status);
                match store {
                    CredentialStore::File => show::note(format!(
                        "Kept in {}, readable by you alone and not encrypted. `--keep keyring` keeps it in the keyring of the \
                         system.",
                        host.dir.state.join("credentials.json").display()
                    )),
                    CredentialStore::Keyring => show::note("Kept in the keyring of the system."),
                    CredentialStore::Memory => {}
                }
                drop(events);
                host.close().await;
                printed?;
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
    anyhow::bail!("the sign-in ended without an answer. Try again")
}

pub async fn logout() -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    AccountClient(host.client.clone()).sign_out(&Empty {}).await?;
    host.close().await;
    show::line("Signed out.")?;
    Ok(ExitCode::SUCCESS)
}

pub async fn whoami() -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let status =
        AccountClient(host.client.clone()).status(&Empty {}).await.context("cannot ask the engine")?;
    host.close().await;
    print(&status)?;
    Ok(ExitCode::SUCCESS)
}

fn print(status: &AccountStatus) -> std::io::Result<()> {
    match (&status.user, &status.server) {
        (Some(user), Some(server)) => {
            show::line(format_args!("Signed in to {} as {}.", styled(STRONG, server), styled(STRONG, user)))
        }
        _ => show::line("Not signed in. Your own keys and local models work without a server."),
    }
}
