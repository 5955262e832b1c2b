//! `GET /`, the style sheet of the server's pages, and the icon that browsers ask for unasked.

use actix_web::{HttpRequest, HttpResponse, web};

use super::auth::sign_in;
use crate::error::ApiError;
use crate::pages;
use crate::state::State;

pub(crate) async fn home(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let signed_in = sign_in::signed_in(&request, &state).await?;
    let table = state.routes.table();
    let page = match signed_in {
        None => pages::home::stranger(),
        Some(person) => {
            let org_id = state.store.user(&person.user_id).await?.map(|user| user.org_id).unwrap_or_default();
            let models: Vec<_> = table.models(&org_id).iter().map(|model| model.alias.to_owned()).collect();
            pages::home::signed_in(&person.login, &person.form_token, state.public_url.as_str(), &models)
        }
    };
    Ok(page.reply())
}

/// `HEAD /`, by which some clients ask whether anybody is there.
pub(crate) async fn alive() -> HttpResponse {
    HttpResponse::Ok().finish()
}

pub(crate) async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header(("cache-control", "public, max-age=3600"))
        .body(pages::STYLE)
}

/// There is none; saying so keeps errors out of people's consoles.
pub(crate) async fn no_icon() -> HttpResponse {
    HttpResponse::NoContent().insert_header(("cache-control", "public, max-age=86400")).finish()
}
