//! One request to a model, from the moment it is allowed to the moment it is settled.
//!
//! It runs in a task of its own, so that it is settled whatever becomes of the handler or the connection. The task is on the
//! thread that reads the client, and so are the connections to providers: an event that comes in goes out without another
//! thread having to wake.

mod settle;
mod stream;
pub(crate) mod transcript;

use actix_web::web;
use bytes::Bytes;
use futures_util::StreamExt as _;
use gateway::{CancellationToken, ChatStream, Gateway, GatewayError, Journal, Outcome, Route, Send, Served};
use llm::inbound::{Gathered, Inbound, Opening};
use llm::upstream::{TRANSLATIONS, Upstream};
use llm::{Fold, StreamEvent, Usage};
use tokio::sync::{mpsc, oneshot};

use crate::audit::{Entry, Event};
use crate::clients::ClientSocket;
use crate::error::ApiError;
use crate::identity::Principal;
use crate::policy::Permit;
use crate::running::Listed;
use crate::state::State;
use crate::usage::cost;

/// The largest answer that is gathered, in bytes; streamed ones have no such limit.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;

/// A request that may leave.
pub(crate) struct Exchange {
    pub state: web::Data<State>,
    /// With connections of this thread.
    pub gateway: Gateway,
    pub request_id: String,
    pub principal: Principal,
    pub entry: Entry,
    pub inbound: Inbound,
    pub routes: Vec<Route>,
    pub ceiling_microusd: Option<u64>,
    pub cancel: CancellationToken,
    pub started_ms: i64,
    /// What has been tried.
    pub journal: Journal,
    /// What is given back when it is settled; gone when it is.
    pub held: Option<Held>,
}

/// What a request holds while it runs.
pub(crate) struct Held {
    pub permit: Permit,
    /// Keeps the request cancellable.
    pub listed: Listed,
}

/// What the handler is told once an upstream has begun to answer, or has failed to.
pub(crate) enum Head {
    /// A stream follows.
    Stream { body: mpsc::Receiver<Bytes>, upstream: Option<String> },
    /// The whole answer as JSON, in the dialect of the request.
    Whole { answer: Bytes, upstream: Option<String> },
}

/// How an exchange ended.
struct End {
    event: Event,
    error: Option<ApiError>,
    usage: Option<Usage>,
    served: Option<Served>,
    model: String,
}

impl Exchange {
    /// Runs to the end. `head` is answered once; when its receiver is gone, so is the client.
    pub async fn run(
        mut self: Box<Self>,
        client: Option<ClientSocket>,
        head: oneshot::Sender<Result<Head, ApiError>>,
    ) {
        let cancel = self.cancel.clone();
        // On the heap: it is some kilobytes, and each step outwards would copy them.
        watched(Box::pin(self.exchanged(head)), client, &cancel).await;
    }

    async fn exchanged(&mut self, mut head: oneshot::Sender<Result<Head, ApiError>>) {
        let send = Send {
            body: self.inbound.canonical.clone(),
            inbound: Some(&self.inbound),
            routes: &self.routes,
            created: self.created(),
            journal: self.journal.clone(),
        };
        let opened = tokio::select! {
            biased;
            () = head.closed() => Err(GatewayError::Canceled),
            opened = self.gateway.stream(send, self.cancel.clone()) => opened,
        };
        let end = match opened {
            Err(error) => {
                let end = self.not_opened(error);
                let error = end.error.clone();
                self.settle(end);
                if let Some(error) = error {
                    // Nobody may be waiting any more; it is recorded all the same.
                    let _ = head.send(Err(error));
                }
                return;
            }
            Ok(stream) if self.inbound.stream => self.stream(stream, head).await,
            Ok(stream) => self.whole(stream, head).await,
        };
        self.settle(end);
    }

    /// No upstream has begun to answer.
    fn not_opened(&self, error: GatewayError) -> End {
        let usage = self.on_its_way();
        let event = match &error {
            GatewayError::Canceled => Event::Canceled,
            _ => Event::Failed,
        };
        End { event, error: Some(error.into()), usage, served: None, model: String::new() }
    }

    /// An estimate for a request that was on its way when it was canceled: it may have been worked on, and billed.
    fn on_its_way(&self) -> Option<Usage> {
        let tries = self.journal.tries();
        let on_its_way =
            tries.last().is_some_and(|last| matches!(last.outcome, Outcome::Canceled | Outcome::Pending));
        on_its_way.then(|| llm::Tally::new(llm::counted_bytes(&self.inbound.canonical)).usage())
    }

    /// Collects the whole answer; the upstream streams all the same, so that this can be stopped.
    async fn whole(
        &mut self,
        mut stream: ChatStream,
        mut head: oneshot::Sender<Result<Head, ApiError>>,
    ) -> End {
        let (mut fold, mut gathered) = (Fold::default(), Gathered::default());
        let (mut model, mut bytes) = (String::new(), 0);
        let result = loop {
            let event = tokio::select! {
                biased;
                () = head.closed() => break Err(GatewayError::Canceled),
                event = stream.next() => event,
            };
            match event {
                Some(Ok(StreamEvent::Chunk(chunk))) => {
                    if model.is_empty() {
                        model.clone_from(&chunk.model);
                    }
                    bytes += chunk.content_bytes();
                    fold.push(chunk);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
            if bytes > LARGEST_ANSWER {
                let provider = stream.served().provider.clone();
                break Err(GatewayError::Cut {
                    provider,
                    message: "the answer is larger than is kept".into(),
                });
            }
            stream.take_original().iter().for_each(|event| gathered.push(event));
            if self.over_ceiling(&stream, &model) {
                let error = ceiling_reached();
                let _ = head.send(Err(error.clone()));
                return End { error: Some(error), event: Event::Cut, ..self.ended(&stream, model, Ok(())) };
            }
        };
        let end = self.ended(&stream, model, result);
        let usage = stream.usage();
        let reply = match &end.error {
            None => {
                let cost = self.cost(stream.served(), &end.model, &usage);
                let answer = match stream.passes_through() {
                    true => gathered.finish(),
                    false => self.inbound.answer(&self.opening(&usage), &fold.finish(), usage, cost),
                };
                Ok(Head::Whole { answer, upstream: self.upstream(&stream) })
            }
            Some(error) => Err(error.clone()),
        };
        self.over(&stream, &end.model);
        // Nobody may be waiting any more; it is recorded all the same.
        let _ = head.send(reply);
        end
    }

    /// What the provider that answers was sent, as whoever asked can check it.
    fn upstream(&self, stream: &ChatStream) -> Option<String> {
        // Who approved exact bytes is who compares.
        self.entry.approval.as_ref()?;
        let served = stream.tries().pop()?;
        let upstream = Upstream {
            translations: TRANSLATIONS,
            provider: served.provider,
            model: served.model,
            dialect: served.dialect,
            limits: served.limits,
            body_hash: served.upstream_hash,
            changes: self.entry.transformations.clone(),
        };
        upstream.header().ok()
    }

    /// Room for the client's next request, before it learns that this one is over.
    fn over(&mut self, stream: &ChatStream, model: &str) {
        let usage = stream.usage();
        let cost = self.cost(stream.served(), model, &usage);
        if let Some(held) = &mut self.held {
            held.permit.over(usage.input_tokens.saturating_add(usage.output_tokens), cost);
        }
    }

    fn over_ceiling(&self, stream: &ChatStream, model: &str) -> bool {
        let Some(ceiling) = self.ceiling_microusd else { return false };
        self.cost(stream.served(), model, &stream.usage()).is_some_and(|cost| cost > ceiling)
    }

    fn cost(&self, served: &Served, returned: &str, usage: &Usage) -> Option<u64> {
        cost(self.state.routes.catalogue(), &served.provider, &served.model, returned, usage)
    }

    fn opening(&self, usage: &Usage) -> Opening {
        Opening {
            request_id: self.request_id.clone(),
            created: self.created(),
            prompt_estimate: usage.input_tokens,
        }
    }

    fn created(&self) -> u64 {
        u64::try_from(self.started_ms / 1_000).unwrap_or_default()
    }
}

/// Runs an exchange to its end, and cancels it when the client closes its connection.
async fn watched(
    mut exchanged: impl Future<Output = ()> + Unpin,
    client: Option<ClientSocket>,
    cancel: &CancellationToken,
) {
    let gone = async {
        match client {
            Some(client) => client.closed().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = &mut exchanged => return,
        closed = gone => match closed {
            Ok(()) => cancel.cancel(),
            Err(error) => tracing::warn!(%error, "a connection cannot be watched"),
        },
    }
    exchanged.await;
}

impl Drop for Exchange {
    /// The thread it ran on has ended, or it panicked: it is settled as canceled.
    fn drop(&mut self) {
        if self.held.is_some() {
            let (event, usage) = (Event::Canceled, self.on_its_way());
            self.settle(End { event, error: None, usage, served: None, model: String::new() });
        }
    }
}

fn ceiling_reached() -> ApiError {
    let status = actix_web::http::StatusCode::CONFLICT;
    ApiError::new(status, "ceiling_reached", "the approved cost is used up; the answer was stopped there")
}
