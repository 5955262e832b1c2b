use server_store::DeviceCodeRow;

use super::{Page, escape, problem};

/// Asks for the code that the client shows.
pub(crate) fn ask(wrong: Option<&str>) -> Page {
    let main = format!(
        "<p class=\"quiet\">Type the code that your terminal or application shows.</p>\n{}\
         <form method=\"get\" action=\"/device\">\n<label for=\"code\">Code</label>\n\
         <input class=\"code\" id=\"code\" name=\"code\" type=\"text\" placeholder=\"XXXX-XXXX\" autocomplete=\"off\" \
         autocapitalize=\"characters\" spellcheck=\"false\" required autofocus>\n\
         <div class=\"acts\"><button class=\"primary\">Continue</button></div>\n</form>",
        problem(wrong)
    );
    Page::new("Sign in a client", main)
}

/// Shows who asks, from where and since when, and lets the person decide.
pub(crate) fn confirm(code: &DeviceCodeRow, login: &str, form_token: &str, now_ms: i64) -> Page {
    let seconds = (now_ms - code.created_ms).max(0) / 1_000;
    let since = match seconds {
        0..60 => format!("{seconds} s ago"),
        _ => format!("{} min ago", seconds / 60),
    };
    let main = format!(
        "<p>Approve only if you started this yourself and the code is the one you see there.</p>\n<dl>\n\
         <dt>Client</dt><dd>{}</dd>\n<dt>Address</dt><dd>{}</dd>\n<dt>Asked</dt><dd>{since}</dd>\n\
         <dt>Code</dt><dd class=\"code\">{}</dd>\n<dt>Signs in as</dt><dd>{}</dd>\n</dl>\n\
         <form method=\"post\" action=\"/device\">\n\
         <input type=\"hidden\" name=\"code\" value=\"{}\">\n\
         <input type=\"hidden\" name=\"form_token\" value=\"{}\">\n<div class=\"acts\">\n\
         <button class=\"primary\" name=\"decision\" value=\"approve\">Approve</button>\n\
         <button name=\"decision\" value=\"refuse\">Refuse</button>\n</div>\n</form>",
        escape(&code.client_name),
        escape(&code.address),
        escape(&code.user_code),
        escape(login),
        escape(&code.user_code),
        escape(form_token)
    );
    Page::new("Approve a sign-in", main)
}

/// Decided.
pub(crate) fn done(title: &'static str, sentence: &str) -> Page {
    Page::new(title, format!("<p role=\"status\">{}</p>", escape(sentence)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use server_store::CodeStatus;

    #[test]
    fn what_a_client_says_about_itself_is_text() {
        let code = DeviceCodeRow {
            device_hash: String::new(),
            user_code: "AAAA-BBBB".into(),
            client_name: "<script>alert(1)</script>\" onload='x'".into(),
            address: "127.0.0.1".into(),
            created_ms: 0,
            expires_ms: 1,
            last_poll_ms: 0,
            status: CodeStatus::Pending,
            user_id: None,
        };
        let page = confirm(&code, "ada", "t", 61_000);
        assert!(!page.main.contains("<script"), "{}", page.main);
        assert!(page.main.contains("&lt;script&gt;") && page.main.contains("1 min ago"), "{}", page.main);
    }
}
