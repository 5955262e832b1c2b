//! Puts right what a finding says.

use crate::document::Document;
use crate::verify::{Finding, Repair};

/// The document with the finding's repair in the step at this position. `None` when the finding has none, or what it
/// speaks of is not there any more.
pub fn repair(document: &Document, step: usize, finding: &Finding) -> Option<Document> {
    let mut document = document.clone();
    let step = document.steps.get_mut(step)?;
    let repair = finding.repair.as_ref()?;
    if let Repair::DropDependency(number) = repair {
        step.depends.retain(|d| d != number);
        return Some(document);
    }
    let operation = step.operations.get_mut(finding.operation?)?;
    match repair {
        Repair::UsePath(path) => operation.path.clone_from(path),
        Repair::UseSymbol(symbol) => operation.symbol = Some(symbol.clone()),
        Repair::DropSymbol => operation.symbol = None,
        Repair::UseLines(first, last) => operation.lines = Some((*first, *last)),
        Repair::DropLines => operation.lines = None,
        Repair::UseKind(kind) => operation.kind = *kind,
        Repair::DropDependency(_) => {}
    }
    Some(document)
}
