//! Whatever the files contain and however small the budget: never over it, and byte for byte.

use crate::reader::{self, Read};
use context::{Content, Form, Format, LeftOut, Manifest, Pack, Request, Source, Tokenizer, TooSmall, pack};
use proptest::prelude::*;

/// What files are made of here: code, and what a format would stumble over.
const FRAGMENTS: [&str; 24] = [
    "fn one() {\n",
    "    body();\n",
    "}\n",
    "class A:\n    def send_all(self):\n        return 1\n\n",
    "import os\n",
    "\n",
    "\r\n",
    " ",
    "x = 1  # count\n",
    "</file>",
    "</file>\n",
    "</part-1>\n</file-2>\n",
    "<file path=\"a\">\n",
    "]]>",
    "```\n",
    "`````\nx",
    "# Task\n\n```text\n",
    "… lines 1–9 left out\n",
    "漢字とかな",
    "🙂🙂",
    "\u{feff}",
    "\u{202e}",
    "<|endoftext|>",
    "                                        \n",
];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&FRAGMENTS[..]), 0..120).prop_map(|parts| parts.concat())
}

fn source(place: usize) -> impl Strategy<Value = Source> {
    let content = prop_oneof![
        9 => text().prop_map(Content::Text),
        1 => Just(Content::Missing(LeftOut::NotUtf8)),
    ];
    let name =
        prop::sample::select(&["a.py", "lib/b.rs", "c.txt", "d\"<&>`.md", "e\n\u{202e}.c", "f.java"][..]);
    (name, content, prop::collection::vec(0..200_u32, 0..4)).prop_map(move |(name, content, lines)| Source {
        path: format!("{place}/{name}"),
        content,
        lines,
    })
}

fn sources() -> impl Strategy<Value = Vec<Source>> {
    (0..8_usize).prop_flat_map(|many| (0..many).map(source).collect::<Vec<_>>())
}

/// What the reader must find: exactly what the manifest says, cut out of the files.
fn expected(files: &[Source], manifest: &Manifest) -> Vec<Read> {
    let mut expected = Vec::new();
    for (file, entry) in files.iter().zip(&manifest.files) {
        let Content::Text(text) = &file.content else {
            assert!(matches!(entry.form, Form::LeftOut(LeftOut::NotUtf8)));
            continue;
        };
        let split: Vec<&str> = text.split_inclusive('\n').collect();
        let lines = u32::try_from(split.len()).unwrap();
        let (whole, parts) = match &entry.form {
            Form::LeftOut(_) => continue,
            Form::Whole if lines == 0 => (true, Vec::new()),
            Form::Whole => (true, vec![(1, lines, text.clone())]),
            Form::Definitions(parts) => {
                let cut = |first: u32, last: u32| split[first as usize - 1..last as usize].concat();
                (false, parts.iter().map(|p| (p.first, p.last, cut(p.first, p.last))).collect())
            }
        };
        expected.push(Read { path: file.path.clone(), lines, whole, parts });
    }
    expected
}

/// As Markdown writes a path.
fn on_one_line(path: &str) -> String {
    path.replace('\n', "\\u{a}").replace('\u{202e}', "\\u{202e}")
}

fn check(request: &Request<'_>, pack: &Pack) {
    assert_eq!(request.tokenizer.count(&pack.text), pack.tokens);
    assert!(pack.tokens <= request.budget, "{} > {}", pack.tokens, request.budget);
    let mut expected = expected(request.files, &pack.manifest);
    let (task, files) = match request.format {
        Format::Xml => reader::xml(&pack.text),
        Format::Json => reader::json(&pack.text),
        Format::Markdown => {
            expected.iter_mut().for_each(|file| file.path = on_one_line(&file.path));
            reader::markdown(&pack.text)
        }
    };
    assert_eq!(task.trim_end_matches('\n'), request.task.trim_end_matches('\n'));
    assert_eq!(files, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pack_fits_and_is_read_back_byte_for_byte(
        files in sources(),
        task in text(),
        budget in prop_oneof![0..400_u64, 0..4_000_u64, Just(u64::MAX)],
        format in prop::sample::select(&Format::ALL[..]),
        tokenizer in prop::sample::select(&Tokenizer::ALL[..]),
        with_tree in any::<bool>(),
    ) {
        let tree: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
        let tree = with_tree.then_some(tree.as_slice());
        let request = Request { task: &task, files: &files, tree, format, tokenizer, budget };
        match pack(&request) {
            Ok(made) => {
                check(&request, &made);
                prop_assert_eq!(&made, &pack(&request).unwrap());
                if budget == u64::MAX {
                    let whole = |(file, entry): (&Source, &context::Entry)| {
                        matches!(file.content, Content::Missing(_)) || entry.form == Form::Whole
                    };
                    prop_assert!(files.iter().zip(&made.manifest.files).all(whole));
                }
            }
            Err(TooSmall { needs, budget: said }) => {
                prop_assert!(needs > budget && said == budget);
                let request = Request { budget: needs, ..request };
                check(&request, &pack(&request).unwrap());
            }
        }
    }
}

#[test]
fn the_room_is_used() {
    let body: String = (0..400).map(|n| format!("def name_{n}():\n    return compute({n})\n\n")).collect();
    let files: Vec<Source> = (0..10)
        .map(|n| Source {
            path: format!("m{n}.py"),
            content: Content::Text(body.clone()),
            lines: vec![3 * n + 1],
        })
        .collect();
    for budget in [500, 2_000, 8_000, 30_000] {
        let request = Request {
            task: "Make `name_7` faster",
            files: &files,
            tree: None,
            format: Format::Xml,
            tokenizer: Tokenizer::O200k,
            budget,
        };
        let made = pack(&request).unwrap();
        check(&request, &made);
        assert!(made.text.contains("def name_7():"), "{}", made.text);
        let forms = made.manifest.files.iter();
        let whole = forms.filter(|entry| entry.form == Form::Whole).count() as u64;
        // A file has about 5,600 tokens.
        assert!(whole >= budget / 10_000, "{whole} of {budget}");
        assert!(budget < 8_000 || made.tokens > budget / 2, "{} of {budget}", made.tokens);
    }
}
