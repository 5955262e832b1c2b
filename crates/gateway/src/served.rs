use reqwest::Response;

use crate::Route;

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The provider.
    pub provider: String,
    /// The model that was asked there; the answer's own `model` may name a dated snapshot of it.
    pub model: String,
    /// HTTP status of the reply.
    pub status: u16,
    /// Reply headers that identify the request: `x-request-id`, `request-id` and every `x-plantocode-…`.
    pub headers: Vec<(String, String)>,
}

impl Served {
    /// A reply header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The upstream's id of the request.
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-request-id").or_else(|| self.header("request-id"))
    }

    /// Who answers, as a reply over a route says.
    pub(crate) fn of(response: &Response, route: &Route) -> Self {
        let wanted =
            |name: &str| name == "x-request-id" || name == "request-id" || name.starts_with("x-plantocode-");
        let headers = response.headers().iter().filter(|(name, _)| wanted(name.as_str()));
        Self {
            provider: route.provider.clone(),
            model: route.upstream_model.clone(),
            status: response.status().as_u16(),
            headers: headers
                .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
                .collect(),
        }
    }
}
