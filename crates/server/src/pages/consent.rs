use actix_web::http::StatusCode;
use url::{Host, Url};

use super::{Page, escape};

/// Who wants to be signed in, as the consent page shows it.
pub(crate) struct Asker<'a> {
    /// The client, by its registration.
    pub client: &'a str,
    /// The device, as the client calls it.
    pub device: &'a str,
    pub address: &'a str,
    /// Where the answer goes.
    pub redirect_uri: &'a Url,
}

/// Shows who asks and where the answer goes, and lets the person decide. `fields` come back with the decision.
pub(crate) fn page(asker: &Asker<'_>, fields: &[(&str, &str)], login: &str) -> Page {
    let hidden: String = fields
        .iter()
        .map(|(name, value)| {
            format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escape(name), escape(value))
        })
        .collect();
    let main = format!(
        "<p>Allow this only if you started it yourself. It can then ask for models in your name, until you end its \
         session.</p>\n<dl>\n<dt>Client</dt><dd>{}</dd>\n<dt>Device</dt><dd>{}</dd>\n<dt>Address</dt><dd>{}</dd>\n\
         <dt>Goes back to</dt><dd>{}</dd>\n<dt>Signs in as</dt><dd>{}</dd>\n</dl>\n\
         <form method=\"post\" action=\"/oauth/authorize\">\n{hidden}<div class=\"acts\">\n\
         <button class=\"primary\" name=\"decision\" value=\"allow\">Allow</button>\n\
         <button name=\"decision\" value=\"deny\">Deny</button>\n</div>\n</form>",
        escape(asker.client),
        escape(asker.device),
        escape(asker.address),
        escape(&place(asker.redirect_uri)),
        escape(login),
    );
    Page { leads_to: Some(source(asker.redirect_uri)), ..Page::new("Allow a sign-in", main) }
}

/// A client that is not known, or an address that is not its own: nothing is sent there.
pub(crate) fn refused(sentence: &str) -> Page {
    let main = format!(
        "<p class=\"problem\" role=\"alert\">{}</p>\n<p class=\"quiet\">Nothing was allowed. Go back to the program that \
         sent you here and begin again; if it comes back, tell its makers.</p>",
        escape(sentence)
    );
    Page { status: StatusCode::BAD_REQUEST, ..Page::new("This sign-in cannot go on", main) }
}

/// Where an address leads, in the words of a person.
fn place(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv4(address)) if address.is_loopback() => "a program on this machine".into(),
        Some(Host::Ipv6(address)) if address.is_loopback() => "a program on this machine".into(),
        Some(_) => url.origin().ascii_serialization(),
        None => format!("the application for {}: addresses", url.scheme()),
    }
}

/// The address as a policy names it. Policies know no IPv6 and no hosts of schemes of one's own.
fn source(url: &Url) -> String {
    match (url.scheme(), url.host()) {
        ("http" | "https", Some(Host::Ipv4(_) | Host::Domain(_))) => url.origin().ascii_serialization(),
        (scheme, _) => format!("{scheme}:"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_says_is_text_and_the_policy_names_where_it_leads() {
        let at = |text: &str| {
            let redirect_uri = text.parse().unwrap();
            let device = "<script>alert(1)</script>\" onload='x'";
            let asker = Asker { client: "X", device, address: "127.0.0.1", redirect_uri: &redirect_uri };
            page(&asker, &[("state", "\"><script>")], "ada")
        };
        for (uri, source, place) in [
            ("http://127.0.0.1:4711/callback", "http://127.0.0.1:4711", "a program on this machine"),
            ("http://[::1]:4711/callback", "http:", "a program on this machine"),
            ("https://app.example/back", "https://app.example", "https://app.example"),
            ("com.example.app:/back", "com.example.app:", "the application for com.example.app: addresses"),
        ] {
            let page = at(uri);
            assert!(!page.main.contains("<script"), "{}", page.main);
            assert_eq!(page.leads_to.as_deref(), Some(source));
            assert!(page.main.contains(place), "{}", page.main);
        }
    }
}
