//! Texts in which a plan is handed to an agent.

/// A template that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The templates that are built in.
pub const BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        name: "plan",
        about: "The plan alone, to be carried out.",
        text: "Carry out this plan step by step. Keep to the files it names; say so if a step does not fit the code.\n\n{{IMPLEMENTATION_PLAN}}\n",
    },
    BuiltIn { name: "task", about: "The task alone, in the person's words.", text: "{{TASK_DESCRIPTION}}\n" },
    BuiltIn {
        name: "task-and-plan",
        about: "The task, and the plan that was made for it.",
        text: "This is wanted:\n\n{{TASK_DESCRIPTION}}\n\nThis plan was made and reviewed for it. Carry it out step by step; where it does not fit the code, say so before you depart from it.\n\n{{IMPLEMENTATION_PLAN}}\n",
    },
    BuiltIn {
        name: "parallel-agents",
        about: "One step for one of several agents that work at the same time.",
        text: "Several agents carry out one plan at the same time. You do this step and nothing else; leave files that it does not name alone.\n\nYour step:\n\n{{STEP_CONTENT}}\n\nThe whole plan, so that you know what the others do:\n\n{{IMPLEMENTATION_PLAN}}\n",
    },
    BuiltIn {
        name: "investigate-results",
        about: "After the work: find out what was done and what was not.",
        text: "This was wanted:\n\n{{TASK_DESCRIPTION}}\n\nAn agent has worked by this plan:\n\n{{IMPLEMENTATION_PLAN}}\n\nRead what was changed since. Say for each step whether it was done, partly done or left out, what was changed beyond the plan, and what does not work. Change nothing.\n",
    },
];

/// What stands in for the names in a template.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a> {
    /// `{{IMPLEMENTATION_PLAN}}`
    pub plan: &'a str,
    /// `{{TASK_DESCRIPTION}}`
    pub task: &'a str,
    /// `{{STEP_CONTENT}}`
    pub step: &'a str,
}

/// Replaces the names in one pass, by the texts as they are: what a text contains is never a name itself. Names that
/// mean nothing stay.
pub fn render(template: &str, values: Values<'_>) -> String {
    let mut out = String::with_capacity(template.len() + values.plan.len() + values.task.len());
    let mut rest = template;
    while let Some(open) = rest.find("{{") {
        out.push_str(&rest[..open]);
        let after = &rest[open + 2..];
        let known = after.find("}}").and_then(|close| {
            let value = match after[..close].trim() {
                "IMPLEMENTATION_PLAN" => values.plan,
                "TASK_DESCRIPTION" => values.task,
                "STEP_CONTENT" => values.step,
                _ => return None,
            };
            Some((value, &after[close + 2..]))
        });
        match known {
            Some((value, behind)) => {
                out.push_str(value);
                rest = behind;
            }
            None => {
                // One brace on: `{{{{STEP_CONTENT}}` has a name in it.
                out.push('{');
                rest = &rest[open + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}
