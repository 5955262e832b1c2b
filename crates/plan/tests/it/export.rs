use crate::parse::read;
use expect_test::expect;
use plan::{Document, Ending, Operation, OperationKind, State, Step, export};
use proptest::prelude::*;

fn hostile(change: &str) -> Document {
    Document {
        title: "A \"title\" <with> & signs".into(),
        steps: vec![Step {
            title: "One\nline".into(),
            why: "Because ]]> and </why>.".into(),
            confidence: "low".into(),
            depends: vec![2, 3],
            operations: vec![Operation {
                kind: OperationKind::Move,
                path: "a.rs".into(),
                to: Some("b.rs".into()),
                symbol: Some("f<T>".into()),
                lines: Some((1, 2)),
                change: change.into(),
            }],
            commands: vec!["echo '</command>'".into()],
            checks: vec!["a < b".into()],
            complete: true,
        }],
        outside: Vec::new(),
    }
}

#[test]
fn markdown_that_its_text_cannot_end() {
    let text = export::markdown(&hostile("````\n# not a heading\n`````"), &[]);
    expect![[r#"
        # A "title" <with> & signs

        ## 1. One line

        Because ]]> and </why>.

        - **move** `a.rs` → `b.rs`, `f<T>`, lines 1–2

        ``````
        ````
        # not a heading
        `````
        ``````

        Run:

        ```sh
        echo '</command>'
        ```

        Check: a < b

    "#]]
    .assert_eq(&text);
}

proptest! {
    #[test]
    fn the_wire_form_reads_back_as_it_was(change in "([a-z <>&\\]\\[!/\n]|</change></operation>|\\]\\]></change>|&lt;){0,60}") {
        // Leading line breaks and trailing white space belong to the layout, not to the change.
        let document = hostile(change.trim_start_matches(['\r', '\n']).trim_end());
        let (again, state) = read(&export::xml(&document), Ending::Finished);
        prop_assert_eq!(state, State::Complete);
        prop_assert_eq!(again, document);
    }
}
