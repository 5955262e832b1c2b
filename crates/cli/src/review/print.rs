//! Plans as text.

use super::seen::WhichFinding;
use crate::show::{self, BAD, GOOD, QUIET, STRONG, WARN, styled};
use api::plans::{Finding, OperationKind, Plan, Repair, Severity, Step};
use api::review::{Comparison, Decision, DiffSide, Origin, PlanDiff, PlanStatus, PlanVersions, Progress};
use std::io::Result;

fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| Some(v.as_str()?.to_owned())).unwrap_or_default()
}

pub fn plan(plan: &Plan) -> Result<()> {
    let title = if plan.title.is_empty() { "Plan without a title" } else { &plan.title };
    show::line(styled(STRONG, title))?;
    show::line(styled(QUIET, format!("{} · version {} · {}", plan.id, plan.version, word(&plan.state))))?;
    if let Some(trouble) = &plan.trouble {
        show::line(styled(WARN, trouble))?;
    }
    for step in &plan.steps {
        self::step(step)?;
    }
    for text in &plan.outside {
        show::line(format!("\n{}", styled(QUIET, text)))?;
    }
    Ok(())
}

pub fn step(step: &Step) -> Result<()> {
    show::line("")?;
    head(step)?;
    if !step.why.is_empty() {
        show::line(format!("     {}", show::harmless(&step.why).replace('\n', "\n     ")))?;
    }
    for operation in &step.operations {
        let (style, word) = match operation.kind {
            OperationKind::Create => (GOOD, "create"),
            OperationKind::Modify => (WARN, "modify"),
            OperationKind::Delete => (BAD, "delete"),
            OperationKind::Move => (WARN, "move"),
        };
        let to = operation.to.as_ref().map_or(String::new(), |to| format!(" → {}", show::harmless(to)));
        show::line(format!("     {} {}{to}", styled(style, word), show::harmless(&operation.path)))?;
    }
    for command in &step.commands {
        show::line(format!("     run    {}", show::harmless(command)))?;
    }
    for finding in &step.findings {
        self::finding(finding)?;
    }
    for comment in &step.comments {
        show::line(format!("     {}", styled(QUIET, format!("{}: {}", comment.by, comment.text))))?;
    }
    Ok(())
}

/// A step in one line, with what was decided about it.
fn head(step: &Step) -> Result<()> {
    let decision = match step.decision {
        Decision::Open => String::new(),
        Decision::Accepted if step.overridden => format!(" {}", styled(GOOD, "accepted despite errors")),
        Decision::Accepted => format!(" {}", styled(GOOD, "accepted")),
        Decision::Rejected => format!(" {}", styled(BAD, "rejected")),
    };
    show::line(format!("{:>3}. {}{decision}", step.number, styled(STRONG, &step.title)))
}

/// What was decided about each step.
pub fn decisions(plan: &Plan) -> Result<()> {
    plan.steps.iter().try_for_each(head)?;
    super::decide::kept_back(plan);
    Ok(())
}

/// Says on stderr about which steps nothing is decided any more, because they were changed.
pub fn undecided(before: &Plan, after: &Plan) {
    let decided = |plan: &Plan, id: &str| {
        plan.steps.iter().any(|step| step.id == id && step.decision != Decision::Open)
    };
    let open = after.steps.iter().filter(|step| step.decision == Decision::Open);
    let lost = open.filter(|step| decided(before, &step.id)).map(|step| step.number.to_string());
    let lost: Vec<String> = lost.collect();
    if !lost.is_empty() {
        show::tell(styled(
            WARN,
            format!("Changed, and so no longer decided about: step {}. Decide again.", lost.join(", ")),
        ));
    }
}

/// Says on stderr which version a plan has come to.
pub fn version(plan: &Plan) {
    show::note(format!(
        "The plan is in version {} now; `plantocode plan revert` takes an earlier one up again.",
        plan.version
    ));
}

/// The repairs that the check offers.
pub fn repairs(plan: &Plan) -> Result<()> {
    for (step, at) in super::decide::offered(plan) {
        let finding = &step.findings[at];
        head(step)?;
        self::finding(finding)?;
        let which = WhichFinding::for_place(step, at).written();
        let place = format!("--step {} --finding {which} --seen {}", step.number, plan.version);
        let what = finding.repair.as_ref().map(repair).unwrap_or_default();
        show::line(format!("     {} {what} {}", styled(GOOD, "repair"), styled(QUIET, place)))?;
    }
    let left = super::decide::offered(plan).count();
    show::note(match left {
        0 => "No repair is offered.",
        _ => {
            "`plantocode plan repair` with what stands behind one carries it out, --all carries out all of them."
        }
    });
    Ok(())
}

/// What a repair does, in words.
fn repair(repair: &Repair) -> String {
    let text = match repair {
        Repair::UsePath { path } => format!("use the path {path}"),
        Repair::UseSymbol { symbol } => format!("use the symbol {symbol}"),
        Repair::DropSymbol => "name no symbol".to_owned(),
        Repair::UseLines { first, last } => format!("use lines {first} to {last}"),
        Repair::DropLines => "name no lines".to_owned(),
        Repair::UseKind { operation } => format!("make it a {}", word(operation)),
        Repair::DropDependency { step } => format!("do not wait for step {step}"),
        Repair::DropOperation => "leave the operation out: an earlier one does the same".to_owned(),
        Repair::DropFile => "leave everything out that is done with the file before it goes".to_owned(),
        Repair::MoveAfter { step } => format!("move the step behind step {step}"),
    };
    show::harmless(&text)
}

fn finding(finding: &Finding) -> Result<()> {
    let (style, word) = match finding.severity {
        Severity::Error => (BAD, "error"),
        Severity::Warning => (WARN, "warning"),
        Severity::Info => (QUIET, "note"),
    };
    show::line(format!("     {} {}", styled(style, word), show::harmless(&finding.message)))
}

pub fn findings(plan: &Plan) -> Result<()> {
    for step in plan.steps.iter().filter(|step| !step.findings.is_empty()) {
        show::line(format!("{:>3}. {}", step.number, styled(STRONG, &step.title)))?;
        for finding in &step.findings {
            self::finding(finding)?;
        }
    }
    let steps = plan.steps.len();
    show::line(styled(
        QUIET,
        format!("{steps} steps checked: {} errors, {} warnings", plan.errors, plan.warnings),
    ))
}

pub fn versions(versions: &PlanVersions) -> Result<()> {
    for version in &versions.versions {
        let by = if version.origin == Origin::Model { &version.by } else { "" };
        let line = format!("{:>3}  {:<11} {} {by}", version.number, word(&version.origin), version.note);
        show::line(show::harmless(line.trim_end()))?;
    }
    Ok(())
}

pub fn diff(diff: &PlanDiff, from: u32, to: u32) -> Result<()> {
    if diff.steps.is_empty() {
        return show::line(format!("Versions {from} and {to} are the same."));
    }
    for step in &diff.steps {
        let place = match (step.before, step.after) {
            (Some(a), Some(b)) if a != b => format!("step {a} became step {b}"),
            (Some(_), Some(b)) => format!("step {b} was changed"),
            (None, Some(b)) => format!("step {b} is new"),
            (Some(a), None) => format!("step {a} is gone"),
            (None, None) => String::new(),
        };
        show::line(format!("{} {}", styled(STRONG, &step.title), styled(QUIET, place)))?;
        for line in &step.lines {
            let (style, sign) = match line.side {
                DiffSide::Removed => (BAD, '-'),
                DiffSide::Added => (GOOD, '+'),
                DiffSide::Both => (QUIET, ' '),
            };
            show::line(styled(style, format!("  {sign} {}", line.text)))?;
        }
    }
    Ok(())
}

fn progress(progress: Progress) -> (anstyle::Style, &'static str) {
    match progress {
        Progress::Done => (GOOD, "done"),
        Progress::Partly => (WARN, "partly"),
        Progress::Untouched => (BAD, "untouched"),
        Progress::Unseen => (QUIET, "unseen"),
    }
}

pub fn status(status: &PlanStatus) -> Result<()> {
    for step in &status.steps {
        let (style, word) = progress(step.progress);
        let title = styled(STRONG, &step.title);
        show::line(format!("{:>3}. {:<9} {title}", step.number, styled(style, word)))?;
        for operation in &step.operations {
            let (style, word) = progress(operation.progress);
            let why = styled(QUIET, &operation.why);
            show::line(format!("     {} {} {why}", styled(style, word), show::harmless(&operation.path)))?;
        }
    }
    if !status.unplanned.is_empty() {
        show::line(styled(STRONG, "Changed, and in no step:"))?;
        for path in &status.unplanned {
            show::line(format!("     {}", show::harmless(path)))?;
        }
    }
    if !status.whole {
        show::line(styled(
            QUIET,
            "Other files were not noted when the plan was made; changes in them are not told.",
        ))?;
    }
    Ok(())
}

pub fn comparison(comparison: &Comparison) -> Result<()> {
    for (at, plan) in comparison.plans.iter().enumerate() {
        let which = format!("{} · version {}", plan.id, plan.version);
        show::line(format!("{} {} {}", at + 1, styled(STRONG, &plan.title), styled(QUIET, which)))?;
    }
    for row in &comparison.rows {
        show::line(format!("\n{}", styled(QUIET, row.files.join(", "))))?;
        for source in &row.steps {
            let at = comparison.plans.iter().position(|plan| plan.id == source.plan).unwrap_or(0);
            let step = comparison.plans[at].steps.iter().find(|step| step.number == source.step);
            let title = step.map_or("", |step| step.title.as_str());
            show::line(format!("  {}:{} {}", at + 1, source.step, show::harmless(title)))?;
        }
    }
    for disagreement in &comparison.disagreements {
        let text = show::harmless(&format!("{}: {}", disagreement.path, disagreement.message));
        show::line(format!("{} {text}", styled(WARN, "they differ")))?;
    }
    Ok(())
}
