//! The server's own pages: set-up, sign-in, approval of a device. No script, no outside resource, one style sheet.

pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod home;
pub(crate) mod sessions;
pub(crate) mod setup;
pub(crate) mod sign_in;
pub(crate) mod tokens;
pub(crate) mod welcome;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};

/// The style sheet.
pub(crate) const STYLE: &str = include_str!("server.css");

const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// A page: a title and its content, which is HTML.
pub(crate) struct Page {
    pub title: &'static str,
    pub main: String,
    pub status: StatusCode,
    /// Where the answer to a form of this page may send the browser, beside this site: browsers hold that against the
    /// policy as well.
    pub leads_to: Option<String>,
    /// Whether it has lists and needs more room.
    is_wide: bool,
}

impl Page {
    fn new(title: &'static str, main: String) -> Self {
        Self { title, main, status: StatusCode::OK, leads_to: None, is_wide: false }
    }

    fn wide(title: &'static str, main: String) -> Self {
        Self { is_wide: true, ..Self::new(title, main) }
    }

    /// The whole document, with headers that forbid what it does not need. Not `no-referrer`: under it browsers send
    /// our own forms with `origin: null`.
    pub fn reply(&self) -> HttpResponse {
        let policy = match &self.leads_to {
            Some(source) => format!("{POLICY} {source}"),
            None => POLICY.to_owned(),
        };
        let title = escape(self.title);
        let class = if self.is_wide { " class=\"wide\"" } else { "" };
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} · PlanToCode</title>\n\
             <link rel=\"stylesheet\" href=\"/assets/server.css\">\n</head>\n<body>\n\
             <main{class}>\n<p class=\"mark\">PlanToCode</p>\n<h1>{title}</h1>\n{}\n</main>\n</body>\n</html>\n",
            self.main
        );
        HttpResponse::build(self.status)
            .content_type("text/html; charset=utf-8")
            .insert_header(("content-security-policy", policy))
            .insert_header(("referrer-policy", "same-origin"))
            .insert_header(("x-frame-options", "DENY"))
            .insert_header(("cache-control", "no-store"))
            .body(html)
    }
}

/// A page that goes on to a place of this site.
pub(crate) fn on_the_way(to: &str) -> HttpResponse {
    let page = Page::new("One moment", format!("<p><a href=\"{}\">Go on</a></p>", escape(to)));
    let mut reply = page.reply();
    if let Ok(value) = HeaderValue::from_str(&format!("0; url={to}")) {
        reply.headers_mut().insert(HeaderName::from_static("refresh"), value);
    }
    reply
}

/// Text as HTML.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// A moment for people: how long ago or how far off, and on which day where that is long.
fn moment(at_ms: i64, now_ms: i64) -> String {
    let minutes = (now_ms - at_ms) / 60_000;
    let far = minutes.unsigned_abs();
    let (number, unit) = match far {
        0 => return "just now".to_owned(),
        1..60 => (far, "minute"),
        60..1_440 => (far / 60, "hour"),
        1_440..10_080 => (far / 1_440, "day"),
        _ => {
            return jiff::Timestamp::from_millisecond(at_ms)
                .map_or_else(|_| at_ms.to_string(), |time| time.strftime("%F").to_string());
        }
    };
    let plural = if number == 1 { "" } else { "s" };
    if minutes > 0 { format!("{number} {unit}{plural} ago") } else { format!("in {number} {unit}{plural}") }
}

/// A sentence about what went wrong, announced to screen readers.
fn problem(text: Option<&str>) -> String {
    text.map(|text| format!("<p class=\"problem\" role=\"alert\">{}</p>\n", escape(text))).unwrap_or_default()
}
