//! Secrets are found in what is shown, and replaced without a trace.

use context::secrets::{self, Outgoing, Place};
use context::{Content, Format, Request, Source, Tokenizer, pack};
use guard::Guard;

/// Put together here so that no scanner takes this file for a leak.
fn token() -> String {
    ["gh", "p_", "x7Rk2mQ9vT4bN8cW1zL5", "yH3dJ6fG0sPaE4uK"].concat()
}

fn outgoing() -> Outgoing {
    let text =
        |path: &str, text: String| Source { path: path.into(), content: Content::Text(text), lines: vec![] };
    Outgoing {
        task: format!("Use {} to sign in", token()),
        files: vec![
            text("clean.py", "x = 1\n".to_owned()),
            text("settings.py", format!("A = 1\nTOKEN = \"{}\"\nB = 2\n", token())),
            text("example.py", format!("TOKEN = \"{}\"  # plantocode:allow\n", token())),
            text(&format!("notes/{}.txt", token()), "nothing\n".to_owned()),
        ],
        tree: Some(vec!["clean.py".to_owned(), format!("notes/{}.txt", token())]),
    }
}

fn packed(outgoing: &Outgoing, format: Format) -> context::Pack {
    let request = Request {
        task: &outgoing.task,
        files: &outgoing.files,
        tree: outgoing.tree.as_deref(),
        format,
        tokenizer: Tokenizer::O200k,
        budget: 10_000,
    };
    pack(&request).unwrap()
}

#[test]
fn what_is_found_is_told_without_being_said() {
    let outgoing = outgoing();
    let found = secrets::scan(&Guard::builtin().unwrap(), &outgoing);
    let places: Vec<_> =
        found.iter().map(|secret| (secret.place.clone(), secret.lines.first, secret.allowed)).collect();
    let expected = [
        (Place::Task, 1, false),
        (Place::Tree, 2, false),
        (Place::File(1), 2, false),
        (Place::File(2), 1, true),
        (Place::Name(3), 1, false),
    ];
    assert_eq!(places, expected);
    assert!(!format!("{found:?}").contains(&token()));
    let pack = packed(&outgoing, Format::Xml);
    assert!(found.iter().all(|secret| secret.is_shown(&pack.manifest)));
}

#[test]
fn a_secret_in_lines_that_are_not_shown_is_not_told() {
    let mut text = format!("def wanted():\n    pass\n\n\n{}", "OTHER = 1\n".repeat(300));
    text.push_str(&format!("TOKEN = \"{}\"\n", token()));
    let files = vec![Source { path: "a.py".into(), content: Content::Text(text), lines: vec![1] }];
    let outgoing = Outgoing { task: "wanted".into(), files, tree: None };
    let found = secrets::scan(&Guard::builtin().unwrap(), &outgoing);
    assert_eq!(found.len(), 1);
    let request = Request {
        task: &outgoing.task,
        files: &outgoing.files,
        tree: None,
        format: Format::Json,
        tokenizer: Tokenizer::O200k,
        budget: 300,
    };
    assert!(!found[0].is_shown(&pack(&request).unwrap().manifest));
    assert!(found[0].is_shown(&packed(&outgoing, Format::Json).manifest));
}

#[test]
fn what_is_redacted_is_gone_and_lines_stay() {
    let guard = Guard::builtin().unwrap();
    for format in Format::ALL {
        let mut outgoing = outgoing();
        outgoing.files.remove(2);
        secrets::redact(&guard, &mut outgoing);
        assert_eq!(secrets::scan(&guard, &outgoing), []);
        let text = packed(&outgoing, format).text;
        assert!(!text.contains(&token()), "{text}");
        assert!(text.matches("[redacted:").count() == 4, "{text}");
        let Content::Text(settings) = &outgoing.files[1].content else { panic!("it is text") };
        assert_eq!(settings.lines().count(), 3);
    }
}
