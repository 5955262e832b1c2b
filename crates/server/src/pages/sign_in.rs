use actix_web::http::StatusCode;

use super::{Page, escape, problem};

/// Asks for name and password; `next` is where it goes on.
pub(crate) fn page(next: &str, wrong: Option<&str>) -> Page {
    let main = format!(
        "{}<form method=\"post\" action=\"/sign-in\">\n\
         <input type=\"hidden\" name=\"next\" value=\"{}\">\n\
         <label for=\"login\">Name</label>\n\
         <input id=\"login\" name=\"login\" type=\"text\" autocomplete=\"username\" required autofocus>\n\
         <label for=\"password\">Password</label>\n\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\n\
         <div class=\"acts\"><button class=\"primary\">Sign in</button></div>\n</form>",
        problem(wrong),
        escape(next)
    );
    let status = if wrong.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    Page { status, ..Page::new("Sign in", main) }
}
