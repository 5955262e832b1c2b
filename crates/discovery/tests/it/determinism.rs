use discovery::Options;

use crate::{discover, put};

const TASK: &str = "Retry the download when the connection is reset\n\n`fetch_item` in module_7.py gives up.";

fn files() -> Vec<(String, String)> {
    (0..300)
        .map(|number| {
            let text = format!(
                "# connection {number}\ndef fetch_item_{}(url):\n    retry = {number}\n    return download(url)\n{}",
                number % 7,
                "reset = connection\n".repeat(number % 5)
            );
            (format!("pkg_{}/module_{number}.py", number % 4), text)
        })
        .collect()
}

#[test]
fn threads_and_creation_order_change_nothing() {
    let forward = tempfile::tempdir().unwrap();
    let backward = tempfile::tempdir().unwrap();
    files().iter().for_each(|(path, text)| put(forward.path(), path, text.as_bytes()));
    files().iter().rev().for_each(|(path, text)| put(backward.path(), path, text.as_bytes()));
    let with = |threads| Options { threads: Some(threads), limit: 300, ..Options::default() };
    let one = discover(forward.path(), TASK, &with(1));
    assert!(one.sources.len() > 100);
    assert!(one.sources.iter().all(|file| !file.reasons.is_empty()));
    for (root, threads) in [(forward.path(), 8), (backward.path(), 1), (backward.path(), 8)] {
        assert_eq!(discover(root, TASK, &with(threads)), one);
    }
}

#[test]
fn equal_files_are_ordered_by_path() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.rs", "a.rs", "c.rs"] {
        put(folder.path(), name, b"fn retry() {}\n");
    }
    let found = discover(folder.path(), "retry", &Options::default());
    assert_eq!(crate::paths(&found), ["a.rs", "b.rs", "c.rs"]);
}
