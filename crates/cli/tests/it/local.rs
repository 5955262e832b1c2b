//! `discover`, `context`, `config`, `completions`, `man`: good input, and all kinds of bad.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plantocode");

struct Project {
    dir: tempfile::TempDir,
}

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Project {
    /// A project with two files of code, a text and what cannot be shown.
    fn new() -> Project {
        let project = Project { dir: tempfile::tempdir().unwrap() };
        project.write("src/fetch.py", b"import os\n\n\ndef fetch_page(url):\n    return os.read(url)\n");
        project.write("src/store.py", b"def save_page(page):\r\n    fetch = 1\r\n    return '</file>```'");
        project.write("latin1.txt", b"fetch_page caf\xe9\n");
        project
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn root(&self) -> &Path {
        self.dir.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.root()).stdin(Stdio::null());
        command.env("PLANTOCODE_HOME", self.root().join(".home")).env_remove("PLANTOCODE_CONFIG");
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments).output().unwrap())
    }

    fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Said {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        said(child.wait_with_output().unwrap())
    }
}

fn said(output: Output) -> Said {
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Failed with this code, saying this, and printed nothing.
#[track_caller]
fn refused(said: &Said, code: i32, what: &str) {
    assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{}", said.err);
    assert!(said.err.contains(what), "{}", said.err);
    assert!(!said.err.contains("panicked"), "{}", said.err);
}

#[test]
fn a_context_holds_the_files_byte_for_byte() {
    let project = Project::new();
    let xml = project.run(&["context", "fetch_page and save_page", "--tree"]);
    assert_eq!(xml.code, Some(0), "{}", xml.err);
    assert!(
        xml.out.starts_with("<context-1>\n<task-1>\nfetch_page and save_page\n</task-1>\n<tree-1>\n"),
        "{}",
        xml.out
    );
    let store = "def save_page(page):\r\n    fetch = 1\r\n    return '</file>```'";
    assert!(xml.out.contains(&format!("final-newline=\"no\">\n{store}\n</file-1>\n")), "{}", xml.out);
    assert!(xml.out.contains("<file-1 path=\"latin1.txt\" why=\"not valid UTF-8\"/>"), "{}", xml.out);
    assert!(xml.err.contains("latin1.txt  left out: not valid UTF-8"), "{}", xml.err);
    let markdown = project.run(&["context", "fetch_page and save_page", "--format", "markdown"]);
    assert!(markdown.out.contains(&format!("````py\n{store}\n````\n")), "{}", markdown.out);
    let json = project.run(&["context", "fetch_page and save_page", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let files = json["files"].as_array().unwrap();
    assert!(files.iter().any(|file| file["parts"][0]["text"] == store), "{json}");
}

#[test]
fn any_text_is_a_task_but_none() {
    let project = Project::new();
    for task in ["请修复抓取页面 fetch_page", "🙂🚀", "!!! ?? ``` </task>", "--", "\u{202e}"] {
        let said = project.run(&["context", "--", task]);
        assert_eq!(said.code, Some(0), "{task}: {}", said.err);
        assert!(said.out.contains(task), "{}", said.out);
        assert_eq!(project.run(&["discover", "--", task]).code, Some(0));
    }
    for command in ["context", "discover"] {
        refused(&project.run(&[command]), 1, "there is no task");
        refused(&project.run(&[command, " \n\t"]), 1, "there is no task");
        refused(&project.run_with_input(&[command, "-"], b""), 1, "there is no task");
        refused(
            &project.run(&[command, "--task-file", "missing.md"]),
            1,
            "cannot read the task from missing.md",
        );
        refused(&project.run(&[command, "--task-file", "src"]), 1, "cannot read the task from src");
    }
    let said = project.run_with_input(&["context", "-"], b"fix fetch_page \xff\n");
    assert!(said.code == Some(0) && said.out.contains("fix fetch_page \u{fffd}\n"), "{}", said.out);
}

#[test]
fn a_huge_task_is_said_to_be_too_long_and_taken_if_it_may() {
    let project = Project::new();
    let task = "Fetch the page again when the connection was lost.\n".repeat(20_000);
    refused(
        &project.run_with_input(&["context", "-"], task.as_bytes()),
        1,
        "Give a larger --budget, or a shorter task",
    );
    let said = project.run_with_input(&["context", "-", "--budget", "2000000"], task.as_bytes());
    assert!(
        said.code == Some(0) && said.out.contains(&task) && said.out.contains("src/fetch.py"),
        "{}",
        said.err
    );
    assert_eq!(project.run_with_input(&["discover", "-"], task.as_bytes()).code, Some(0));
}

#[test]
fn a_budget_may_have_any_size_but_none() {
    let project = Project::new();
    for wrong in ["0", "-1", "many", "1.5", "99999999999999999999999"] {
        refused(&project.run(&["context", "fetch_page", &format!("--budget={wrong}")]), 2, "--budget");
    }
    refused(&project.run(&["context", "fetch_page", "--budget", "5"]), 1, "the task alone takes");
    for budget in [40_u64, 100, 200, u64::MAX] {
        for tokenizer in context::Tokenizer::ALL {
            let budget_text = budget.to_string();
            let arguments =
                ["context", "fetch_page", "--budget", &budget_text, "--tokenizer", tokenizer.name()];
            let said = project.run(&arguments);
            if said.code == Some(0) {
                assert!(tokenizer.count(&said.out) <= budget, "{}", said.out);
            } else {
                refused(&said, 1, "the task alone takes");
            }
        }
    }
}

#[test]
fn what_is_no_project_is_said() {
    let project = Project::new();
    for command in ["context", "discover"] {
        let run = |dir| project.run(&[command, "fetch_page", "--project", dir]);
        refused(&run("missing"), 1, "Name the folder of a project with --project");
        refused(&run("latin1.txt"), 1, "latin1.txt is not a directory");
    }
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_named_or_passed_over() {
    use std::os::unix::ffi::OsStrExt;
    let project = Project::new();
    let name = std::ffi::OsStr::from_bytes(b"fetch_page_\xff.py");
    std::fs::write(project.root().join(name), "def fetch_page(): pass\n").unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("fetch_page.py"), "OUTSIDE = 1\n").unwrap();
    std::os::unix::fs::symlink(outside.path(), project.root().join("fetch_page")).unwrap();
    let made = Command::new("mkfifo").arg(project.root().join("fetch_page.fifo")).status().unwrap();
    assert!(made.success());
    let said = project.run(&["context", "fetch_page", "--tree", "--include", "*.py"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.out.contains("fetch_page_\\xff.py\" why=\"unreadable: its name is not valid UTF-8\""),
        "{}",
        said.out
    );
    assert!(!said.out.contains("OUTSIDE"), "{}", said.out);
}

#[test]
fn files_are_put_in_and_left_out_by_glob() {
    let project = Project::new();
    project.write("docs/guide.md", b"A guide.\n");
    let said = project.run(&["context", "fetch_page", "--include", "*.md", "--exclude", "src/store.py"]);
    let guide = said.out.find("path=\"docs/guide.md\"").unwrap();
    assert!(guide < said.out.find("path=\"src/fetch.py\"").unwrap(), "{}", said.out);
    assert!(!said.out.contains("store.py"), "{}", said.out);
    let missing = project.run(&["context", "fetch_page", "--include", "*.nothing"]);
    refused(&missing, 1, "--include *.nothing names no file of the project");
    refused(&project.run(&["context", "fetch_page", "--exclude", "a["]), 2, "is not a glob");
}

#[test]
fn the_text_goes_where_it_can() {
    let project = Project::new();
    let said = project.run(&["context", "fetch_page", "--output", "out.xml"]);
    assert!(
        said.code == Some(0) && said.out.is_empty() && said.err.contains("Written to out.xml"),
        "{}",
        said.err
    );
    let written = std::fs::read_to_string(project.root().join("out.xml")).unwrap();
    std::fs::remove_file(project.root().join("out.xml")).unwrap();
    assert_eq!(written, project.run(&["context", "fetch_page"]).out);
    let nowhere = project.run(&["context", "fetch_page", "--output", "no/such/out.xml"]);
    refused(&nowhere, 1, "there is no folder no/such. Make it first");
    refused(&project.run(&["context", "fetch_page", "--output", "src"]), 1, "cannot write src");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let closed = project.command(&["context", "fetch_page"]).stdout(writer).stderr(Stdio::null()).status();
    assert_eq!(closed.unwrap().code(), Some(0));
}

/// Put together here so that no scanner takes this file for a leak.
fn token() -> String {
    ["gh", "p_", "x7Rk2mQ9vT4bN8cW1zL5", "yH3dJ6fG0sPaE4uK"].concat()
}

#[test]
fn a_secret_stops_the_text_unless_it_is_replaced_or_allowed() {
    let project = Project::new();
    let file = format!("def fetch_page():\r\n    token = \"{}\"\r\n", token());
    project.write("src/secret.py", file.as_bytes());
    let stopped = project.run(&["context", "fetch_page", "--output", "out.xml"]);
    refused(&stopped, 3, "src/secret.py:2");
    assert!(!stopped.err.contains(&token()) && !project.root().join("out.xml").exists(), "{}", stopped.err);
    for format in ["xml", "markdown", "json"] {
        refused(&project.run(&["context", "fetch_page", "--format", format]), 3, "--allow-secrets");
        let redacted = project.run(&["context", "fetch_page", "--format", format, "--redact"]);
        assert!(redacted.code == Some(0) && redacted.out.contains("[redacted:"), "{}", redacted.err);
        assert!(!format!("{}{}", redacted.out, redacted.err).contains(&token()), "{}", redacted.out);
    }
    let allowed = project.run(&["context", "fetch_page", "--allow-secrets"]);
    assert!(allowed.code == Some(0) && allowed.out.contains(&file), "{}", allowed.out);
    assert!(allowed.err.contains("src/secret.py:2") && !allowed.err.contains(&token()), "{}", allowed.err);
    let without = project.run(&["context", "fetch_page", "--exclude", "secret.py"]);
    assert_eq!(without.code, Some(0), "{}", without.err);
    refused(
        &project.run(&["context", "fetch_page", "--redact", "--allow-secrets"]),
        2,
        "cannot be used with",
    );
    let in_task = project.run(&["context", "fetch_page", &token(), "--exclude", "secret.py"]);
    refused(&in_task, 3, "the task, line 1");
    assert!(!in_task.err.contains(&token()), "{}", in_task.err);
}

#[test]
fn the_configuration_is_the_users_and_options_win() {
    let project = Project::new();
    // A file that the project brings along is data.
    project.write("config.toml", b"[context]\nformat = \"json\"\n");
    project.write(".config/plantocode/config.toml", b"broken");
    assert!(project.run(&["context", "fetch_page"]).out.starts_with("<context"));
    let path = project.run(&["config", "path"]).out;
    assert_eq!(Path::new(path.trim_end()), project.root().join(".home/config/config.toml"));
    let shown = project.run(&["config", "show"]).out;
    assert!(shown.contains("# The most tokens of the text") && shown.contains("budget = 32000"), "{shown}");

    project.write(".home/config/config.toml", b"[context]\nformat = \"markdown\"\n\n[discover]\nlimit = 1\n");
    assert!(project.run(&["context", "fetch_page"]).out.starts_with("# Task\n"));
    assert!(project.run(&["context", "fetch_page", "--format", "json"]).out.starts_with("{\"version\":1"));
    assert_eq!(project.run(&["discover", "fetch_page"]).out.lines().count(), 1);
    assert!(project.run(&["discover", "fetch_page", "--limit", "9"]).out.lines().count() > 1);
    assert!(project.run(&["config", "show"]).out.contains("\nlimit = 1\n"));

    project.write(".home/config/config.toml", b"[context]\n\nbuget = 1\n");
    let wrong = project.run(&["discover", "fetch_page"]);
    refused(&wrong, 1, "config.toml:3: there is no `buget` in [context]; did you mean `budget`?");
    let other = project.command(&["config", "show"]).env("PLANTOCODE_CONFIG", "none.toml").output().unwrap();
    refused(&said(other), 1, "cannot read the configuration none.toml, which PLANTOCODE_CONFIG names");
}

#[test]
fn shells_and_man_learn_the_commands() {
    let project = Project::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = project.run(&["completions", shell]);
        assert!(script.code == Some(0) && script.out.contains("allow-secrets"), "{shell}");
    }
    assert!(project.run(&["man"]).out.contains(".TH plantocode 1"));
    assert_eq!(project.run(&["man", "--dir", "man/man1"]).code, Some(0));
    let page = std::fs::read_to_string(project.root().join("man/man1/plantocode-context.1")).unwrap();
    assert!(page.contains("budget") && page.contains("Examples:"), "{page}");
    refused(&project.run(&["man", "--dir", "latin1.txt"]), 1, "cannot make the folder latin1.txt");
}

#[test]
fn discover_explains() {
    let project = Project::new();
    project.write("image.png", b"\x89PNG\0\0");
    let said = project.run(&["discover", "fetch_page", "--explain"]);
    assert!(said.out.contains("defines function `fetch_page`, named in the task"), "{}", said.out);
    assert!(said.out.contains("Passed over") && said.out.contains("image.png"), "{}", said.out);
    refused(&project.run(&["discover", "fetch_page", "--explain", "--json"]), 2, "cannot be used with");
    let json = project.run(&["discover", "fetch_page", "--json"]).out;
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert!(
        first["path"] == "src/fetch.py" && first["rank"] == 1 && first["reasons"][0]["kind"].is_string(),
        "{first}"
    );
}
