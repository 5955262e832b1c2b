//! `discover` and `index` on trees that nobody wishes for: a clear message or a sound answer, never a panic.

use crate::place::{Place, Said};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

#[track_caller]
fn refused(said: &Said, what: &str) {
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    assert!(said.err.contains(what), "{}", said.err);
}

#[test]
fn what_is_no_project_is_not_indexed() {
    let place = Place::new();
    let index = |dir| place.run(&["index", "--project", dir]);
    refused(&index("missing"), "Name the folder of a project with --project");
    refused(&index("blob.bin"), "blob.bin is not a directory");
    assert!(place.index().is_none());
}

#[test]
fn fifty_megabytes_on_one_line_are_passed_over_or_read_if_they_may() {
    let place = Place::new();
    place.write("line.txt", "parse_url(x) ".repeat((50 << 20) / 13).as_bytes());
    place.write("word.rs", &b"x".repeat(50 << 20));
    let said = place.run(&["discover", "parse_url", "--explain"]);
    assert!(said.out.contains("2  over the size limit  line.txt, word.rs"), "{}", said.out);
    place.is_sound();
    let large = place.run(&["discover", "parse_url", "--plain", "--max-file-bytes", "100000000"]);
    assert_eq!((large.code, large.out.as_str()), (Some(0), "src/net/client.rs\nline.txt\n"), "{}", large.err);
}

/// A folder in a folder in a folder; their path is longer than any that the system takes.
struct Deep<'p> {
    root: &'p Path,
}

impl<'p> Deep<'p> {
    fn new(root: &'p Path, folders: usize) -> Deep<'p> {
        let deep = Deep { root };
        let [path, above] = deep.names();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("deepest.rs"), "fn parse_url() {}").unwrap();
        // From the innermost outwards, so that no path is ever long.
        for _ in 1..folders {
            fs::create_dir(&above).unwrap();
            fs::rename(&path, above.join("d")).unwrap();
            fs::rename(&above, &path).unwrap();
        }
        deep
    }

    fn names(&self) -> [std::path::PathBuf; 2] {
        [self.root.join("d"), self.root.join("above")]
    }
}

impl Drop for Deep<'_> {
    fn drop(&mut self) {
        let [path, below] = self.names();
        while path.join("d").exists() {
            fs::rename(path.join("d"), &below).unwrap();
            fs::remove_dir_all(&path).unwrap();
            fs::rename(&below, &path).unwrap();
        }
        fs::remove_dir_all(path).unwrap();
    }
}

#[test]
fn ten_thousand_folders_in_each_other_hide_nothing_beside_them() {
    let place = Place::new();
    let before = place.answer(&[]);
    let deep = Deep::new(place.root(), 10_000);
    fs::write(place.root().join("d/d/near.rs"), "// the scheme").unwrap();
    let after = place.answer(&[]);
    assert!(after.contains("\"d/d/near.rs\""), "{after}");
    place.is_sound();
    let said = place.run(&["discover", "parse_url", "--explain"]);
    assert!(said.out.contains("1  unreadable: invalid filename  d/d/d/d/"), "{}", said.out);
    drop(deep);
    assert_eq!(place.answer(&[]), before);
    place.is_sound();
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_lead_nowhere_and_a_link_to_the_project_is_the_project() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    let before = place.answer(&[]);
    symlink("b", place.root().join("a")).unwrap();
    symlink("a", place.root().join("b")).unwrap();
    symlink(".", place.root().join("src/self")).unwrap();
    symlink("../..", place.root().join("src/net/up")).unwrap();
    symlink("/dev/zero", place.root().join("src/zero.rs")).unwrap();
    assert_eq!(place.answer(&[]), before);
    place.is_sound();
    let link = place.home.path().join("link");
    symlink(place.root(), &link).unwrap();
    assert_eq!(place.answer(&["--project", link.to_str().unwrap()]), before);
    refused(&place.run(&["discover", "parse_url", "--project", "a"]), "cannot open a: ");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_told_apart_with_the_index_and_without() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let put = |name: &[u8], text: &str| fs::write(place.root().join(OsStr::from_bytes(name)), text).unwrap();
    // The first two look alike when they are shown.
    put(b"url_\xff.rs", "fn parse_url() {} // scheme");
    put(br"url_\xff.rs", "fn parse_url() {} // scheme missing");
    put(b"line\nbreak.rs", "fn parse_url() {}");
    put("\u{202e}sr.lru".as_bytes(), "fn parse_url() {}");
    place.is_sound();
    put(b"url_\xff.rs", "fn parse_url() {} // missing missing");
    place.is_sound();
    let said = place.run(&["discover", "parse_url", "--plain", "--limit", "100"]);
    assert_eq!(said.out.matches(r"url_\xff.rs").count(), 2, "{}", said.out);
}

/// The program without an administrator's right to read everything.
#[cfg(target_os = "linux")]
fn without_rights(place: &Place, arguments: &[&str]) -> Said {
    if !rustix::process::geteuid().is_root() {
        return place.run(arguments);
    }
    let mut command = Command::new("setpriv");
    command.arg("--bounding-set=-dac_override,-dac_read_search").arg(crate::place::PROGRAM).args(arguments);
    command.current_dir(place.root());
    place.home_of(&mut command);
    command.output().expect("setpriv is installed (package util-linux)").into()
}

#[cfg(target_os = "linux")]
#[test]
fn what_may_not_be_read_is_told_and_read_once_it_may_be() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.write("locked.rs", b"fn parse_url() {}");
    place.write("closed/inner.rs", b"fn parse_url() {}");
    let allow = |path: &str, mode| {
        fs::set_permissions(place.root().join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    allow("locked.rs", 0);
    allow("closed", 0);
    let listed = ["discover", "parse_url", "--explain"];
    for _ in 0..2 {
        let said = without_rights(&place, &listed);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(said.out.contains("src/net/client.rs"), "{}", said.out);
        assert!(said.out.contains("2  unreadable: permission denied  closed, locked.rs"), "{}", said.out);
        assert!(!said.out.contains("inner.rs"), "{}", said.out);
    }
    refused(
        &without_rights(&place, &["discover", "parse_url", "--project", "closed"]),
        "cannot open closed: ",
    );
    allow("locked.rs", 0o600);
    allow("closed", 0o700);
    let said = without_rights(&place, &listed);
    assert!(said.out.contains("locked.rs") && !said.out.contains("unreadable"), "{}", said.out);
    assert!(said.out.contains("inner.rs"), "{}", said.out);
    place.is_sound();
}

fn git(root: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .current_dir(root)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_git_folder_of_any_kind_costs_the_history_at_most_and_that_is_said() {
    let place = Place::new();
    let indexed = |what: &str| {
        let said = place.run(&["index"]);
        assert!(said.code == Some(0) && said.out.contains(what), "{what}: {} {}", said.out, said.err);
        place.is_sound();
    };
    indexed("no history (no git repository at the root)");
    place.write(".git", b"gitdir: /nowhere/at/all\n");
    indexed("no history (the repository cannot be read)");
    place.write(".git", &[0xff; 300]);
    indexed("no history (the repository cannot be read)");
    fs::remove_file(place.root().join(".git")).unwrap();
    git(place.root(), &["init", "--quiet"]);
    indexed("no history (no commit yet)");
    for n in 0..5 {
        place.write("src/net/client.rs", format!("pub fn parse_url(url: &str) {{ {n} }}\n").as_bytes());
        git(place.root(), &["add", "."]);
        git(place.root(), &["commit", "--quiet", "-m", &format!("Change the scheme, {n}")]);
    }
    indexed(", 5 commits");
    let whole = place.answer(&[]);
    // What was known of the past is not believed when the repository says something else.
    let shallow = git_ids(place.root())[2].clone();
    place.write(".git/shallow", format!("{shallow}\n").as_bytes());
    fs::remove_dir_all(place.index().unwrap()).unwrap();
    indexed(", 3 commits");
    fs::remove_file(place.root().join(".git/shallow")).unwrap();
    fs::remove_dir_all(place.index().unwrap()).unwrap();
    indexed(", 5 commits");
    assert_eq!(place.answer(&[]), whole);
    for (path, _) in objects(place.root()) {
        fs::remove_file(&path).unwrap();
        fs::write(&path, [0xa5; 100]).unwrap();
    }
    fs::remove_dir_all(place.index().unwrap()).unwrap();
    indexed("no history (the repository cannot be read)");
}

#[test]
fn a_damaged_object_ends_that_part_of_the_past_and_nothing_else() {
    let place = Place::new();
    git(place.root(), &["init", "--quiet"]);
    for n in 0..3 {
        place.write("src/net/client.rs", format!("pub fn parse_url(url: &str) {{ {n} }}\n").as_bytes());
        git(place.root(), &["add", "src/net"]);
        git(place.root(), &["commit", "--quiet", "-m", &format!("Change the scheme, {n}")]);
    }
    let objects = objects(place.root());
    assert!(objects.len() > 9, "{}", objects.len());
    for (at, (path, bytes)) in objects.iter().enumerate() {
        fs::remove_file(path).unwrap();
        let (half, garbage) = (&bytes[..bytes.len() / 2], vec![0x78; bytes.len()]);
        let damaged = [half, &garbage, b""][at % 3];
        fs::write(path, damaged).unwrap();
        place.answer(&["--no-index"]);
        fs::write(path, bytes).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn an_ignore_file_that_never_ends_is_not_read() {
    let place = Place::new();
    place.write("src/net/other.rs", b"fn parse_url() {}");
    let discover = |folder: &str| {
        let mut command = Command::new("timeout");
        command.args([
            "100",
            crate::place::PROGRAM,
            "discover",
            "parse_url",
            "--explain",
            "--project",
            folder,
        ]);
        place.home_of(&mut command);
        Said::from(
            command.current_dir(place.root()).output().expect("timeout is installed (package coreutils)"),
        )
    };
    for name in [".gitignore", ".ignore"] {
        let (outer, inner) = (place.root().join(name), place.root().join("src/net").join(name));
        let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        let endless = |path: &Path| std::os::unix::fs::symlink("/dev/zero", path).unwrap();
        for make in [&pipe as &dyn Fn(&Path), &endless] {
            make(&inner);
            let said = discover(".");
            assert!(said.code == Some(0) && said.out.contains("11 files read"), "{} {}", said.out, said.err);
            assert!(said.out.contains("unreadable: is a directory  src/net"), "{}", said.out);
            make(&outer);
            refused(&discover("."), "is a pipe or a device");
            refused(&discover("src"), "is a pipe or a device");
            fs::remove_file(&inner).unwrap();
            fs::remove_file(&outer).unwrap();
        }
    }
    place.is_sound();
}

/// A repository that names further folders of objects in what has no end, or names itself.
#[cfg(unix)]
#[test]
fn a_list_of_object_folders_that_never_ends_is_not_waited_for() {
    let place = Place::new();
    git(place.root(), &["init", "--quiet"]);
    git(place.root(), &["add", "src"]);
    git(place.root(), &["commit", "--quiet", "-m", "Change the scheme"]);
    let list = place.root().join(".git/objects/info/alternates");
    let indexed = |what: &str| {
        let mut command = Command::new("timeout");
        command.args(["100", crate::place::PROGRAM, "index"]).current_dir(place.root());
        place.home_of(&mut command);
        let said = Said::from(command.output().expect("timeout is installed (package coreutils)"));
        assert!(said.code == Some(0) && said.out.contains(what), "{:?} {} {}", said.code, said.out, said.err);
        fs::remove_dir_all(place.index().unwrap()).unwrap();
    };
    let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    let unreadable = "no history (the repository cannot be read)";
    pipe(&list);
    indexed(unreadable);
    fs::remove_file(&list).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &list).unwrap();
    indexed(unreadable);
    fs::remove_file(&list).unwrap();
    fs::write(&list, format!("{}\n", place.root().join(".git/objects").display())).unwrap();
    indexed(unreadable);
    let other = tempfile::tempdir().unwrap();
    fs::create_dir(other.path().join("info")).unwrap();
    fs::write(&list, format!("# elsewhere\n{}\n", other.path().display())).unwrap();
    indexed(", 1 commits");
    pipe(&other.path().join("info/alternates"));
    indexed(unreadable);
}

fn git_ids(root: &Path) -> Vec<String> {
    let output = Command::new("git").current_dir(root).args(["rev-list", "HEAD"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn objects(root: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let folders = fs::read_dir(root.join(".git/objects")).unwrap().map(|entry| entry.unwrap().path());
    let loose = folders.filter(|path| path.file_name().is_some_and(|name| name.len() == 2));
    let files = loose.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let mut files: Vec<_> = files.map(|path| (path.clone(), fs::read(&path).unwrap())).collect();
    files.sort();
    files
}
