//! Sends approved bytes and collects the answer.

use crate::error::request;
use crate::manifest::{METHOD, outgoing};
use crate::repository::RootRepository;
use crate::settle;
use crate::wire::{Ending, Sent, StoredManifest, WebNotes};
use crate::{Inner, plan_asks, upstream};
use ::jobs::{StepContext, StepError};
use api::events::Topic;
use bytes::Bytes;
use futures_util::StreamExt;
use gateway::{ChatStream, GatewayError, Journal, Send, Served};
use llm::approval::{HEADER_FILES, HEADER_JOB, encode_files};
use llm::{Approval, Destination, FinishReason, StreamEvent, Usage};
use plan::{Document, Finding};
use rpc::ApiError;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::StoreError;
use store::approvals::ApprovalRow;
use tokio::task::JoinHandle;

/// How often what has arrived is stored: after a crash at most this much is missing.
const STORE_EVERY: Duration = Duration::from_millis(500);

/// What is sent, checked once more against what was approved.
struct Approved {
    row: ApprovalRow,
    stored: StoredManifest,
    canonical: Vec<u8>,
    headers: Vec<(String, String)>,
}

/// Where an answer goes while it arrives.
pub(crate) enum Sink {
    /// It is a plan: read and checked while it grows.
    Plan(String),
    /// It is a text that is used when it is complete.
    Text,
}

impl Sink {
    fn plan(&self) -> Option<&str> {
        match self {
            Sink::Plan(plan) => Some(plan),
            Sink::Text => None,
        }
    }
}

/// What came back.
pub(crate) struct Answer {
    /// How it ended.
    pub sent: Sent,
    /// What it used, as far as that is known.
    pub usage: Usage,
    /// Who answered, if anyone did.
    pub served: Option<Served>,
    /// What went wrong, in words.
    pub error: Option<String>,
    /// Whether what a server says it sent is what was approved, in a word.
    pub upstream: Option<&'static str>,
    /// Why a part of it could not be stored.
    not_stored: Option<StoreError>,
}

fn failed(e: ApiError) -> StepError {
    StepError::Failed(e.message)
}

/// Sends the approved bytes of a job and stores the answer as it arrives.
pub(crate) async fn send(inner: &Inner, context: &StepContext, sink: &Sink) -> Result<Sent, StepError> {
    let job = &context.job;
    let asked = job.approval_id.as_deref().unwrap_or_default();
    if context.interrupted && inner.has_sent(asked).await? {
        if let Some(sent) = inner.settled(asked).await? {
            return Ok(sent);
        }
        // Whether the provider got it, and what it cost, is not known: sending again could spend twice.
        settle::unknown(inner, &job.id, asked).await?;
        let trouble = "The engine ended while the answer was arriving. What had arrived is kept; nothing was sent again.";
        return Ok(Sent { ending: Ending::Broken, trouble: Some(trouble.to_owned()), alarm: None });
    }
    let approved = approved(inner, context).await?;
    let target = &approved.stored.target;
    let routes = inner.routes(target, approved.headers.clone()).await.map_err(failed)?;
    let session = inner.session(&job.session_id.as_str().into()).await.map_err(failed)?;
    let root = inner.root(&session.project_id).await.map_err(failed)?;

    if context.cancel.is_cancelled() {
        return Err(StepError::Canceled);
    }
    if !inner.record_intent(&approved.row, &approved.stored).await? {
        let message = "The permission to send this ended in the last moment. Nothing was sent; do it once more to be asked.";
        return Err(StepError::Failed(message.to_owned()));
    }
    let journal = Journal::default();
    let canonical = Bytes::from(approved.canonical);
    let send = Send {
        body: canonical.clone(),
        inbound: None,
        routes: &routes,
        created: (inner.now() / 1000).max(0).cast_unsigned(),
        journal: journal.clone(),
    };
    let arriving = Arriving::begin(inner, sink, &approved.row, root).await?;
    let mut answer = match inner.gateway.stream(send, context.cancel.clone()).await {
        Ok(stream) => collect(inner, stream, &arriving).await,
        Err(e) => not_answered(&e),
    };
    if let Some(compared) = upstream::compare(target, answer.served.as_ref(), &canonical) {
        if let Some(alarm) = &compared.alarm {
            tracing::error!(alarm, job = job.id, "the server did not send what was approved");
        }
        answer.upstream = Some(compared.word);
        answer.sent.alarm = compared.alarm;
    }
    if let Some(plan) = sink.plan() {
        inner.live.end(plan);
    }
    // Also when storing the answer failed: what was spent was spent.
    settle::settle(inner, sink.plan(), &approved.row, &approved.stored, &journal, &answer).await?;
    if let Some(error) = answer.not_stored {
        return Err(error.into());
    }
    match (&answer.error, answer.served.is_some()) {
        // Nothing was answered at all: the job failed, and says why.
        (Some(message), false) if !context.cancel.is_cancelled() => Err(StepError::Failed(message.clone())),
        _ => Ok(answer.sent),
    }
}

/// The approval's bytes, after everything that was approved has been computed again from them.
async fn approved(inner: &Inner, context: &StepContext) -> Result<Approved, StepError> {
    let broken = || {
        let message = "What is stored is not what was approved. Nothing was sent.";
        StepError::Failed(message.to_owned())
    };
    let id = context.job.approval_id.clone().ok_or_else(broken)?;
    let (row, stored) = inner.approval(&id.into()).await.map_err(failed)?;
    let (hash, canonical_hash) = (row.body_hash.clone(), row.canonical_hash.clone());
    let texts = inner
        .store
        .read(move |db| Ok((store::texts::get(db, &hash)?, store::texts::get(db, &canonical_hash)?)))
        .await?;
    let (Some(body), Some(canonical)) = texts else { return Err(broken()) };
    let target = &stored.target;
    // The gateway translates the canonical request again; it must become exactly the approved bytes.
    let outgoing = outgoing(inner, target, &canonical).map_err(failed)?;
    let destinations: Vec<Destination> = target
        .destinations
        .iter()
        .map(|(provider, model)| Destination { provider: provider.clone(), model: model.clone() })
        .collect();
    let approval =
        Approval::of_body(METHOD, &outgoing.path, &body, destinations, stored.manifest.cost_ceiling);
    if row.state != "approved" || outgoing.body != body || approval.fingerprint() != row.fingerprint {
        return Err(broken());
    }
    let paths: Vec<String> = stored.manifest.files.iter().map(|f| f.path.clone()).collect();
    let files = encode_files(&paths).map_err(|e| StepError::Failed(e.to_string()))?;
    let own = [(HEADER_JOB, row.job_id.clone()), (HEADER_FILES, files)];
    let headers =
        approval.headers().into_iter().chain(own).map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(Approved { row, stored, canonical, headers })
}

fn not_answered(e: &GatewayError) -> Answer {
    let (ending, trouble) = ending_of(e);
    Answer {
        sent: Sent { ending, trouble: Some(trouble.clone()), alarm: None },
        upstream: None,
        usage: Usage::default(),
        served: None,
        error: Some(trouble),
        not_stored: None,
    }
}

fn ending_of(e: &GatewayError) -> (Ending, String) {
    match e {
        GatewayError::Canceled => (Ending::Canceled, "Stopped before the answer was complete.".to_owned()),
        e => (Ending::Broken, request(e).message),
    }
}

/// An answer under way: where it is stored, and what it is checked against.
struct Arriving<'a> {
    approval: &'a str,
    plan: Option<(&'a str, Arc<RootRepository>)>,
}

impl<'a> Arriving<'a> {
    async fn begin(
        inner: &Inner,
        sink: &'a Sink,
        row: &'a ApprovalRow,
        root: crate::roots::Root,
    ) -> Result<Arriving<'a>, StepError> {
        let plan = match sink {
            Sink::Plan(plan) => {
                inner.live.begin(plan);
                // What the answer follows, where it completes a plan.
                let before = plan_asks::begun_text(inner, plan).await.map_err(failed)?;
                inner.live.push(plan, &before);
                // Whoever watched before there was anything to follow looks again.
                inner.bus.tell(Topic::Plan, plan, Some(&row.session_id));
                Some((plan.as_str(), Arc::new(RootRepository::new(root))))
            }
            Sink::Text => {
                let (approval, job) = (row.id.clone(), row.job_id.clone());
                inner.store.write(move |db| store::answers::begin(db, &approval, &job)).await?;
                None
            }
        };
        Ok(Arriving { approval: &row.id, plan })
    }

    /// Stores what has arrived, with all that it rests on until now.
    async fn store(&self, inner: &Inner, text: String, web: &WebNotes) -> store::Result<()> {
        let approval = self.approval.to_owned();
        let web = (*web != WebNotes::default()).then(|| serde_json::to_string(web).ok()).flatten();
        match &self.plan {
            Some((plan, _)) => inner.append_answer(plan, text).await,
            None => {
                let change = inner.store.write(move |db| {
                    if let Some(web) = web {
                        store::answers::set_web(db, &approval, &web)?;
                    }
                    store::answers::append(db, &approval, &text)
                });
                change.await
            }
        }
    }
}

/// What is said of an answer whose provider waits to be asked to go on.
const PAUSED: &str = "The provider rested before its answer was whole, and would have to be asked to go on. What had arrived is kept; ask \
                      once more, perhaps with fewer searches.";

/// Reads the answer to its end, whatever that is. Steps are checked on another thread while the answer goes on.
async fn collect(inner: &Inner, mut stream: ChatStream, arriving: &Arriving<'_>) -> Answer {
    let mut pending = String::new();
    let mut stored_at = Instant::now();
    let (mut finish, mut error, mut not_stored) = (None, None, None);
    let mut check = Check::default();
    let mut web = WebNotes::default();
    loop {
        let event = tokio::select! {
            event = stream.next() => event,
            findings = check.done() => {
                if let Some((plan, _)) = &arriving.plan {
                    inner.live.found(plan, findings);
                }
                continue;
            }
        };
        match event {
            None => break,
            Some(Ok(StreamEvent::Chunk(chunk))) => {
                let text: String = chunk.choices.iter().filter_map(|c| c.delta.content.as_deref()).collect();
                if let Some((plan, repository)) = &arriving.plan
                    && let Some(document) = inner.live.push(plan, &text)
                {
                    check.want(document, repository);
                }
                pending.push_str(&text);
                note(&mut web, &chunk);
            }
            Some(Ok(StreamEvent::Done(reason))) => finish = Some(reason),
            Some(Ok(StreamEvent::Usage(_) | StreamEvent::KeepAlive | StreamEvent::Error(_))) => {}
            Some(Err(e)) => error = Some(e),
        }
        if not_stored.is_none() && !pending.is_empty() && stored_at.elapsed() >= STORE_EVERY {
            not_stored = arriving.store(inner, std::mem::take(&mut pending), &web).await.err();
            stored_at = Instant::now();
        }
        if not_stored.is_some() {
            // Dropping the stream ends the request: what cannot be kept is not paid for.
            break;
        }
    }
    if not_stored.is_none() && (!pending.is_empty() || web != WebNotes::default()) {
        not_stored = arriving.store(inner, pending, &web).await.err();
    }
    let (ending, trouble) = match (&error, finish) {
        (Some(e), _) => {
            let (ending, trouble) = ending_of(e);
            (ending, Some(trouble))
        }
        (None, Some(FinishReason::Length)) => {
            (Ending::Length, Some("The answer reached the most tokens it may have.".to_owned()))
        }
        (None, Some(FinishReason::ContentFilter)) => {
            (Ending::Broken, Some("The provider withheld the rest of the answer.".to_owned()))
        }
        // To go on would be another request, which nobody has approved.
        (None, Some(FinishReason::PauseTurn)) => (Ending::Broken, Some(PAUSED.to_owned())),
        (None, Some(_)) => (Ending::Finished, None),
        (None, None) => {
            (Ending::Broken, Some("The answer ended without saying that it was complete.".to_owned()))
        }
    };
    Answer {
        error: error.map(|e| request(&e).message),
        usage: stream.usage(),
        served: Some(stream.served().clone()),
        sent: Sent { ending, trouble, alarm: None },
        upstream: None,
        not_stored,
    }
}

/// The most sources and searches that are noted of one answer: a provider may send any number.
const MOST_NOTES: usize = 500;

/// Notes what a piece of an answer rests on.
fn note(web: &mut WebNotes, chunk: &llm::ChatChunk) {
    web.searches.extend(chunk.searches());
    web.searches.truncate(MOST_NOTES);
    web.sources.extend(chunk.sources().into_iter().map(|source| api::research::WebSource {
        url: source.url,
        title: source.title,
        date: source.page_age,
        quote: source.quote,
    }));
    web.sources.truncate(MOST_NOTES);
}

/// The check of a growing plan: one at a time, always of the newest text.
#[derive(Default)]
struct Check {
    running: Option<JoinHandle<Vec<Vec<Finding>>>>,
    waiting: Option<(Document, Arc<RootRepository>)>,
}

impl Check {
    fn want(&mut self, document: Document, repository: &Arc<RootRepository>) {
        self.waiting = Some((document, Arc::clone(repository)));
        self.start();
    }

    fn start(&mut self) {
        if self.running.is_none()
            && let Some((document, repository)) = self.waiting.take()
        {
            let check = move || plan::verify(&document, repository.as_ref());
            self.running = Some(tokio::task::spawn_blocking(check));
        }
    }

    /// The findings of the running check; waits for ever while there is none.
    async fn done(&mut self) -> Vec<Vec<Finding>> {
        let Some(running) = &mut self.running else { return std::future::pending().await };
        // A check that met a defect has no findings; the plan is checked again when it is complete.
        let findings = running.await.unwrap_or_default();
        self.running = None;
        self.start();
        findings
    }
}

impl Inner {
    async fn append_answer(&self, plan: &str, text: String) -> store::Result<()> {
        let plan = plan.to_owned();
        self.store.write(move |db| store::plans::append_answer(db, &plan, &text)).await
    }
}
