//! How a suggestion looks.

use super::{Format, Told};
use crate::show::{self, BAD, GOOD, QUIET, STRONG, styled};
use api::jobs::Job;
use api::tasks::{Suggestion, SuggestionState};
use api::usage::{UsageBy, UsageClient, UsageGroup, UsageTable};
use host::Host;
use similar::{ChangeTag, TextDiff};
use std::io::IsTerminal;

/// Says on stderr which words give way to which, and what is wrong with how they were asked for.
pub fn change(suggestion: &Suggestion) {
    show::tell("");
    lines(suggestion).into_iter().for_each(show::tell);
}

/// The lines that go, come and stay, each after its sign, and then the alarm, if there is one.
fn lines(suggestion: &Suggestion) -> Vec<String> {
    let Suggestion { before, text, alarm, .. } = suggestion;
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), text.lines().collect());
    let diff = TextDiff::from_slices(&before, &after);
    let line = |change: similar::Change<&str>| {
        let text = change.value();
        match change.tag() {
            ChangeTag::Delete => styled(BAD, format!("- {text}")),
            ChangeTag::Insert => styled(GOOD, format!("+ {text}")),
            ChangeTag::Equal => styled(QUIET, format!("  {text}")),
        }
    };
    let alarm = alarm.iter().map(|alarm| styled(BAD, format!("alarm: {alarm}")));
    diff.iter_all_changes().map(line).chain(alarm).collect()
}

/// Says on stderr what became of it, what it cost, and what can be done now.
pub async fn summary(host: &Host, job: &Job, suggestion: &Suggestion) {
    let by = UsageBy { since: job.created_at, group: UsageGroup::Job };
    let usage = UsageClient(host.client.clone()).by(&by).await;
    let same = suggestion.before == suggestion.text;
    let what = match suggestion.state {
        SuggestionState::Applied if same => "The words stay as they are",
        SuggestionState::Applied => "The task has these words now",
        _ => "The task was changed meanwhile and is as somebody left it",
    };
    let mut text = what.to_owned();
    let row = |table: &UsageTable| table.rows.iter().find(|row| row.key == job.id.0).cloned();
    // The task is what counts: what it cost is in `plantocode usage` as well.
    if let Some(row) = usage.ok().as_ref().and_then(row) {
        let cost = if row.unpriced > 0 { "cost unknown".to_owned() } else { show::money(row.cost) };
        let (input, output) = (show::count(row.input_tokens), show::count(row.output_tokens));
        text.push_str(&format!(" · {input} tokens in, {output} out · {cost}"));
    }
    let session = &job.session;
    show::tell(format_args!("\n{}", styled(STRONG, text)));
    if suggestion.state == SuggestionState::Applied {
        // Where nothing changed there is no step of ours: the last one is the person's.
        let undo = if same {
            String::new()
        } else {
            format!("`plantocode session undo {session}` takes the change back; ")
        };
        show::note(format!("{undo}`plantocode plan --session {session}` plans the task."));
    }
}

/// Writes the result to stdout: of a suggestion that is not in the task, itself.
pub fn result(told: &Told, format: Format) -> anyhow::Result<()> {
    let text = match (format, told.suggestion.state) {
        (Format::Json, _) => serde_json::to_string_pretty(told)?,
        (Format::Text, SuggestionState::Applied) => told.task.clone(),
        (Format::Text, _) => told.suggestion.text.clone(),
    };
    let mut out = std::io::stdout();
    let text = show::document(&text, out.is_terminal());
    show::write_out(&mut out, format!("{}\n", text.trim_end_matches('\n')).as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_and_what_comes_has_its_sign() {
        let told = lines(&Suggestion {
            job: "j".to_owned().into(),
            state: SuggestionState::Applied,
            before: "Keep.\nMake it gooder.".into(),
            text: "Keep.\nMake it better.\u{1b}[2J\n".into(),
            alarm: Some("The server changed the request.".into()),
        });
        let bare: Vec<String> =
            told.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
        let alarm = "alarm: The server changed the request.";
        assert_eq!(bare, ["  Keep.", "- Make it gooder.", "+ Make it better.\u{fffd}[2J", alarm]);
        assert!(told[1].starts_with("\u{1b}[31m") && told[2].starts_with("\u{1b}[32m"), "{told:?}");
    }
}
