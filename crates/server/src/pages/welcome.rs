use actix_web::http::StatusCode;

use super::{Page, escape, problem};

/// Asks for a password.
pub(crate) fn form(token: &str, login: &str, wrong: Option<&str>) -> Page {
    let main = format!(
        "<p class=\"quiet\">You were invited to this server. Choose the password that you will sign in with.</p>\n{}\
         <form method=\"post\" action=\"/welcome\">\n<input type=\"hidden\" name=\"token\" value=\"{}\">\n\
         <label for=\"login\">Name</label>\n\
         <input id=\"login\" type=\"text\" value=\"{}\" autocomplete=\"username\" readonly>\n\
         <label for=\"password\">Password</label>\n\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"new-password\" minlength=\"12\" \
         aria-describedby=\"hint\" required autofocus>\n\
         <p class=\"hint\" id=\"hint\">At least 12 characters. A few unrelated words are good.</p>\n\
         <div class=\"acts\"><button class=\"primary\">Set password</button></div>\n</form>",
        problem(wrong),
        escape(token),
        escape(login)
    );
    Page::new("Welcome", main)
}

/// The link is of no use any more.
pub(crate) fn closed() -> Page {
    let main = "<p>This link has expired or was used before.</p>\n\
                <p class=\"quiet\">Whoever administers this server can make a new one.</p>\n\
                <p><a href=\"/sign-in\">Sign in</a></p>";
    Page { status: StatusCode::FORBIDDEN, ..Page::new("Link not valid", main.into()) }
}
