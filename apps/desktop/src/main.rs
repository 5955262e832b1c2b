//! `plantocode-desktop`: the window.
//!
//! The same user interface as in the browser, over frames: one pair of commands carries them ([`link`]), and what a
//! window may do follows from its label. The engine runs in this process, or in the one that holds the data directory
//! already. Closing the window ends neither jobs (this process stays until they are done) nor terminals (they live in
//! a process of their own).
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]
#![allow(clippy::print_stderr, reason = "an app that cannot start says why")]

mod link;
mod notify;
mod way;
mod window;

use std::process::ExitCode;
use std::time::Duration;
use tauri::{Manager, RunEvent};
use way::Way;

/// How often a process without a window looks whether its jobs are done.
const LINGER: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let words = std::env::args_os().skip(1);
    if let Some(ended) = terminal::host::main_from_args(words, terminal::Env::system()) {
        return ended;
    }
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("PLANTOCODE_LOG").unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("plantocode-desktop: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    tauri::async_runtime::set(runtime.handle().clone());
    // Trouble with the engine is shown in the window: a program that was clicked has no other place for it.
    let way = runtime.block_on(Way::open());
    let links = link::Links::new(way.clone());
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _, _| window::show(app)))
        .plugin(tauri_plugin_notification::init())
        // Its script would take every click on a link and ask for what the page may not do; `window` opens links instead.
        .plugin(tauri_plugin_opener::Builder::new().open_js_links_on_click(false).build())
        .plugin(tauri_plugin_window_state::Builder::new().build())
        .manage(links)
        .invoke_handler(tauri::generate_handler![link::link_open, link::link_send])
        .setup({
            let way = way.clone();
            move |app| {
                window::show(app.handle());
                tauri::async_runtime::spawn(notify::plans(app.handle().clone(), way));
                Ok(())
            }
        })
        .build(tauri::generate_context!())?;
    let mut lingering = false;
    let busy = way.clone();
    app.run_return(move |app, event| {
        // A code means that somebody asked the program itself to end.
        if let RunEvent::ExitRequested { code: None, api, .. } = event
            && busy.is_busy()
        {
            api.prevent_exit();
            if !std::mem::replace(&mut lingering, true) {
                linger(app.clone(), busy.clone());
            }
        }
    });
    runtime.block_on(way.close());
    runtime.shutdown_background();
    Ok(())
}

/// Ends the program when its jobs are done, unless a window was opened again.
fn linger(app: tauri::AppHandle, way: Way) {
    tauri::async_runtime::spawn(async move {
        loop {
            tokio::time::sleep(LINGER).await;
            if !way.is_busy() && app.webview_windows().is_empty() {
                return app.exit(0);
            }
        }
    });
}
