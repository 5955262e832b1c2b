//! What stands between a request and a provider: every reason to refuse, the same at every door.

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_ENCODING};
use actix_web::{HttpRequest, web};
use bytes::Bytes;
use gateway::Route;
use llm::Destination;
use llm::approval::HEADER_JOB;
use llm::inbound::{Door, Inbound};

use super::approval::{self, Approved};
use super::{body, screen, urls};
use crate::audit::{Entry, Event};
use crate::error::ApiError;
use crate::identity::Principal;
use crate::policy::{Most, Permit};
use crate::routes::within;
use crate::state::State;

/// Longest job name that is recorded.
pub(super) const LONGEST_JOB: usize = 200;
/// Longest name of a model that is looked up.
pub(super) const LONGEST_MODEL: usize = 200;
/// Where Anthropic's clients put their key.
const HEADER_KEY: &str = "x-api-key";

/// Everything that has been found out about a request that may leave.
pub(super) struct Allowed {
    pub principal: Principal,
    pub permit: Permit,
    pub approved: Option<Approved>,
    pub inbound: Inbound,
    pub routes: Vec<Route>,
}

/// Checks a request, cheapest first; the body is not read before it is known whose it is. Fills the record on the way, so
/// that a refusal is recorded with what was known by then.
pub(super) async fn admit(
    door: Door,
    request: &HttpRequest,
    state: &web::Data<State>,
    body: web::Payload,
    entry: &mut Entry,
) -> Result<Allowed, ApiError> {
    let principal = principal(door, request, state)?;
    let mut permit = let_in(request, state, &principal, entry)?;
    let body = body::read(request, body, &state.settings.limits).await?;
    entry.body_hash = hex::encode(llm::body_hash(&body));
    entry.body_bytes = body.len();
    // The bytes are compared with the approval before anything looks into them.
    let approved = approved(door, request, &body)?;
    entry.files = approval::files(request)?;
    entry.job = approval::text(request, HEADER_JOB)?.map(|job| job.chars().take(LONGEST_JOB).collect());
    if let Some(approved) = &approved {
        entry.approval = Some(approved.fingerprint.clone());
        entry.destinations = approved.destinations.iter().map(ToString::to_string).collect();
    }
    let inbound = Inbound::parse(door, body.clone())?;
    if inbound.model.chars().nth(LONGEST_MODEL).is_some() {
        let message = format!("field `model` is longer than {LONGEST_MODEL} characters");
        return Err(ApiError::invalid(message));
    }
    if !state.settings.filter.allow_urls {
        urls::check(door, &body)?;
    }
    entry.model_asked.clone_from(&inbound.model);
    may_ask(&principal, &inbound.model, approved.is_some())?;
    state.denials.check(&inbound.model, &entry.files)?;
    let routes = routes(state, &principal, &inbound.model, approved.as_ref())?;
    let routes = searching(routes, &inbound)?;
    entry.destinations = routes.iter().map(|route| route.destination().to_string()).collect();
    // What somebody has approved is sent as it is or not at all.
    let bound = approved.is_some() || entry.scope.is_some();
    let inbound = match screen::screen(state, &body, &routes, bound, entry).await {
        Ok(Some(redacted)) => Inbound::parse(door, redacted)?,
        Ok(None) => inbound,
        Err(error) => return Err(ended_by(error, state, &principal).await),
    };
    let inbound = with_headers(inbound, request)?;
    let most = most(state, &routes, &inbound, approved.as_ref());
    // One model is one model, by whichever of its names it is asked for.
    let model = routes.first().map(|route| route.destination().to_string()).unwrap_or_default();
    state.policy.reserve(&mut permit, &principal, &model, most, state.env.now_ms()).await?;
    Ok(Allowed { principal, permit, approved, inbound, routes })
}

/// The first part of it, for whatever comes: whose it is, and whether they may ask at all now.
pub(super) fn let_in(
    request: &HttpRequest,
    state: &State,
    principal: &Principal,
    entry: &mut Entry,
) -> Result<Permit, ApiError> {
    entry.org.clone_from(&principal.org_id);
    entry.user.clone_from(&principal.user_id);
    entry.device.clone_from(&principal.device_id);
    entry.policy = "none".into();
    if let Some(grant) = &principal.grant {
        entry.token = Some(grant.id.clone());
        entry.tag.clone_from(&grant.tag);
        entry.policy = grant.policy().into();
        entry.scope = grant.scope.as_ref().map(|scope| scope.record.clone());
    }
    if state.stopping.is_cancelled() {
        return Err(ApiError::unavailable("the server is stopping"));
    }
    let permit = state.policy.admit(principal, &entry.address, state.env.now_ms())?;
    if request.headers().contains_key(CONTENT_ENCODING) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(ApiError::new(status, "unsupported", "the body must not be compressed"));
    }
    Ok(permit)
}

/// Whose request it is. At Anthropic's door the token may also come as the key that its clients send.
pub(super) fn principal(door: Door, request: &HttpRequest, state: &State) -> Result<Principal, ApiError> {
    let headers = request.headers();
    match headers.get(HEADER_KEY) {
        Some(key) if door == Door::Messages && !headers.contains_key(AUTHORIZATION) => {
            state.principal_of(key.to_str().ok().map(str::trim))
        }
        _ => state.principal(request),
    }
}

/// What a token for programs is allowed. A person may ask for everything that is there.
pub(super) fn may_ask(principal: &Principal, model: &str, approved: bool) -> Result<(), ApiError> {
    let Some(grant) = &principal.grant else { return Ok(()) };
    if !grant.allows(model) {
        let message = format!("this token may not ask for the model `{model}`");
        return Err(ApiError::new(StatusCode::FORBIDDEN, "model_not_allowed", message));
    }
    if grant.needs_approval && !approved {
        let message = "this token may send only what was approved, and the request carries no approval";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "approval_required", message));
    }
    Ok(())
}

/// A secret ends an approval that was given beforehand: whoever gave it did not mean that.
pub(super) async fn ended_by(error: ApiError, state: &State, principal: &Principal) -> ApiError {
    let Some(grant) = principal.grant.as_ref().filter(|grant| grant.scope.is_some()) else { return error };
    if error.code != screen::SECRET_BLOCKED {
        return error;
    }
    let now = state.env.now_ms();
    let revoked = state.store.revoke_api_token(&grant.id, &principal.org_id, None, now).await;
    let reloaded = state.grants.reload(&state.store, now).await;
    if let Some(failed) = revoked.err().or(reloaded.err()) {
        tracing::error!(error = %failed, token = grant.id, "a token that sent a secret cannot be ended");
        return error;
    }
    state.in_flight.cancel_ended(&state.revoked, &state.grants);
    let message = format!("{}; the approval of this agent has ended with it", error.message);
    ApiError { message, ..error }
}

/// The most that any of the routes may use; never more than was approved.
fn most(state: &State, routes: &[Route], inbound: &Inbound, approved: Option<&Approved>) -> Most {
    let catalogue = state.routes.catalogue();
    let body = llm::counted_bytes(&inbound.canonical);
    let of = |route: &Route| {
        let prices = catalogue.find(&route.provider, &route.upstream_model).map(|model| model.prices);
        // In a provider's own words it reaches only those that speak them.
        let reaches = inbound.door == Door::Chat || inbound.passes_through(route.dialect);
        let web = inbound.web_search.as_ref().filter(|_| reaches);
        Most::of(body, (inbound.max_tokens, inbound.answers), &route.limits, prices, web)
    };
    let all: Vec<Most> = routes.iter().map(of).collect();
    let tokens = all.iter().map(|most| most.tokens).max().unwrap_or_default();
    // One route without a price is enough not to know.
    let microusd = all.iter().map(|most| most.microusd).try_fold(0, |most, next| Some(next?.max(most)));
    let ceiling = approved.map(|approved| approved.ceiling_microusd);
    // An approval lowers what a price makes of it, to no less than the smallest amount, and never stands in for a price.
    let capped = |most: u64| ceiling.map_or(most, |ceiling| ceiling.min(most).max(most.min(1)));
    Most { tokens, microusd: microusd.map(capped) }
}

/// The routes that can do what is asked. A request for a search of the web in the canonical form goes to those alone that have
/// one, in the dialect in which they have it; one that comes in a provider's own words goes on in them.
fn searching(routes: Vec<Route>, inbound: &Inbound) -> Result<Vec<Route>, ApiError> {
    if inbound.web_search.is_none() || inbound.door != Door::Chat {
        return Ok(routes);
    }
    let able: Vec<Route> = routes.into_iter().filter_map(|route| for_search(&route)).collect();
    if able.is_empty() {
        let message = format!("no provider of the model `{}` searches the web", inbound.model);
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "web_search_unsupported", message));
    }
    Ok(able)
}

/// The route as it is asked to search; `None` for one that cannot.
pub(super) fn for_search(route: &Route) -> Option<Route> {
    let dialect = route.dialect.for_search().filter(|dialect| dialect.search_limit().is_some())?;
    route.limits.web_search.then(|| Route { dialect, ..route.clone() })
}

pub(super) fn no_such_model(model: &str) -> String {
    let model: String = model.chars().take(LONGEST_MODEL).collect();
    format!("the model `{model}` does not exist here or you may not use it")
}

/// Approvals are given for the canonical request. One that comes with another dialect covers nothing.
fn approved(door: Door, request: &HttpRequest, body: &Bytes) -> Result<Option<Approved>, ApiError> {
    let approved = approval::check(request, body)?;
    if approved.is_some() && door != Door::Chat {
        let message = "an approval covers a request to chat completions, not one in another dialect";
        return Err(ApiError::new(StatusCode::CONFLICT, "approval_mismatch", message));
    }
    Ok(approved)
}

/// Keeps the headers that a provider of the same dialect understands.
fn with_headers(mut inbound: Inbound, request: &HttpRequest) -> Result<Inbound, ApiError> {
    for name in inbound.door.headers() {
        let values: Result<Vec<_>, _> =
            request.headers().get_all(*name).map(|value| value.to_str().map(str::trim)).collect();
        let values =
            values.map_err(|_| ApiError::invalid(format!("the header `{name}` must be in ASCII")))?;
        if !values.is_empty() {
            inbound.keep_header(name, &values.join(","));
        }
    }
    Ok(inbound)
}

pub(super) fn routes(
    state: &State,
    principal: &Principal,
    model: &str,
    approved: Option<&Approved>,
) -> Result<Vec<Route>, ApiError> {
    let table = state.routes.table();
    let routes = table.find(&principal.org_id, model);
    if routes.is_empty() {
        return Err(ApiError::new(StatusCode::NOT_FOUND, "model_not_found", no_such_model(model)));
    }
    let scope = principal.grant.as_ref().and_then(|grant| grant.scope.as_ref());
    let approved = approved.map(|approved| &approved.destinations);
    let routes = match scope {
        // One that leads elsewhere was added since; the others still serve.
        Some(scope) => within(&routes, &scope.destinations).map_err(not_approved)?,
        None => routes.into_iter().cloned().collect(),
    };
    let Some(approved) = approved else { return Ok(routes) };
    within(&routes.iter().collect::<Vec<_>>(), approved).map_err(not_approved)
}

fn not_approved(outside: Destination) -> ApiError {
    let message =
        format!("{outside} was not approved as a destination, and no approved one serves this model");
    ApiError::new(StatusCode::CONFLICT, "destination_not_approved", message)
}

/// Records a refusal and tells the client where it stands. Anyone can be refused for want of a token, so only some of
/// these are recorded for each address.
pub(super) async fn refuse(state: &State, request_id: &str, mut entry: Entry, error: ApiError) -> ApiError {
    let nobody = error.status == StatusCode::UNAUTHORIZED;
    if nobody && state.strangers.acquire(&entry.address, state.env.now_ms()).is_err() {
        return error;
    }
    entry.event = Event::Refused;
    entry.error = Some(error.code.to_owned());
    match state.audit.append(request_id, entry).await {
        Ok(position) => error.with_header(llm::approval::HEADER_AUDIT, position.header()),
        Err(unrecorded) => unrecorded,
    }
}
