//! Commands that ask a person, in a pseudo-terminal with the test at its keyboard.

use crate::review::{PLAN, Review};
use crate::sign_in::said;
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use std::io::{Read as _, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);
const QUESTION: &str = "Send?";

/// A command in a terminal of its own.
struct AtTerminal {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    screen: Arc<Mutex<String>>,
}

impl AtTerminal {
    fn start(command: &Command) -> AtTerminal {
        let size = PtySize { rows: 50, cols: 200, ..PtySize::default() };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut same = CommandBuilder::new(command.get_program());
        same.args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            same.cwd(folder);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => same.env(name, value),
                None => same.env_remove(name),
            }
        }
        let child = pair.slave.spawn_command(same).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keyboard = pair.master.take_writer().unwrap();
        let screen = Arc::new(Mutex::new(String::new()));
        let shown = Arc::clone(&screen);
        std::thread::spawn(move || {
            // The near end stays open for as long as it is read.
            let _open = pair.master;
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        });
        AtTerminal { child, keyboard, screen }
    }

    fn screen(&self) -> String {
        self.screen.lock().unwrap().clone()
    }

    /// Waits until the screen has shown a text so many times.
    fn shows(&self, text: &str, times: usize) {
        let until = Instant::now() + LIMIT;
        while self.screen().matches(text).count() < times {
            assert!(Instant::now() < until, "{text:?} is not shown:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn answer(&mut self, line: &str) {
        self.keyboard.write_all(format!("{line}\n").as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// The code that it ends with.
    fn ends(mut self) -> u32 {
        let until = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(Instant::now() < until, "it does not end:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for AtTerminal {
    /// A test that fails leaves nothing behind.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // It may end just now.
            let _ = self.child.kill();
        }
    }
}

fn plan(review: &Review, task: &str) -> AtTerminal {
    let project = review.repo.path().to_str().unwrap();
    AtTerminal::start(&review.place.command(&["plan", task, "--project", project]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_for_more_is_given_at_the_question_listed_and_ended() {
    let review = Review::of(PLAN).await;
    let mut asked = plan(&review, "Retry the send once more");
    asked.shows(QUESTION, 1);
    asked.answer("m much 60");
    asked.shows("Answer with", 1);
    asked.answer("m 0.50 60 elsewhere");
    // Not every file lies there; the question stays.
    asked.shows(QUESTION, 3);
    asked.answer("m 0.50 60");
    assert_eq!(asked.ends(), 0);
    let permissions =
        |words: &[&str]| review.place.command(&[&["permissions"], words].concat()).output().unwrap();
    let listed = String::from_utf8(permissions(&["list"]).stdout).unwrap();
    assert!(listed.contains("$0.50"), "{listed}");
    // What the session asks next is covered, and nobody is asked.
    let count = review.asked();
    let step = ["ask", "--step", "2", "--wish", "shorter"];
    let covered = review.run(&step);
    assert_eq!(review.asked(), count + 1, "{}", said(&covered));
    let id: String = listed.chars().take_while(|c| !c.is_whitespace()).collect();
    assert!(permissions(&["end", &id]).status.success());
    let uncovered = review.run(&step);
    assert_eq!(uncovered.status.code(), Some(4), "{}", said(&uncovered));
    assert_eq!(review.asked(), count + 1);
    review.place.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_unticked_at_the_question_and_no_is_no() {
    let review = Review::of(PLAN).await;
    let count = review.asked();
    let mut asked = plan(&review, "Retry the send, and say so in the README");
    asked.shows(QUESTION, 1);
    let files = asked.screen().matches(" tokens  ").count();
    asked.answer("u 1");
    asked.shows(QUESTION, 2);
    assert_eq!(asked.screen().matches(" tokens  ").count(), 2 * files - 1, "{}", asked.screen());
    asked.answer("perhaps");
    asked.shows("Answer with", 1);
    asked.answer("n");
    asked.shows("nothing was sent", 1);
    assert_eq!(asked.ends(), 4);
    assert_eq!(review.asked(), count);
    review.place.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_elsewhere_is_told_as_a_refusal() {
    let review = Review::of(PLAN).await;
    let count = review.asked();
    // Whatever is answered by then.
    for answer in ["s", "n", "r"] {
        let mut here = plan(&review, "Retry the send once more");
        here.shows(QUESTION, 1);
        let open = review.place.command(&["jobs", "list", "--open"]).output().unwrap().stdout;
        let job = String::from_utf8(open).unwrap().split_whitespace().next().unwrap().to_owned();
        let mut there = AtTerminal::start(&review.place.command(&["jobs", "approve", &job]));
        there.shows(QUESTION, 1);
        there.answer("n");
        assert_eq!(there.ends(), 4);
        here.answer(answer);
        here.shows("it was refused elsewhere, so it was not sent", 1);
        assert_eq!(here.ends(), 4, "{answer:?}");
    }
    assert_eq!(review.asked(), count);
    review.place.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_trusted_by_who_has_read_it() {
    let review = Review::of(PLAN).await;
    review.repo.write(".plantocode/prompts/refine.md", "Put it precisely.\u{202e} BOUNDARY");
    let mut trust = review.place.command(&["prompts", "trust", "refine"]);
    trust.current_dir(review.repo.path());
    for (answer, code) in [("", 4), ("n", 4), ("yes", 0)] {
        let mut asked = AtTerminal::start(&trust);
        asked.shows("Trust this text?", 1);
        // What would not be seen is.
        assert!(asked.screen().contains("Put it precisely.\u{fffd} BOUNDARY"), "{}", asked.screen());
        asked.answer(answer);
        assert_eq!(asked.ends(), code, "{answer:?}");
    }
    let again = trust.output().unwrap();
    assert!(
        said(&again).contains("no file .plantocode/prompts/refine.md that is not trusted"),
        "{}",
        said(&again)
    );
    review.place.server.stop().await.unwrap();
}
