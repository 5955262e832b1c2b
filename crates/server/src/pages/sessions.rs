use server_store::{DeviceRow, WebSessionRow};

use super::{Page, escape, moment};

/// Everything that a person is signed in with. `session` is the one of this browser; `client` names a client by its id.
pub(crate) fn page(
    devices: &[DeviceRow],
    browsers: &[WebSessionRow],
    session: &str,
    client: &dyn Fn(&str) -> Option<String>,
    form_token: &str,
    now_ms: i64,
) -> Page {
    let end = |field: &str, id: &str, what: &str| {
        format!(
            "<form method=\"post\" action=\"/sessions/end\"><input type=\"hidden\" name=\"{field}\" value=\"{}\">\
             <input type=\"hidden\" name=\"form_token\" value=\"{}\">\
             <button aria-label=\"End {}\">End</button></form>",
            escape(id),
            escape(form_token),
            escape(what)
        )
    };
    let device = |row: &DeviceRow| {
        let kind = client(&row.client).unwrap_or_else(|| "a client that compared a code".into());
        let used = row.seen_ms.map_or_else(|| "not since".to_owned(), |at| moment(at, now_ms));
        item(
            &row.name,
            &[
                ("Client", kind),
                ("Signed in", format!("{}, from {}", moment(row.created_ms, now_ms), row.address)),
                ("Renewed", used),
            ],
            &end("device", &row.id, &row.name),
        )
    };
    let browser = |row: &WebSessionRow| {
        let name = browser_name(&row.agent);
        let (title, end) = match row.hash == session {
            true => (format!("{name} (this one)"), String::new()),
            false => (name.to_owned(), end("browser", &row.hash, name)),
        };
        let signed_in = format!("{}, from {}", moment(row.created_ms, now_ms), row.address);
        item(&title, &[("Signed in", signed_in)], &end)
    };
    let list = |items: String, none: &str| match items.as_str() {
        "" => format!("<p class=\"quiet\">{none}</p>"),
        items => format!("<ul class=\"items\">{items}</ul>"),
    };
    let clients = list(devices.iter().map(device).collect(), "No client is signed in.");
    let pages = list(browsers.iter().map(browser).collect(), "");
    let others = devices.len() + browsers.iter().filter(|row| row.hash != session).count();
    let all = match others {
        0 => String::new(),
        _ => format!(
            "<form method=\"post\" action=\"/sessions/end-others\">\
             <input type=\"hidden\" name=\"form_token\" value=\"{}\">\
             <div class=\"acts\"><button>End all but this browser</button></div></form>",
            escape(form_token)
        ),
    };
    let main = format!(
        "<p class=\"quiet\">What you are signed in with. What has ended stops at once, also in the middle of an answer.</p>\n\
         <h2>Clients</h2>\n{clients}\n<h2>Browsers</h2>\n{pages}\n{all}\n<p class=\"back\"><a href=\"/\">Back</a></p>"
    );
    Page::wide("Sessions", main)
}

/// A row of a list: a title, what is to be said about it, and what can be done.
pub(super) fn item(title: &str, facts: &[(&str, String)], act: &str) -> String {
    let facts: String = facts
        .iter()
        .map(|(name, value)| format!("<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value)))
        .collect();
    format!("<li><div class=\"what\"><h3>{}</h3><dl>{facts}</dl></div>{act}</li>", escape(title))
}

/// The browser in what it says about itself, which all of them fill with others' names.
fn browser_name(agent: &str) -> &'static str {
    let known = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    known.iter().find(|(word, _)| agent.contains(word)).map_or("Browser", |(_, name)| name)
}
