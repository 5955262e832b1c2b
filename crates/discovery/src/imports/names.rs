//! How each language turns a reference into a path.

use super::resolve::{Resolver, ancestors, join, split};

/// `a.b.c` is a module, or the name `c` in the module `a.b`.
pub(super) fn python(paths: &Resolver<'_>, from: &str, reference: &str) -> Option<u32> {
    let dots = reference.len() - reference.trim_start_matches('.').len();
    let path = reference[dots..].replace('.', "/");
    if dots > 0 {
        let folder = ancestors(from).nth(dots - 1)?;
        return [path.as_str(), split(&path).0].iter().find_map(|path| {
            let module = join(folder, path)?;
            let package = join(&module, "__init__")?;
            [".py", ".pyi", ".pyx"].iter().find_map(|extension| {
                let file = paths.exact(&format!("{module}{extension}"));
                file.or_else(|| paths.exact(&format!("{package}{extension}")))
            })
        });
    }
    [path.as_str(), split(&path).0].iter().filter(|path| !path.is_empty()).find_map(|path| {
        let is_single = !path.contains('/');
        // The folder of a top-level module is no package itself.
        let is_top = |folder: &str| {
            let init =
                if folder.is_empty() { "__init__.py".to_owned() } else { format!("{folder}/__init__.py") };
            paths.exact(&init).is_none()
        };
        let is_near = |folder: &str| {
            let source = matches!(split(folder).1, "src" | "lib" | "python");
            is_top(folder) && (!is_single || source || ancestors(from).any(|near| near == folder))
        };
        [".py", ".pyi", ".pyx"].iter().find_map(|extension| {
            paths
                .suffix_if(from, &format!("{path}/__init__{extension}"), &is_top)
                .or_else(|| paths.suffix_if(from, &format!("{path}{extension}"), &is_near))
        })
    })
}

const GUESSES: &[&str] = &[
    "",
    ".ts",
    ".tsx",
    ".d.ts",
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".mts",
    ".cts",
    ".vue",
    ".svelte",
    ".json",
    "/index.ts",
    "/index.tsx",
    "/index.js",
    "/index.jsx",
    "/index.mjs",
];
/// TypeScript is imported under the name that it will have when it is compiled.
const COMPILED: &[(&str, &[&str])] =
    &[(".js", &[".ts", ".tsx"]), (".jsx", &[".tsx"]), (".mjs", &[".mts"]), (".cjs", &[".cts"])];

/// A module of JavaScript at a path that may lack its end.
fn guess(paths: &Resolver<'_>, path: &str) -> Option<u32> {
    let mut buffer = String::with_capacity(path.len() + 12);
    let mut probe = |stem: &str, end: &str| {
        buffer.clear();
        buffer.push_str(stem);
        buffer.push_str(end);
        paths.exact(buffer.trim_start_matches('/'))
    };
    if let Some(found) = GUESSES.iter().find_map(|end| probe(path, end)) {
        return Some(found);
    }
    let (stem, ends) = COMPILED.iter().find_map(|(end, ends)| Some((path.strip_suffix(end)?, *ends)))?;
    ends.iter().find_map(|end| probe(stem, end))
}

pub(super) fn script(paths: &Resolver<'_>, from: &str, reference: &str) -> Option<u32> {
    let reference = reference.split(['?', '#']).next().filter(|path| !path.is_empty()).unwrap_or(reference);
    if reference.starts_with('.') {
        return guess(paths, &join(split(from).0, reference)?);
    }
    if let Some(path) = reference.strip_prefix('/') {
        return guess(paths, path);
    }
    // `@/a` and `~/a` mean the sources of the package, by habit.
    let alias = reference.strip_prefix("@/").or_else(|| reference.strip_prefix("~/"));
    let path = alias.unwrap_or(reference);
    if alias.is_none()
        && let Some(found) = workspace_package(paths, from, reference)
    {
        return Some(found);
    }
    if alias.is_none() && (!path.contains('/') || path.starts_with('@')) {
        return None;
    }
    ancestors(from).find_map(|folder| {
        let sources = join(folder, "src").and_then(|sources| guess(paths, &join(&sources, path)?));
        sources.or_else(|| guess(paths, &join(folder, path)?))
    })
}

/// `@scope/name/sub` in `packages/name`.
fn workspace_package(paths: &Resolver<'_>, from: &str, reference: &str) -> Option<u32> {
    let scoped = match reference.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/')?.1,
        None => reference,
    };
    let (name, rest) = scoped.split_once('/').unwrap_or((scoped, ""));
    let folder = paths.folder(from, &format!("packages/{name}"))?;
    let sources = join(folder, "src")?;
    if rest.is_empty() {
        let main = ["index", "main"].iter().find_map(|name| guess(paths, &join(&sources, name)?));
        return main.or_else(|| guess(paths, &join(folder, "index")?));
    }
    guess(paths, &join(&sources, rest)?).or_else(|| guess(paths, &join(folder, rest)?))
}

/// The folder of the modules that a Rust file declares.
fn children(from: &str) -> String {
    let (folder, name) = split(from);
    match name.strip_suffix(".rs").unwrap_or(name) {
        "mod" | "lib" | "main" => folder.to_owned(),
        stem if folder.is_empty() => stem.to_owned(),
        stem => format!("{folder}/{stem}"),
    }
}

/// The deepest module along `names` under a folder.
fn module(paths: &Resolver<'_>, folder: &str, names: &[&str]) -> Option<u32> {
    const DEEPEST: usize = 12;
    (1..=names.len().min(DEEPEST)).rev().find_map(|length| {
        let path = join(folder, &names[..length].join("/"))?;
        paths.exact(&format!("{path}.rs")).or_else(|| paths.exact(&format!("{path}/mod.rs")))
    })
}

/// The root file of a crate whose sources are in a folder.
fn root(paths: &Resolver<'_>, folder: &str) -> Option<u32> {
    ["lib.rs", "main.rs"].iter().find_map(|name| paths.exact(&join(folder, name)?))
}

pub(super) fn rust(paths: &Resolver<'_>, from: &str, reference: &str) -> Option<u32> {
    let names: Vec<&str> = reference.split("::").map(str::trim).filter(|name| !name.is_empty()).collect();
    let (&first, rest) = names.split_first()?;
    match first {
        "crate" => {
            let folder = ancestors(from).find(|folder| root(paths, folder).is_some())?;
            module(paths, folder, rest).or_else(|| root(paths, folder))
        }
        "self" => module(paths, &children(from), rest),
        "super" => {
            let ups = names.iter().take_while(|name| **name == "super").count();
            let own = children(from);
            let folder = ancestors(&own).nth(ups - 1)?;
            module(paths, folder, &names[ups..])
                .or_else(|| paths.exact(&format!("{folder}.rs")))
                .or_else(|| paths.exact(join(folder, "mod.rs")?.as_str()))
                .or_else(|| root(paths, folder))
        }
        name => {
            let local = module(paths, &children(from), &names);
            local.or_else(|| {
                let dashed = name.replace('_', "-");
                let folder = paths.folder(from, &dashed).into_iter().chain(paths.folder(from, name));
                folder.into_iter().find_map(|folder| {
                    let sources = join(folder, "src")?;
                    let crate_root = root(paths, &sources)?;
                    module(paths, &sources, rest).or(Some(crate_root))
                })
            })
        }
    }
}

/// The parts of a path without the first, without the first two …, longest first.
fn tails(path: &str, separator: char) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), move |path| path.split_once(separator).map(|(_, tail)| tail)).take(12)
}

/// A package of Go is a folder; how much of its path is the module's name is not known.
pub(super) fn go(paths: &Resolver<'_>, from: &str, reference: &str) -> Vec<u32> {
    // The standard library has no dot in its first name.
    let is_module = reference.split('/').next().is_some_and(|host| host.contains('.'));
    let folder = tails(reference, '/').find_map(|tail| {
        let found = paths.folder(from, tail)?;
        let is_whole = tail.contains('/') || (is_module && found == tail);
        (is_whole && (is_module || tail != reference || found == tail)).then_some(found)
    });
    let mut files = folder.map_or_else(Vec::new, |folder| paths.files(folder, &["go"]));
    files.retain(|&at| !paths.path(at).ends_with("_test.go"));
    files
}

/// `a.b.C` is `a/b/C.java`; `a.b.C.d` is a member of it; `a.b.*` the files of a folder.
pub(super) fn jvm(paths: &Resolver<'_>, from: &str, reference: &str) -> Vec<u32> {
    let path = reference.replace('.', "/");
    if let Some(package) = path.strip_suffix("/*")
        && let Some(folder) = paths.folder(from, package)
    {
        return paths.files(folder, &["java", "kt"]);
    }
    let parents =
        std::iter::successors(Some(path.as_str()), |path| path.rsplit_once('/').map(|(head, _)| head));
    parents
        .take(3)
        .filter(|path| path.contains('/'))
        .find_map(|path| {
            [".java", ".kt"].iter().find_map(|extension| paths.suffix(from, &format!("{path}{extension}")))
        })
        .into_iter()
        .collect()
}

pub(super) fn c(paths: &Resolver<'_>, from: &str, reference: &str) -> Option<u32> {
    paths.relative_or_suffix(from, reference)
}

/// A namespace is a folder by habit: `A/B/C`, or `A.B/C` where a project has a dotted name.
pub(super) fn c_sharp(paths: &Resolver<'_>, from: &str, reference: &str) -> Vec<u32> {
    let folder = reference.match_indices('.').map(|(at, _)| at).chain([reference.len()]).find_map(|at| {
        let path = format!("{}{}", &reference[..at], reference[at..].replace('.', "/"));
        paths.folder(from, &path)
    });
    let by_tail = || {
        let tails = tails(reference, '.').skip(1).filter(|tail| tail.contains('.'));
        tails.into_iter().find_map(|tail| paths.folder(from, &tail.replace('.', "/")))
    };
    folder.or_else(by_tail).map_or_else(Vec::new, |folder| paths.files(folder, &["cs"]))
}

pub(super) fn ruby(paths: &Resolver<'_>, from: &str, reference: &str) -> Option<u32> {
    let path = if reference.ends_with(".rb") { reference.to_owned() } else { format!("{reference}.rb") };
    if reference.starts_with('.') {
        return paths.exact(&join(split(from).0, &path)?);
    }
    let library = paths.suffix(from, &format!("lib/{path}"));
    library.or_else(|| if path.contains('/') { paths.suffix(from, &path) } else { paths.exact(&path) })
}

/// `A\B\C` is `B/C.php` in the folder that stands for `A`.
pub(super) fn php(paths: &Resolver<'_>, from: &str, reference: &str) -> Option<u32> {
    if reference.starts_with('.') {
        return paths.relative_or_suffix(from, reference);
    }
    let path = format!("{}.php", reference.replace('\\', "/"));
    let long = tails(&path, '/').filter(|tail| tail.contains('/')).find_map(|tail| paths.suffix(from, tail));
    long.or_else(|| {
        let name = split(&path).1;
        ["src", "lib", "app"].iter().find_map(|folder| paths.suffix(from, &format!("{folder}/{name}")))
    })
}

/// Pages and styles: a relative path, or one from the root of the site, wherever that is.
pub(super) fn markup(paths: &Resolver<'_>, from: &str, reference: &str) -> Option<u32> {
    let path = reference.split(['?', '#']).next().filter(|path| !path.is_empty())?;
    if path.contains(':') || path.starts_with("//") {
        return None;
    }
    if let Some(path) = path.strip_prefix('/') {
        return paths.exact(path).or_else(|| paths.suffix(from, path));
    }
    let joined = join(split(from).0, path)?;
    let (folder, name) = split(&joined);
    paths.exact(&joined).or_else(|| {
        ["scss", "sass", "css", "less"].iter().find_map(|extension| {
            let plain = paths.exact(&format!("{joined}.{extension}"));
            plain.or_else(|| paths.exact(&join(folder, &format!("_{name}.{extension}"))?))
        })
    })
}
