use expect_test::{Expect, expect};
use plan::{Document, Ending, Parser, State};
use proptest::prelude::*;

pub fn read(text: &str, ending: Ending) -> (Document, State) {
    let mut parser = Parser::new();
    parser.push(text);
    parser.finish(ending)
}

fn outline(text: &str, ending: Ending, expected: Expect) {
    let (document, state) = read(text, ending);
    let mut out = format!("{state:?}: {}\n", document.title);
    for step in &document.steps {
        out.push_str(&format!("{} {}: {}\n", if step.complete { '+' } else { '~' }, step.title, step.why));
        for o in &step.operations {
            out.push_str(&format!(
                "  {} {} {:?} {:?} {:?} {:?}\n",
                o.kind.name(),
                o.path,
                o.to,
                o.symbol,
                o.lines,
                o.change
            ));
        }
        out.push_str(&format!(
            "  run {:?} check {:?} depends {:?} {}\n",
            step.commands, step.checks, step.depends, step.confidence
        ));
    }
    expected.assert_eq(&out);
}

const CLEAN: &str = r#"<plan title="Retry &amp; back off">
<step title="Add a policy" confidence="High">
<why>Sending gives up at once.</why>
<operation kind="create" path="src/retry.rs"><change>
pub struct Policy<T>(T);
if a < b && c > d {}
</change></operation>
</step>
<step title="Use it" depends="1">
<operation kind="modify" path="src/http.rs" symbol="send" lines="40-71">
<change>call `Policy`</change>
</operation>
<operation kind="delete" path="src/old.rs"/>
<operation kind="rename" path="a.rs" to="b.rs"></operation>
<command>cargo test</command>
<check>all pass</check>
</step>
</plan>"#;

#[test]
fn a_clean_plan() {
    outline(
        CLEAN,
        Ending::Finished,
        expect![[r#"
            Complete: Retry & back off
            + Add a policy: Sending gives up at once.
              create src/retry.rs None None None "pub struct Policy<T>(T);\nif a < b && c > d {}"
              run [] check [] depends [] high
            + Use it: 
              modify src/http.rs None Some("send") Some((40, 71)) "call `Policy`"
              delete src/old.rs None None None ""
              move a.rs Some("b.rs") None None ""
              run ["cargo test"] check ["all pass"] depends [1] 
        "#]],
    );
}

#[test]
fn fences_and_chatter_are_kept_apart_from_the_steps() {
    let wrapped =
        format!("Sure! A <b>plan</b> with a < b:\n\n```xml\n{CLEAN}\n```\nTell me if </plan> is <unclear.");
    let (document, state) = read(&wrapped, Ending::Finished);
    let (clean, _) = read(CLEAN, Ending::Finished);
    assert_eq!((document.title, document.steps, state), (clean.title, clean.steps, State::Complete));
    assert_eq!(document.outside, ["Sure! A <b>plan</b> with a < b:", "Tell me if </plan> is <unclear."]);
}

#[test]
fn code_that_holds_our_own_tags_survives() {
    outline(
        "<plan><step title='t'><operation kind='modify' path='doc.md'><change>write </change> and </step> and <step title='x'> here\n</change></operation></step></plan>",
        Ending::Finished,
        expect![[r#"
            Complete: 
            + t: 
              modify doc.md None None None "write </change> and </step> and <step title='x'> here"
              run [] check [] depends [] 
        "#]],
    );
}

#[test]
fn a_model_that_escapes_is_understood_and_one_that_does_not_is_left_alone() {
    let change = |text: &str| {
        let plan = format!(
            "<plan><step title=''><operation path='a'><change>{text}</change></operation></step></plan>"
        );
        read(&plan, Ending::Finished).0.steps[0].operations[0].change.clone()
    };
    assert_eq!(change("a &lt; b &amp;&amp; c"), "a < b && c");
    assert_eq!(change("html: &lt;p&gt; & more"), "html: &lt;p&gt; & more");
    assert_eq!(change("if a < b { \"&lt;\" }"), "if a < b { \"&lt;\" }");
}

#[test]
fn a_cut_answer_is_never_complete() {
    for end in (0..CLEAN.len()).filter(|end| CLEAN.is_char_boundary(*end)) {
        assert_eq!(read(&CLEAN[..end], Ending::Length).1, State::Cut, "cut at {end}");
    }
    let whole_step = CLEAN.find("<step title=\"Use").unwrap();
    let (document, state) = read(&CLEAN[..whole_step], Ending::Finished);
    assert_eq!((document.steps.len(), state), (1, State::Complete), "only the last tag was forgotten");
    let (document, state) = read(&CLEAN[..whole_step + 40], Ending::Finished);
    assert!(state == State::Cut && !document.steps[1].complete);
}

#[test]
fn an_answer_without_a_plan_is_unreadable() {
    for text in
        ["", "I cannot help with that.", "<plan title='empty'></plan>", "# Plan\n1. Do it", "<<<<<< <plan"]
    {
        assert_eq!(read(text, Ending::Finished).1, State::Unreadable, "{text:?}");
    }
}

#[test]
fn what_grows_is_told_once() {
    let mut parser = Parser::new();
    assert_eq!(parser.changed(), None);
    parser.push("<plan><step title='a'>");
    assert_eq!((parser.changed(), parser.changed()), (Some(0), None));
    parser.push("</step><step title='b'><why>x</why>");
    assert_eq!(parser.changed(), Some(0), "the first step was completed");
    parser.push("<check>y</check>");
    assert_eq!(parser.changed(), Some(1));
}

#[test]
fn a_long_answer_is_read_in_linear_time() {
    let change = "let x = vec![1 < 2]; // <operation> <<<<\n".repeat(100_000);
    let mut parser = Parser::new();
    parser.push("<plan><step title='big'><operation kind='create' path='big.rs'><change>");
    for piece in change.as_bytes().chunks(7) {
        parser.push(std::str::from_utf8(piece).unwrap());
    }
    parser.push("</change></operation></step></plan>");
    let (document, state) = parser.finish(Ending::Finished);
    assert_eq!(state, State::Complete);
    assert_eq!(document.steps[0].operations[0].change, change.trim_end());
}

#[test]
fn a_tag_that_is_too_long_is_text_however_it_is_cut() {
    for length in [8_100, 8_190, 8_191, 8_192, 8_193, 20 << 10] {
        let frame = "<step title=''>".len();
        let tag = format!("<step title='{}'>", "t".repeat(length - frame));
        let text = format!("<plan><step title='a'></step>{tag}<why>b</why></step></plan>");
        let whole = read(&text, Ending::Finished);
        assert_eq!(whole.0.steps.len(), if length <= 8 << 10 { 2 } else { 1 }, "{length}");
        for size in [5, 1000, 8191] {
            let mut parser = Parser::new();
            for piece in text.as_bytes().chunks(size) {
                parser.push(std::str::from_utf8(piece).unwrap());
            }
            assert_eq!(parser.finish(Ending::Finished), whole, "a tag of {length} in pieces of {size}");
        }
    }
}

#[test]
fn tags_that_never_end_are_read_in_linear_time() {
    for piece in ["<step ", "<step '<step \"", "<step title='"] {
        // Without a `>`, every one of them could go on to the end of the text.
        let text = format!("<plan><step title='real'>{}", piece.repeat(200_000));
        let (document, state) = read(&text, Ending::Finished);
        assert_eq!((document.steps.len(), state), (1, State::Cut), "{piece}");
    }
}

#[test]
fn a_tag_that_is_only_mentioned_does_not_swallow_the_next() {
    let (document, _) =
        read("Each <step has a title. <plan><step title='a'></step></plan>", Ending::Finished);
    assert_eq!(document.steps[0].title, "a");
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_plan(cuts in proptest::collection::vec(0usize..2000, 0..40), seed in 0usize..5) {
        let text = match seed {
            4 => format!("<step\"x\">y<stepé> <step <why'>'/ </step {CLEAN}"),
            0 => CLEAN.to_owned(),
            1 => format!("Préambule 🙂 <plan> of\n```\n{CLEAN}\n```"),
            2 => CLEAN.replace("call `Policy`", "a </change> b </operation> ü </change>"),
            _ => CLEAN[..CLEAN.len() * 2 / 3].to_owned(),
        };
        let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c % (text.len() + 1)).filter(|c| text.is_char_boundary(*c)).collect();
        cuts.sort_unstable();
        let mut parser = Parser::new();
        let mut from = 0;
        for cut in cuts {
            parser.push(&text[from..cut]);
            from = cut;
        }
        parser.push(&text[from..]);
        prop_assert_eq!(parser.finish(Ending::Finished), read(&text, Ending::Finished));
    }

    #[test]
    fn nothing_makes_it_panic(text in "(<plan>|<step title='|<operation |path=|</?change>|</step>|<!\\[CDATA\\[|\\]\\]>|[<>&\"'/ =a-zé🙂\n]){0,60}") {
        let _ = read(&text, Ending::Broken);
    }
}

#[test]
fn a_plan_of_twenty_thousand_steps_and_five_megabytes_is_read_in_linear_time() {
    let step = |n: usize| {
        format!(
            "<step title=\"Step {n}\" depends=\"{}\">\n<why>Because of {n}.</why>\n<operation kind=\"modify\" path=\"src/f{n}.rs\">\n<change>\n{}\n</change>\n</operation>\n<check>ok</check>\n</step>\n",
            n.max(2) - 1,
            "let x = a < b; // </change> is text\n".repeat(4)
        )
    };
    let text = format!("<plan title=\"big\">\n{}</plan>", (1..=20_000).map(step).collect::<String>());
    assert!(text.len() > 5_000_000, "{}", text.len());
    let time = |text: &str| {
        let begun = std::time::Instant::now();
        let mut parser = Parser::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(40));
            parser.push(piece);
            rest = after;
        }
        let (document, state) = parser.finish(Ending::Finished);
        assert_eq!(state, State::Complete);
        (document.steps.len(), begun.elapsed())
    };
    let quarter = format!("<plan title=\"big\">\n{}</plan>", (1..=5_000).map(step).collect::<String>());
    let (_, short) = time(&quarter);
    let (steps, long) = time(&text);
    assert_eq!(steps, 20_000);
    // Four times as much takes about four times as long; sixteen would be quadratic.
    assert!(long < short * 9, "{short:?} for a quarter, {long:?} for all");
}
