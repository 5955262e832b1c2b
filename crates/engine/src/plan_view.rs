//! Plans as clients see them.

use api::plans::{Finding, Operation, OperationKind, Plan, PlanState, Repair, Severity, Step, Usage};
use api::review::Decision;
use plan::Document;
use store::plans::PlanRow;

/// The steps with their findings. A step that is still arriving has none yet.
pub(crate) fn steps(document: &Document, findings: &[Vec<plan::Finding>]) -> Vec<Step> {
    document
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| Step {
            number: count(index + 1),
            id: format!("s{}", index + 1),
            decision: Decision::Open,
            overridden: false,
            comments: Vec::new(),
            source: None,
            title: step.title.clone(),
            why: step.why.clone(),
            confidence: step.confidence.clone(),
            depends: step.depends.clone(),
            operations: step.operations.iter().map(operation).collect(),
            commands: step.commands.clone(),
            checks: step.checks.clone(),
            complete: step.complete,
            findings: findings.get(index).into_iter().flatten().map(finding).collect(),
        })
        .collect()
}

fn operation(operation: &plan::Operation) -> Operation {
    Operation {
        kind: kind(operation.kind),
        path: operation.path.clone(),
        to: operation.to.clone(),
        symbol: operation.symbol.clone(),
        lines: operation.lines,
        change: operation.change.clone(),
    }
}

fn kind(kind: plan::OperationKind) -> OperationKind {
    match kind {
        plan::OperationKind::Create => OperationKind::Create,
        plan::OperationKind::Modify => OperationKind::Modify,
        plan::OperationKind::Delete => OperationKind::Delete,
        plan::OperationKind::Move => OperationKind::Move,
    }
}

/// The inverse of [`kind`].
pub(crate) fn plan_kind(kind: OperationKind) -> plan::OperationKind {
    match kind {
        OperationKind::Create => plan::OperationKind::Create,
        OperationKind::Modify => plan::OperationKind::Modify,
        OperationKind::Delete => plan::OperationKind::Delete,
        OperationKind::Move => plan::OperationKind::Move,
    }
}

/// The inverse of [`operation`].
pub(crate) fn plan_operation(operation: Operation) -> plan::Operation {
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    plan::Operation {
        kind: plan_kind(operation.kind),
        path: operation.path.trim().to_owned(),
        to: filled(operation.to),
        symbol: filled(operation.symbol),
        lines: operation.lines.map(|(first, last)| (first.min(last), first.max(last))),
        change: operation.change.trim_start_matches(['\r', '\n']).trim_end().to_owned(),
    }
}

fn repair(repair: &plan::Repair) -> Repair {
    match repair.clone() {
        plan::Repair::UsePath(path) => Repair::UsePath { path },
        plan::Repair::UseSymbol(symbol) => Repair::UseSymbol { symbol },
        plan::Repair::DropSymbol => Repair::DropSymbol,
        plan::Repair::UseLines(first, last) => Repair::UseLines { first, last },
        plan::Repair::DropLines => Repair::DropLines,
        plan::Repair::UseKind(operation) => Repair::UseKind { operation: kind(operation) },
        plan::Repair::DropDependency(step) => Repair::DropDependency { step },
        plan::Repair::DropOperation => Repair::DropOperation,
        plan::Repair::DropFile => Repair::DropFile,
        plan::Repair::MoveAfter(step) => Repair::MoveAfter { step },
    }
}

fn stored_repair(repair: Repair) -> plan::Repair {
    match repair {
        Repair::UsePath { path } => plan::Repair::UsePath(path),
        Repair::UseSymbol { symbol } => plan::Repair::UseSymbol(symbol),
        Repair::DropSymbol => plan::Repair::DropSymbol,
        Repair::UseLines { first, last } => plan::Repair::UseLines(first, last),
        Repair::DropLines => plan::Repair::DropLines,
        Repair::UseKind { operation } => plan::Repair::UseKind(plan_kind(operation)),
        Repair::DropDependency { step } => plan::Repair::DropDependency(step),
        Repair::DropOperation => plan::Repair::DropOperation,
        Repair::DropFile => plan::Repair::DropFile,
        Repair::MoveAfter { step } => plan::Repair::MoveAfter(step),
    }
}

pub(crate) fn finding(finding: &plan::Finding) -> Finding {
    Finding {
        severity: match finding.severity {
            plan::Severity::Info => Severity::Info,
            plan::Severity::Warning => Severity::Warning,
            plan::Severity::Error => Severity::Error,
        },
        code: finding.code.to_string(),
        message: finding.message.clone(),
        operation: finding.operation.map(count),
        suggestion: finding.suggestion.clone(),
        repair: finding.repair.as_ref().map(repair),
    }
}

/// The inverse of [`finding`].
pub(crate) fn stored_finding(finding: Finding) -> plan::Finding {
    plan::Finding {
        severity: match finding.severity {
            Severity::Info => plan::Severity::Info,
            Severity::Warning => plan::Severity::Warning,
            Severity::Error => plan::Severity::Error,
        },
        code: finding.code.into(),
        message: finding.message,
        operation: finding.operation.map(|n| n as usize),
        suggestion: finding.suggestion,
        repair: finding.repair.map(stored_repair),
    }
}

/// A plan without its steps.
pub(crate) fn head(row: PlanRow) -> Plan {
    let usage = row.usage.as_deref().and_then(|json| serde_json::from_str::<Usage>(json).ok());
    Plan {
        id: row.id.into(),
        session: row.session_id.into(),
        job: row.job_id.into(),
        title: row.title,
        state: state(&row.state),
        trouble: row.trouble,
        steps: Vec::new(),
        version: 1,
        outside: Vec::new(),
        step_count: row.step_count,
        errors: row.errors,
        warnings: row.warnings,
        served: row
            .provider
            .zip(row.model)
            .map(|(provider, model)| api::approvals::Destination { provider, model }),
        usage,
        created_at: row.created_at.max(0).cast_unsigned(),
    }
}

/// The words for states in the database.
pub(crate) const STREAMING: &str = "streaming";

/// How a parsed answer is called in the database.
pub(crate) fn state_name(state: plan::State) -> &'static str {
    match state {
        plan::State::Complete => "complete",
        plan::State::Cut => "cut",
        plan::State::Unreadable => "unreadable",
    }
}

/// Whether a state in the database is one of an answer that has ended.
pub(crate) fn is_ended(name: &str) -> bool {
    [plan::State::Complete, plan::State::Cut, plan::State::Unreadable].map(state_name).contains(&name)
}

fn state(name: &str) -> PlanState {
    match name {
        "complete" => PlanState::Complete,
        "cut" => PlanState::Cut,
        STREAMING => PlanState::Streaming,
        _ => PlanState::Unreadable,
    }
}

/// A position or number of a list that is never longer than a `u32` can count.
pub(crate) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
