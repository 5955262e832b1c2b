use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::HealthConfig;

/// Time-outs and names of a gateway.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// Time to reach the upstream, including TLS.
    pub connect: Duration,
    /// Time from the request to the first event of the answer. Models that reason first take minutes.
    pub first_byte: Duration,
    /// Longest silence inside an answer; keep-alives count as sound.
    pub idle: Duration,
    /// Longest answer.
    pub total: Duration,
    /// How long a route that has begun to answer is watched for an early failure before its answer is handed out.
    /// Until then another route can still take over.
    pub peek: Duration,
    /// Time for a plain call ([`crate::Gateway::get_json`] and its kin).
    pub call: Duration,
    /// Largest non-streamed answer, in bytes.
    pub max_answer: usize,
    /// When routes that fail are left alone for a while; `None` tries each of them every time, which suits who has
    /// only one.
    pub health: Option<HealthConfig>,
    /// `user-agent` of every request.
    pub user_agent: String,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(300),
            idle: Duration::from_secs(180),
            total: Duration::from_secs(3_600),
            peek: Duration::from_secs(1),
            call: Duration::from_secs(30),
            max_answer: 32 * 1024 * 1024,
            health: None,
            user_agent: concat!("plantocode/", env!("CARGO_PKG_VERSION")).into(),
        }
    }
}

/// One way to a model: where, in which wire form, under which name, with which key.
#[derive(Clone, Debug)]
pub struct Route {
    /// Name of the provider, as it stands in destinations and audit records.
    pub provider: String,
    /// The wire form.
    pub dialect: llm::Dialect,
    /// Base URL in the habit of the provider's own SDK (see [`llm::WireRequest::path`]).
    pub base_url: Url,
    /// The provider's own name of the model.
    pub upstream_model: String,
    /// Which key it is, for records: never the key itself.
    pub key_id: String,
    /// The key, or for [`llm::Dialect::Relayed`] the access token.
    pub key: Option<SecretString>,
    /// What the translation has to know about the model.
    pub limits: llm::ModelLimits,
    /// Further request headers, such as those of an approval.
    pub extra_headers: Vec<(String, String)>,
}

impl Route {
    /// The URL a request goes to. A `/v1` or `/v1beta` that ends the base and begins the path is not doubled.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let base = url.path().trim_end_matches('/');
        let doubled = ["/v1", "/v1beta"].into_iter().find_map(|version| {
            let rest = path.strip_prefix(version).filter(|rest| rest.starts_with('/'));
            rest.filter(|_| base.ends_with(version))
        });
        let joined = format!("{base}{}", doubled.unwrap_or(path));
        url.set_path(&joined);
        if let Some(query) = query {
            let both = url.query().map(|own| format!("{own}&{query}"));
            url.set_query(Some(both.as_deref().unwrap_or(query)));
        }
        url
    }

    /// Whether both lead to the same model at the same place, by whatever key.
    pub(crate) fn shares_upstream(&self, other: &Self) -> bool {
        self.base_url == other.base_url
            && self.upstream_model == other.upstream_model
            && self.provider == other.provider
    }

    /// Who answers on this route, for the words of an error: behind our server there is a provider, but the server answers.
    pub(crate) fn who(&self) -> &str {
        match self.dialect {
            llm::Dialect::Relayed => self.base_url.host_str().unwrap_or("the server"),
            _ => &self.provider,
        }
    }

    /// What an audit record and an approval call this route.
    pub fn destination(&self) -> llm::Destination {
        llm::Destination { provider: self.provider.clone(), model: self.upstream_model.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_of_either_habit_reach_the_endpoint() {
        let url = |base: &str, path: &str| {
            let route = Route {
                provider: "p".into(),
                dialect: llm::Dialect::Compatible,
                base_url: base.parse().unwrap(),
                upstream_model: "m".into(),
                key_id: String::new(),
                key: None,
                limits: llm::ModelLimits::default(),
                extra_headers: Vec::new(),
            };
            route.url(path).to_string()
        };
        assert_eq!(url("https://a.test/v1", "/chat/completions"), "https://a.test/v1/chat/completions");
        assert_eq!(url("https://a.test/v1/", "/v1/messages"), "https://a.test/v1/messages");
        assert_eq!(url("https://a.test", "/v1/messages"), "https://a.test/v1/messages");
        assert_eq!(url("https://a.test/x?q=1", "/v1/messages"), "https://a.test/x/v1/messages?q=1");
        let gemini = "/v1beta/models/m:stream?alt=sse";
        assert_eq!(url("https://a.test/v1beta", gemini), "https://a.test/v1beta/models/m:stream?alt=sse");
        assert_eq!(
            url("https://a.test/v1?q=1", gemini),
            "https://a.test/v1/v1beta/models/m:stream?q=1&alt=sse"
        );
    }
}
