//! What becomes of the answers: proposed questions are asked, and what was found is kept.

use super::{ANSWERED, Asked, CUT, MOST_QUESTIONS, is_question};
use crate::wire::{Ending, LookUpInput, ResearchInput, WebNotes};
use crate::workflow::{answer, failed, sent};
use crate::{Inner, named, questions};
use ::jobs::{Outcome, StepContext, StepError};
use api::research::WebSource;
use store::jobs::JobRow;
use store::web_findings::WebFindingRow;

/// The longest reason, in characters.
const LONGEST_WHY: usize = 200;

/// How many sources of an answer are kept.
const MOST_SOURCES: usize = 50;

/// The longest title or quotation that is kept, in characters.
const LONGEST_WORDS: usize = 500;

/// Asks what a model has proposed.
pub(crate) async fn apply_proposal(inner: &Inner, context: &StepContext) -> Result<Outcome, StepError> {
    let job = &context.job;
    let input: ResearchInput = questions::input(job).map_err(failed)?;
    let ending = sent(context, "")?;
    if ending.ending == Ending::Canceled {
        return Err(StepError::Canceled);
    }
    let Some(list) = named::questions(&answer(inner, job).await?) else {
        let why: String = ending.alarm.iter().chain(&ending.trouble).map(|why| format!(" {why}")).collect();
        return Err(StepError::Failed(format!(
            "The model's answer is not a list of questions that can be read.{why} Nothing was asked, and the answer is kept."
        )));
    };
    let mut asked: Vec<Asked> = Vec::new();
    for named::Named { path: question, why, .. } in list.named {
        if is_question(&question)
            && asked.len() < MOST_QUESTIONS
            && asked.iter().all(|known| known.question != question)
        {
            asked.push(Asked { question, why: why.chars().take(LONGEST_WHY).collect() });
        }
    }
    let count = asked.len();
    let rows =
        inner.asked(&job.session_id, asked, (input.model, &input.web), Some(&job.id)).map_err(failed)?;
    inner.store_asked(&rows).await?;
    let cut = if list.whole && ending.ending == Ending::Finished {
        ""
    } else {
        " The answer was cut; what had arrived is asked."
    };
    let alarm = ending.alarm.map(|alarm| format!(" {alarm}")).unwrap_or_default();
    Ok(Outcome::Done(format!("{count} questions.{cut}{alarm}")))
}

/// Notes that this job now answers its question: it may do once more what another one did not.
pub(crate) async fn begins(inner: &Inner, job: &JobRow) -> Result<(), StepError> {
    let input: LookUpInput = questions::input(job).map_err(failed)?;
    let id = job.id.clone();
    inner.store.write(move |db| store::web_findings::set_job(db, &input.finding, &id)).await?;
    Ok(())
}

/// Keeps an answer from the web.
pub(crate) async fn apply_answer(inner: &Inner, context: &StepContext) -> Result<Outcome, StepError> {
    let job = &context.job;
    let input: LookUpInput = questions::input(job).map_err(failed)?;
    let sent = sent(context, "")?;
    let text = answer(inner, job).await?;
    if sent.ending == Ending::Canceled {
        return Err(StepError::Canceled);
    }
    if text.trim().is_empty() {
        let why = sent.trouble.unwrap_or_else(|| "The model gave no answer.".to_owned());
        let alarm = sent.alarm.map(|alarm| format!("{alarm} ")).unwrap_or_default();
        return Err(StepError::Failed(format!("{alarm}{why} The question is kept; ask it once more.")));
    }
    let approval = job.approval_id.clone().unwrap_or_default();
    let key = approval.clone();
    let noted = inner.store.read(move |db| store::answers::web(db, &key)).await?;
    let noted: WebNotes = noted.and_then(|notes| serde_json::from_str(&notes).ok()).unwrap_or_default();
    let (notes, foreign) = tidied(noted);
    let mut trouble: Vec<String> = sent.alarm.into_iter().chain(sent.trouble).collect();
    trouble.extend(of_sources(&notes, foreign));
    let outcome = inner.outcome(&approval).await?;
    let state = if sent.ending == Ending::Finished { ANSWERED } else { CUT };
    let row = WebFindingRow {
        id: input.finding,
        job_id: job.id.clone(),
        state: state.to_owned(),
        trouble: Some(trouble.join(" ")).filter(|trouble| !trouble.is_empty()),
        answer: text,
        web: crate::workflow::json(&notes)?,
        usage: outcome.as_ref().and_then(|outcome| serde_json::to_string(&outcome.usage).ok()),
        model: outcome.and_then(|outcome| outcome.served),
        answered_at: Some(inner.now()),
        ..WebFindingRow::default()
    };
    inner.store.write(move |db| store::web_findings::answer(db, &row)).await?;
    Ok(Outcome::Done(format!("{} sources.", notes.sources.len())))
}

/// What a person has to know of the sources of an answer, after [`tidied`].
pub(crate) fn of_sources(notes: &WebNotes, foreign: usize) -> Vec<String> {
    let mut said = Vec::new();
    if foreign > 0 {
        said.push(format!("{foreign} sources without a web address were left out."));
    }
    if notes.sources.is_empty() {
        said.push("No source was given: what it says may not have been looked up.".to_owned());
    }
    said
}

/// Each address once and only addresses, at a length that can be shown; and how many were none.
pub(crate) fn tidied(notes: WebNotes) -> (WebNotes, usize) {
    let short = |text: String| -> String {
        let one_line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        one_line.take(LONGEST_WORDS).collect::<String>().trim().to_owned()
    };
    let is_address = |url: &str| {
        let plain = !url.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '"'));
        plain && (url.starts_with("https://") || url.starts_with("http://"))
    };
    let mut sources: Vec<WebSource> = Vec::new();
    let mut foreign = 0;
    for source in notes.sources {
        if !is_address(&source.url) {
            foreign += 1;
            continue;
        }
        let (date, quote) = (source.date.map(short), source.quote.map(short));
        match sources.iter().position(|known| known.url == source.url) {
            Some(at) => {
                let known = &mut sources[at];
                known.date = known.date.take().or(date);
                known.quote = known.quote.take().or(quote);
            }
            None if sources.len() < MOST_SOURCES => {
                sources.push(WebSource { title: short(source.title), url: source.url, date, quote });
            }
            None => {}
        }
    }
    let searches = notes.searches.into_iter().map(short).collect();
    (WebNotes { sources, searches }, foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(url: &str, title: &str, date: Option<&str>) -> WebSource {
        WebSource { url: url.into(), title: title.into(), date: date.map(Into::into), quote: None }
    }

    #[test]
    fn each_address_is_kept_once_and_nothing_that_is_none() {
        let given = WebNotes {
            sources: vec![
                source("https://a.example/", "A\u{1b}[31m\ntitle", None),
                source("javascript:alert(1)", "B", None),
                source("https://a.example/ onclick", "C", None),
                source("https://a.example/", "A again", Some("May 2026")),
            ],
            searches: vec!["x\ny".into()],
        };
        let (kept, foreign) = tidied(given);
        assert_eq!(foreign, 2);
        assert_eq!(kept.sources, [source("https://a.example/", "A [31m title", Some("May 2026"))]);
        assert_eq!(kept.searches, ["x y"]);
    }
}
