//! `plantocode plan merge`: plans side by side, and one plan made of several.

use super::{Form, ask, print};
use crate::exit::{self, Ended};
use crate::plan::approve::Asking;
use crate::show;
use anyhow::Context;
use api::PlanId;
use api::plans::PlansClient;
use api::review::{ComparePlans, MergePlans, ShownPlan, StepSource};
use clap::Args;
use host::Host;
use std::path::PathBuf;
use std::process::ExitCode;

/// Put plans for one task side by side, and make one of chosen steps, or have a model make one.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode plan merge 0197a 0197b
  plantocode plan merge 0197a 0197b --take 1:1,2:2,1:3 --seen 2,1
  plantocode plan merge 0197a 0197b --by-model --wish \"keep the tests of the second\" --yes-up-to 0.20")]
pub struct Merge {
    /// Two to five plans, by id or its beginning.
    #[arg(required = true, num_args = 2..=5, value_name = "PLAN")]
    plans: Vec<String>,
    /// Make a plan of these steps, in this order: PLAN:STEP, plans counted as they are named here.
    #[arg(long, value_name = "STEPS", value_delimiter = ',', value_parser = step_of)]
    take: Vec<(usize, u32)>,
    /// The versions that you looked at, in the order of the plans. If one is in another by now, nothing is made: its steps may be
    /// others.
    #[arg(long, value_name = "VERSIONS", value_delimiter = ',', requires = "take")]
    seen: Vec<u32>,
    /// The title of the new plan.
    #[arg(long, requires = "take")]
    title: Option<String>,
    /// Have a model make one plan of them. What would be sent is shown and asked for.
    #[arg(long, conflicts_with_all = ["take", "format"])]
    by_model: bool,
    /// What is wanted of the merge by a model.
    #[arg(long, value_name = "WISH", requires = "by_model", allow_hyphen_values = true)]
    wish: Option<String>,
    #[command(flatten)]
    asking: Asking,
    /// The project's folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
}

fn step_of(text: &str) -> Result<(usize, u32), String> {
    let parsed = text.split_once(':').and_then(|(plan, step)| Some((plan.parse().ok()?, step.parse().ok()?)));
    parsed
        .filter(|(plan, step)| *plan >= 1 && *step >= 1)
        .ok_or_else(|| "a step is PLAN:STEP, such as 2:3".to_owned())
}

impl Merge {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        let known = super::plans_of(host, &self.project).await?;
        let ids = self.plans.iter().map(|wanted| super::choose(&known, Some(wanted)));
        let ids = ids.collect::<anyhow::Result<Vec<PlanId>>>()?;
        if self.asking.is_given() && !self.by_model {
            let message = "--model, --redact and --yes-up-to say how a model is asked. Add --by-model, or leave them out";
            return Err(Ended::error(exit::USAGE, message));
        }
        if self.by_model {
            return ask::merge(host, ids, self.wish.clone(), &self.asking).await;
        }
        let plans = PlansClient(host.client.clone());
        if self.take.is_empty() {
            let comparison = plans.compare(&ComparePlans { plans: ids }).await?;
            match self.format {
                Form::Json => super::json(&comparison)?,
                Form::Text => print::comparison(&comparison)?,
            }
            show::note(
                "Nothing was made. --take 1:1,2:2 makes a plan of step 1 of the first and step 2 of the second, --by-model has a \
                 model make one.",
            );
            return Ok(ExitCode::SUCCESS);
        }
        let source = |&(plan, step): &(usize, u32)| {
            let plan =
                ids.get(plan - 1).with_context(|| format!("there are {} plans, not {plan}", ids.len()))?;
            Ok(StepSource { plan: plan.clone(), step })
        };
        let steps = self.take.iter().map(source).collect::<anyhow::Result<Vec<_>>>()?;
        if !self.seen.is_empty() && self.seen.len() != ids.len() {
            let message = "--seen names one version for each plan, in their order";
            return Err(Ended::error(exit::USAGE, message));
        }
        let shown = ids.iter().zip(&self.seen);
        let shown =
            shown.map(|(plan, version)| ShownPlan { plan: plan.clone(), version: *version }).collect();
        let merged = plans.merge(&MergePlans { title: self.title.clone(), steps, shown }).await?;
        match self.format {
            Form::Json => super::json(&merged)?,
            Form::Text => print::plan(&merged)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
