//! `plantocode serve`: the user interface in the browser.

use crate::host::Host;
use crate::show::{self, STRONG, styled};
use clap::Args;
use engine::data_dir::write_private;
use loopback::tickets::TICKET_SECONDS;
use loopback::web::{self, WebHost};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Serve the user interface to your own browser, on this machine only.
#[derive(Args)]
pub struct Arguments {
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Open the browser.
    #[arg(long)]
    open: bool,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let host = Host::open().await?;
    let env = host.env.clone();
    let web = web::serve(arguments.port, host.dial.clone(), Box::new(move || env.random_hex(32)))?;
    if let Some(how) = web::missing_ui() {
        show::note(how);
    }
    anstream::println!("Serving at {}", styled(STRONG, web.url()));
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
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut listening = true;
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            () = terminated() => break,
            () = tokio::time::sleep(Duration::from_secs(TICKET_SECONDS)), if page.is_some() => page = None,
            line = lines.next_line(), if listening => match line {
                Ok(Some(_)) => page = OpenPage::write(&host, &web, arguments.open)?,
                // Standard input is closed: nobody will press Enter.
                Ok(None) | Err(_) => listening = false,
            },
        }
    }
    drop(page);
    if let Err(error) = std::fs::remove_file(&token_file) {
        tracing::debug!(%error, "the token file was removed by someone else");
    }
    web.stop().await;
    host.close().await;
    Ok(ExitCode::SUCCESS)
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
        anstream::println!("To get in, open {}", styled(STRONG, path.display()));
        show::note(format!(
            "It works once, within {TICKET_SECONDS} seconds. Press Enter for a fresh one, Ctrl-C to end."
        ));
        if open {
            open_browser(&path);
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

fn open_browser(path: &Path) {
    let (program, first): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let started = std::process::Command::new(program)
        .args(first)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if started.is_err() {
        show::note("No browser could be opened from here; open the file yourself.");
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
