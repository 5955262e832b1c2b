//! How much the check finds: faults of every class put into right plans, on real trees.
//!
//! The seeds are fixed, so the figures of `docs/plans.md` come out the same each time for the same trees.

use super::RootRepository;
use crate::roots::Root;
use plan::{Document, Entry, Noted, Operation, OperationKind, Repository, Step, Symbol};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use testkit::Repo;

/// Faults of each class.
const EACH: usize = 10;

/// A small, fixed source of numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % n.max(1)
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A file with what a right plan can name in it.
struct Target {
    path: String,
    lines: u32,
    symbols: Vec<Symbol>,
}

struct Tree {
    repository: RootRepository,
    targets: Vec<Target>,
}

impl Tree {
    fn open(path: &Path) -> Tree {
        let repository = RootRepository::new(Root::open(path).unwrap());
        let mut targets = Vec::new();
        for path in repository.files().iter().filter(|p| !plan::path::is_control_file(p)).take(400) {
            if let (Entry::File { lines }, Some(symbols)) = (repository.entry(path), repository.symbols(path))
                && (10..u32::MAX).contains(&lines)
                && !symbols.is_empty()
                && path.contains('/')
            {
                targets.push(Target { path: path.clone(), lines, symbols });
            }
        }
        Tree { repository, targets }
    }
}

fn small() -> Repo {
    Repo::new()
        .file("Cargo.toml", "[package]\nname = \"demo\"\n\n[dependencies]\nserde = \"1\"\n")
        .file("package.json", "{\"dependencies\":{\"react\":\"19\"}}")
        .file("requirements.txt", "requests\n")
        .file("go.mod", "module example.com/demo\n")
        .file(
            "src/http/client.rs",
            &"fn send() {\n    work();\n}\n\nfn receive() {\n    work();\n}\n".repeat(4),
        )
        .file(
            "src/http/server.rs",
            &"pub struct Server;\n\nimpl Server {\n    pub fn serve(&self) {\n        work();\n    }\n}\n"
                .repeat(3),
        )
        .file(
            "app/store.py",
            &"class Store:\n    def load(self):\n        pass\n\n    def save(self):\n        pass\n\n"
                .repeat(4),
        )
        .file(
            "web/page.ts",
            &"export function render() {\n  return 1;\n}\n\nexport function update() {\n  return 2;\n}\n"
                .repeat(3),
        )
        .file("cmd/main.go", &"package main\n\nfunc main() {\n\trun()\n}\n\nfunc run() {\n}\n".repeat(2))
        .commit("Begin")
}

/// Small repositories, this project, and a few crates of the local registry cache if there is one.
fn trees(keep: &mut Vec<Repo>) -> Vec<Tree> {
    keep.push(small());
    let mut roots = vec![keep[0].real_path()];
    roots.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap());
    roots.extend(cached_crates());
    let trees: Vec<Tree> = roots.iter().map(|root| Tree::open(root)).collect();
    trees.into_iter().filter(|tree| tree.targets.len() >= 4).collect()
}

fn cached_crates() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let Some(registry) = home.map(|home| home.join("registry/src")) else { return Vec::new() };
    let folders = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.is_dir()).collect();
        folders.sort();
        folders
    };
    let all = folders(&registry).iter().flat_map(|index| folders(index)).collect::<Vec<_>>();
    let wanted = ["serde_json-", "clap_builder-", "tokio-1", "regex-1"];
    wanted
        .iter()
        .filter_map(|name| {
            all.iter().find(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(name)))
        })
        .cloned()
        .collect()
}

fn op(kind: OperationKind, path: &str) -> Operation {
    Operation {
        kind,
        path: path.to_owned(),
        change: format!("// a change of {path}"),
        ..Operation::default()
    }
}

fn modify(path: &str) -> Operation {
    op(OperationKind::Modify, path)
}

fn step(operations: Vec<Operation>) -> Step {
    Step { title: "A step".into(), operations, complete: true, ..Step::default() }
}

/// A right step.
fn right(target: &Target, dice: &mut Dice) -> Step {
    let symbol = dice.of(&target.symbols);
    let operation = Operation {
        symbol: Some(symbol.name.clone()),
        lines: Some((symbol.first, symbol.last.min(target.lines))),
        change: format!("// {} {}", target.path, dice.below(1_000_000)),
        ..modify(&target.path)
    };
    step(vec![operation])
}

fn misspelt(path: &str, dice: &mut Dice) -> String {
    let (stem, ending) = path.rsplit_once('.').unwrap_or((path, "x"));
    match dice.below(3) {
        0 => format!("{stem}s.{ending}"),
        1 => format!("{}q.{ending}", &stem[..stem.len() - 1]),
        _ => {
            let name = path.rsplit('/').next().unwrap_or(path);
            format!("elsewhere/{name}")
        }
    }
}

/// A fault: the steps that have it, and the code that must be found in one of them; an empty one where the file has no place
/// for it.
type Fault = (Vec<Step>, &'static str);

fn one(operation: Operation) -> Vec<Step> {
    vec![step(vec![operation])]
}

/// Faults of paths, and of steps among each other.
fn fault_of_paths(class: usize, a: &Target, b: &Target, dice: &mut Dice) -> Fault {
    use OperationKind::{Create, Delete, Move};
    let fresh = format!("{}_fresh.rs", a.path.rsplit_once('.').map_or("x", |(stem, _)| stem));
    match class {
        0 => (one(modify(&misspelt(&a.path, dice))), "path_missing"),
        1 => (one(op(Create, &a.path)), "path_exists"),
        2 => {
            let folder = a.path.rsplit_once('/').map_or("x", |(folder, _)| folder);
            (one(modify(folder)), "path_folder")
        }
        3 => (one(op(Create, &format!("{}/inner.rs", a.path))), "parent_file"),
        4 => (vec![step(vec![op(Delete, &a.path)]), step(vec![modify(&a.path)])], "path_gone"),
        5 => (vec![step(vec![modify(&fresh)]), step(vec![op(Create, &fresh)])], "path_made_later"),
        6 => (vec![step(vec![op(Create, &fresh)]), step(vec![op(Create, &fresh)])], "path_made_twice"),
        7 => (one(Operation { to: Some(b.path.clone()), ..op(Move, &a.path) }), "path_exists"),
        8 => (one(op(Move, &a.path)), "move_target_missing"),
        9 => (one(modify(&a.path.to_uppercase())), "path_case"),
        10 => {
            let hostile =
                ["../x.rs", "/etc/passwd", "a//b", ".git/config", "nul", "a\u{202e}b.rs", "C:/x", "x:y"];
            (one(op(Create, hostile[dice.below(hostile.len())])), "path_refused")
        }
        _ => {
            let steering = ["AGENTS.md", ".github/workflows/a.yml", ".vscode/tasks.json", ".envrc"];
            (one(op(Create, steering[dice.below(steering.len())])), "control_file")
        }
    }
}

/// Faults of what stands in a file, and of dependencies.
fn fault_of_content(class: usize, a: &Target, b: &Target, dice: &mut Dice, noted: &mut Noted) -> Fault {
    match class {
        12 => {
            let over = a.lines + 5 + u32::try_from(dice.below(50)).unwrap_or(0);
            let lines = Some((a.lines.saturating_sub(2).max(1), over));
            (one(Operation { lines, ..modify(&a.path) }), "lines_beyond")
        }
        13 => {
            let wrong = format!("{}Xq{}", dice.of(&a.symbols).name, dice.below(90));
            (one(Operation { symbol: Some(wrong), ..modify(&a.path) }), "symbol_missing")
        }
        14 => {
            // Lines far from every definition of that name.
            let symbol = dice.of(&a.symbols);
            let name = symbol.name.rsplit([':', '.']).next().unwrap_or(&symbol.name);
            let spans: Vec<_> = a.symbols.iter().filter(|s| s.name.ends_with(name)).collect();
            let free = (1..=a.lines).find(|l| spans.iter().all(|s| l + 5 < s.first || *l > s.last + 5));
            let symbol = Some(symbol.name.clone());
            let code = if free.is_some() { "symbol_elsewhere" } else { "" };
            (one(Operation { symbol, lines: free.map(|l| (l, l)), ..modify(&a.path) }), code)
        }
        15 => {
            let mut steps = one(modify(&a.path));
            steps[0].depends = vec![90 + u32::try_from(dice.below(9)).unwrap_or(0)];
            (steps, "depends_unknown")
        }
        16 => {
            let mut steps = vec![step(vec![modify(&a.path)]), step(vec![modify(&b.path)])];
            (steps[0].depends, steps[1].depends) = (vec![2], vec![1]);
            (steps, "depends_cycle")
        }
        17 => {
            let lines = |first, last| Operation { lines: Some((first, last)), ..modify(&a.path) };
            (vec![step(vec![lines(2, 6)]), step(vec![lines(4, 8)])], "lines_overlap")
        }
        18 => {
            noted.insert(a.path.clone(), "0".repeat(64));
            (one(modify(&a.path)), "stale")
        }
        19 => {
            let uses = [
                ("rs", "use quibblefrotz::Thing;"),
                ("py", "import quibblefrotz"),
                ("ts", "import q from 'quibblefrotz'"),
                ("go", "import \"github.com/quibble/frotz\""),
            ];
            let (ending, change) = *dice.of(&uses);
            let path = format!("src/fresh_file.{ending}");
            (one(Operation { change: change.into(), ..op(OperationKind::Create, &path) }), "package_unknown")
        }
        20 => {
            let hidden = *dice.of(&["\u{200b}", "\u{202e}", "\u{e0041}", "\u{1b}[2J"]);
            (one(Operation { change: format!("let a{hidden} = 1;"), ..modify(&a.path) }), "invisible_text")
        }
        _ => {
            let change = "let twice = call(1, 2, 3);".to_owned();
            let twice = Operation { change, ..modify(&a.path) };
            (vec![step(vec![twice.clone()]), step(vec![twice])], "change_twice")
        }
    }
}

/// The class whose faults need a tree with manifests, and those that need a path to be free.
const PACKAGES: usize = 19;
const CASE: usize = 9;
const STEERING: usize = 11;

const CLASSES: usize = 22;

#[test]
fn faults_of_every_class_are_found() {
    let mut keep = Vec::new();
    let trees = trees(&mut keep);
    let mut dice = Dice(6);
    let mut figures: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut missed = Vec::new();
    for class in 0..CLASSES {
        let mut made = 0;
        while made < EACH {
            // Packages are known of where the manifests are: in the small repository.
            let tree = if class == PACKAGES { &trees[0] } else { dice.of(&trees) };
            let (a, b) = (dice.of(&tree.targets), dice.of(&tree.targets));
            if a.path == b.path
                || (class == CASE && tree.repository.entry(&a.path.to_uppercase()) != Entry::Missing)
            {
                continue;
            }
            let mut noted = Noted::new();
            let (steps, code) = match class {
                0..12 => fault_of_paths(class, a, b, &mut dice),
                _ => fault_of_content(class, a, b, &mut dice, &mut noted),
            };
            // This tree has no place for the fault.
            if code.is_empty()
                || (class == STEERING
                    && tree.repository.entry(&steps[0].operations[0].path) != Entry::Missing)
            {
                continue;
            }
            made += 1;
            let mut document = Document { steps, ..Document::default() };
            let others = tree.targets.iter().filter(|t| t.path != a.path && t.path != b.path);
            document.steps.extend(others.take(2).map(|t| right(t, &mut dice)));
            let findings = plan::verify_since(&document, &tree.repository, &noted);
            let found = findings.iter().flatten().any(|f| f.code == code);
            let figure = figures.entry(code).or_default();
            figure.1 += 1;
            figure.0 += usize::from(found);
            if !found {
                missed.push(format!("{code}: {:?}", document.steps[0].operations[0].path));
            }
        }
    }
    let (found, all) = figures.values().fold((0, 0), |(a, b), (x, y)| (a + x, b + y));
    let table: Vec<String> = figures.iter().map(|(code, (x, y))| format!("{code} {x}/{y}")).collect();
    let summary = format!("{found} of {all} found on {} trees: {}", trees.len(), table.join(", "));
    assert!(all >= 200 && found * 100 >= all * 95, "{summary}\n{missed:#?}");
    assert!(figures.values().all(|(x, y)| x * 100 >= y * 80), "{summary}\n{missed:#?}");
    report(&summary);
}

/// Figures are for people who run the test with `--no-capture`.
#[allow(clippy::print_stderr, reason = "a measurement is told")]
fn report(text: &str) {
    eprintln!("{text}");
}

mod commits;
