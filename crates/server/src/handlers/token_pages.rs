//! `/tokens`: a person's tokens for programs and agents, on the server's pages.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::auth::sign_in::{self, SignedIn};
use super::tokens::{self, NewToken};
use crate::error::ApiError;
use crate::pages::tokens::{Shown, page as draw};
use crate::state::State;

/// `GET /tokens`
pub(crate) async fn page(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let Some(person) = sign_in::signed_in(&request, &state).await? else {
        return Ok(sign_in::first_sign_in("/tokens"));
    };
    shown(&state, &person, None, None).await
}

/// `POST /tokens`: makes one, and shows it this once.
pub(crate) async fn make(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Bytes,
) -> Result<HttpResponse, ApiError> {
    sign_in::same_origin(&request)?;
    let Some(person) = sign_in::signed_in(&request, &state).await? else {
        return Ok(sign_in::first_sign_in("/tokens"));
    };
    let (asked, form_token) = read(&body);
    person.check_form(&form_token)?;
    let made = match asked {
        Ok(asked) => tokens::issue(&state, &person.org_id, &person.user_id, asked).await,
        Err(problem) => Err(ApiError::invalid(problem)),
    };
    match made {
        Ok((row, token)) => shown(&state, &person, Some((&row.name, &token)), None).await,
        Err(error) if error.status.is_client_error() => {
            shown(&state, &person, None, Some(&error.message)).await
        }
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
pub(crate) struct Revoke {
    id: String,
    form_token: String,
}

/// `POST /tokens/revoke`
pub(crate) async fn revoke(
    request: HttpRequest,
    state: web::Data<State>,
    form: web::Form<Revoke>,
) -> Result<HttpResponse, ApiError> {
    sign_in::same_origin(&request)?;
    let Some(person) = sign_in::signed_in(&request, &state).await? else {
        return Ok(sign_in::first_sign_in("/tokens"));
    };
    person.check_form(&form.form_token)?;
    tokens::end(&state, &form.id, &person.org_id, Some(&person.user_id)).await?;
    Ok(sign_in::see_other("/tokens", None))
}

async fn shown(
    state: &State,
    person: &SignedIn,
    made: Option<(&str, &str)>,
    wrong: Option<&str>,
) -> Result<HttpResponse, ApiError> {
    let rows = state.store.api_tokens(&person.org_id, Some(&person.user_id)).await?;
    let table = state.routes.table();
    let models: Vec<&str> = table.models(&person.org_id).iter().map(|model| model.alias).collect();
    let shown = Shown {
        tokens: &rows,
        models: &models,
        made,
        wrong,
        form_token: &person.form_token,
        now_ms: state.env.now_ms(),
    };
    Ok(draw(&shown).reply())
}

/// What the form asks for, and its token. Fields that are left empty are not set.
fn read(body: &[u8]) -> (Result<NewToken, String>, String) {
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
    let all = |name: &str| {
        fields
            .iter()
            .filter(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.clone())
            .collect::<Vec<_>>()
    };
    let one = |name: &str| all(name).into_iter().next();
    let form_token = one("form_token").unwrap_or_default();
    let asked = || {
        let budget_microusd = one("budget").map(|text| microusd(&text)).transpose()?;
        let hours =
            one("hours").map(|text| text.parse::<i64>().map_err(|_| "The end is not understood.".to_owned()));
        Ok(NewToken {
            name: one("name").unwrap_or_default(),
            kind: one("kind").unwrap_or_else(|| "api".into()),
            models: all("model"),
            expires_in: hours.transpose()?.map(|hours| hours.saturating_mul(3_600)),
            budget_microusd,
            approval: if one("approval").is_some() { "required" } else { "none" }.into(),
            scope: None,
            tag: one("tag"),
        })
    };
    (asked(), form_token)
}

/// Dollars as people write them, in micro-dollars.
fn microusd(text: &str) -> Result<i64, String> {
    let wrong = || format!("“{text}” is not an amount of dollars, such as 12.50.");
    let (whole, part) = text
        .trim()
        .trim_start_matches('$')
        .split_once(['.', ','])
        .unwrap_or((text.trim().trim_start_matches('$'), ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if !(digits(whole) && digits(part))
        || (whole.is_empty() && part.is_empty())
        || whole.len() > 9
        || part.len() > 6
    {
        return Err(wrong());
    }
    let number = |text: &str| text.parse::<i64>().unwrap_or(0);
    Ok(number(whole) * 1_000_000 + number(&format!("{part:0<6}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, amount) in
            [("5", 5_000_000), ("0.5", 500_000), ("$12,34", 12_340_000), (".000001", 1), ("1.", 1_000_000)]
        {
            assert_eq!(microusd(text), Ok(amount), "{text}");
        }
        for text in ["", ".", "-1", "1e3", "1.2.3", "0.0000001", "1234567890", "five"] {
            assert!(microusd(text).is_err(), "{text}");
        }
    }
}
