//! `plantocode plan show|verify|…|handoff`: what is done with plans that are made.

mod ask;
mod decide;
mod edit;
mod handoff;
mod merge;
mod print;
mod seen;

use crate::exit::{self, Ended};
use crate::task::Task;
use crate::{plan, show};
use anyhow::Context;
use api::discovery::{DiscoveryClient, FindFiles};
use api::plans::{ExportPlan, GetPlan, Plan, PlanFormat, PlansClient};
use api::projects::{GrantProject, ProjectsClient};
use api::review::{DiffPlan, DraftPlan, GetPlanStatus};
use api::sessions::{CreateSession, GetSession, SessionsClient};
use api::{Empty, PlanId};
use clap::{Args, Subcommand, ValueEnum};
use futures_util::StreamExt;
use host::Host;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

/// Files that are ranked for a draft.
const FOUND: u32 = 30;

/// Plan a change, or look at plans that are made.
///
/// With a task: finds its files, shows what would be sent, and on approval makes a plan of checked steps. The folder
/// named by --project is granted. Without a model, a key or a server, `plantocode discover` still finds the files.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
  plantocode plan \"Retry requests that time out\" --project ~/src/client
  plantocode plan --task-file issue.md --model openai/gpt-5.1 --format json --output plan.json
  plantocode plan \"Rename the cache\" --yes-up-to 0.25 > plan.md
  plantocode plan status"
)]
pub struct PlanCommand {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    new: plan::Arguments,
}

#[derive(Subcommand)]
enum Command {
    Draft(Draft),
    Show(Show),
    Verify(Verify),
    Repair(decide::Repair),
    Accept(decide::Accept),
    Reject(decide::Reject),
    Reopen(decide::Reopen),
    Comment(decide::Comment),
    Edit(edit::Edit),
    Ask(ask::Ask),
    Continue(ask::Continue),
    Merge(merge::Merge),
    Diff(Diff),
    Revert(decide::Revert),
    Status(Status),
    Handoff(handoff::Handoff),
}

/// Which plan.
#[derive(Args)]
struct Which {
    /// The plan's id, or its beginning; the newest plan of the project if left out.
    plan: Option<String>,
    /// The project's folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

/// Make a draft without a model: the files found for a task, what they define, and open questions.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan draft \"Retry requests that time out\" --project ~/src/client")]
struct Draft {
    #[command(flatten)]
    task: Task,
}

/// Show a plan, one of its steps, or its versions.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan show
  plantocode plan show 0197 --step 2 --format xml
  plantocode plan show --versions")]
struct Show {
    #[command(flatten)]
    which: Which,
    /// Only this step, by number.
    #[arg(long, value_name = "N")]
    step: Option<u32>,
    /// List the versions instead.
    #[arg(long, conflicts_with = "step")]
    versions: bool,
    /// Only steps that were accepted and have no error.
    #[arg(long)]
    accepted_only: bool,
    /// The form.
    #[arg(long, value_enum, default_value = "text")]
    format: ShowForm,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShowForm {
    Text,
    Xml,
    Json,
}

/// Check a plan against the project as it is now.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan verify
  plantocode plan verify 0197 --format json")]
struct Verify {
    #[command(flatten)]
    which: Which,
    /// The form.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
}

/// Show what differs between two versions of a plan.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan diff
  plantocode plan diff 0197 --from 1 --to 3")]
struct Diff {
    #[command(flatten)]
    which: Which,
    /// The first version.
    #[arg(long, value_name = "N", default_value_t = 1)]
    from: u32,
    /// The second version; the current one if left out.
    #[arg(long, value_name = "N")]
    to: Option<u32>,
    /// The form.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
}

/// Say what of a plan has been carried out, and what was changed beyond it.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan status
  plantocode plan status 0197 --base 3f2a8c1d5e7b9a0c4d6e8f1a2b3c4d5e6f7a8b9c --format json")]
struct Status {
    #[command(flatten)]
    which: Which,
    /// The commit to compare with, its full id; how the project was when the plan was made if left out.
    #[arg(long, value_name = "COMMIT")]
    base: Option<String>,
    /// The form.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
}

pub async fn run(arguments: PlanCommand) -> anyhow::Result<ExitCode> {
    let Some(command) = arguments.command else { return plan::run(arguments.new).await };
    let host = Host::open("cli").await?;
    let outcome = match command {
        Command::Draft(arguments) => draft(&host, &arguments.task).await,
        Command::Show(arguments) => show_plan(&host, &arguments).await,
        Command::Verify(arguments) => verify(&host, &arguments).await,
        Command::Repair(arguments) => arguments.run(&host).await,
        Command::Accept(arguments) => arguments.run(&host).await,
        Command::Reject(arguments) => arguments.run(&host).await,
        Command::Reopen(arguments) => arguments.run(&host).await,
        Command::Comment(arguments) => arguments.run(&host).await,
        Command::Edit(arguments) => arguments.run(&host).await,
        Command::Ask(arguments) => arguments.run(&host).await,
        Command::Continue(arguments) => arguments.run(&host).await,
        Command::Revert(arguments) => arguments.run(&host).await,
        Command::Merge(arguments) => arguments.run(&host).await,
        Command::Diff(arguments) => diff(&host, &arguments).await,
        Command::Status(arguments) => status(&host, &arguments).await,
        Command::Handoff(arguments) => arguments.run(&host).await,
    };
    crate::signals::close(host).await;
    outcome
}

/// The plans of a folder, the newest first, without their steps.
async fn plans_of(host: &Host, folder: &std::path::Path) -> anyhow::Result<Vec<Plan>> {
    let path =
        folder.canonicalize().with_context(|| format!("cannot open the project {}", folder.display()))?;
    let projects = ProjectsClient(host.client.clone()).list(&Empty {}).await?.projects;
    let Some(project) = projects.into_iter().find(|p| std::path::Path::new(&p.path) == path) else {
        anyhow::bail!("no plan was made for {} yet. Make one: plantocode plan \"TASK\"", folder.display());
    };
    let sessions = SessionsClient(host.client.clone());
    let mut ids = Vec::new();
    crate::session::pages(&sessions, Some(project.id), |session| {
        ids.push(session.id);
        true
    })
    .await?;
    let mut plans = Vec::new();
    for session in ids {
        plans.extend(PlansClient(host.client.clone()).list(&GetSession { session }).await?.plans);
    }
    plans.sort_by(|a, b| b.id.cmp(&a.id));
    Ok(plans)
}

fn choose(plans: &[Plan], wanted: Option<&str>) -> anyhow::Result<PlanId> {
    let Some(wanted) = wanted else {
        let newest = plans
            .first()
            .context("no plan was made for this project yet. Make one: plantocode plan \"TASK\"")?;
        return Ok(newest.id.clone());
    };
    anyhow::ensure!(!wanted.is_empty(), "the id of the plan is empty");
    let found: Vec<&Plan> = plans.iter().filter(|plan| plan.id.0.starts_with(wanted)).collect();
    match found.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => anyhow::bail!("this project has no plan whose id begins with {wanted}"),
        several => {
            let ids: Vec<&str> = several.iter().map(|plan| plan.id.0.as_str()).collect();
            anyhow::bail!("{wanted} is the beginning of several plans: {}", ids.join(", "))
        }
    }
}

async fn which(host: &Host, which: &Which) -> anyhow::Result<PlanId> {
    choose(&plans_of(host, &which.project).await?, which.plan.as_deref())
}

fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    show::write_out(
        &mut std::io::stdout(),
        format!("{}\n", serde_json::to_string_pretty(value)?).as_bytes(),
    )?;
    Ok(())
}

async fn draft(host: &Host, task: &Task) -> anyhow::Result<ExitCode> {
    let words = task.read()?;
    let folder = task.project.canonicalize();
    let folder = folder.with_context(|| format!("cannot open the project {}", task.project.display()))?;
    let path = folder.to_str().context("the project's path is not valid Unicode")?.to_owned();
    let project = ProjectsClient(host.client.clone()).grant(&GrantProject { path }).await?;
    let create = CreateSession { project: project.id, task: words };
    let session = SessionsClient(host.client.clone()).create(&create).await?.id;
    let find = FindFiles { session: session.clone(), limit: FOUND };
    let mut events = DiscoveryClient(host.client.clone()).find(&find).await?;
    while let Some(event) = events.next().await {
        event?;
    }
    print::plan(&PlansClient(host.client.clone()).draft(&DraftPlan { session }).await?)?;
    Ok(ExitCode::SUCCESS)
}

async fn show_plan(host: &Host, arguments: &Show) -> anyhow::Result<ExitCode> {
    let plans = PlansClient(host.client.clone());
    let id = which(host, &arguments.which).await?;
    if arguments.versions {
        let versions = plans.versions(&GetPlan { plan: id }).await?;
        match arguments.format {
            ShowForm::Json => json(&versions)?,
            _ => print::versions(&versions)?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    let whole = arguments.step.is_none() && !arguments.accepted_only;
    let format = match arguments.format {
        ShowForm::Text if whole => {
            print::plan(&plans.get(&GetPlan { plan: id }).await?)?;
            return Ok(ExitCode::SUCCESS);
        }
        ShowForm::Text => PlanFormat::Markdown,
        ShowForm::Xml => PlanFormat::Xml,
        ShowForm::Json => PlanFormat::Json,
    };
    let (step, accepted_only) = (arguments.step, arguments.accepted_only);
    let text = plans.export(&ExportPlan { step, accepted_only, ..ExportPlan::whole(id, format) }).await?.text;
    document(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn document(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let text = show::document(text, out.is_terminal());
    show::write_out(&mut out, text.as_bytes())?;
    Ok(())
}

async fn verify(host: &Host, arguments: &Verify) -> anyhow::Result<ExitCode> {
    let id = which(host, &arguments.which).await?;
    let plan = PlansClient(host.client.clone()).verify(&GetPlan { plan: id }).await?;
    match arguments.format {
        Form::Json => {
            let step = |s: &api::plans::Step| serde_json::json!({ "step": s.number, "findings": s.findings });
            let steps: Vec<_> = plan.steps.iter().map(step).collect();
            json(&serde_json::json!({ "errors": plan.errors, "warnings": plan.warnings, "steps": steps }))?;
        }
        Form::Text => print::findings(&plan)?,
    }
    if plan.errors > 0 {
        let message = "the plan has errors. Nothing was changed; `plantocode plan repair` lists the repairs";
        return Err(Ended::error(exit::FINDINGS, message));
    }
    Ok(ExitCode::SUCCESS)
}

async fn diff(host: &Host, arguments: &Diff) -> anyhow::Result<ExitCode> {
    let id = which(host, &arguments.which).await?;
    let plans = PlansClient(host.client.clone());
    let to = match arguments.to {
        Some(to) => to,
        None => plans.get(&GetPlan { plan: id.clone() }).await?.version,
    };
    let diff = plans.diff(&DiffPlan { plan: id, from: arguments.from, to }).await?;
    match arguments.format {
        Form::Json => json(&diff)?,
        Form::Text => print::diff(&diff, arguments.from, to)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn status(host: &Host, arguments: &Status) -> anyhow::Result<ExitCode> {
    let plan = which(host, &arguments.which).await?;
    let request = GetPlanStatus { plan, base: arguments.base.clone() };
    let status = PlansClient(host.client.clone()).status(&request).await?;
    match arguments.format {
        Form::Json => json(&status)?,
        Form::Text => print::status(&status)?,
    }
    Ok(ExitCode::SUCCESS)
}
