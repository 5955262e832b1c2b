use super::{Page, escape};

/// For somebody who is not signed in.
pub(crate) fn stranger() -> Page {
    let main = "<p>This is a PlanToCode server. It holds the keys to models for the people who sign in here.</p>\n\
                <p><a href=\"/sign-in\">Sign in</a></p>";
    Page::new("Server", main.into())
}

/// For somebody who is: how to connect a client, and what it will find.
pub(crate) fn signed_in(login: &str, form_token: &str, url: &str, models: &[String]) -> Page {
    let models = match models {
        [] => "<p class=\"quiet\">No models yet. Add a provider key on the server: \
               <span class=\"code\">plantocode-server keys add</span></p>"
            .to_owned(),
        models => {
            let items: String = models.iter().map(|model| format!("<dd>{}</dd>", escape(model))).collect();
            format!("<dl><dt>Models</dt>{}</dl>", items.replace("</dd><dd>", "</dd><dt></dt><dd>"))
        }
    };
    let main = format!(
        "<p>Signed in as <strong>{}</strong>.</p>\n<dl><dt>Address</dt><dd>{}</dd></dl>\n{models}\n\
         <ul class=\"links\"><li><a href=\"/device\">Sign in a client with a code</a></li>\
         <li><a href=\"/tokens\">Tokens for programs and agents</a></li>\
         <li><a href=\"/sessions\">Sessions</a></li></ul>\n\
         <form method=\"post\" action=\"/sign-out\"><input type=\"hidden\" name=\"form_token\" value=\"{}\">\
         <div class=\"acts\"><button>Sign out</button></div></form>",
        escape(login),
        escape(url.trim_end_matches('/')),
        escape(form_token)
    );
    Page::new("Server", main)
}
