//! Terminals: started in granted folders, kept by a host process of their own, followed by offset.

use crate::error::no_project;
use crate::wire::TerminalLabel;
use crate::{Engine, Inner, hand_over};
use api::events::Topic;
use api::terminals::{
    AttachTerminal, GetTerminal, HandOver, HandedOver, InputTaken, ListTerminals, PasteRefusal, PasteText,
    Pasted, ReadHistory, RecordKind, ResizeTerminal, StartTerminal, Terminal, TerminalExit, TerminalInput,
    TerminalList, TerminalState, Terminals,
};
use api::{Empty, TerminalId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::StreamExt;
use rpc::{ApiError, Caller, Consumed, ErrorCode, Record, RecordStream};
use std::path::Path;
use std::sync::Arc;
use terminal::{
    Attach, Attachment, Client, HostConfig, Info, PasteOutcome, PasteRule, Refusal, Size, Start, State,
};
use terminal::{TerminalError, wire};
use tokio::sync::Mutex;

/// Lines above the screen that a snapshot brings.
const SCROLLBACK: u32 = 1_000;
/// The longest title, in characters.
const MAX_TITLE: usize = 80;
/// How much history is read at once, in bytes.
const HISTORY_PIECE: u64 = 64 << 10;

/// The connection to the terminal host; made when it is first needed, and anew when the host has gone.
pub(crate) struct TerminalHost {
    config: HostConfig,
    client: Mutex<Option<Client>>,
}

impl TerminalHost {
    pub(crate) fn new(config: HostConfig) -> TerminalHost {
        TerminalHost { config, client: Mutex::default() }
    }
}

/// What a host says when something did not happen.
fn refused(error: &TerminalError) -> ApiError {
    let message = crate::error::sentence(&error.to_string());
    match error {
        TerminalError::NotFound(_) => ApiError::not_found("no_terminal", message),
        TerminalError::Sequence { expected } => {
            ApiError::new(ErrorCode::Conflict, "input_sequence", message).with("expected", expected)
        }
        TerminalError::Full => ApiError::new(ErrorCode::RateLimited, "input_full", message),
        TerminalError::Invalid(_) => ApiError::invalid("terminal", message),
        TerminalError::Unreachable { .. } | TerminalError::Gone => {
            let message =
                "The process that holds the terminals does not answer. Their output is kept; try again.";
            ApiError::new(ErrorCode::Unavailable, "terminal_host", message)
        }
        TerminalError::Refused(_) | TerminalError::Failed { .. } => {
            tracing::error!(%error, "the terminal host refused");
            ApiError::new(ErrorCode::Internal, "terminal_host", message)
        }
    }
}

impl Inner {
    /// How many terminals are kept, or why their host does not say; `None` when no host runs. Starts none.
    pub(crate) async fn running_terminals(&self) -> Option<Result<usize, ApiError>> {
        match Client::connect(&self.terminals.config).await {
            Ok(client) => Some(client.list().await.map(|list| list.len()).map_err(|e| refused(&e))),
            Err(TerminalError::Unreachable { .. }) => None,
            Err(e) => Some(Err(refused(&e))),
        }
    }

    /// The terminal host, started if it does not run.
    pub(crate) async fn terminal_host(self: &Arc<Inner>) -> Result<Client, ApiError> {
        let mut current = self.terminals.client.lock().await;
        if let Some(client) = current.as_ref() {
            return Ok(client.clone());
        }
        let client = Client::connect_or_start(&self.terminals.config).await.map_err(|e| refused(&e))?;
        let mut notices = client.watch().await.map_err(|e| refused(&e))?;
        let inner = Arc::downgrade(self);
        tokio::spawn(async move {
            while let Some(changed) = notices.next().await {
                let Some(inner) = inner.upgrade() else { return };
                // Too many changed to name them: an empty id means all.
                let ids = if changed.is_empty() { vec![String::new()] } else { changed };
                for id in ids {
                    inner.bus.tell(Topic::Terminal, &id, None);
                }
            }
            // The host has gone: the next call makes a new connection.
            if let Some(inner) = inner.upgrade() {
                inner.terminals.client.lock().await.take();
                inner.bus.tell(Topic::Terminal, "", None);
            }
        });
        *current = Some(client.clone());
        Ok(client)
    }

    /// One terminal as its host knows it.
    pub(crate) async fn terminal(self: &Arc<Inner>, id: &TerminalId) -> Result<Info, ApiError> {
        let all = self.terminal_host().await?.list().await.map_err(|e| refused(&e))?;
        let message = "This terminal does not exist, or was forgotten.";
        let missing = || ApiError::not_found("no_terminal", message).with("terminal", id);
        all.into_iter().find(|info| info.id == id.0).ok_or_else(missing)
    }
}

/// What the engine wrote on a terminal; nothing for one of a later or damaged form.
pub(crate) fn label(info: &Info) -> TerminalLabel {
    serde_json::from_str(&info.label).unwrap_or_default()
}

fn view(info: Info) -> Terminal {
    let label = label(&info);
    let time = |ms: i64| ms.max(0).cast_unsigned();
    let (state, exit) = match info.state {
        State::Running => (TerminalState::Running, None),
        State::Lost => (TerminalState::Lost, None),
        State::Exited { code, signal } => {
            let code = signal.is_none().then(|| i32::try_from(code).unwrap_or(i32::MAX));
            (TerminalState::Exited, Some(TerminalExit { code, signal }))
        }
    };
    Terminal {
        id: info.id.into(),
        session: label.session,
        project: label.project,
        title: info.title,
        command: info.command.unwrap_or_default(),
        state,
        exit,
        epoch: info.epoch.to_string(),
        head: info.head,
        log_start: info.log_start,
        columns: info.size.cols,
        rows: info.size.rows,
        created_at: time(info.started_at),
        last_output_at: time(info.last_output_at.unwrap_or(info.started_at)),
    }
}

fn title(request: &StartTerminal, command: Option<&Vec<String>>) -> String {
    let program = || {
        let first = command.and_then(|words| words.first());
        first.map_or("shell", |p| Path::new(p).file_name().and_then(|n| n.to_str()).unwrap_or(p)).to_owned()
    };
    let given = request.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
    given.map_or_else(program, |title| title.chars().filter(|c| !c.is_control()).take(MAX_TITLE).collect())
}

fn epoch(text: &str) -> Result<u64, ApiError> {
    text.parse().map_err(|_| ApiError::invalid("epoch", "An epoch is a decimal number of at most 64 bits."))
}

/// A viewer's name that no other caller can take: the caller's own name stands before it.
pub(crate) fn viewer(caller: &Caller, viewer: &str) -> Result<String, ApiError> {
    let fits = !viewer.is_empty() && viewer.len() <= 64 && viewer.bytes().all(|b| b.is_ascii_graphic());
    if !fits {
        return Err(ApiError::invalid("viewer", "A viewer's name is 1 to 64 visible ASCII characters."));
    }
    Ok(format!("{}/{viewer}", caller.name))
}

/// A record as viewers get it; how the program ended is asked of the host.
async fn record(host: &Client, terminal: &str, record: terminal::Record) -> Record {
    let mut head = BytesMut::new();
    let size = |head: &mut BytesMut, size: Size| {
        head.put_u16(size.cols);
        head.put_u16(size.rows);
    };
    let kind = match record.kind {
        wire::RecordKind::Data => RecordKind::Data,
        wire::RecordKind::Snapshot { size: of } => {
            size(&mut head, of);
            RecordKind::Snapshot
        }
        wire::RecordKind::Gap { to } => {
            head.put_u64(to);
            RecordKind::Gap
        }
        wire::RecordKind::Resize { size: of } => {
            size(&mut head, of);
            RecordKind::Resize
        }
        wire::RecordKind::Exit => {
            let all = host.list().await.unwrap_or_default();
            let exit = all.into_iter().find(|info| info.id == terminal).and_then(|info| view(info).exit);
            // Two optional scalars are always JSON.
            head.put_slice(&serde_json::to_vec(&exit.unwrap_or_default()).unwrap_or_default());
            RecordKind::Exit
        }
    };
    let bytes = if head.is_empty() {
        record.bytes
    } else {
        head.put_slice(&record.bytes);
        head.freeze()
    };
    Record { kind: kind as u8, epoch: record.epoch, offset: record.offset, bytes }
}

/// The records of an attachment; what the caller consumed is passed on as the host's credit.
fn follow(host: Client, terminal: String, attachment: Attachment, consumed: Consumed) -> RecordStream {
    let start = (attachment, consumed, 0u64);
    futures_util::stream::try_unfold(start, move |(mut attachment, mut consumed, mut granted)| {
        let (host, terminal) = (host.clone(), terminal.clone());
        async move {
            loop {
                tokio::select! {
                    next = attachment.next() => {
                        let Some(next) = next.map_err(|e| refused(&e))? else { return Ok(None) };
                        let record = record(&host, &terminal, next).await;
                        return Ok(Some((record, (attachment, consumed, granted))));
                    }
                    total = consumed.grown() => {
                        let Some(total) = total else { return Ok(None) };
                        let fresh = usize::try_from(total.saturating_sub(granted)).unwrap_or(usize::MAX);
                        attachment.consume(fresh).await.map_err(|e| refused(&e))?;
                        granted = total;
                    }
                }
            }
        }
    })
    .boxed()
}

impl Terminals for Engine {
    async fn list(&self, _: &Caller, request: ListTerminals) -> Result<TerminalList, ApiError> {
        let all = self.inner.terminal_host().await?.list().await.map_err(|e| refused(&e))?;
        let wanted = |terminal: &Terminal| request.session.is_none() || terminal.session == request.session;
        Ok(TerminalList { terminals: all.into_iter().map(view).filter(wanted).collect() })
    }

    async fn start(&self, _: &Caller, request: StartTerminal) -> Result<Terminal, ApiError> {
        let project = request.project.0.clone();
        let row = self.inner.store.read(move |db| store::projects::get(db, &project)).await;
        let row = row.map_err(crate::error::database)?.ok_or_else(|| no_project(&request.project))?;
        if let Some(session) = &request.session {
            let of_project = self.inner.session(session).await?.project_id == request.project.0;
            if !of_project {
                let message = "The session belongs to another project. No terminal was started.";
                return Err(ApiError::invalid("another_project", message));
            }
        }
        let command = request.command.clone().filter(|words| !words.is_empty());
        let label = TerminalLabel { project: request.project.clone(), session: request.session.clone() };
        let start = Start {
            id: self.inner.new_id(),
            title: title(&request, command.as_ref()),
            command,
            cwd: row.path,
            env: terminal::own_environment(),
            size: Size { cols: request.columns, rows: request.rows },
            label: serde_json::to_string(&label).map_err(|e| ApiError::internal(e.to_string()))?,
            scrollback: SCROLLBACK,
        };
        let info = self.inner.terminal_host().await?.start(start).await.map_err(|e| refused(&e))?;
        self.inner.bus.tell(Topic::Terminal, &info.id, None);
        Ok(view(info))
    }

    async fn attach(
        &self,
        _: &Caller,
        request: AttachTerminal,
        consumed: Consumed,
    ) -> Result<RecordStream, ApiError> {
        let attach = Attach {
            terminal: request.terminal.0,
            epoch: request.epoch.as_deref().map(epoch).transpose()?,
            have: request.have,
            window: request.window.clamp(*wire::WINDOWS.start(), *wire::WINDOWS.end()),
            scrollback: true,
        };
        let host = self.inner.terminal_host().await?;
        let terminal = attach.terminal.clone();
        let attachment = host.attach(attach).await.map_err(|e| refused(&e))?;
        Ok(follow(host, terminal, attachment, consumed))
    }

    async fn history(
        &self,
        _: &Caller,
        request: ReadHistory,
        consumed: Consumed,
    ) -> Result<RecordStream, ApiError> {
        let epoch = epoch(&request.epoch)?;
        let host = self.inner.terminal_host().await?;
        let window = u64::from(request.window).max(HISTORY_PIECE);
        let (terminal, first, end) = (request.terminal.0, request.from, request.to);
        let records = futures_util::stream::try_unfold((first, consumed), move |(from, mut consumed)| {
            let (host, terminal) = (host.clone(), terminal.clone());
            async move {
                if from >= end {
                    return Ok(None);
                }
                while from - first >= consumed.total().saturating_add(window) {
                    if consumed.grown().await.is_none() {
                        return Ok(None);
                    }
                }
                let to = end.min(from + HISTORY_PIECE);
                let bytes = host.history(&terminal, epoch, from, to).await.map_err(|e| refused(&e))?;
                if bytes.is_empty() {
                    return Ok(None);
                }
                let next = from + bytes.len() as u64;
                let record = Record { kind: RecordKind::Data as u8, epoch, offset: from, bytes };
                Ok(Some((record, (next, consumed))))
            }
        });
        Ok(records.boxed())
    }

    async fn input(&self, caller: &Caller, request: TerminalInput) -> Result<InputTaken, ApiError> {
        let viewer = viewer(caller, &request.viewer)?;
        let bytes = STANDARD.decode(&request.data).map_err(|_| {
            ApiError::invalid("not_base64", "The bytes are not in base64. Nothing was typed.")
        })?;
        let host = self.inner.terminal_host().await?;
        let seq = host.input(&request.terminal.0, &viewer, request.seq, bytes).await;
        Ok(InputTaken { seq: seq.map_err(|e| refused(&e))? })
    }

    async fn paste(&self, caller: &Caller, request: PasteText) -> Result<Pasted, ApiError> {
        let viewer = viewer(caller, &request.viewer)?;
        let terminal = &request.terminal;
        self.inner.paste(terminal, &viewer, request.seq, &request.text, PasteRule::Foreground).await
    }

    async fn hand_over(&self, caller: &Caller, request: HandOver) -> Result<HandedOver, ApiError> {
        let viewer = viewer(caller, &request.key)?;
        hand_over::hand_over(&self.inner, &viewer, &request).await
    }

    async fn resize(&self, _: &Caller, request: ResizeTerminal) -> Result<Empty, ApiError> {
        let size = Size { cols: request.columns, rows: request.rows };
        let host = self.inner.terminal_host().await?;
        host.resize(&request.terminal.0, size).await.map_err(|e| refused(&e))?;
        Ok(Empty {})
    }

    async fn close(&self, _: &Caller, request: GetTerminal) -> Result<Empty, ApiError> {
        let host = self.inner.terminal_host().await?;
        host.close(&request.terminal.0).await.map_err(|e| refused(&e))?;
        Ok(Empty {})
    }

    async fn forget(&self, _: &Caller, request: GetTerminal) -> Result<Empty, ApiError> {
        let host = self.inner.terminal_host().await?;
        host.forget(&request.terminal.0).await.map_err(|e| refused(&e))?;
        self.inner.bus.tell(Topic::Terminal, &request.terminal.0, None);
        Ok(Empty {})
    }
}

impl Inner {
    /// Types bytes for a viewer.
    pub(crate) async fn type_in(
        self: &Arc<Inner>,
        terminal: &TerminalId,
        viewer: &str,
        seq: u64,
        bytes: Bytes,
    ) -> Result<(), ApiError> {
        let host = self.terminal_host().await?;
        host.input(&terminal.0, viewer, seq, bytes).await.map(drop).map_err(|e| refused(&e))
    }

    /// Pastes a text under a rule of the host.
    pub(crate) async fn paste(
        self: &Arc<Inner>,
        terminal: &TerminalId,
        viewer: &str,
        seq: u64,
        text: &str,
        rule: PasteRule,
    ) -> Result<Pasted, ApiError> {
        let host = self.terminal_host().await?;
        let outcome = host.paste(&terminal.0, viewer, seq, text, rule).await.map_err(|e| refused(&e))?;
        Ok(match outcome {
            PasteOutcome::Pasted => Pasted::Pasted,
            PasteOutcome::Interrupted { written } => Pasted::Interrupted {
                message: format!(
                    "The program changed while the text was being written: {written} bytes of it have arrived. \
                     Look at the terminal before you submit anything."
                ),
            },
            PasteOutcome::Refused(refusal) => Pasted::Refused {
                reason: match refusal {
                    Refusal::Control { .. } => PasteRefusal::ControlCharacters,
                    Refusal::NoBracketedPaste => PasteRefusal::NoBracketedPaste,
                    Refusal::Foreground => PasteRefusal::Foreground,
                },
                message: why_refused(&refusal),
            },
        })
    }
}

fn why_refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Control { at, code } => format!(
            "The text has the control character U+{code:04X} at byte {at}, which could end the paste and run as a \
             command. Nothing was pasted."
        ),
        Refusal::NoBracketedPaste => {
            "The program does not take a paste as one piece: each of its lines would be run. \
                                      Nothing was pasted."
                .to_owned()
        }
        Refusal::Foreground => {
            "Another program than the one that was started is in the foreground of this terminal. \
                                Nothing was pasted."
                .to_owned()
        }
    }
}
