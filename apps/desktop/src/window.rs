//! The one window.

use tauri::webview::NewWindowResponse;
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindowBuilder};
use tauri_plugin_opener::OpenerExt;
use url::Url;

/// The label of the main window; what it may do is decided by it.
pub const MAIN: &str = "main";

/// Brings the window to the front, making it if it was closed.
pub fn show(app: &AppHandle) {
    let shown = match app.get_webview_window(MAIN) {
        Some(window) => window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus()),
        None => make(app),
    };
    if let Err(error) = shown {
        tracing::error!(%error, "the window cannot be shown");
    }
}

fn make(app: &AppHandle) -> tauri::Result<()> {
    let opener = app.clone();
    WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("desktop/index.html".into()))
        .title("PlanToCode")
        .inner_size(1280.0, 820.0)
        .min_inner_size(390.0, 480.0)
        // The page never goes anywhere else; what a link leads to is the browser's.
        .on_navigation(is_own)
        .on_new_window(move |url, _| {
            if leads_out(&url)
                && let Err(error) = opener.opener().open_url(url.as_str(), None::<&str>)
            {
                tracing::warn!(%error, "the browser cannot be opened");
            }
            NewWindowResponse::Deny
        })
        .build()
        .map(drop)
}

/// Whether an address is a page of this program.
fn is_own(url: &Url) -> bool {
    url.scheme() == "tauri" || (url.scheme() == "http" && url.host_str() == Some("tauri.localhost"))
}

/// Whether an address may be given to the browser: pages only, never files or programs.
fn leads_out(url: &Url) -> bool {
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.scheme() == "https" || (url.scheme() == "http" && local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_stays_where_it_is() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        assert!(is_own(&url("tauri://localhost/desktop/index.html")));
        for other in
            ["https://example.com", "file:///etc/passwd", "http://localhost:1420", "data:text/html,x"]
        {
            assert!(!is_own(&url(other)), "{other}");
        }
        assert!(leads_out(&url("https://example.com")) && leads_out(&url("http://127.0.0.1:8080/device")));
        for never in
            ["file:///etc/passwd", "http://example.com", "javascript:1", "mailto:a@b", "tauri://localhost"]
        {
            assert!(!leads_out(&url(never)), "{never}");
        }
    }
}
