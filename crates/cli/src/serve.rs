//! `plantocode serve`: the user interface in the browser.

mod enter;

use crate::browser;
use crate::show::{self, STRONG, styled};
use crate::signals::Signals;
use clap::Args;
use engine::data_dir::write_private;
use host::Host;
use loopback::tickets::TICKET_SECONDS;
use loopback::web::{self, WebHost};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How long the end waits for an answer that is still arriving.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// Serve the user interface to your own browser, on this machine only.
#[derive(Args)]
#[command(after_help = "Examples:
  plantocode serve --open
  plantocode serve --port 7777")]
pub struct Arguments {
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Open the browser.
    #[arg(long)]
    open: bool,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let host = Host::open("cli").await?;
    let mut signals = Signals::listen();
    let env = host.env.clone();
    let web = web::serve(arguments.port, host.dial.clone(), Box::new(move || env.random_hex(32)))?;
    if let Some(how) = web::missing_ui() {
        show::note(how);
    }
    show::line(format_args!("Serving at {}", styled(STRONG, web.url())))?;
    if !host.is_engine() {
        show::note("Another PlanToCode process runs the engine; this one shows it.");
    }
    // Native programs of the same user get in with this token instead of a page.
    let token_file = host.dir.state.join("loopback.json");
    write_private(
        &token_file,
        &serde_json::json!({ "url": web.url(), "token": web.file_token() }).to_string(),
    )?;
    let mut page = OpenPage::write(&host, &web, arguments.open)?;
    let mut presses = enter::presses();
    let mut listening = true;
    loop {
        tokio::select! {
            () = signals.next() => break,
            () = tokio::time::sleep(Duration::from_secs(TICKET_SECONDS)), if page.is_some() => page = None,
            pressed = presses.recv(), if listening => match pressed {
                Some(()) => page = OpenPage::write(&host, &web, arguments.open)?,
                // Standard input is closed: nobody will press Enter.
                None => listening = false,
            },
        }
    }
    drop(page);
    if let Err(error) = std::fs::remove_file(&token_file) {
        tracing::debug!(%error, "the token file was removed by someone else");
    }
    end(web, host, &mut signals).await;
    Ok(ExitCode::SUCCESS)
}

/// Ends the page and the engine. An answer that is still arriving gets a little time, unless a second signal says
/// that there is none; the engine stores what arrives as it goes and makes a cut plan of it at the next start.
async fn end(web: WebHost, host: Host, signals: &mut Signals) {
    if host.is_busy() {
        show::note(format!(
            "An answer is still arriving; waiting at most {} seconds for it. Ctrl-C again ends now, and what has \
             arrived is kept.",
            LAST_WAIT.as_secs()
        ));
    }
    let closed = async {
        web.stop().await;
        host.close().await;
    };
    let in_time = tokio::select! {
        () = closed => true,
        () = tokio::time::sleep(LAST_WAIT) => false,
        () = signals.next() => false,
    };
    if !in_time {
        show::note(
            "Ended before the answer was complete. What had arrived is kept; the next start shows it as a cut plan.",
        );
    }
}

/// A file that only this user can read and that sends the browser to the page with a fresh ticket. Removed when it
/// is dropped; its ticket is then too old anyway.
struct OpenPage {
    path: PathBuf,
}

impl OpenPage {
    fn write(host: &Host, web: &WebHost, open: bool) -> anyhow::Result<Option<OpenPage>> {
        let path = host.dir.state.join(format!("open-{}.html", host.env.random_hex(8)));
        let html = format!(
            "<!doctype html><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">\
             <meta http-equiv=\"refresh\" content=\"0;url={}\"><title>PlanToCode</title><p>Opening PlanToCode…",
            web.ticket_url()
        );
        write_private(&path, &html)?;
        show::line(format_args!("To get in, open {}", styled(STRONG, path.display())))?;
        show::note(format!(
            "It works once, within {TICKET_SECONDS} seconds. Press Enter for a fresh one, Ctrl-C to end."
        ));
        if open {
            browser::open(&path);
        }
        Ok(Some(OpenPage { path }))
    }
}

impl Drop for OpenPage {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the page that opens the browser was removed by someone else");
        }
    }
}
