//! `plantocode terminal`: terminals that outlive the program that shows them.

mod attach;
mod keys;
mod quiet;

use crate::show::{self, BAD, GOOD, QUIET, STRONG, styled};
use anyhow::Context;
use api::projects::{GrantProject, ProjectsClient};
use api::terminals::{GetTerminal, ListTerminals, StartTerminal, Terminal, TerminalState, TerminalsClient};
use clap::{Args, Subcommand};
use host::Host;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

/// The size of a terminal that nobody looks at yet.
const UNSEEN: (u16, u16) = (100, 30);

/// Start, list and follow terminals that go on when this program ends.
#[derive(Subcommand)]
pub enum Command {
    Start(Start),
    /// List the terminals, running and ended.
    List(List),
    Attach(Attach),
    /// End a terminal's program. Its output stays.
    #[command(after_help = "Examples:
  plantocode terminal close 0192")]
    Close(Which),
    /// Forget an ended terminal and its output.
    #[command(after_help = "Examples:
  plantocode terminal forget 0192")]
    Forget(Which),
}

/// Start a shell or a program in a project's folder, which is granted, and attach to it.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode terminal start
  plantocode terminal start --project ~/src/client --detach -- claude --model opus")]
pub struct Start {
    /// The project's folder.
    #[arg(long, default_value = ".", value_name = "DIR")]
    project: PathBuf,
    /// What to call it.
    #[arg(long)]
    title: Option<String>,
    /// Print its id and leave it running.
    #[arg(long)]
    detach: bool,
    /// The program and its arguments; your shell if left out.
    #[arg(last = true)]
    command: Vec<String>,
}

/// List the terminals.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode terminal list
  plantocode terminal list --json")]
pub struct List {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Show a terminal and type into it. Ctrl-] leaves it running.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode terminal attach
  plantocode terminal attach 0192 --view")]
pub struct Attach {
    /// Its id or the beginning of it; the newest running one if left out.
    id: Option<String>,
    /// Only look.
    #[arg(long)]
    view: bool,
}

/// Names a terminal.
#[derive(Args)]
pub struct Which {
    /// Its id or the beginning of it.
    id: String,
}

pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let outcome = match command {
        Command::Start(arguments) => start(&host, arguments).await,
        Command::List(arguments) => list(&host, &arguments).await,
        Command::Attach(arguments) => {
            let terminals = all(&host).await?;
            let terminal = match &arguments.id {
                Some(id) => find(terminals, id)?,
                None => terminals
                    .into_iter()
                    .find(|terminal| terminal.state == TerminalState::Running)
                    .context("no terminal is running; start one with `plantocode terminal start`")?,
            };
            attach::attach(&host, terminal, arguments.view).await
        }
        Command::Close(which) => {
            let terminal = find(all(&host).await?, &which.id)?.id;
            TerminalsClient(host.client.clone()).close(&GetTerminal { terminal }).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Forget(which) => {
            let terminal = find(all(&host).await?, &which.id)?.id;
            TerminalsClient(host.client.clone()).forget(&GetTerminal { terminal }).await?;
            Ok(ExitCode::SUCCESS)
        }
    };
    host.close().await;
    outcome
}

async fn start(host: &Host, arguments: Start) -> anyhow::Result<ExitCode> {
    let folder = arguments.project.canonicalize();
    let folder = folder.with_context(|| format!("cannot open {}", arguments.project.display()))?;
    let path = folder.to_str().context("the folder's path is not valid Unicode")?.to_owned();
    let project = ProjectsClient(host.client.clone()).grant(&GrantProject { path }).await?.id;
    let looked_at = !arguments.detach && std::io::stdout().is_terminal();
    let (columns, rows) = if looked_at { keys::size().unwrap_or(UNSEEN) } else { UNSEEN };
    let request = StartTerminal {
        project,
        session: None,
        command: Some(arguments.command),
        title: arguments.title,
        columns,
        rows,
    };
    let terminal = TerminalsClient(host.client.clone()).start(&request).await?;
    if looked_at {
        return attach::attach(host, terminal, false).await;
    }
    show::line(&terminal.id)?;
    Ok(ExitCode::SUCCESS)
}

async fn all(host: &Host) -> anyhow::Result<Vec<Terminal>> {
    Ok(TerminalsClient(host.client.clone()).list(&ListTerminals::default()).await?.terminals)
}

/// The terminal whose id begins or ends with what was typed.
fn find(terminals: Vec<Terminal>, id: &str) -> anyhow::Result<Terminal> {
    let mut matching = terminals.into_iter().filter(|t| t.id.0.starts_with(id) || t.id.0.ends_with(id));
    let found = matching
        .next()
        .with_context(|| format!("there is no terminal {id}; see `plantocode terminal list`"))?;
    anyhow::ensure!(matching.next().is_none(), "more than one terminal's id begins or ends with {id}");
    Ok(found)
}

async fn list(host: &Host, arguments: &List) -> anyhow::Result<ExitCode> {
    let terminals = all(host).await?;
    if arguments.json {
        show::write_out(&mut std::io::stdout(), &serde_json::to_vec_pretty(&terminals)?)?;
        show::line("")?;
        return Ok(ExitCode::SUCCESS);
    }
    if terminals.is_empty() {
        show::note("No terminals yet. `plantocode terminal start` starts one.");
    }
    for terminal in terminals {
        let state = match (terminal.state, &terminal.exit) {
            (TerminalState::Running, _) => styled(GOOD, "running"),
            (TerminalState::Lost, _) => styled(BAD, "lost"),
            (TerminalState::Exited, Some(exit)) => match (&exit.signal, exit.code) {
                (Some(signal), _) => styled(QUIET, format_args!("ended by {signal}")),
                (None, Some(0)) => styled(QUIET, "ended"),
                (None, code) => styled(BAD, format_args!("ended with {}", code.unwrap_or(-1))),
            },
            (TerminalState::Exited, None) => styled(QUIET, "ended"),
        };
        let output = show::count(terminal.head);
        show::line(format_args!(
            "{}  {state}  {}  {}",
            terminal.id,
            styled(STRONG, &terminal.title),
            styled(QUIET, format_args!("{output}B of output"))
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(id: &str) -> Terminal {
        Terminal {
            id: id.into(),
            session: None,
            project: "p".into(),
            title: String::new(),
            command: Vec::new(),
            state: TerminalState::Running,
            exit: None,
            epoch: "1".to_owned(),
            head: 0,
            log_start: 0,
            columns: 80,
            rows: 24,
            created_at: 0,
            last_output_at: 0,
        }
    }

    #[test]
    fn an_id_may_be_shortened_while_it_is_the_only_one() {
        let terminals = || vec![terminal("0199-aa"), terminal("0199-ab")];
        assert_eq!(find(terminals(), "ab").unwrap().id.0, "0199-ab");
        assert!(find(terminals(), "0199").unwrap_err().to_string().contains("more than one"));
        assert!(find(terminals(), "x").unwrap_err().to_string().contains("no terminal"));
    }
}
