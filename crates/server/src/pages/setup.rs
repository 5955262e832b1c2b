use actix_web::http::StatusCode;

use super::{Page, escape, problem};

/// Asks for name and password of the first administrator.
pub(crate) fn form(token: &str, login: &str, wrong: Option<&str>) -> Page {
    let main = format!(
        "<p class=\"quiet\">This server has no administrator yet. The account you make now manages people, keys and \
         limits.</p>\n{}<form method=\"post\" action=\"/setup\">\n\
         <input type=\"hidden\" name=\"token\" value=\"{}\">\n\
         <label for=\"login\">Name</label>\n\
         <input id=\"login\" name=\"login\" type=\"text\" value=\"{}\" autocomplete=\"username\" required autofocus>\n\
         <label for=\"password\">Password</label>\n\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"new-password\" minlength=\"12\" \
         aria-describedby=\"hint\" required>\n\
         <p class=\"hint\" id=\"hint\">At least 12 characters. A few unrelated words are good.</p>\n\
         <div class=\"acts\"><button class=\"primary\">Create administrator</button></div>\n</form>",
        problem(wrong),
        escape(token),
        escape(login)
    );
    Page::new("Set up this server", main)
}

/// The link is of no use any more.
pub(crate) fn closed() -> Page {
    let main = "<p>This link has expired, was used, or the server has an administrator already.</p>\n\
                <p class=\"quiet\">As long as there is none, every start of the server prints a new link, good for \
                15 minutes.</p>\n<p><a href=\"/sign-in\">Sign in</a></p>";
    Page { status: StatusCode::FORBIDDEN, ..Page::new("Link not valid", main.into()) }
}
