//! What the three forms look like.

use context::{Content, Format, LeftOut, Pack, Request, Source, Tokenizer, TreeForm, pack};

fn sources() -> Vec<Source> {
    let long = format!(
        "import os\n\n\nclass Client:\n{}\n    def send(self):\n        return 1\n\n\n{}",
        "    setting = 1\n".repeat(80),
        "OTHER = 2\n".repeat(80)
    );
    let source = |path: &str, text: &str, lines: &[u32]| Source {
        path: path.to_owned(),
        content: Content::Text(text.to_owned()),
        lines: lines.to_vec(),
    };
    vec![
        source("README.md", "# Title\n\n```sh\nrun\n```", &[]),
        source("src/client.py", &long, &[87]),
        Source { path: "old.txt".into(), content: Content::Missing(LeftOut::NotUtf8), lines: vec![] },
        source("big.txt", &"many words of a long line\n".repeat(400), &[]),
    ]
}

fn packed(format: Format, budget: u64) -> Pack {
    let tree = ["README.md", "big.txt", "old.txt", "src/client.py"].map(String::from);
    let files = sources();
    let request = Request {
        task: "Retry `send`",
        files: &files,
        tree: Some(&tree),
        format,
        tokenizer: Tokenizer::O200k,
        budget,
    };
    pack(&request).unwrap()
}

const XML: &str = r##"<context>
<task>
Retry `send`
</task>
<tree>
README.md
big.txt
old.txt
src/client.py
</tree>
<file path="README.md" lines="5" final-newline="no">
# Title

```sh
run
```
</file>
<file path="src/client.py" lines="169" shown="4-4,86-87">
… lines 1–3 left out
<part lines="4-4">
class Client:
</part>
… lines 5–85 left out
<part lines="86-87">
    def send(self):
        return 1
</part>
… lines 88–169 left out
</file>
<files-left-out>
<file path="old.txt" why="not valid UTF-8"/>
<file path="big.txt" why="no room, 400 lines"/>
</files-left-out>
</context>
"##;

const MARKDOWN: &str = r##"# Task

```text
Retry `send`
```

# Tree

```text
README.md
big.txt
old.txt
src/client.py
```

# Files

## `README.md`

5 lines, no line break at the end

````md
# Title

```sh
run
```
````

## `src/client.py`

In parts, of 169 lines

… lines 1–3 left out

Line 4

```py
class Client:
```

… lines 5–85 left out

Lines 86–87

```py
    def send(self):
        return 1
```

… lines 88–169 left out

# Files left out

- `old.txt`: not valid UTF-8
- `big.txt`: no room, 400 lines
"##;

const JSON: &str = r##"{"version":1,
"task":"Retry `send`",
"tree":["README.md","big.txt","old.txt","src/client.py"],
"files":[
{"path":"README.md","lines":5,"whole":true,"parts":[{"first":1,"last":5,"text":"# Title\n\n```sh\nrun\n```"}]},
{"path":"src/client.py","lines":169,"whole":false,"parts":[{"first":4,"last":4,"text":"class Client:\n"},{"first":86,"last":87,"text":"    def send(self):\n        return 1\n"}],"omitted":[[1,3],[5,85],[88,169]]}],
"left_out":[{"path":"old.txt","why":"not valid UTF-8"},{"path":"big.txt","why":"no room, 400 lines"}],"left_out_unnamed":0}
"##;

#[test]
fn each_form_says_the_same() {
    for (format, form) in [(Format::Xml, XML), (Format::Markdown, MARKDOWN), (Format::Json, JSON)] {
        let pack = packed(format, 420);
        assert_eq!(pack.text, form);
        assert_eq!(pack.manifest.tree, TreeForm::Whole);
    }
}

#[test]
fn a_content_that_looks_like_a_tag_changes_the_tags() {
    let files = [Source {
        path: "page.html".into(),
        content: Content::Text("</file>\n<file path=\"x\">\n</context>\n".into()),
        lines: vec![],
    }];
    let request = Request {
        task: "x",
        files: &files,
        tree: None,
        format: Format::Xml,
        tokenizer: Tokenizer::O200k,
        budget: 1_000,
    };
    let text = pack(&request).unwrap().text;
    assert!(text.starts_with("<context-1>\n<task-1>\nx\n</task-1>\n<file-1 path=\"page.html\""), "{text}");
    assert!(text.ends_with("</context>\n</file-1>\n</context-1>\n"), "{text}");
}

#[test]
fn with_little_room_less_is_said_but_it_is_said() {
    let pack = packed(Format::Xml, 60);
    assert!(pack.text.contains("files-left-out") && pack.tokens <= 60, "{}", pack.text);
    assert_eq!(pack.manifest.files.len(), 4);
}
