//! What is kept between two searches, when the program is killed, interrupted, doubled or left without a disk.

use crate::place::{PROGRAM, Place, Said};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use testkit::Mutator;

/// Enough that indexing takes a while, in a dozen segments.
const FILES: usize = 3_000;

/// How many files the index consists of.
fn kept_files(place: &Place) -> usize {
    place.index().map_or(0, |folder| fs::read_dir(folder).map_or(0, Iterator::count))
}

/// Waits until the index has more files than that, or the process has ended.
fn until_more_than(files: usize, place: &Place, child: &mut Child) {
    while kept_files(place) <= files && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
}

fn interrupt(child: &Child) {
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(id, Signal::INT).unwrap();
}

#[test]
fn killed_at_any_moment_it_leaves_an_index_that_the_next_search_can_use() {
    let place = Place::with(FILES);
    let right = place.answer(&["--no-index"]);
    let mut chance = Mutator::new(1);
    let mut killed = 0;
    for round in 0..20 {
        // Half of the rounds begin with nothing, half with an index of which a part is old.
        if round % 2 == 0
            && let Some(index) = place.index()
        {
            fs::remove_dir_all(index).unwrap();
        }
        for n in (round..FILES).step_by(5) {
            let path = place.root().join(format!("src/part{}/file{n}.rs", n % 7));
            let text = fs::read(&path).unwrap();
            fs::write(&path, text).unwrap();
        }
        let before = kept_files(&place);
        let mut child = place.spawn(&["index"]);
        if round > 1 {
            until_more_than(before + chance.below(12), &place, &mut child);
            std::thread::sleep(std::time::Duration::from_micros(chance.below(20_000) as u64));
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert!(status.signal() == Some(9) || status.code() == Some(0), "{status}");
        killed += usize::from(status.signal() == Some(9));
        assert!(
            place.answer(&[]) == right,
            "another answer after round {round}, with {} files kept",
            kept_files(&place)
        );
    }
    assert!(killed >= 2, "only {killed} were killed before they ended");
}

#[test]
fn interrupted_it_says_so_soon_and_leaves_an_index_that_the_next_search_can_use() {
    let place = Place::with(FILES);
    let right = place.answer(&["--no-index"]);
    // On a busy machine it may be done before the signal is sent.
    let interrupted = (0..20).find_map(|_| {
        if let Some(index) = place.index() {
            fs::remove_dir_all(index).unwrap();
        }
        let mut child = place.spawn(&["index"]);
        until_more_than(1, &place, &mut child);
        interrupt(&child);
        let said = Said::from(child.wait_with_output().unwrap());
        assert!(matches!(said.code, Some(0 | 130)), "{:?}: {}", said.code, said.err);
        (said.code == Some(130)).then_some(said)
    });
    let said = interrupted.expect("it was never interrupted");
    assert!(
        said.out.is_empty() && said.err.contains("interrupted. Nothing in the project was changed"),
        "{}",
        said.err
    );
    assert_eq!(place.answer(&[]), right);
    place.is_sound();
}

#[test]
fn interrupted_while_nobody_reads_its_answer_it_ends() {
    let place = Place::with(FILES);
    let mut child = place.spawn(&["discover", crate::place::TASK, "--json", "--limit", "10000"]);
    // Its answer is longer than what a pipe holds. Where its search has just begun, it is interrupted all the same.
    until_more_than(6, &place, &mut child);
    interrupt(&child);
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130), "{status}");
    place.is_sound();
}

#[test]
fn two_that_index_at_once_leave_one_index_and_answer_alike() {
    let place = Place::with(FILES);
    let right = place.answer(&["--no-index"]);
    let search = ["discover", crate::place::TASK, "--json", "--tests", "--limit", "10000"];
    for _ in 0..3 {
        if let Some(index) = place.index() {
            fs::remove_dir_all(index).unwrap();
        }
        let (one, two) = (place.spawn(&search), place.spawn(&search));
        // Both are read at the same time, or one would wait for its reader.
        let other = std::thread::spawn(|| Said::from(two.wait_with_output().unwrap()));
        let (one, two) = (Said::from(one.wait_with_output().unwrap()), other.join().unwrap());
        assert_eq!((one.code, two.code), (Some(0), Some(0)), "{} {}", one.err, two.err);
        assert!(one.out == right && two.out == right);
        assert_eq!(place.answer(&[]), right);
    }
    place.write("src/net/client.rs", b"pub fn parse_url(url: &str) { scheme() }\n");
    place.is_sound();
}

/// Runs a script in which `plantocode` is the program, `$CACHE` its cache folder, and that folder is full after so many
/// KiB: a file system of its own where that may be made, a limit to the size of a file elsewhere.
fn on_a_full_disk(place: &Place, kib: usize, script: &str) -> Said {
    let mount = format!("mount -t tmpfs -o size={kib}k none \"$CACHE\"");
    let cache = place.home.path().join("cache");
    fs::create_dir_all(&cache).unwrap();
    let run = |arguments: &[&str], script: &str| {
        let mut command = Command::new(arguments[0]);
        command.args(&arguments[1..]).args(["bash", "-c", script]).current_dir(place.root());
        command.env("CACHE", &cache).env("PROGRAM", PROGRAM).env("TASK", crate::place::TASK);
        place.home_of(&mut command);
        Said::from(command.output().unwrap())
    };
    let script = format!("plantocode() {{ \"$PROGRAM\" \"$@\"; }}\n{script}");
    for own in [&["unshare", "--mount"][..], &["unshare", "--mount", "--user", "--map-root-user"]] {
        if run(own, &mount).code == Some(0) {
            return run(own, &format!("set -e\n{mount}\n{script}"));
        }
    }
    // Without the signal that would end the program, a write beyond the limit is an error like a full disk.
    run(&["env"], &format!("set -e\ntrap '' XFSZ\nulimit -f {kib}\n{script}"))
}

#[test]
fn a_full_disk_costs_the_index_and_that_is_said() {
    let place = Place::with(FILES);
    let right = place.answer(&["--no-index"]);
    for kib in [4, 16, 40, 80] {
        let said = on_a_full_disk(
            &place,
            kib,
            r#"
            search() { plantocode discover "$TASK" --json --tests --limit 10000 "$@" | md5sum; }
            search; search; search --no-index
            plantocode discover "$TASK" --explain 2>&1 >/dev/null
            plantocode index 2>&1 || echo "code $?"
            plantocode index --status
            search
            "#,
        );
        assert_eq!(said.code, Some(0), "{} {}", said.out, said.err);
        let lines: Vec<&str> = said.out.lines().collect();
        let [one, two, whole, note, refused, code, status, last] = lines[..] else { panic!("{}", said.out) };
        assert!(one == whole && two == whole && last == whole, "{kib} KiB: {}", said.out);
        assert!(note.starts_with("The index cannot be kept for the next search: "), "{note}");
        assert!(refused.contains("The index cannot be kept: "), "{refused}");
        assert_eq!((code, status), ("code 1", "Nothing is kept of this project."), "{kib} KiB");
    }
    assert_eq!(place.answer(&[]), right);
    place.is_sound();
}

#[test]
fn a_disk_that_fills_up_later_leaves_what_was_kept_before() {
    let place = Place::with(FILES);
    let script = r#"
        search() { plantocode discover "$TASK" --json --tests --limit 10000 "$@" | md5sum; }
        plantocode index | tail -1
        printf 'pub fn parse_url() { scheme() }' > src/net/client.rs
        cat /dev/zero > "$CACHE/filler" 2>/dev/null || true
        search; search --no-index
        plantocode index --status
        rm "$CACHE/filler"
        search
        plantocode index --status
    "#;
    let said = on_a_full_disk(&place, 8 << 10, script);
    let lines: Vec<&str> = said.out.lines().collect();
    let [_, one, whole, before, last, after] = lines[..] else { panic!("{} {}", said.out, said.err) };
    assert!(one == whole && last == whole, "{}", said.out);
    for status in [before, after] {
        assert!(status.starts_with("3003 files and 0 commits known"), "{status}");
    }
}

#[test]
fn an_index_of_another_version_is_made_anew() {
    let place = Place::with(700);
    let right = place.answer(&[]);
    let manifest = place.index().unwrap().join("manifest");
    let whole = fs::read(&manifest).unwrap();
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    let at = whole.windows(version.len()).position(|window| window == version).unwrap();
    // The number of the form stands before the version and its length.
    for (place_of, to) in [(at - 2, whole[at - 2] - 1), (at - 2, whole[at - 2] + 1), (at, b'9'), (7, b'0')] {
        let mut older = whole[..whole.len() - 4].to_vec();
        assert_ne!(older[place_of], to);
        older[place_of] = to;
        let sum = crc32fast::hash(&older).to_le_bytes();
        older.extend_from_slice(&sum);
        fs::write(&manifest, &older).unwrap();
        assert_eq!(place.run(&["index", "--status"]).out, "Nothing is kept of this project.\n");
        assert_eq!(place.answer(&[]), right);
        assert_ne!(fs::read(&manifest).unwrap(), older);
        assert!(place.run(&["index", "--status"]).out.starts_with("703 files"));
    }
}

#[test]
fn a_segment_that_claims_four_billion_files_is_not_believed() {
    let place = Place::with(20);
    let right = place.answer(&[]);
    let files = fs::read_dir(place.index().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    for path in files.filter(|path| path.to_string_lossy().contains("segment-")) {
        let mut bytes = fs::read(&path).unwrap();
        // The high byte of the number of files, which stands before the eight bytes that end a segment.
        let at = bytes.len() - 13;
        bytes[at] = 0xf0;
        fs::write(&path, bytes).unwrap();
    }
    let script = r#"ulimit -v 3000000; exec "$PROGRAM" discover "$TASK" --json --tests --limit 10000"#;
    let mut command = Command::new("bash");
    command.args(["-c", script]).env("PROGRAM", PROGRAM).env("TASK", crate::place::TASK);
    place.home_of(&mut command);
    let said = Said::from(command.current_dir(place.root()).output().unwrap());
    assert_eq!((said.code, said.out), (Some(0), right), "{}", said.err);
}
