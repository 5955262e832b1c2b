//! Shows a terminal in this one.

use super::keys::{self, LEAVE, Raw, Resizes};
use super::quiet::Quiet;
use crate::show;
use anyhow::Context;
use api::terminals::{
    AttachTerminal, RecordKind, ResizeTerminal, Terminal, TerminalExit, TerminalInput, TerminalsClient,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use host::Host;
use rpc::{Feed, Record};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Bytes that may be on their way here.
const WINDOW: u32 = 1 << 20;
/// Consumed bytes after which as many more are asked for.
const GRANT_EVERY: u32 = 32 << 10;
/// A clean terminal: attributes off, cursor shown, main screen, no mouse, no bracketed paste.
const CLEAN: &[u8] =
    b"\x1b[0m\x1b[?25h\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[r\x1b[?7h\r\n";

/// How the attachment ended.
enum End {
    Left,
    Exited(TerminalExit),
}

pub async fn attach(host: &Host, terminal: Terminal, view: bool) -> anyhow::Result<ExitCode> {
    let shown = std::io::stdout().is_terminal();
    let raw = if shown && !view { Raw::begin() } else { None };
    if shown {
        let how = if view { "looking only; Ctrl-C ends" } else { "Ctrl-] leaves it running" };
        show::tell(format!("{}\r", show::styled(show::QUIET, format_args!("{}: {how}", terminal.title))));
    }
    let mut viewer = Viewer::new(host, terminal, raw.is_some()).await?;
    let outcome = viewer.follow().await;
    if shown {
        // The screen belongs to whoever comes next, also after an error.
        drop(std::io::stdout().write_all(CLEAN).and_then(|()| std::io::stdout().flush()));
    }
    drop(raw);
    match outcome? {
        End::Left => {
            show::note(format_args!(
                "Left; it goes on. `plantocode terminal attach {}` returns.",
                viewer.terminal.id
            ));
            Ok(ExitCode::SUCCESS)
        }
        End::Exited(exit) => {
            let code = exit.code.and_then(|code| u8::try_from(code).ok());
            show::note(match (&exit.signal, exit.code) {
                (Some(signal), _) => format!("The program was ended by {signal}."),
                (None, code) => format!("The program ended with {}.", code.unwrap_or_default()),
            });
            Ok(ExitCode::from(code.unwrap_or(1)))
        }
    }
}

struct Viewer {
    calls: TerminalsClient,
    terminal: Terminal,
    feed: Feed,
    quiet: Quiet,
    /// Consumed and not granted yet.
    consumed: u32,
    name: String,
    seq: u64,
    types: bool,
}

impl Viewer {
    async fn new(host: &Host, terminal: Terminal, types: bool) -> anyhow::Result<Viewer> {
        let calls = TerminalsClient(host.client.clone());
        let attach = AttachTerminal { terminal: terminal.id.clone(), epoch: None, have: 0, window: WINDOW };
        let feed = calls.attach(&attach).await?;
        let name = host.env.random_hex(8);
        Ok(Viewer { calls, terminal, feed, quiet: Quiet::default(), consumed: 0, name, seq: 0, types })
    }

    async fn follow(&mut self) -> anyhow::Result<End> {
        let mut resizes = Resizes::listen();
        // Only who types also sets the size: looking changes nothing.
        let mut typed = self.types.then(keys::typed);
        if self.types {
            self.resize().await?;
        }
        loop {
            tokio::select! {
                record = self.feed.next() => {
                    let record = record.context("the terminal's output ended without its program")??;
                    if let Some(end) = self.show(&record).await? {
                        return Ok(end);
                    }
                }
                () = resizes.next(), if self.types => self.resize().await?,
                keys = next(&mut typed), if typed.is_some() => match keys {
                    None => typed = None,
                    Some(keys) => {
                        let leave = keys.iter().position(|key| *key == LEAVE);
                        self.send(&keys[..leave.unwrap_or(keys.len())]).await?;
                        if leave.is_some() {
                            return Ok(End::Left);
                        }
                    }
                }
            }
        }
    }

    async fn send(&mut self, keys: &[u8]) -> anyhow::Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        self.seq += 1;
        let (terminal, viewer) = (self.terminal.id.clone(), self.name.clone());
        let input = TerminalInput { terminal, viewer, seq: self.seq, data: STANDARD.encode(keys) };
        self.calls.input(&input).await?;
        Ok(())
    }

    async fn resize(&self) -> anyhow::Result<()> {
        if let Some((columns, rows)) = keys::size() {
            let size = ResizeTerminal { terminal: self.terminal.id.clone(), columns, rows };
            self.calls.resize(&size).await?;
        }
        Ok(())
    }

    async fn show(&mut self, record: &Record) -> anyhow::Result<Option<End>> {
        let bytes = &record.bytes;
        let mut out = std::io::stdout();
        match RecordKind::of(record.kind) {
            Some(RecordKind::Data) => show::write_out(&mut out, &self.quiet.pass(bytes))?,
            Some(RecordKind::Snapshot) => {
                self.quiet = Quiet::default();
                show::write_out(&mut out, b"\x1b[0m\x1b[H\x1b[2J")?;
                show::write_out(&mut out, &self.quiet.pass(bytes.get(4..).unwrap_or_default()))?;
            }
            Some(RecordKind::Exit) => {
                let exit = serde_json::from_slice(bytes).unwrap_or_default();
                return Ok(Some(End::Exited(exit)));
            }
            // The window that shows it has its own size; what a gap leaves out, a snapshot after it makes good.
            Some(RecordKind::Gap | RecordKind::Resize) | None => {}
        }
        self.consumed = self.consumed.saturating_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        if self.consumed >= GRANT_EVERY {
            self.feed.consume(std::mem::take(&mut self.consumed)).await?;
        }
        Ok(None)
    }
}

async fn next(typed: &mut Option<tokio::sync::mpsc::Receiver<Vec<u8>>>) -> Option<Vec<u8>> {
    match typed {
        Some(typed) => typed.recv().await,
        None => std::future::pending().await,
    }
}
