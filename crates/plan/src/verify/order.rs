//! Repairs that concern more than one operation: the order of steps, and a file that comes and goes.

use super::{Entry, Repair, Repository};
use crate::document::{Document, Operation, OperationKind, Step};
use crate::repair::touches;

/// Moves the step that needs a file behind the one that makes it, where that changes nothing else: no step in between depends
/// on the moved one or touches what it touches, and the file is there when its turn comes. Over other steps goes only one that
/// changes files and does nothing else: what they run may need a file that it makes, or what its commands do.
pub(super) fn after_maker(
    document: &Document,
    step: usize,
    maker: usize,
    operation: &Operation,
) -> Option<Repair> {
    let (moved, made_by) = (&document.steps[step], &document.steps[maker]);
    let path = operation.path.as_str();
    let number = u32::try_from(step + 1).ok()?;
    let apart = |(at, other): (usize, &Step)| {
        let mut shared = moved.operations.iter().flat_map(paths).filter(|path| named(other, path));
        !other.depends.contains(&number) && shared.all(|shared| at == maker && shared == path)
    };
    let gone =
        |o: &Operation| o.path == path && matches!(o.kind, OperationKind::Delete | OperationKind::Move);
    let light = moved.commands.is_empty() && moved.operations.iter().all(|o| o.kind == OperationKind::Modify);
    let free = document.steps.iter().enumerate().take(maker + 1).skip(step + 1).all(apart);
    // Removed after it was made, it would still be a contradiction.
    let wanted = operation.kind != OperationKind::Delete && !made_by.operations.iter().any(gone);
    (free && (light || maker == step + 1) && wanted && moved.complete && made_by.complete)
        .then(|| u32::try_from(maker + 1).ok().map(Repair::MoveAfter))
        .flatten()
}

/// Takes a file out of the plan that is made, perhaps changed, and removed again by this operation. Not where something
/// stood at its path before, where it came from another path, where it may be of use while it is there, or where a step would
/// be left with nothing to do.
pub(super) fn never_made(
    document: &Document,
    repository: &dyn Repository,
    step: usize,
    removal: &Operation,
) -> Option<Repair> {
    let path = removal.path.as_str();
    let until = document.steps.iter().take(step + 1).flat_map(|step| &step.operations);
    let mut life = until.take_while(|o| !std::ptr::eq(*o, removal)).filter(|o| touches(o, path));
    let made = life.next().is_some_and(|o| o.kind == OperationKind::Create);
    let only_changed = life.all(|o| o.kind == OperationKind::Modify);
    let left =
        |step: &Step| !named(step, path) || step.operations.iter().any(|operation| !touches(operation, path));
    let makes =
        |step: &Step| step.operations.iter().any(|o| o.kind == OperationKind::Create && o.path == path);
    let lives = document.steps.iter().take(step + 1).skip_while(|step| !makes(step));
    let unused = lives.clone().all(|step| !may_use(step, path));
    let nothing_before = repository.entry(path) == Entry::Missing;
    let kept = lives.clone().all(left);
    (made && only_changed && nothing_before && unused && kept).then_some(Repair::DropFile)
}

/// Whether a step may do something with a file besides making, changing and removing it. What a command runs is not known, so
/// any may; of a check or a change of another file it is enough that it names the file, also without its extension.
fn may_use(step: &Step, path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    // Such a file is named by its folder, too.
    let folder = parts.next().filter(|_| ["index", "mod", "__init__"].contains(&stem));
    let named = |text: &String| text.contains(stem) || folder.is_some_and(|folder| text.contains(folder));
    let others = step.operations.iter().filter(|operation| !touches(operation, path));
    !step.commands.is_empty()
        || step.checks.iter().any(named)
        || others.map(|operation| &operation.change).any(named)
}

fn paths(operation: &Operation) -> impl Iterator<Item = &str> {
    [Some(operation.path.as_str()), operation.to.as_deref()].into_iter().flatten()
}

fn named(step: &Step, path: &str) -> bool {
    step.operations.iter().any(|operation| touches(operation, path))
}
