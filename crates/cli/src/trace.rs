//! `plantocode trace`: which frames cross the engine's links.

use crate::show::{self, BAD, QUIET, STRONG, styled};
use crate::signals::Signals;
use api::Empty;
use api::diagnostics::{DiagnosticsClient, FrameKind, FrameSeen, WatchFrames};
use clap::Args;
use futures_util::StreamExt;
use host::Host;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// Show what crosses the links of the running engine, line by line: methods, times, sizes and error codes.
///
/// Never what was said: no parameter, no result and no message of an error is shown, so the lines can be passed on. Times
/// are UTC. Ctrl-C ends it.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode trace
  plantocode trace --method plans. --caller device
  plantocode trace --last 500 --no-follow --json
  plantocode trace --links")]
pub struct Arguments {
    /// Only methods that begin like this.
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// Only links whose other end is called so, or begins so: cli, browser, program, device.
    #[arg(long, value_name = "NAME")]
    caller: Option<String>,
    /// Only the link of this number.
    #[arg(long, value_name = "N")]
    link: Option<u64>,
    /// How many frames that have crossed already come first.
    #[arg(long, default_value_t = 20, value_name = "N")]
    last: u32,
    /// End after those.
    #[arg(long)]
    no_follow: bool,
    /// Print each frame as a JSON object.
    #[arg(long)]
    json: bool,
    /// Print the open links, and nothing else.
    #[arg(long, conflicts_with_all = ["method", "caller", "link", "no_follow"])]
    links: bool,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let host = Host::open("trace").await?;
    if host.is_engine() {
        show::note(
            "No other PlanToCode process runs the engine. This one does until it ends, and shows who comes.",
        );
    }
    let client = DiagnosticsClient(host.client.clone());
    let shown = if arguments.links {
        links(&client, arguments.json).await
    } else {
        tokio::select! {
            shown = frames(&client, &arguments) => shown,
            () = ended() => Ok(()),
        }
    };
    host.close().await;
    shown.map(|()| ExitCode::SUCCESS)
}

async fn ended() {
    Signals::listen().next().await;
}

async fn links(client: &DiagnosticsClient, json: bool) -> anyhow::Result<()> {
    for link in client.links(&Empty {}).await?.links {
        let line = if json {
            serde_json::to_string(&link)?
        } else {
            format!(
                "#{:<4} {:<20} in {:>6} frames {:>7} B   out {:>6} frames {:>7} B",
                link.link,
                show::harmless(&who(&link.caller, link.client.as_deref())),
                link.frames_in,
                show::count(link.bytes_in),
                link.frames_out,
                show::count(link.bytes_out),
            )
        };
        show::line(line)?;
    }
    Ok(())
}

async fn frames(client: &DiagnosticsClient, arguments: &Arguments) -> anyhow::Result<()> {
    let request = WatchFrames {
        link: arguments.link,
        caller: arguments.caller.clone(),
        method: arguments.method.clone(),
        last: arguments.last,
        only_past: arguments.no_follow,
    };
    let mut frames = client.frames(&request).await?;
    while let Some(frame) = frames.next().await {
        let frame = frame?;
        let line = if arguments.json { serde_json::to_string(&frame)? } else { human(&frame) };
        match writeln!(anstream::stdout(), "{line}") {
            // A reader that has gone away has what it wanted.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
    }
    Ok(())
}

/// The caller, and what its program calls itself where that says more.
fn who(caller: &str, client: Option<&str>) -> String {
    match client {
        Some(client) if client.split(' ').next() != Some(caller) => format!("{caller} ({client})"),
        _ => caller.to_owned(),
    }
}

fn human(frame: &FrameSeen) -> String {
    let ms = frame.at % 86_400_000;
    let (seconds, rest) = (ms / 1000, ms % 1000);
    let time = format!("{:02}:{:02}:{:02}.{rest:03}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let what = match frame.kind {
        FrameKind::Call => "call",
        FrameKind::Cancel => "cancel",
        FrameKind::Credit => "credit",
        FrameKind::Other => "unknown",
        FrameKind::Answer => "answer",
        FrameKind::Item => "item",
        FrameKind::Record => "bytes",
        FrameKind::End => "end",
        FrameKind::Opened => "opened",
        FrameKind::Closed => "closed",
        FrameKind::Gap => {
            return styled(QUIET, format!("{time}  … this was too slow, frames are missing here"));
        }
    };
    let arrow = match frame.kind {
        FrameKind::Opened | FrameKind::Closed => "  ",
        kind if kind.is_inward() => "→ ",
        _ => "← ",
    };
    let link = format!("#{} {}", frame.link, who(&frame.caller, frame.client.as_deref()));
    let method = frame.method.as_deref().unwrap_or_default();
    let took = frame.ms.map(|ms| format!("{ms} ms")).unwrap_or_default();
    let bytes = if frame.bytes > 0 { format!("{} B", show::count(frame.bytes)) } else { String::new() };
    let error = frame.error.as_deref().map(|code| styled(BAD, code)).unwrap_or_default();
    let line = format!(
        "{}  {:<18} {arrow}{what:<7} {} {took:>8} {bytes:>8}  {error}",
        styled(QUIET, time),
        show::harmless(&link),
        if method.is_empty() { " ".repeat(26) } else { styled(STRONG, format!("{method:<26}")) },
    );
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_method_time_size_and_code() {
        let frame = FrameSeen {
            at: 86_400_000 + 3_723_004,
            link: 3,
            caller: "browser".into(),
            client: None,
            kind: FrameKind::Answer,
            method: Some("sessions.get".into()),
            ms: Some(12),
            bytes: 1_234,
            error: Some("not_found".into()),
        };
        let line = anstream::adapter::strip_str(&human(&frame)).to_string();
        assert_eq!(
            line,
            "01:02:03.004  #3 browser         ← answer  sessions.get                  12 ms   1.2k B  not_found"
        );
        let (own, other) = (Some("browser 0.1.0".to_owned()), Some("a \u{1b}[31mprogram".to_owned()));
        let of =
            |client| anstream::adapter::strip_str(&human(&FrameSeen { client, ..frame.clone() })).to_string();
        assert_eq!(of(own), line, "its kind, once");
        assert!(
            of(other).contains("#3 browser (a \u{fffd}[31mprogram) ← answer"),
            "{}",
            of(Some("a".into()))
        );
        let opened =
            FrameSeen { kind: FrameKind::Opened, method: None, ms: None, bytes: 0, error: None, ..frame };
        let line = anstream::adapter::strip_str(&human(&opened)).to_string();
        assert_eq!(line, "01:02:03.004  #3 browser           opened");
    }
}
