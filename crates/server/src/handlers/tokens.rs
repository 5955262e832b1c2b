//! `/api/tokens`: tokens for programs and agents. A person makes them; a token makes none.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use server_store::{ApiTokenRow, TokenKind};

use crate::error::ApiError;
use crate::identity::{GRANT_PREFIX, token_hash};
use crate::state::State;

/// Longest name and tag.
const LONGEST_TEXT: usize = 100;
/// Longest name of an agent, and of where it works.
const LONGEST_PATH: usize = 500;
/// Most models of one token.
const MOST_MODELS: usize = 100;
/// Longest life of an agent's token.
const AGENT_SECONDS: i64 = 24 * 3_600;
/// Longest life of a token that has an end at all.
const LONGEST_SECONDS: i64 = 10 * 365 * 24 * 3_600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    pub name: String,
    /// `api` or `agent`.
    #[serde(default = "api")]
    pub kind: String,
    /// Models by alias; all when empty.
    #[serde(default)]
    pub models: Vec<String>,
    /// Seconds until it ends; an agent's token must have an end.
    #[serde(default)]
    pub expires_in: Option<i64>,
    /// The most that all its requests together may cost, in micro-dollars.
    #[serde(default)]
    pub budget_microusd: Option<i64>,
    /// `required`, `scope` or `none`.
    #[serde(default = "none")]
    pub approval: String,
    /// With the policy `scope`: which agent it is that is started, and where it works.
    #[serde(default)]
    pub scope: Option<NewScope>,
    /// Stands in every record of the token.
    #[serde(default)]
    pub tag: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewScope {
    agent: String,
    #[serde(default)]
    worktree: Option<String>,
}

fn api() -> String {
    "api".into()
}

fn none() -> String {
    "none".into()
}

#[derive(Deserialize)]
pub(crate) struct Named {
    id: String,
}

pub(crate) async fn create(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Json<NewToken>,
) -> Result<HttpResponse, ApiError> {
    let person = state.person(&request)?;
    let (row, token) = issue(&state, &person.org_id, &person.user_id, body.into_inner()).await?;
    let mut reply = shown(&row);
    // The only time that it is shown.
    reply["token"] = token.into();
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(reply))
}

/// Makes a token for a person; the token itself is known here alone.
pub(super) async fn issue(
    state: &State,
    org_id: &str,
    user_id: &str,
    asked: NewToken,
) -> Result<(ApiTokenRow, String), ApiError> {
    let kind = TokenKind::parse(&asked.kind);
    let kind = kind.ok_or_else(|| ApiError::invalid("`kind` must be `api` or `agent`"))?;
    check(&asked, kind)?;
    let table = state.routes.table();
    if let Some(model) = asked.models.iter().find(|model| table.find(org_id, model).is_empty()) {
        return Err(ApiError::invalid(format!("the model `{model}` does not exist here")));
    }
    let now = state.env.now_ms();
    let scope = asked.scope.as_ref().map(|scope| {
        let routes = asked.models.iter().flat_map(|model| table.find(org_id, model));
        // In order, each once.
        let mut destinations: Vec<String> = Vec::new();
        for route in routes {
            let name = route.destination().to_string();
            if !destinations.contains(&name) {
                destinations.push(name);
            }
        }
        json!({
            "agent": scope.agent, "worktree": scope.worktree, "models": asked.models, "destinations": destinations,
            "budget_microusd": asked.budget_microusd, "hours": asked.expires_in.map(|seconds| seconds as f64 / 3_600.0),
        })
    });
    let token = format!("{GRANT_PREFIX}{}", state.env.token()?);
    let row = ApiTokenRow {
        id: state.env.id(),
        hash: token_hash(&token),
        org_id: org_id.to_owned(),
        user_id: user_id.to_owned(),
        kind,
        name: asked.name.trim().to_owned(),
        models: json!(asked.models).to_string(),
        needs_approval: asked.approval == "required",
        scope: scope.map(|scope| scope.to_string()),
        budget_microusd: asked.budget_microusd,
        spent_microusd: 0,
        tag: asked.tag,
        created_ms: now,
        expires_ms: asked.expires_in.map(|seconds| now + seconds * 1_000),
        revoked_ms: None,
    };
    state.store.add_api_token(&row).await?;
    state.grants.reload(&state.store, now).await?;
    Ok((row, token))
}

fn check(asked: &NewToken, kind: TokenKind) -> Result<(), ApiError> {
    let too_long = |text: &str| text.chars().nth(LONGEST_TEXT).is_some();
    if asked.name.trim().is_empty() || too_long(&asked.name) || asked.tag.as_deref().is_some_and(too_long) {
        let message =
            format!("`name` is needed, and `name` and `tag` have at most {LONGEST_TEXT} characters");
        return Err(ApiError::invalid(message));
    }
    if asked.models.len() > MOST_MODELS {
        return Err(ApiError::invalid(format!("a token names at most {MOST_MODELS} models")));
    }
    if !matches!(asked.approval.as_str(), "required" | "scope" | "none") {
        return Err(ApiError::invalid("`approval` must be `required`, `scope` or `none`"));
    }
    check_scope(asked, kind)?;
    if asked.budget_microusd.is_some_and(|budget| budget < 0) {
        return Err(ApiError::invalid("`budget_microusd` must not be negative"));
    }
    let longest = if kind == TokenKind::Agent { AGENT_SECONDS } else { LONGEST_SECONDS };
    match asked.expires_in {
        Some(seconds) if !(1..=longest).contains(&seconds) => {
            Err(ApiError::invalid(format!("`expires_in` must be from 1 to {longest} seconds")))
        }
        None if kind == TokenKind::Agent => {
            Err(ApiError::invalid(format!("an agent's token needs `expires_in`, at most {longest} seconds")))
        }
        _ => Ok(()),
    }
}

/// An approval for all that an agent will send has to say which agent, which models, and how much.
fn check_scope(asked: &NewToken, kind: TokenKind) -> Result<(), ApiError> {
    let Some(scope) = &asked.scope else {
        return match asked.approval.as_str() {
            "scope" => Err(ApiError::invalid("`approval` is `scope`, and `scope` is missing")),
            _ => Ok(()),
        };
    };
    if asked.approval != "scope" {
        return Err(ApiError::invalid("`scope` means nothing unless `approval` is `scope`"));
    }
    if kind != TokenKind::Agent || asked.models.is_empty() || asked.budget_microusd.is_none() {
        let message = "a scope is for a token of kind `agent`, and needs `models` and `budget_microusd` beside `expires_in`";
        return Err(ApiError::invalid(message));
    }
    let wrong = |text: &str| text.trim().is_empty() || text.chars().nth(LONGEST_PATH).is_some();
    if wrong(&scope.agent) || scope.worktree.as_deref().is_some_and(wrong) {
        let message = format!("`scope.agent` and `scope.worktree` have from 1 to {LONGEST_PATH} characters");
        return Err(ApiError::invalid(message));
    }
    Ok(())
}

pub(crate) async fn list(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let person = state.person(&request)?;
    let own = (!person.sees_everything()).then_some(person.user_id.as_str());
    let rows = state.store.api_tokens(&person.org_id, own).await?;
    Ok(HttpResponse::Ok().json(json!({ "tokens": rows.iter().map(shown).collect::<Vec<_>>() })))
}

pub(crate) async fn revoke(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Json<Named>,
) -> Result<HttpResponse, ApiError> {
    let person = state.person(&request)?;
    // An auditor sees everybody's and ends only their own.
    let own = (person.role != server_store::Role::Admin).then_some(person.user_id.as_str());
    let canceled = end(&state, &body.id, &person.org_id, own).await?;
    Ok(HttpResponse::Ok().json(json!({ "revoked": true, "canceled": canceled })))
}

/// Voids a token of an organisation, or only if it is `own`. What it has under way ends with it; how much that was.
pub(super) async fn end(state: &State, id: &str, org_id: &str, own: Option<&str>) -> Result<usize, ApiError> {
    let now = state.env.now_ms();
    if !state.store.revoke_api_token(id, org_id, own, now).await? {
        let message = "there is no such token of yours, or it has been revoked before";
        return Err(ApiError::new(StatusCode::NOT_FOUND, "not_found", message));
    }
    state.grants.reload(&state.store, now).await?;
    Ok(state.in_flight.cancel_ended(&state.revoked, &state.grants))
}

fn shown(row: &ApiTokenRow) -> Value {
    json!({
        "id": row.id, "user": row.user_id, "kind": row.kind.as_str(), "name": row.name,
        "models": serde_json::from_str::<Value>(&row.models).unwrap_or_default(),
        "approval": match (row.needs_approval, &row.scope) {
            (true, _) => "required",
            (false, Some(_)) => "scope",
            (false, None) => "none",
        },
        "scope": row.scope.as_deref().and_then(|scope| serde_json::from_str::<Value>(scope).ok()),
        "budget_microusd": row.budget_microusd, "spent_microusd": row.spent_microusd, "tag": row.tag, "created_ms": row.created_ms,
        "expires_ms": row.expires_ms, "revoked_ms": row.revoked_ms,
    })
}
