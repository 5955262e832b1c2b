//! What a person does with the steps of a plan: decide, say something, change, repair, take back.

use super::{Which, print};
use crate::show::{self, WARN, styled};
use anyhow::Context;
use api::plans::{Finding, GetPlan, Plan, PlansClient, Step};
use api::review::{CommentStep, DecideSteps, Decision, EditStep, RepairStep, RevertPlan, StepContent};
use clap::Args;
use host::Host;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tempfile::NamedTempFile;

/// Repairs in one go at most: each may bring a finding of another step forth.
const MOST_REPAIRS: usize = 500;

/// Accept steps of a plan: only these are handed over.
///
/// A step in which the check has found an error is accepted and yet not handed over, unless --despite-errors says so.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan accept --all
  plantocode plan accept 0197 --step 1,3 --despite-errors")]
pub struct Accept {
    #[command(flatten)]
    steps: Steps,
    /// Hand them over although the check has found errors in them.
    #[arg(long)]
    despite_errors: bool,
}

/// Reject steps of a plan: they are never handed over.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan reject --step 2")]
pub struct Reject {
    #[command(flatten)]
    steps: Steps,
}

/// Take a decision about steps back.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan reopen --step 2
  plantocode plan reopen 0197 --all")]
pub struct Reopen {
    #[command(flatten)]
    steps: Steps,
}

/// Steps of a plan.
#[derive(Args)]
struct Steps {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    these: These,
}

/// Which steps.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct These {
    /// These steps, by number.
    #[arg(long = "step", value_name = "N", value_delimiter = ',')]
    steps: Vec<u32>,
    /// All steps.
    #[arg(long)]
    all: bool,
}

/// Say something about a step. It stands beside the step and is no part of it.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan comment --step 2 --text \"ask Grace first\"")]
pub struct Comment {
    #[command(flatten)]
    which: Which,
    /// The step, by number.
    #[arg(long, value_name = "N")]
    step: u32,
    /// What to say.
    #[arg(long)]
    text: String,
}

/// Change a step, add one, move one or remove one. It makes a new version; nothing is lost.
///
/// A step is written as TOML, with its change texts as they are. Without --content an editor opens it ($VISUAL, $EDITOR).
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan edit --step 2
  plantocode plan edit --step 2 --content step.toml
  plantocode plan edit --content new-step.toml --move-to 1
  plantocode plan edit --step 3 --remove")]
pub struct Edit {
    #[command(flatten)]
    which: Which,
    /// The step, by number; a new one if left out.
    #[arg(long, value_name = "N")]
    step: Option<u32>,
    /// Read the step from this file; `-` reads it from standard input.
    #[arg(long, value_name = "FILE")]
    content: Option<PathBuf>,
    /// The number that the step is to have.
    #[arg(long, value_name = "N")]
    move_to: Option<u32>,
    /// Remove the step.
    #[arg(long, requires = "step", conflicts_with_all = ["content", "move_to"])]
    remove: bool,
    /// Print the step as it would be edited, and change nothing.
    #[arg(long, requires = "step", conflicts_with_all = ["content", "move_to", "remove"])]
    print: bool,
}

/// Carry out the repairs that the check of a plan offers, or list them.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan repair
  plantocode plan repair --step 2 --finding 1
  plantocode plan repair --all")]
pub struct Repair {
    #[command(flatten)]
    which: Which,
    /// The step, by number.
    #[arg(long, value_name = "N", requires = "finding")]
    step: Option<u32>,
    /// The finding of that step, as the list counts them.
    #[arg(long, value_name = "N", requires = "step")]
    finding: Option<usize>,
    /// All of them.
    #[arg(long, conflicts_with = "step")]
    all: bool,
}

/// Take up an earlier version of a plan again, as a new one.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan show --versions
  plantocode plan revert --to 1")]
pub struct Revert {
    #[command(flatten)]
    which: Which,
    /// The version.
    #[arg(long, value_name = "N")]
    to: u32,
}

fn plans(host: &Host) -> PlansClient {
    PlansClient(host.client.clone())
}

async fn plan(host: &Host, which: &Which) -> anyhow::Result<Plan> {
    Ok(plans(host).get(&GetPlan { plan: super::which(host, which).await? }).await?)
}

/// The step of a number.
pub(super) fn step(plan: &Plan, number: u32) -> anyhow::Result<&Step> {
    let found = plan.steps.iter().find(|step| step.number == number);
    found.with_context(|| {
        format!("the plan has {} steps, and none with the number {number}", plan.steps.len())
    })
}

impl Accept {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        self.steps.decide(host, Decision::Accepted, self.despite_errors).await
    }
}

impl Reject {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        self.steps.decide(host, Decision::Rejected, false).await
    }
}

impl Reopen {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        self.steps.decide(host, Decision::Open, false).await
    }
}

impl Steps {
    async fn decide(
        &self,
        host: &Host,
        decision: Decision,
        override_errors: bool,
    ) -> anyhow::Result<ExitCode> {
        let plan = plan(host, &self.which).await?;
        let ids = self.these.steps.iter().map(|number| Ok(step(&plan, *number)?.id.clone()));
        let steps = ids.collect::<anyhow::Result<Vec<_>>>()?;
        let decide = DecideSteps { plan: plan.id, version: plan.version, steps, decision, override_errors };
        let decided = plans(host).decide(&decide).await?;
        print::decisions(&decided)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Comment {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        let plan = plan(host, &self.which).await?;
        let said = step(&plan, self.step)?.id.clone();
        let comment = CommentStep { plan: plan.id.clone(), step: said, text: self.text.clone() };
        print::step(step(&plans(host).comment(&comment).await?, self.step)?)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Edit {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        let plan = plan(host, &self.which).await?;
        let of = self.step.map(|number| step(&plan, number)).transpose()?;
        if self.print {
            let text = of.map(|step| written(&content(step))).transpose()?.unwrap_or_default();
            super::document(&text)?;
            return Ok(ExitCode::SUCCESS);
        }
        let (content, typed) = match (&self.content, of) {
            (Some(file), _) => (Some(read(file)?), None),
            _ if self.remove => (None, None),
            (None, Some(_)) if self.move_to.is_some() => (None, None),
            (None, of) => {
                let before = of.map(content).unwrap_or_default();
                let (after, file) = in_editor(&before)?;
                if after == before {
                    show::note("The step is as it was.");
                    return Ok(ExitCode::SUCCESS);
                }
                (Some(after), Some(file))
            }
        };
        let edit = EditStep {
            plan: plan.id.clone(),
            version: plan.version,
            step: of.map(|step| step.id.clone()),
            content,
            position: self.move_to,
        };
        let edited = match plans(host).edit_step(&edit).await {
            Ok(edited) => edited,
            Err(error) => return Err(kept(error.into(), typed)),
        };
        let place = match &edit.step {
            Some(id) => edited.steps.iter().find(|step| step.id == *id),
            None => edited.steps.iter().find(|step| plan.steps.iter().all(|known| known.id != step.id)),
        };
        if let Some(step) = place {
            print::step(step)?;
        }
        print::version(&edited);
        Ok(ExitCode::SUCCESS)
    }
}

/// What a person may change of a step.
fn content(step: &Step) -> StepContent {
    StepContent {
        title: step.title.clone(),
        why: step.why.clone(),
        confidence: step.confidence.clone(),
        depends: step.depends.clone(),
        operations: step.operations.clone(),
        commands: step.commands.clone(),
        checks: step.checks.clone(),
    }
}

fn written(content: &StepContent) -> anyhow::Result<String> {
    toml::to_string_pretty(content).context("the step cannot be written as TOML")
}

fn read(file: &Path) -> anyhow::Result<StepContent> {
    let text = match file {
        file if file == Path::new("-") => {
            std::io::read_to_string(std::io::stdin()).context("standard input cannot be read as text")?
        }
        file => std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?,
    };
    toml::from_str(&text).with_context(|| format!("{} is not a step; nothing was changed", file.display()))
}

/// An error, and where the text is that a person has typed in vain.
fn kept(error: anyhow::Error, typed: Option<NamedTempFile>) -> anyhow::Error {
    match typed.map(NamedTempFile::keep) {
        None => error,
        Some(Ok((_, path))) => error.context(format!("what you wrote is kept in {}", path.display())),
        Some(Err(lost)) => error.context(format!("what you wrote cannot be kept: {lost}")),
    }
}

/// Has a person change a step, in a file that lasts until the change is stored. On an error it is kept and its place told.
fn in_editor(before: &StepContent) -> anyhow::Result<(StepContent, NamedTempFile)> {
    let named = |name| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
    let editor = ["VISUAL", "EDITOR"].into_iter().find_map(named);
    let editor = editor.context("no editor is named. Set VISUAL or EDITOR, or give --content FILE")?;
    let file = tempfile::Builder::new().prefix("plantocode-step-").suffix(".toml").tempfile()?;
    let begun = written(before)?;
    std::fs::write(file.path(), &begun)?;
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or_default();
    let ended = std::process::Command::new(program).args(words).arg(file.path()).status();
    let ended = ended.with_context(|| format!("the editor {program} cannot be started"))?;
    if !ended.success() {
        let error = anyhow::anyhow!("the editor ended with an error ({ended}); the step is as it was");
        let same = std::fs::read_to_string(file.path()).is_ok_and(|text| text == begun);
        return Err(if same { error } else { kept(error, Some(file)) });
    }
    match read(file.path()) {
        Ok(after) => Ok((after, file)),
        Err(error) => Err(kept(error, Some(file))),
    }
}

impl Repair {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        let id = super::which(host, &self.which).await?;
        let mut plan = plans(host).verify(&GetPlan { plan: id }).await?;
        if let (Some(number), Some(finding)) = (self.step, self.finding) {
            let of = step(&plan, number)?;
            let index = finding.checked_sub(1).filter(|index| *index < of.findings.len());
            let index = index.with_context(|| format!("step {number} has {} findings", of.findings.len()))?;
            plan = repaired(host, &plan, (of, index)).await?;
            print::findings(&plan)?;
            print::version(&plan);
            return Ok(ExitCode::SUCCESS);
        }
        let before = plan.version;
        for _ in 0..MOST_REPAIRS {
            let Some(next) = offered(&plan).next().filter(|_| self.all) else { break };
            plan = repaired(host, &plan, next).await?;
        }
        if plan.version != before {
            show::note(format!("{} repairs were carried out.", plan.version - before));
            print::version(&plan);
        }
        print::repairs(&plan)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The findings for which there is a repair, each with its step and its place there.
pub(super) fn offered(plan: &Plan) -> impl Iterator<Item = (&Step, usize)> {
    let of =
        |step: &Step| (0..step.findings.len()).filter(|at| step.findings[*at].repair.is_some()).collect();
    plan.steps.iter().flat_map(move |step| {
        let places: Vec<usize> = of(step);
        places.into_iter().map(move |at| (step, at))
    })
}

async fn repaired(host: &Host, plan: &Plan, (step, index): (&Step, usize)) -> anyhow::Result<Plan> {
    let Finding { code, operation, .. } = &step.findings[index];
    let repair = RepairStep {
        plan: plan.id.clone(),
        version: plan.version,
        step: step.id.clone(),
        finding: u32::try_from(index)?,
        code: Some(code.clone()),
        operation: *operation,
    };
    Ok(plans(host).repair(&repair).await?)
}

impl Revert {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        let plan = plan(host, &self.which).await?;
        let revert = RevertPlan { plan: plan.id, version: plan.version, to: self.to };
        let reverted = plans(host).revert(&revert).await?;
        print::plan(&reverted)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Says which accepted steps are kept back all the same.
pub(super) fn kept_back(plan: &Plan) {
    let kept = plan.steps.iter().filter(|step| step.decision == Decision::Accepted && !step.overridden);
    let kept = kept.filter(|step| step.findings.iter().any(|f| f.severity == api::plans::Severity::Error));
    let numbers: Vec<String> = kept.map(|step| step.number.to_string()).collect();
    if !numbers.is_empty() {
        show::tell(styled(
            WARN,
            format!(
                "The check finds errors in what was accepted (step {}), so it is not handed over. `plantocode plan repair`, or \
                 accept it with --despite-errors.",
                numbers.join(", ")
            ),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::plans::{Operation, OperationKind};

    #[test]
    fn a_step_is_written_for_a_person_and_read_back() {
        let operation = Operation {
            kind: OperationKind::Modify,
            path: "src/a.rs".into(),
            to: None,
            symbol: Some("send".into()),
            lines: Some((3, 9)),
            change: "fn send() {\n    \"quoted\\\\ and ''' \"\"\" too\"\n}\n".into(),
        };
        let step = StepContent {
            title: "Retry".into(),
            why: "It fails.\nOften.".into(),
            confidence: "high".into(),
            depends: vec![1],
            operations: vec![operation],
            commands: vec!["cargo test".into()],
            checks: vec!["it passes".into()],
        };
        let text = written(&step).unwrap();
        assert!(text.contains("title = \"Retry\"") && text.contains("[[operations]]"), "{text}");
        assert!(text.contains("fn send() {\n"), "the change stands there line by line: {text}");
        assert_eq!(toml::from_str::<StepContent>(&text).unwrap(), step);
        assert_eq!(
            toml::from_str::<StepContent>(&written(&StepContent::default()).unwrap()).unwrap(),
            StepContent::default()
        );
    }
}
