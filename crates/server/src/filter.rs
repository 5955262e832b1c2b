//! The content filter: looks at every text of a request before anything leaves.

use std::collections::BTreeMap;
use std::fmt;

use gateway::Route;
use guard::{Finding, Guard, redact};
use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::audit::Located;
use crate::config::{self, SecretPolicy};

/// The most findings that are told of one body: of those that stop it, and as many of those that do not.
const MAX_FINDINGS: usize = 100;

/// The longest name that becomes part of a place, and the longest place, in bytes.
const MAX_NAME: usize = 60;
const MAX_PLACE: usize = 400;

/// What happens to each class of findings on the way to some destinations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Screening {
    others: SecretPolicy,
    classes: BTreeMap<String, SecretPolicy>,
}

impl Screening {
    /// The strictest that any of the routes asks for: which of them will serve is not known yet.
    pub fn of(settings: &config::Filter, routes: &[Route]) -> Self {
        let strictest = |own: SecretPolicy| {
            let of = |route: &Route| {
                let whole = format!("{}/{}", route.provider, route.upstream_model);
                let to = settings.destinations.get(&whole).or(settings.destinations.get(&route.provider));
                to.copied().unwrap_or(own)
            };
            routes.iter().map(of).max().unwrap_or(own)
        };
        let classes = settings.classes.iter().map(|(class, own)| (class.clone(), strictest(*own))).collect();
        Self { others: strictest(settings.secrets), classes }
    }

    /// What happens to a finding of this class.
    pub fn policy(&self, class: &str) -> SecretPolicy {
        self.classes.get(class).copied().unwrap_or(self.others)
    }

    /// Findings that are merely told are as harmless as those that a comment allows.
    fn lowered(&self, mut finding: Finding) -> Finding {
        finding.allowed |= self.policy(&finding.class) == SecretPolicy::Warn;
        finding
    }
}

/// The findings in the texts of a body, keys included. A key that stands twice is read twice: what the last one says must
/// not hide what leaves with the first.
pub(crate) fn scan(
    guard: &Guard,
    screening: &Screening,
    body: &[u8],
) -> Result<Vec<Located>, serde_json::Error> {
    let mut found = Vec::new();
    // Of those that stop the body, and of those that do not: a hundred harmless ones must not hide a harmful one.
    let mut counts = [0_usize; 2];
    let mut see = |place: &str, text: &str| {
        // Enough to refuse and to record; a body of nothing but secrets must not fill the memory with places.
        if counts[0] >= MAX_FINDINGS {
            return true;
        }
        let here = if is_prose(place, text) { guard.scan(text) } else { Vec::new() };
        let saw = !here.is_empty();
        for finding in here.into_iter().map(|finding| screening.lowered(finding)) {
            let count = &mut counts[usize::from(finding.allowed)];
            if *count < MAX_FINDINGS {
                *count += 1;
                found.push(locate(place, finding));
            }
        }
        saw
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    Walk { place: &mut String::new(), see: &mut see }.deserialize(&mut json)?;
    json.end()?;
    Ok(found)
}

/// Replaces every finding that is not allowed.
pub(crate) fn redact_body(guard: &Guard, screening: &Screening, body: &mut Value) {
    redact_at(guard, screening, "", body);
}

/// `place` is the end of the value's own, as far as it matters.
fn redact_at(guard: &Guard, screening: &Screening, place: &str, body: &mut Value) {
    match body {
        Value::String(text) if is_prose(place, text) => {
            let findings: Vec<Finding> =
                guard.scan(text).into_iter().map(|finding| screening.lowered(finding)).collect();
            if !findings.is_empty() {
                *text = redact(text, &findings);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact_at(guard, screening, "[]", item)),
        Value::Object(fields) => {
            let parent = place.rsplit('.').next().unwrap_or_default();
            for (name, value) in fields {
                redact_at(guard, screening, &format!("{parent}.{name}"), value);
            }
        }
        _ => {}
    }
}

fn locate(place: &str, finding: Finding) -> Located {
    Located {
        place: place.to_owned(),
        line: finding.line,
        rule: finding.rule,
        class: finding.class,
        allowed: finding.allowed,
    }
}

/// Visits every text of a JSON document without building it; `see` says whether it found something.
struct Walk<'a, F> {
    place: &'a mut String,
    see: &'a mut F,
}

impl<F: FnMut(&str, &str) -> bool> Walk<'_, F> {
    fn inside(&mut self, step: &str) -> Walk<'_, F> {
        if self.place.len() + step.len() <= MAX_PLACE {
            self.place.push_str(step);
        }
        Walk { place: self.place, see: self.see }
    }
}

impl<'de, F: FnMut(&str, &str) -> bool> DeserializeSeed<'de> for Walk<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(&str, &str) -> bool> Visitor<'de> for Walk<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        (self.see)(self.place, text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let length = self.place.len();
        for at in 0.. {
            let more = items.next_element_seed(self.inside(&format!("[{at}]")))?;
            self.place.truncate(length);
            if more.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        let length = self.place.len();
        while let Some(name) = fields.next_key::<String>()? {
            // A name with a secret in it must not become part of a place.
            let name = if (self.see)(self.place, &name) || name.len() > MAX_NAME { "?" } else { &name };
            let dot = if length == 0 { "" } else { "." };
            fields.next_value_seed(self.inside(&format!("{dot}{name}")))?;
            self.place.truncate(length);
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A text of base64 that is shorter may be a key; an image or a sealed thought is not.
const LEAST_OPAQUE: usize = 256;

/// Where the dialects have bytes as base64: of images and files, and of what a provider has signed or sealed and gets back.
/// In a few megabytes of it some rule finds something by chance, and a conversation would end there.
const OPAQUE: [&str; 6] = [
    "source.data",
    ".file_data",
    ".signature",
    ".thought_signature",
    ".encrypted_content",
    // A thought that Anthropic hides.
    "].data",
];

/// Images, files and sealed thoughts in base64 are noise to the rules. Nothing but a whole data URL counts as one, and a
/// long text of nothing but base64 where a dialect has it: text after a prefix that looks like it is text.
fn is_prose(place: &str, text: &str) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let sealed = |byte: u8| base64(byte) || matches!(byte, b'-' | b'_');
    let is_opaque = OPAQUE.iter().any(|end| place.ends_with(end));
    if is_opaque && text.len() >= LEAST_OPAQUE && text.bytes().all(sealed) {
        return false;
    }
    let data = text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    !data.is_some_and(|(kind, data)| {
        let media = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'-' | b'.' | b';' | b'=')
        };
        kind.len() <= 100 && kind.bytes().all(media) && data.bytes().all(base64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_found_by_place_and_line_and_can_be_removed() {
        let guard = Guard::builtin().unwrap();
        let key = ["gh", "p_", "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0sYaQeUi"].concat();
        let mut body = json!({ "model": "m", "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": [{ "type": "text", "text": format!("one\ntwo {key}") }] },
        ]});
        let found = scan(&guard, &Screening::default(), body.to_string().as_bytes()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].place.as_str(), found[0].line), ("messages[1].content[0].text", 2));
        assert!(!format!("{found:?}").contains(&key));
        redact_body(&guard, &Screening::default(), &mut body);
        assert!(!body.to_string().contains(&key) && body["model"] == "m");
        assert_eq!(scan(&guard, &Screening::default(), body.to_string().as_bytes()).unwrap(), []);
    }

    #[test]
    fn nothing_hides_behind_a_repeated_key_or_in_a_name() {
        let guard = Guard::builtin().unwrap();
        let key = ["gh", "p_", "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0sYaQeUi"].concat();
        let twice = format!(r#"{{"messages":[{{"content":"{key}","content":"harmless"}}]}}"#);
        assert_eq!(
            scan(&guard, &Screening::default(), twice.as_bytes()).unwrap()[0].place,
            "messages[0].content"
        );
        let name = format!(r#"{{"metadata":{{"{key}":["{key}"]}}}}"#);
        let found = scan(&guard, &Screening::default(), name.as_bytes()).unwrap();
        assert_eq!(found.iter().map(|f| f.place.as_str()).collect::<Vec<_>>(), ["metadata", "metadata.?[0]"]);
        assert!(scan(&guard, &Screening::default(), b"{} trailing").is_err());
    }

    #[test]
    fn only_a_whole_data_url_is_passed_over() {
        let guard = Guard::builtin().unwrap();
        let key = ["gh", "p_", "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0sYaQeUi"].concat();
        let found = |text: &str| {
            scan(&guard, &Screening::default(), json!({ "content": text }).to_string().as_bytes())
                .unwrap()
                .len()
        };
        assert_eq!(found("data:image/png;base64,iVBORw0KGgo="), 0);
        assert_eq!(found(&format!("data:x;base64,\n{key}")), 1);
        assert_eq!(found(&format!("data: a manifest\nü;base64,\n{key}")), 1);
    }

    /// The same places are passed over when a body is redacted.
    #[test]
    fn what_a_provider_sealed_is_passed_over_where_it_stands_and_nowhere_else() {
        let guard = Guard::builtin().unwrap();
        // All of it is base64, and the rules know it by its mark as a key of Azure's.
        let key = ["x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0sYaQeUiZ9bT4n", "Az", "SeW8rL5v"].concat();
        let sealed = format!("{key}{}", "b".repeat(220));
        let found = |body: Value| {
            let found = scan(&guard, &Screening::default(), body.to_string().as_bytes()).unwrap().len();
            let mut redacted = body.clone();
            redact_body(&guard, &Screening::default(), &mut redacted);
            assert_eq!(found > 0, redacted != body, "{body}");
            found
        };
        let block = |block: Value| json!({ "messages": [{ "content": [block] }] });
        for sealed_block in [
            json!({ "type": "thinking", "thinking": "x", "signature": sealed }),
            json!({ "type": "redacted_thinking", "data": sealed }),
            json!({ "type": "image", "source": { "type": "base64", "data": sealed } }),
        ] {
            assert_eq!(found(block(sealed_block)), 0);
        }
        assert_eq!(found(json!({ "input": [{ "type": "reasoning", "encrypted_content": sealed }] })), 0);
        assert_eq!(found(block(json!({ "type": "text", "text": sealed }))), 1);
        assert_eq!(found(block(json!({ "type": "thinking", "thinking": sealed }))), 1);
        assert_eq!(
            found(block(json!({ "type": "thinking", "signature": key }))),
            1,
            "a short one may be a key"
        );
        assert_eq!(found(block(json!({ "type": "thinking", "signature": format!("{sealed} {key}") }))), 2);
        assert_eq!(found(json!({ "data": sealed })), 1, "not in a list");
    }

    #[test]
    fn a_body_of_nothing_but_secrets_is_told_in_part() {
        let guard = Guard::builtin().unwrap();
        let key = |n: usize| format!("{}{}{n:06}", ["gh", "p_"].concat(), "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0s");
        let text: Vec<String> = (0..5_000).map(key).collect();
        let body = json!({ "n".repeat(1 << 20): text.join(" ") });
        let found = scan(&guard, &Screening::default(), body.to_string().as_bytes()).unwrap();
        assert_eq!(found.len(), MAX_FINDINGS);
        assert!(found.iter().all(|f| f.place.len() <= MAX_PLACE));
    }

    #[test]
    fn a_hundred_harmless_findings_do_not_hide_a_harmful_one() {
        let guard = Guard::builtin().unwrap();
        let key = ["gh", "p_", "x7Kq2mZ9bT4nW8rL5vD1cF6gH3jP0sYaQeUi"].concat();
        let mut texts = vec![json!(format!("{key} # plantocode:allow")); 150];
        texts.push(json!(format!("{key} in earnest")));
        let found = scan(&guard, &Screening::default(), json!(texts).to_string().as_bytes()).unwrap();
        let harmful: Vec<_> = found.iter().filter(|finding| !finding.allowed).collect();
        assert_eq!((found.len(), harmful.len(), harmful[0].place.as_str()), (101, 1, "[150]"));
    }

    #[test]
    fn the_strictest_of_all_destinations_counts() {
        let settings: config::Filter = toml::from_str(
            "secrets = \"block\"\nclasses = { pii = \"warn\" }\n\
             destinations = { local = \"warn\", \"cloud/mini\" = \"redact\" }",
        )
        .unwrap();
        let route = |provider: &str, model: &str| Route {
            provider: provider.into(),
            dialect: llm::Dialect::Compatible,
            base_url: "http://127.0.0.1/v1".parse().unwrap(),
            upstream_model: model.into(),
            key_id: String::new(),
            key: None,
            limits: llm::ModelLimits::default(),
            extra_headers: Vec::new(),
        };
        let policy = |routes: &[Route], class| Screening::of(&settings, routes).policy(class);
        assert_eq!(policy(&[route("cloud", "large")], "cloud-key"), SecretPolicy::Block);
        assert_eq!(policy(&[route("cloud", "large")], "pii"), SecretPolicy::Warn);
        assert_eq!(policy(&[route("local", "m")], "cloud-key"), SecretPolicy::Warn);
        assert_eq!(policy(&[route("cloud", "mini")], "pii"), SecretPolicy::Redact);
        assert_eq!(policy(&[route("local", "m"), route("cloud", "mini")], "cloud-key"), SecretPolicy::Redact);
        assert_eq!(policy(&[route("local", "m"), route("cloud", "large")], "cloud-key"), SecretPolicy::Block);
    }
}
