//! What is wrong with a step by itself, and between steps.

use super::{Finding, Repair, Severity};
use crate::document::{Document, Step};
use crate::path::is_invisible;
use std::collections::BTreeSet;

/// Beginnings of commands, and pieces in them, that destroy or run what nobody has seen.
const RISKY: &[&str] = &[
    "rm -rf",
    "rm -fr",
    "sudo ",
    "mkfs",
    "dd if=",
    ":(){",
    "chmod -r 777",
    "git push --force",
    "git push -f",
    "git reset --hard",
    "git clean -",
    "> /dev/",
    "drop database",
    "drop table",
];

pub(super) fn findings(index: usize, step: &Step, steps: usize, in_cycle: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !step.complete {
        findings.push(Finding::new(Severity::Error, "step_cut", "The answer ended inside this step.".into()));
    }
    if step.operations.is_empty() && step.commands.is_empty() {
        let message = "This step names no file and no command.".into();
        findings.push(Finding::new(Severity::Warning, "step_empty", message));
    }
    for &number in &step.depends {
        let known = number >= 1 && (number as usize) <= steps;
        let drop = Repair::DropDependency(number);
        if !known || number as usize == index + 1 {
            let message = format!("It depends on step {number}, which is not another step of this plan.");
            findings.push(Finding::new(Severity::Warning, "depends_unknown", message).with(drop));
        } else if number as usize > index + 1 {
            let message = format!("It depends on step {number}, which comes later.");
            findings.push(Finding::new(Severity::Warning, "depends_later", message).with(drop));
        }
    }
    if in_cycle {
        let message = "It depends on itself by way of other steps: none of them can come first.".into();
        let finding = Finding::new(Severity::Error, "depends_cycle", message);
        let later = step.depends.iter().find(|d| **d as usize > index + 1);
        findings.push(match later {
            Some(&number) => finding.with(Repair::DropDependency(number)),
            None => finding,
        });
    }
    for command in &step.commands {
        let lower = command.to_lowercase();
        let piped = (lower.contains("curl ") || lower.contains("wget ")) && lower.contains("| ");
        let piped =
            piped && ["sh", "bash", "python", "python3"].iter().any(|s| lower.trim_end().ends_with(s));
        if piped || RISKY.iter().any(|risk| lower.contains(risk)) {
            let message = "A command of this step destroys something, or runs what nobody has seen. It is never run \
                           from here; look at it closely.";
            findings.push(Finding::new(Severity::Warning, "command_risky", message.into()));
        }
    }
    let texts = [&step.title, &step.why].into_iter().chain(&step.commands).chain(&step.checks);
    if texts.chain(step.operations.iter().map(|o| &o.change)).any(|text| text.chars().any(is_invisible)) {
        let message =
            "This step contains characters that cannot be seen (control, zero-width or direction marks).";
        findings.push(Finding::new(Severity::Warning, "invisible_text", message.into()));
    }
    findings
}

/// The steps that can be reached from themselves by dependencies.
pub(super) fn in_cycles(document: &Document) -> BTreeSet<usize> {
    let steps = document.steps.len();
    let depends = |at: usize| {
        document.steps[at]
            .depends
            .iter()
            .map(|number| (*number as usize).wrapping_sub(1))
            .filter(move |to| *to < steps && *to != at)
    };
    // Steps that depend on nothing unfinished are taken away until none is left; what stays is in a cycle, or behind one.
    let strip = |edges: &[(usize, usize)]| -> BTreeSet<usize> {
        let mut open = vec![0usize; steps];
        let mut users = vec![Vec::new(); steps];
        for &(from, to) in edges {
            open[from] += 1;
            users[to].push(from);
        }
        let mut ready: Vec<usize> = (0..steps).filter(|at| open[*at] == 0).collect();
        let mut left: BTreeSet<usize> = (0..steps).collect();
        while let Some(at) = ready.pop() {
            left.remove(&at);
            for &user in &users[at] {
                open[user] -= 1;
                if open[user] == 0 {
                    ready.push(user);
                }
            }
        }
        left
    };
    let edges: Vec<(usize, usize)> =
        (0..steps).flat_map(|from| depends(from).map(move |to| (from, to))).collect();
    if edges.iter().all(|(from, to)| to < from) {
        return BTreeSet::new();
    }
    let behind = strip(&edges);
    let back: Vec<(usize, usize)> = edges.iter().map(|(from, to)| (*to, *from)).collect();
    behind.intersection(&strip(&back)).copied().collect()
}
