use url::{Host, Url};

use crate::ServerError;
use crate::config::Identity;

/// The client id of PlanToCode's own programs.
const OWN: &str = "plantocode";

/// Clients that may sign people in by a browser. None has a secret: who they are is told by where answers go.
#[derive(Clone, Debug)]
pub(crate) struct Clients(Vec<Client>);

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub id: String,
    pub name: String,
    redirect_uris: Vec<Url>,
}

impl Clients {
    /// PlanToCode's own and those of the configuration.
    pub fn new(settings: &Identity) -> Result<Self, ServerError> {
        let own = Client {
            id: OWN.into(),
            name: "PlanToCode".into(),
            redirect_uris: vec![
                redirect_uri("http://127.0.0.1/callback").map_err(ServerError::Data)?,
                redirect_uri("http://[::1]/callback").map_err(ServerError::Data)?,
            ],
        };
        let mut clients = vec![own];
        for client in &settings.clients {
            let wrong = |problem: String| {
                ServerError::Config(format!("identity.clients, client {:?}: {problem}", client.id))
            };
            if client.id.is_empty() || clients.iter().any(|known| known.id == client.id) {
                return Err(wrong("its id is empty or taken".into()));
            }
            if client.redirect_uris.is_empty() {
                return Err(wrong("it has no redirect_uris".into()));
            }
            let uris: Result<Vec<Url>, String> =
                client.redirect_uris.iter().map(|uri| redirect_uri(uri)).collect();
            clients.push(Client {
                id: client.id.clone(),
                name: client.name.clone(),
                redirect_uris: uris.map_err(wrong)?,
            });
        }
        Ok(Self(clients))
    }

    /// The client of this id.
    pub fn find(&self, id: &str) -> Option<&Client> {
        self.0.iter().find(|client| client.id == id)
    }
}

impl Client {
    /// The address of this text if it is one of this client's.
    pub fn redirect_uri(&self, text: &str) -> Option<Url> {
        let asked: Url = text.parse().ok()?;
        // Browsers and this server have to read the same address: what the parser mends is refused.
        (asked.as_str() == text && self.redirect_uris.iter().any(|known| same(known, &asked)))
            .then_some(asked)
    }
}

/// Whether they are the same but for the port of a loopback address: programs take one that is free (RFC 8252).
fn same(known: &Url, asked: &Url) -> bool {
    if !is_loopback(known) {
        return known == asked;
    }
    let mut known = known.clone();
    known.set_port(asked.port()).is_ok() && known == *asked
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => url.scheme() == "http" && address.is_loopback(),
        Some(Host::Ipv6(address)) => url.scheme() == "http" && address.is_loopback(),
        _ => false,
    }
}

/// Reads an address of the configuration.
fn redirect_uri(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{text}: {error}"))?;
    // A scheme of an application's own has a dot in it (RFC 8252, 7.1), which none that a browser knows has.
    let own_scheme = url.scheme().contains('.') || url.scheme() == OWN;
    if !(url.scheme() == "https" || is_loopback(&url) || own_scheme) {
        return Err(format!(
            "{text}: it has to begin with https://, http://127.0.0.1, http://[::1] or a scheme such as com.example.app:"
        ));
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{text}: it must not have a fragment, a name or a password"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn clients(uris: &[&str]) -> Result<Clients, ServerError> {
        let redirect_uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
        let client = config::Client { id: "x".into(), name: "X".into(), redirect_uris };
        Clients::new(&Identity { clients: vec![client], ..Identity::default() })
    }

    #[test]
    fn answers_go_to_exactly_the_addresses_of_the_client() {
        let clients = clients(&["https://app.example/back?x=1", "com.example.app:/back"]).unwrap();
        let (own, other) = (clients.find("plantocode").unwrap(), clients.find("x").unwrap());
        for good in ["http://127.0.0.1:4711/callback", "http://127.0.0.1/callback", "http://[::1]:9/callback"]
        {
            assert!(own.redirect_uri(good).is_some(), "{good}");
            assert!(other.redirect_uri(good).is_none(), "{good}");
        }
        for bad in [
            "http://localhost:4711/callback",
            "http://127.0.0.2:4711/callback",
            "http://127.0.0.1:4711/callback/",
            "http://127.0.0.1:4711/callback?x",
            "http://127.0.0.1:4711/callback#x",
            "http://127.0.0.1:4711/a/../callback",
            "http://0x7f.1:4711/callback",
            "http://127.0.0.1@evil.example/callback",
            "http://evil.example@127.0.0.1/callback",
            "https://127.0.0.1:4711/callback",
            "http://127.0.0.1:4711/call\tback",
            "",
        ] {
            assert!(own.redirect_uri(bad).is_none(), "{bad}");
        }
        for good in ["https://app.example/back?x=1", "com.example.app:/back"] {
            assert!(other.redirect_uri(good).is_some(), "{good}");
        }
        for bad in [
            "https://app.example/back",
            "https://app.example:444/back?x=1",
            "https://app.example.evil/back?x=1",
            "http://app.example/back?x=1",
            "com.example.app:/back/",
        ] {
            assert!(other.redirect_uri(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_client_that_could_not_be_told_apart_is_refused_at_the_start() {
        for bad in
            [&[][..], &["http://app.example/back"], &["javascript:alert(1)"], &["https://a.example/#f"]]
        {
            assert!(clients(bad).is_err(), "{bad:?}");
        }
        let own = config::Client {
            id: OWN.into(),
            name: "X".into(),
            redirect_uris: vec!["https://a.example/".into()],
        };
        assert!(Clients::new(&Identity { clients: vec![own], ..Identity::default() }).is_err());
    }
}
