//! Research: questions are proposed or given, each is answered from the web in a job of its own, and what was found goes
//! with the next question for a plan if a person wants that.
//!
//! A request that lets a provider search gets the question and nothing of the project: what a model reads it may search for.

mod apply;

pub(crate) use apply::{apply_answer, apply_proposal, begins, of_sources, tidied};

use crate::error::database;
use crate::models::Resolved;
use crate::prompts;
use crate::question::{Part, Question, Tree};
use crate::questions::{self, workflow};
use crate::wire::{LookUpInput, ResearchInput, WebNotes};
use crate::{Engine, Inner};
use api::WebFindingId;
use api::events::Topic;
use api::research::{
    AttachWebFinding, GetWebFinding, Research, StartResearch, StartedResearch, WebFinding, WebFindingList,
    WebFindingState,
};
use api::sessions::GetSession;
use llm::WebSearch;
use rpc::{ApiError, Caller, ErrorCode};
use store::jobs::{JobRow, JobState};
use store::sessions::SessionRow;
use store::web_findings::WebFindingRow;

/// The most questions of one research.
const MOST_QUESTIONS: usize = 12;

/// The longest question, in bytes.
const LONGEST_QUESTION: usize = 1_000;

/// Searches for one question, where nobody says how many.
const SEARCHES: u32 = 3;

/// The most searches for one question.
const MOST_SEARCHES: u32 = 10;

/// The most tokens of an answer.
const ANSWER_OUTPUT: u64 = 4_000;

/// The states of a row.
const ASKED: &str = "asked";
pub(crate) const ANSWERED: &str = "answered";
pub(crate) const CUT: &str = "cut";

/// What a job asks to have questions proposed.
pub(crate) fn propose(session: &SessionRow) -> Question {
    questions::list(
        "questions to look up on the web",
        prompts::RESEARCH_QUESTIONS,
        vec![Part::new("task", &session.task)],
        Vec::new(),
        Some(Tree::NearFiles),
    )
}

/// What a job asks to have one question answered from the web.
pub(crate) fn look_up(input: LookUpInput) -> Question {
    Question {
        purpose: "an answer from the web to one question".to_owned(),
        prompts: vec![prompts::RESEARCH_ANSWER],
        parts: vec![Part::new("question", &input.question)],
        files: Vec::new(),
        tree: None,
        max_output: ANSWER_OUTPUT,
        usual_output: 800,
        takes_files: false,
        web: Some(input.web),
    }
}

/// A manifest can only let those search that can.
pub(crate) fn searches(model: &Resolved) -> Result<llm::SearchLimit, ApiError> {
    model.web.ok_or_else(|| {
        let message = format!(
            "{} cannot search the web. Nothing was sent. Choose a model whose provider can: those of Anthropic, OpenAI, Google, xAI \
             and OpenRouter do.",
            model.model.id
        );
        ApiError::invalid("no_web_search", message).with("model", &model.model.id)
    })
}

/// Whether a text can be asked.
pub(crate) fn is_question(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_QUESTION
}

fn questions_of(given: Vec<String>) -> Result<Vec<String>, ApiError> {
    let mut kept: Vec<String> = Vec::new();
    for question in given {
        let question = question.trim().to_owned();
        if !is_question(&question) {
            let message = format!("A question has 1 to {LONGEST_QUESTION} bytes. Nothing was asked.");
            return Err(ApiError::invalid("question_length", message));
        }
        if !kept.contains(&question) {
            kept.push(question);
        }
    }
    if kept.len() > MOST_QUESTIONS {
        let message = format!("At most {MOST_QUESTIONS} questions can be asked together. Nothing was asked.");
        return Err(ApiError::invalid("too_many_questions", message));
    }
    Ok(kept)
}

fn web_of(request: &StartResearch) -> Result<WebSearch, ApiError> {
    let searches = request.searches.unwrap_or(SEARCHES);
    if !(1..=MOST_SEARCHES).contains(&searches) {
        let message = format!("A question gets 1 to {MOST_SEARCHES} searches. Nothing was asked.");
        return Err(ApiError::invalid("searches", message));
    }
    let web = WebSearch { max_uses: searches.into(), allowed_domains: request.domains.clone() };
    web.check().map_err(|e| {
        ApiError::invalid(
            "domains",
            format!("{}. Nothing was asked.", crate::error::sentence(&e.to_string())),
        )
    })?;
    Ok(web)
}

/// A question and why it is asked.
struct Asked {
    question: String,
    why: String,
}

impl Inner {
    /// The rows of questions and of the jobs that answer them.
    fn asked(
        &self,
        session: &str,
        asked: Vec<Asked>,
        (model, web): (Option<String>, &WebSearch),
        proposed_by: Option<&str>,
    ) -> Result<Vec<(WebFindingRow, JobRow)>, ApiError> {
        let now = self.now();
        let one = |(place, Asked { question, why }): (u32, Asked)| {
            let (finding, job) = (self.new_id(), self.new_id());
            let input = LookUpInput {
                model: model.clone(),
                finding: finding.clone(),
                question: question.clone(),
                web: web.clone(),
            };
            let input = serde_json::to_string(&input).map_err(|e| ApiError::internal(e.to_string()))?;
            let note = "Prepares what would be sent.".to_owned();
            let row = WebFindingRow {
                id: finding,
                session_id: session.to_owned(),
                job_id: job.clone(),
                proposed_by: proposed_by.map(str::to_owned),
                place,
                question,
                why,
                state: ASKED.to_owned(),
                web: "{}".to_owned(),
                created_at: now,
                ..WebFindingRow::default()
            };
            let job = JobRow::queued(job, session.to_owned(), workflow::LOOK_UP, input, now);
            Ok((row, JobRow { note, ..job }))
        };
        (0..).zip(asked).map(one).collect()
    }

    /// Stores questions with their jobs in one commit, once for each proposal. Whether the session is still there.
    async fn store_asked(&self, rows: &[(WebFindingRow, JobRow)]) -> store::Result<bool> {
        let Some((first, _)) = rows.first() else { return Ok(true) };
        let (session, proposed_by) = (first.session_id.clone(), first.proposed_by.clone());
        let stored = rows.to_vec();
        let known = self
            .store
            .write(move |db| {
                if store::sessions::get(db, &session)?.is_none() {
                    return Ok(false);
                }
                // Done in a run that ended before it could say so.
                if let Some(by) = proposed_by
                    && store::web_findings::proposed(db, &by)?
                {
                    return Ok(true);
                }
                for (finding, job) in &stored {
                    store::jobs::insert(db, job)?;
                    store::web_findings::insert(db, finding)?;
                }
                Ok(true)
            })
            .await?;
        for (_, job) in rows.iter().filter(|_| known) {
            self.told(job);
        }
        Ok(known)
    }

    /// A model that can search the web: the one that is wished for, or the first.
    async fn model_that_searches(&self, wish: Option<String>) -> Result<Option<String>, ApiError> {
        if wish.is_some() {
            return match self.model(wish.as_deref()).await {
                Ok(model) => searches(&model).map(|_| Some(model.model.id)),
                // The job waits for the server, and looks again.
                Err(e) if e.reason == "server_unreachable" => Ok(wish),
                Err(e) => Err(e),
            };
        }
        // Says why there is none at all.
        let first = self.model(None).await?;
        let all = self.resolved_models().await?;
        let able = all.models.into_iter().find(|model| model.web.is_some());
        match able {
            Some(model) => Ok(Some(model.model.id)),
            None => searches(&first).map(|_| None),
        }
    }

    async fn finding_row(&self, id: &WebFindingId) -> Result<WebFindingRow, ApiError> {
        let key = id.0.clone();
        let row = self.store.read(move |db| store::web_findings::get(db, &key)).await.map_err(database)?;
        row.ok_or_else(|| {
            ApiError::not_found("no_finding", "This finding does not exist, or its session was deleted.")
                .with("finding", id)
        })
    }

    async fn finding(&self, row: WebFindingRow) -> Result<WebFinding, ApiError> {
        let key = row.job_id.clone();
        let job = self.store.read(move |db| store::jobs::get(db, &key)).await.map_err(database)?;
        Ok(view(row, job))
    }

    /// What the next question for a plan says of the web: a part for each finding that is attached.
    pub(crate) async fn findings_for_plan(&self, session: &str) -> Result<Vec<Part>, ApiError> {
        let key = session.to_owned();
        let rows =
            self.store.read(move |db| store::web_findings::attached(db, &key)).await.map_err(database)?;
        let part = |(n, row): (usize, WebFindingRow)| Part::new(&format!("web-finding-{n}"), told(&row));
        Ok((1..).zip(rows).map(part).collect())
    }
}

/// Adds what was found to a question for a plan.
pub(crate) fn with_findings(mut question: Question, findings: Vec<Part>) -> Question {
    if !findings.is_empty() {
        question.prompts.push(prompts::WEB_FINDINGS);
        question.parts.extend(findings);
    }
    question
}

/// The sources of a finding; none before there is an answer.
pub(crate) fn notes(row: &WebFindingRow) -> WebNotes {
    if row.web.is_empty() {
        return WebNotes::default();
    }
    serde_json::from_str(&row.web).unwrap_or_else(|error| {
        tracing::error!(%error, finding = row.id, "the sources of a finding cannot be read; its answer is shown without them");
        WebNotes::default()
    })
}

/// A finding as text.
fn told(row: &WebFindingRow) -> String {
    text(&row.question, &row.answer, row.state == CUT, &notes(row))
}

/// A question with its answer and sources as text.
pub(crate) fn text(question: &str, answer: &str, cut: bool, notes: &WebNotes) -> String {
    let mut text = format!("Question: {question}\n\n{}\n", answer.trim_end());
    if cut {
        text.push_str("(The answer ended too early.)\n");
    }
    if !notes.sources.is_empty() {
        text.push_str("\nSources:\n");
    }
    for source in &notes.sources {
        let date = source.date.as_ref().map(|date| format!(", {date}")).unwrap_or_default();
        text.push_str(&format!("- {} <{}>{date}\n", source.title, source.url));
    }
    text
}

fn view(row: WebFindingRow, job: Option<JobRow>) -> WebFinding {
    let notes = notes(&row);
    let (state, why) = match (row.state.as_str(), &job) {
        (ANSWERED, _) => (WebFindingState::Answered, None),
        (CUT, _) => (WebFindingState::Cut, None),
        (_, Some(job)) => match job.state {
            JobState::Failed | JobState::Completed => (WebFindingState::Failed, Some(job.note.clone())),
            JobState::Canceled => (WebFindingState::Canceled, Some(job.note.clone())),
            _ => (WebFindingState::Asked, None),
        },
        (_, None) => (WebFindingState::Failed, Some("Its job is gone. Ask once more.".to_owned())),
    };
    let usage: Option<api::plans::Usage> = row.usage.and_then(|usage| serde_json::from_str(&usage).ok());
    let time = |at: i64| at.max(0).cast_unsigned();
    WebFinding {
        id: row.id.into(),
        session: row.session_id.into(),
        job: row.job_id.into(),
        question: row.question,
        why: row.why,
        state,
        trouble: row.trouble.or(why),
        answer: row.answer,
        sources: notes.sources,
        searches: notes.searches,
        served: row.model,
        cost: usage.filter(|usage| !usage.unpriced).map(|usage| usage.cost),
        attached: row.attached,
        created_at: time(row.created_at),
        answered_at: row.answered_at.map(time),
    }
}

impl Research for Engine {
    async fn start(&self, _: &Caller, request: StartResearch) -> Result<StartedResearch, ApiError> {
        let session = self.inner.session(&request.session).await?;
        let web = web_of(&request)?;
        let given = questions_of(request.questions)?;
        if given.is_empty() && session.task.trim().is_empty() {
            let message =
                "The task is empty, so no questions can be proposed. Describe the change, or ask yourself.";
            return Err(ApiError::invalid("task_empty", message));
        }
        let model = self.inner.model_that_searches(request.model).await?;
        if given.is_empty() {
            let input = serde_json::to_string(&ResearchInput { model, web })
                .map_err(|e| ApiError::internal(e.to_string()))?;
            let (id, now) = (self.inner.new_id(), self.inner.now());
            let note = "Prepares what would be sent.".to_owned();
            let row = JobRow { note, ..JobRow::queued(id, session.id, workflow::RESEARCH, input, now) };
            let proposal = Some(self.inner.enqueue(row).await?);
            return Ok(StartedResearch { proposal, findings: Vec::new() });
        }
        let asked = given.into_iter().map(|question| Asked { question, why: String::new() }).collect();
        let rows = self.inner.asked(&session.id, asked, (model, &web), None)?;
        if !self.inner.store_asked(&rows).await.map_err(database)? {
            return Err(crate::error::no_session(&session.id.into()));
        }
        let findings = rows.into_iter().map(|(finding, job)| view(finding, Some(job))).collect();
        Ok(StartedResearch { proposal: None, findings })
    }

    async fn list(&self, _: &Caller, request: GetSession) -> Result<WebFindingList, ApiError> {
        self.inner.session(&request.session).await?;
        let key = request.session.0;
        let rows = self.inner.store.read(move |db| {
            let rows = store::web_findings::list(db, &key)?;
            rows.into_iter()
                .map(|row| Ok((store::jobs::get(db, &row.job_id)?, row)))
                .collect::<store::Result<Vec<_>>>()
        });
        let rows = rows.await.map_err(database)?;
        Ok(WebFindingList { findings: rows.into_iter().map(|(job, row)| view(row, job)).collect() })
    }

    async fn get(&self, _: &Caller, request: GetWebFinding) -> Result<WebFinding, ApiError> {
        let row = self.inner.finding_row(&request.finding).await?;
        self.inner.finding(row).await
    }

    async fn attach(&self, _: &Caller, request: AttachWebFinding) -> Result<WebFinding, ApiError> {
        let row = self.inner.finding_row(&request.finding).await?;
        if request.attached && row.state == ASKED {
            let message = "There is no answer that could be attached.";
            return Err(ApiError::new(ErrorCode::Conflict, "not_answered", message));
        }
        let (key, attached) = (row.id.clone(), request.attached);
        let stored = self.inner.store.write(move |db| store::web_findings::attach(db, &key, attached));
        stored.await.map_err(database)?;
        self.inner.bus.tell(Topic::Session, &row.session_id, Some(&row.session_id));
        self.inner.finding(WebFindingRow { attached, ..row }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_have_bounds() {
        let many = (0..13).map(|n| format!("q{n}")).collect();
        assert_eq!(questions_of(many).unwrap_err().reason, "too_many_questions");
        assert_eq!(questions_of(vec![" ".into()]).unwrap_err().reason, "question_length");
        assert_eq!(questions_of(vec!["x".repeat(1_001)]).unwrap_err().reason, "question_length");
        assert_eq!(questions_of(vec!["a".into(), " a ".into(), "b".into()]).unwrap(), ["a", "b"]);
    }
}
