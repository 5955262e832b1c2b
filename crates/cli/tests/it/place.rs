//! A project and a home folder beside it, and the program at work on them.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_plantocode");
pub const TASK: &str = "Retry `parse_url` when the scheme is missing\n\nSee src/net/client.rs";

pub struct Place {
    pub project: TempDir,
    pub home: TempDir,
}

pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let said = Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        assert!(!said.err.contains("panicked"), "{}", said.err);
        said
    }
}

impl Place {
    /// A project of a few files, two of which the task concerns.
    pub fn new() -> Place {
        Place::with(10)
    }

    /// A project of so many files and three more.
    pub fn with(files: usize) -> Place {
        let place = Place { project: tempfile::tempdir().unwrap(), home: tempfile::tempdir().unwrap() };
        for n in 0..files {
            let text = format!(
                "fn handle_{n}() {{\n    // scheme {}\n    let word_{} = other_{n};\n}}\n",
                "missing ".repeat(n % 5),
                n % 97
            );
            place.write(&format!("src/part{}/file{n}.rs", n % 7), text.as_bytes());
        }
        place.write("src/net/client.rs", b"pub fn parse_url(url: &str) {}\n");
        place.write("tests/url.rs", b"#[test]\nfn a_url_is_parsed() { parse_url(\"\") }\n");
        place.write("blob.bin", &[0; 64]);
        place
    }

    pub fn root(&self) -> &Path {
        self.project.path()
    }

    pub fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.root()).stdin(Stdio::null());
        self.home_of(&mut command);
        command
    }

    /// Lets a program keep what it keeps in this place's home.
    pub fn home_of(&self, command: &mut Command) {
        command.env("PLANTOCODE_HOME", self.home.path()).env_remove("PLANTOCODE_CONFIG");
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().unwrap().into()
    }

    pub fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The whole answer to the task, with the index or without any.
    #[track_caller]
    pub fn answer(&self, options: &[&str]) -> String {
        let always = ["discover", TASK, "--json", "--tests", "--limit", "10000"];
        let said = self.run(&[&always, options].concat());
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(said.out.contains("\"src/net/client.rs\""), "{}", said.out);
        said.out
    }

    /// The next search with the index answers as one that has none does.
    #[track_caller]
    pub fn is_sound(&self) {
        assert_eq!(self.answer(&[]), self.answer(&["--no-index"]));
    }

    /// The folder of the project's index; none before it was made.
    pub fn index(&self) -> Option<std::path::PathBuf> {
        let mut entries = std::fs::read_dir(self.home.path().join("cache/index")).ok()?;
        Some(entries.next()?.unwrap().path())
    }
}
