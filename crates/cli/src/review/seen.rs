//! A plan as whoever acts on it has seen it: its version, and which of its findings is meant.

use super::{Which, which};
use anyhow::{Context, bail};
use api::plans::{Finding, GetPlan, Plan, PlansClient, Step};
use clap::Args;
use host::Host;
use std::str::FromStr;

/// Which plan, and how it was seen.
#[derive(Args)]
pub(super) struct Seen {
    #[command(flatten)]
    which: Which,
    /// The version that you looked at. If the plan is in another one by now, nothing is done: its steps may be others.
    #[arg(long, value_name = "VERSION")]
    seen: Option<u32>,
}

impl Seen {
    /// The plan as it is now.
    ///
    /// # Errors
    /// When there is none, or when it is not in the version that was seen.
    pub(super) async fn plan(&self, host: &Host) -> anyhow::Result<Plan> {
        let plan = which(host, &self.which).await?;
        self.same(PlansClient(host.client.clone()).get(&GetPlan { plan }).await?)
    }

    /// The plan, checked anew.
    ///
    /// # Errors
    /// As of [`Seen::plan`].
    pub(super) async fn verified(&self, host: &Host) -> anyhow::Result<Plan> {
        let plan = which(host, &self.which).await?;
        self.same(PlansClient(host.client.clone()).verify(&GetPlan { plan }).await?)
    }

    fn same(&self, plan: Plan) -> anyhow::Result<Plan> {
        match self.seen {
            Some(seen) if seen != plan.version => bail!(
                "the plan is in version {} by now, and you looked at version {seen}. Nothing was done; `plantocode plan show` \
                 shows it as it is",
                plan.version
            ),
            _ => Ok(plan),
        }
    }
}

/// Which finding of a step is meant: by its place in the list, or by its code and, where there are several with it, the
/// operation that it is about or which of them. A code means such a finding whatever the check finds besides by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WhichFinding {
    /// From 1.
    Place(usize),
    /// The one with a code; among several `code:3` is the one about the third operation, `code@2` the second.
    Code { code: String, operation: Option<u32>, nth: Option<usize> },
}

impl FromStr for WhichFinding {
    type Err = String;

    fn from_str(text: &str) -> Result<WhichFinding, String> {
        if let Ok(place) = text.parse() {
            return Ok(WhichFinding::Place(place));
        }
        let number = |digits: &str| {
            let number = digits.parse::<u32>().ok().filter(|number| *number > 0);
            number.ok_or_else(|| format!("“{digits}” is not a number from 1"))
        };
        let (mut operation, mut nth) = (None, None);
        let code = if let Some((code, digits)) = text.split_once(':') {
            operation = Some(number(digits)?);
            code
        } else if let Some((code, digits)) = text.split_once('@') {
            nth = Some(number(digits)? as usize);
            code
        } else {
            text
        };
        if code.is_empty() || !code.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            return Err("a finding is named by its number in the list, or by its code".to_owned());
        }
        Ok(WhichFinding::Code { code: code.to_owned(), operation, nth })
    }
}

impl WhichFinding {
    /// The place, from 0, of the finding among those of a step.
    ///
    /// # Errors
    /// When there is none that is meant, or more than one.
    pub(super) fn of(&self, step: &Step) -> anyhow::Result<usize> {
        let (number, count) = (step.number, step.findings.len());
        let (code, operation, nth) = match self {
            WhichFinding::Code { code, operation, nth } => (code, operation, *nth),
            WhichFinding::Place(place) => {
                return place.checked_sub(1).filter(|index| *index < count).with_context(|| {
                    format!("step {number} has {count} findings, and none with the number {place}")
                });
            }
        };
        let meant = |finding: &Finding| {
            finding.code == *code && (operation.is_none() || finding.operation.map(|o| o + 1) == *operation)
        };
        let mut places = (0..count).filter(|at| meant(&step.findings[*at]));
        let found = places.nth(nth.map_or(0, |nth| nth - 1)).with_context(|| {
            format!("step {number} has no finding {} any more; nothing was done", self.written())
        })?;
        if nth.is_none() && places.next().is_some() {
            bail!(
                "step {number} has several findings {}; `plantocode plan repair` lists them",
                self.written()
            );
        }
        Ok(found)
    }

    /// How the finding at a place of a step is best named: by its code where that is enough.
    pub(super) fn for_place(step: &Step, at: usize) -> WhichFinding {
        let finding = &step.findings[at];
        let named = |operation, nth| WhichFinding::Code { code: finding.code.clone(), operation, nth };
        let nth = step.findings[..=at].iter().filter(|other| other.code == finding.code).count();
        [named(None, None), named(finding.operation.map(|o| o + 1), None)]
            .into_iter()
            .find(|which| which.of(step).is_ok_and(|found| found == at))
            .unwrap_or_else(|| named(None, Some(nth)))
    }

    /// As it is given on the command line.
    pub(super) fn written(&self) -> String {
        match self {
            WhichFinding::Place(place) => place.to_string(),
            WhichFinding::Code { code, operation: Some(operation), .. } => format!("{code}:{operation}"),
            WhichFinding::Code { code, nth: Some(nth), .. } => format!("{code}@{nth}"),
            WhichFinding::Code { code, .. } => code.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(findings: &[(&str, Option<u32>)]) -> Step {
        let findings: Vec<_> = findings
            .iter()
            .map(|(code, operation)| {
                serde_json::json!({ "severity": "error", "code": code, "message": "m", "operation": operation })
            })
            .collect();
        let step = serde_json::json!({
            "number": 2, "title": "t", "why": "", "confidence": "", "depends": [], "operations": [], "commands": [],
            "checks": [], "complete": true, "findings": findings,
        });
        serde_json::from_value(step).unwrap()
    }

    #[test]
    fn a_finding_is_named_so_that_it_is_found_again() {
        let step = step(&[
            ("path_missing", Some(0)),
            ("stale", Some(0)),
            ("path_missing", Some(1)),
            ("twice", Some(0)),
            ("twice", Some(0)),
        ]);
        let names: Vec<String> = (0..5).map(|at| WhichFinding::for_place(&step, at).written()).collect();
        assert_eq!(names, ["path_missing:1", "stale", "path_missing:2", "twice@1", "twice@2"]);
        for (at, name) in names.iter().enumerate() {
            assert_eq!(name.parse::<WhichFinding>().unwrap().of(&step).unwrap(), at, "{name}");
        }
        let wrong = |name: &str| name.parse::<WhichFinding>().unwrap().of(&step).unwrap_err().to_string();
        assert!(wrong("path_missing").contains("several findings path_missing"));
        assert!(wrong("path_missing:3").contains("no finding path_missing:3 any more"));
        assert!(wrong("twice@3").contains("no finding twice@3 any more"));
        assert!(wrong("0").contains("none with the number 0"));
        assert!(wrong("6").contains("5 findings, and none with the number 6"));
        for no in ["", "Path", "stale:", "stale:0", ":1", "stale@0", "@1", "stale:1@2", "-1", "../x"] {
            assert!(no.parse::<WhichFinding>().is_err(), "{no}");
        }
    }
}
