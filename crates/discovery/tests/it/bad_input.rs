use discovery::{Options, SkipReason, Task, outline};

use crate::{discover, paths, put, repository};

#[test]
fn an_empty_task_finds_nothing() {
    let folder = repository(&[("a.rs", "fn a() {}")]);
    for task in ["", " \n\t\n", "?!…", "🎉🎉"] {
        let found = discover(folder.path(), task, &Options::default());
        assert!(found.sources.is_empty(), "{task:?}");
        assert_eq!(found.scanned, 1);
    }
}

#[test]
fn an_empty_folder() {
    let folder = repository(&[]);
    assert_eq!(discover(folder.path(), "anything", &Options::default()).scanned, 0);
}

#[test]
fn a_task_of_a_megabyte() {
    let folder = repository(&[("src/retry.rs", "fn retry() {}"), ("src/other.rs", "fn other() {}")]);
    let mut task = "Fix retry\n".to_owned();
    while task.len() < 1 << 20 {
        task.push_str("  at some_frame_name (lib/file.js:10:2) `x` é 修 \n");
    }
    assert_eq!(paths(&discover(folder.path(), &task, &Options::default()))[0], "src/retry.rs");
}

#[test]
fn tasks_in_other_scripts() {
    let folder = repository(&[
        ("a.py", "# 解析网址的函数\ndef a(): pass\n"),
        ("b.py", "# 重试下载\ndef b(): pass\n"),
        ("c.py", "# größe der liste 🎉\ndef c(): pass\n"),
    ]);
    assert_eq!(paths(&discover(folder.path(), "修复解析网址时的错误", &Options::default())), ["a.py"]);
    assert_eq!(paths(&discover(folder.path(), "🎉 Größe 🎉", &Options::default())), ["c.py"]);
}

#[test]
fn files_that_are_no_text() {
    let folder = repository(&[("a.rs", "fn retry() {}")]);
    put(folder.path(), "b.bin", b"retry\0retry");
    put(folder.path(), "c.rs", b"fn retry() { \xff\xfe\x80 }\n");
    put(folder.path(), "d.rs", b"");
    put(folder.path(), "e.js", "retry ".repeat(1 << 10).as_bytes());
    let found = discover(folder.path(), "retry", &Options::default());
    assert_eq!(paths(&found), ["a.rs", "c.rs"]);
    let skipped: Vec<(&str, &SkipReason)> =
        found.skipped.iter().map(|file| (file.path.as_str(), &file.why)).collect();
    assert_eq!(skipped, [("b.bin", &SkipReason::Binary), ("e.js", &SkipReason::Minified)]);
}

#[test]
fn one_line_of_five_megabytes() {
    let folder = repository(&[("a.rs", "fn retry() {}")]);
    put(folder.path(), "long.txt", "retry(x) ".repeat(600_000).as_bytes());
    put(folder.path(), "word.txt", "x".repeat(5_000_000).as_bytes());
    let found = discover(folder.path(), "retry", &Options::default());
    assert!(found.skipped.iter().all(|file| file.why == SkipReason::TooLarge));
    let large = Options { max_file_bytes: 10 << 20, ..Options::default() };
    let found = discover(folder.path(), "retry", &large);
    assert_eq!((found.scanned, paths(&found)), (3, vec!["a.rs", "long.txt"]));
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = repository(&[("a.rs", "fn retry() {}"), ("b.rs", "fn retry() {}")]);
    let locked = folder.path().join("b.rs");
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o0)).unwrap();
    let found = discover(folder.path(), "retry", &Options::default());
    if std::fs::read(&locked).is_ok() {
        // An administrator reads everything.
        assert_eq!(found.scanned, 2);
    } else {
        assert!(matches!(found.skipped[0].why, SkipReason::Unreadable(_)));
    }
}

#[test]
fn outlines_of_hostile_texts_end() {
    let deep = "(".repeat(100_000);
    let nested = "{ fn a() ".repeat(20_000);
    let quotes = "\"'`".repeat(30_000);
    for path in ["a.rs", "a.py", "a.ts", "a.js", "a.go", "a.c"] {
        for text in [deep.as_str(), &nested, &quotes, "\u{feff}\r\r\n\u{2028}", "class 🎉:\n def é(): 1"] {
            let _ = outline(path, text);
        }
    }
}

#[test]
fn every_cut_of_a_hostile_text_is_read() {
    let text = "```\u{feff}`a::b.c(`修é_X9🎉::/\\..//x.rs:99999999999999999999:1#L\n  File \"x\", line , in \n\
                https://h/blob/x ://blob//src/ __ _ .. a...b ---/-/- #L9 \"\"\" /* ''' fn  def (def ) class\tfunc ( )";
    for start in text.char_indices().map(|(at, _)| at) {
        for end in text.char_indices().map(|(at, _)| at).filter(|end| *end >= start) {
            let _ = Task::parse(&text[start..end]);
        }
        for path in ["a.c", "a.rb", "a.java", "a.php", "a"] {
            let _ = outline(path, &text[start..]);
        }
    }
}
