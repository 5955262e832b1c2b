//! `plantocode pair` and `plantocode devices`: phones that follow this machine through the relay.

use crate::show::{self, GOOD, QUIET, STRONG, styled};
use anyhow::Context;
use api::devices::{ConfirmPairing, Device, DeviceScope, DevicesClient, LinkState, PairEvent, RevokeDevice};
use api::{DeviceId, Empty};
use clap::{Args, Subcommand, ValueEnum};
use futures_util::StreamExt;
use host::Host;
use std::io::IsTerminal;
use std::process::ExitCode;
use tokio::io::AsyncBufReadExt;

/// Pair a phone: it scans a code, you type the digits that it shows.
///
/// The phone can look at sessions, plans, jobs and terminals; --allow gives it more. What it and this machine say to
/// each other is sealed: the server between them cannot read it.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode pair
  plantocode pair --allow type --allow approve")]
pub struct Arguments {
    /// What the device may do besides looking. Can be given several times.
    #[arg(long, value_enum, value_name = "RIGHT")]
    allow: Vec<Right>,
}

/// A right.
#[derive(Clone, Copy, ValueEnum)]
enum Right {
    /// List and read files of projects, and rank them.
    Files,
    /// Change tasks and sessions.
    Edit,
    /// Start jobs, which spends money once they are approved.
    Run,
    /// Approve what leaves this machine.
    Approve,
    /// Start terminals and type into them: full control of this account.
    Type,
}

impl Right {
    fn scope(self) -> DeviceScope {
        match self {
            Right::Files => DeviceScope::Files,
            Right::Edit => DeviceScope::Edit,
            Right::Run => DeviceScope::Run,
            Right::Approve => DeviceScope::Approve,
            Right::Type => DeviceScope::Type,
        }
    }
}

fn names(scopes: &[DeviceScope]) -> String {
    let name = |scope: &DeviceScope| match scope {
        DeviceScope::View => "look",
        DeviceScope::Files => "read files",
        DeviceScope::Edit => "edit",
        DeviceScope::Run => "start jobs",
        DeviceScope::Approve => "approve sends",
        DeviceScope::Type => "type (full control)",
    };
    scopes.iter().map(name).collect::<Vec<_>>().join(", ")
}

pub async fn pair(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let outcome = with(&host, &arguments).await;
    host.close().await;
    outcome
}

async fn with(host: &Host, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let devices = DevicesClient(host.client.clone());
    let mut scopes = vec![DeviceScope::View];
    scopes.extend(arguments.allow.iter().map(|right| right.scope()));
    let mut events = devices.pair(&Empty {}).await?;
    let mut lines = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    let mut current = String::new();
    while let Some(event) = events.next().await {
        match event? {
            PairEvent::Offered { pairing, url, words, code, .. } => {
                current = pairing;
                offer(&url, &words, &code, &scopes)?;
            }
            PairEvent::Arrived { name, fingerprint, .. } => {
                show::line(format_args!("{} is here.", styled(STRONG, &name)))?;
                show::note(format_args!("Its keys: {fingerprint}"));
                loop {
                    show::tell("Type the six digits that it shows, then Enter:");
                    let typed =
                        lines.next_line().await?.context("no digits were typed; nothing was granted")?;
                    let confirm =
                        ConfirmPairing { pairing: current.clone(), digits: typed, scopes: scopes.clone() };
                    match devices.confirm(&confirm).await {
                        Ok(_) => break,
                        Err(e)
                            if e.reason == "wrong_digits"
                                && e.params.get("left").is_some_and(|n| n != "0") =>
                        {
                            show::tell(&e.message);
                        }
                        Err(e) => return Err(e.into()),
                    }
                }
            }
            PairEvent::Paired { device } => {
                show::line(format_args!(
                    "{} {}. It may: {}.",
                    styled(GOOD, "Paired with"),
                    styled(STRONG, &device.name),
                    names(&device.scopes)
                ))?;
                if host.is_engine() {
                    show::note(
                        "It reaches this machine while PlanToCode runs: `plantocode serve`, or the desktop app.",
                    );
                }
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
    anyhow::bail!("the pairing ended; nothing was granted")
}

fn offer(url: &str, words: &[String], code: &[String], scopes: &[DeviceScope]) -> std::io::Result<()> {
    if std::io::stdout().is_terminal() {
        show::line("Scan this with the phone's camera within two minutes:\n")?;
        for line in squares(code) {
            show::line(format_args!("  {line}"))?;
        }
    }
    show::line(format_args!("\nOr open on the phone   {}", styled(STRONG, url)))?;
    let page = url.split('#').next().unwrap_or(url);
    show::line(format_args!("Or open {page} and type {}", styled(STRONG, words.join(" "))))?;
    show::note(format_args!("The device will be allowed to: {}. Ctrl-C withdraws the code.", names(scopes)));
    Ok(())
}

/// The code as text: two rows of squares in each line, dark on a light ground whatever the terminal's colours are.
fn squares(code: &[String]) -> Vec<String> {
    let size = code.len();
    let dark = |x: isize, y: isize| {
        let row = usize::try_from(y).ok().and_then(|y| code.get(y));
        let cell = usize::try_from(x).ok().and_then(|x| row?.as_bytes().get(x));
        cell == Some(&b'1')
    };
    // Two light squares around it, as readers need.
    let (first, last) = (-2, isize::try_from(size).unwrap_or(0) + 2);
    let line = |y: isize| {
        let cells = (first..last).map(|x| match (dark(x, y), dark(x, y + 1)) {
            (true, true) => ' ',
            (true, false) => '▄',
            (false, true) => '▀',
            (false, false) => '█',
        });
        format!("\u{1b}[97;40m{}\u{1b}[0m", cells.collect::<String>())
    };
    (first..last).step_by(2).map(line).collect()
}

/// Paired devices.
#[derive(Subcommand)]
pub enum Command {
    /// List the paired devices and say whether this machine can be reached.
    #[command(after_help = "Examples:
  plantocode devices list")]
    List,
    Revoke(Revoke),
}

/// Revoke a device: its links end at once and its keys open nothing any more.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode devices revoke 0192")]
pub struct Revoke {
    /// Its name, or its id or the beginning of it.
    device: String,
}

pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let devices = DevicesClient(host.client.clone());
    let outcome = match command {
        Command::List => list(&devices).await,
        Command::Revoke(arguments) => revoke(&devices, &arguments.device).await,
    };
    host.close().await;
    outcome
}

async fn list(devices: &DevicesClient) -> anyhow::Result<ExitCode> {
    let status = devices.status(&Empty {}).await?;
    let server = status.server.unwrap_or_default();
    let link = match status.state {
        LinkState::SignedOut => "Not signed in to a server: devices cannot reach this machine.".to_owned(),
        LinkState::Idle => format!("Signed in to {server}. No link is kept while no device is paired."),
        LinkState::Connecting => format!("Connecting to {server}. {}", status.trouble.unwrap_or_default()),
        LinkState::Online => format!("Reachable through {server}."),
    };
    show::note(link.trim());
    show::note(format_args!("This is {}, keys {}", status.name, status.fingerprint));
    let all = devices.list(&Empty {}).await?.devices;
    if all.is_empty() {
        show::note("No device is paired. `plantocode pair` pairs one.");
    }
    for device in all {
        let state = if device.online { styled(GOOD, "online") } else { styled(QUIET, "away") };
        show::line(format_args!(
            "{}  {state}  {}  may {}  {}",
            device.id,
            styled(STRONG, &device.name),
            names(&device.scopes),
            styled(QUIET, &device.fingerprint)
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn revoke(devices: &DevicesClient, wanted: &str) -> anyhow::Result<ExitCode> {
    let all = devices.list(&Empty {}).await?.devices;
    let device = find(all, wanted)?;
    devices.revoke(&RevokeDevice { device: DeviceId(device.id.0.clone()) }).await?;
    show::line(format_args!("Revoked {}.", styled(STRONG, &device.name)))?;
    Ok(ExitCode::SUCCESS)
}

fn find(all: Vec<Device>, wanted: &str) -> anyhow::Result<Device> {
    let is_it = |device: &Device| device.name == wanted || device.id.0.starts_with(wanted);
    let mut matching = all.into_iter().filter(is_it);
    let found = matching.next().with_context(|| format!("no paired device is called {wanted}"))?;
    anyhow::ensure!(matching.next().is_none(), "more than one device matches {wanted}; use the whole id");
    Ok(found)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_code_is_drawn_with_a_light_border() {
        let lines = super::squares(&["11".to_owned(), "10".to_owned()]);
        assert_eq!(
            lines,
            ["\u{1b}[97;40m██████\u{1b}[0m", "\u{1b}[97;40m██ ▄██\u{1b}[0m", "\u{1b}[97;40m██████\u{1b}[0m"]
        );
    }
}
