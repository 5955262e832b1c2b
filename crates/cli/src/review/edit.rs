//! A step in an editor.

use super::decide::{content, plans, step};
use super::print;
use super::seen::Seen;
use crate::show;
use anyhow::Context;
use api::plans::{Operation, OperationKind};
use api::review::{EditStep, StepContent};
use clap::Args;
use host::Host;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tempfile::NamedTempFile;

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
    seen: Seen,
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

impl Edit {
    pub async fn run(&self, host: &Host) -> anyhow::Result<ExitCode> {
        let plan = self.seen.plan(host).await?;
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
                let before = of.map_or_else(blank, content);
                let (after, file) = in_editor(&before)?;
                if after == before {
                    show::note(
                        "The step is as it was. An editor that returns at once needs an option, such as --wait.",
                    );
                    return Ok(ExitCode::SUCCESS);
                }
                (Some(after), Some(file))
            }
        };
        let most = plan.steps.len() + usize::from(of.is_none());
        let far = content
            .iter()
            .flat_map(|content| &content.depends)
            .find(|n| !(1..=most).contains(&(**n as usize)));
        if let Some(number) = far {
            let error =
                anyhow::anyhow!("there is no step {number} that could come before; nothing was changed");
            return Err(kept(error, typed));
        }
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
        print::undecided(&plan, &edited);
        print::version(&edited);
        Ok(ExitCode::SUCCESS)
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
    parsed(&text).with_context(|| format!("{} is not a step; nothing was changed", file.display()))
}

/// A step from TOML. A key that means nothing is an error: it is one that was mistyped.
fn parsed(text: &str) -> anyhow::Result<StepContent> {
    const STEP: [&str; 7] = ["title", "why", "confidence", "depends", "operations", "commands", "checks"];
    const OPERATION: [&str; 6] = ["kind", "path", "to", "symbol", "lines", "change"];
    let table: toml::Table = toml::from_str(text)?;
    let known =
        |table: &toml::Table, names: &[&str]| match table.keys().find(|key| !names.contains(&key.as_str())) {
            Some(key) => anyhow::bail!("`{key}` means nothing here; what does: {}", names.join(", ")),
            None => Ok(()),
        };
    known(&table, &STEP)?;
    let operations = table.get("operations").and_then(toml::Value::as_array).into_iter().flatten();
    operations.filter_map(toml::Value::as_table).try_for_each(|operation| known(operation, &OPERATION))?;
    Ok(toml::from_str(text)?)
}

/// A step to be filled in.
fn blank() -> StepContent {
    let operation = Operation {
        kind: OperationKind::Modify,
        path: String::new(),
        to: None,
        symbol: None,
        lines: None,
        change: String::new(),
    };
    StepContent { operations: vec![operation], ..StepContent::default() }
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(parsed(&text).unwrap(), step);
        for (text, key) in [
            ("title = 'a'\nwhy = ''\noperations = []\ncheck = []", "`check`"),
            ("operations = [{ symbols = 'x' }]", "`symbols`"),
        ] {
            let error = parsed(text).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
        assert_eq!(
            toml::from_str::<StepContent>(&written(&StepContent::default()).unwrap()).unwrap(),
            StepContent::default()
        );
    }
}
