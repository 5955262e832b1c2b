//! Puts right what a finding says.

use crate::document::{Document, Operation};
use crate::verify::{Finding, Repair};

/// The document with the finding's repair in the step at this position. `None` when the finding has none, or what it
/// speaks of is not there any more. Where the repair moves the step, [`Repair::moves`] says so.
pub fn repair(document: &Document, step: usize, finding: &Finding) -> Option<Document> {
    let mut document = document.clone();
    let repair = finding.repair.as_ref()?;
    if let Some((from, to)) = repair.moves(step) {
        return (from < to && to < document.steps.len()).then(|| {
            move_step(&mut document, from, to);
            document
        });
    }
    let this = document.steps.get_mut(step)?;
    if let Repair::DropDependency(number) = repair {
        this.depends.retain(|d| d != number);
        return Some(document);
    }
    let at = finding.operation?;
    let operation = this.operations.get_mut(at)?;
    match repair {
        Repair::UsePath(path) => operation.path.clone_from(path),
        Repair::UseSymbol(symbol) => operation.symbol = Some(symbol.clone()),
        Repair::DropSymbol => operation.symbol = None,
        Repair::UseLines(first, last) => operation.lines = Some((*first, *last)),
        Repair::DropLines => operation.lines = None,
        Repair::UseKind(kind) => operation.kind = *kind,
        Repair::DropOperation => drop(this.operations.remove(at)),
        Repair::DropFile => drop_file(&mut document, step, at),
        Repair::DropDependency(_) | Repair::MoveAfter(_) => {}
    }
    Some(document)
}

/// Moves a step to another position, both from 0. Numbers of steps that others depend on follow.
pub fn move_step(document: &mut Document, from: usize, to: usize) {
    let step = document.steps.remove(from);
    document.steps.insert(to, step);
    for number in document.steps.iter_mut().flat_map(|step| &mut step.depends) {
        let new = match (*number as usize).checked_sub(1) {
            Some(at) if at == from => to + 1,
            Some(at) if from < at && at <= to => at,
            Some(at) if to <= at && at < from => at + 2,
            _ => continue,
        };
        *number = u32::try_from(new).unwrap_or(u32::MAX);
    }
}

/// Takes out what happens to the path of an operation, up to this one.
fn drop_file(document: &mut Document, step: usize, at: usize) {
    let path = document.steps[step].operations[at].path.clone();
    for (n, this) in document.steps.iter_mut().enumerate().take(step + 1) {
        let last = if n == step { at } else { usize::MAX };
        let mut place = 0..;
        this.operations
            .retain(|operation| place.next().is_some_and(|place| place > last) || !touches(operation, &path));
    }
}

/// Whether an operation makes, changes or removes a path.
pub(crate) fn touches(operation: &Operation, path: &str) -> bool {
    operation.path == path || operation.to.as_deref() == Some(path)
}
