use server_store::ApiTokenRow;

use super::sessions::item;
use super::{Page, escape, moment, problem};

/// What the page of tokens shows.
pub(crate) struct Shown<'a> {
    pub tokens: &'a [ApiTokenRow],
    pub models: &'a [&'a str],
    /// Name and text of a token that was made this moment.
    pub made: Option<(&'a str, &'a str)>,
    pub wrong: Option<&'a str>,
    pub form_token: &'a str,
    pub now_ms: i64,
}

/// A person's tokens, and a form for another one.
pub(crate) fn page(shown: &Shown<'_>) -> Page {
    let made = shown.made.map(|(name, token)| {
        format!(
            "<div class=\"made\" role=\"status\"><p>The token <strong>{}</strong> is made. Copy it now: it is not shown \
             again.</p>\n<p><code>{}</code></p></div>\n",
            escape(name),
            escape(token)
        )
    });
    let (works, ended): (Vec<_>, Vec<_>) = shown.tokens.iter().partition(|row| is_good(row, shown.now_ms));
    let list: String = works.iter().chain(&ended).map(|row| token(row, shown)).collect();
    let list = match list.as_str() {
        "" => "<p class=\"quiet\">You have none.</p>".to_owned(),
        list => format!("<ul class=\"items\">{list}</ul>"),
    };
    let main = format!(
        "<p class=\"quiet\">A token lets a program or an agent ask for models in your name, and nothing else.</p>\n{}{}{list}\n\
         <h2>Make a token</h2>\n{}\n<p class=\"back\"><a href=\"/\">Back</a></p>",
        problem(shown.wrong),
        made.unwrap_or_default(),
        form(shown)
    );
    Page::wide("Tokens", main)
}

fn is_good(row: &ApiTokenRow, now_ms: i64) -> bool {
    row.revoked_ms.is_none() && row.expires_ms.is_none_or(|end| end > now_ms)
}

fn token(row: &ApiTokenRow, shown: &Shown<'_>) -> String {
    let models: Vec<String> = serde_json::from_str(&row.models).unwrap_or_default();
    let models = if models.is_empty() { "all models".to_owned() } else { models.join(", ") };
    let spent = match row.budget_microusd {
        Some(budget) => format!("{} of {}", dollars(row.spent_microusd), dollars(budget)),
        None => format!("{}, without a limit", dollars(row.spent_microusd)),
    };
    let end = match (row.revoked_ms, row.expires_ms) {
        (Some(at), _) => format!("revoked {}", moment(at, shown.now_ms)),
        (None, Some(at)) => moment(at, shown.now_ms),
        (None, None) => "never".to_owned(),
    };
    let mut facts = vec![("Models", models), ("Spent", spent), ("Ends", end)];
    if row.needs_approval {
        facts.push(("Approval", "each request needs one".to_owned()));
    }
    facts.extend(row.tag.clone().map(|tag| ("Tag", tag)));
    facts.push(("Made", moment(row.created_ms, shown.now_ms)));
    let revoke = format!(
        "<form method=\"post\" action=\"/tokens/revoke\"><input type=\"hidden\" name=\"id\" value=\"{}\">\
         <input type=\"hidden\" name=\"form_token\" value=\"{}\">\
         <button aria-label=\"Revoke {}\">Revoke</button></form>",
        escape(&row.id),
        escape(shown.form_token),
        escape(&row.name)
    );
    let act = if is_good(row, shown.now_ms) { revoke } else { String::new() };
    item(&row.name, &facts, &act)
}

fn form(shown: &Shown<'_>) -> String {
    let models: String = shown
        .models
        .iter()
        .map(|model| {
            let model = escape(model);
            format!("<label class=\"check\"><input type=\"checkbox\" name=\"model\" value=\"{model}\"> {model}</label>\n")
        })
        .collect();
    format!(
        "<form method=\"post\" action=\"/tokens\">\n<input type=\"hidden\" name=\"form_token\" value=\"{}\">\n\
         <label for=\"name\">Name</label>\n\
         <input id=\"name\" name=\"name\" type=\"text\" maxlength=\"100\" autocomplete=\"off\" required>\n\
         <div class=\"pair\"><div><label for=\"kind\">For</label>\n<select id=\"kind\" name=\"kind\">\
         <option value=\"api\">a program</option><option value=\"agent\">an agent, at most a day</option></select></div>\n\
         <div><label for=\"hours\">Ends</label>\n<select id=\"hours\" name=\"hours\">\
         <option value=\"1\">in an hour</option><option value=\"24\">in a day</option>\
         <option value=\"720\" selected>in 30 days</option><option value=\"8760\">in a year</option>\
         <option value=\"\">never</option></select></div></div>\n\
         <div class=\"pair\"><div><label for=\"budget\">Budget, dollars</label>\n\
         <input id=\"budget\" name=\"budget\" type=\"text\" inputmode=\"decimal\" placeholder=\"no limit\" autocomplete=\"off\">\
         </div>\n<div><label for=\"tag\">Tag</label>\n\
         <input id=\"tag\" name=\"tag\" type=\"text\" maxlength=\"100\" placeholder=\"none\" autocomplete=\"off\"></div></div>\n\
         <fieldset><legend>Models</legend>\n<p class=\"hint\">All of them if none is chosen.</p>\n\
         <div class=\"checks\">{models}</div></fieldset>\n\
         <label class=\"check\"><input type=\"checkbox\" name=\"approval\" value=\"required\"> \
         Each request needs an approval</label>\n\
         <div class=\"acts\"><button class=\"primary\">Make token</button></div>\n</form>",
        escape(shown.form_token)
    )
}

/// An amount for people, to the cent or as far as it goes below one.
fn dollars(microusd: i64) -> String {
    let (whole, part) = (microusd / 1_000_000, (microusd % 1_000_000).unsigned_abs());
    match part % 10_000 {
        0 => format!("${whole}.{:02}", part / 10_000),
        _ => format!("${whole}.{part:06}"),
    }
}

#[cfg(test)]
mod tests {
    use super::dollars;

    #[test]
    fn amounts_are_written_as_people_read_them() {
        for (amount, text) in [(0, "$0.00"), (5_000_000, "$5.00"), (12_340_000, "$12.34"), (1, "$0.000001")] {
            assert_eq!(dollars(amount), text);
        }
    }
}
