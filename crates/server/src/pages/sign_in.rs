use actix_web::http::StatusCode;

use super::{Page, escape, problem};

/// Asks for name and password, or for one of the issuers, each by id and name; `next` is where it goes on.
pub(crate) fn page(next: &str, issuers: &[(&str, &str)], wrong: Option<&str>) -> Page {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    let links: String = issuers
        .iter()
        .map(|(id, name)| {
            let (id, name, query) = (escape(id), escape(name), escape(&query));
            format!("<a class=\"button\" href=\"/sign-in/with/{id}?{query}\">Sign in with {name}</a>\n")
        })
        .collect();
    let others = match links.as_str() {
        "" => String::new(),
        links => format!("\n<p class=\"or\">or</p>\n<div class=\"choices\">\n{links}</div>"),
    };
    let main = format!(
        "{}<form method=\"post\" action=\"/sign-in\">\n\
         <input type=\"hidden\" name=\"next\" value=\"{}\">\n\
         <label for=\"login\">Name</label>\n\
         <input id=\"login\" name=\"login\" type=\"text\" autocomplete=\"username\" required autofocus>\n\
         <label for=\"password\">Password</label>\n\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\n\
         <div class=\"acts\"><button class=\"primary\">Sign in</button></div>\n</form>{others}",
        problem(wrong),
        escape(next)
    );
    let status = if wrong.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    Page { status, ..Page::new("Sign in", main) }
}
