//! A table per language: lines to references, and references to files.

use super::{Import, Resolver, imports};

fn references(path: &str, text: &str) -> String {
    let found = imports(path, text);
    found.iter().map(|import| format!("{}:{}", import.line, import.reference)).collect::<Vec<_>>().join(" ")
}

#[test]
fn lines_to_references() {
    for (path, text, expected) in [
        (
            "a.py",
            "import os, a.b as c\nfrom .x import y, z\nfrom a import (  # why\n    b,\n    c as d,\n)\nfrom . import w\nfrom a import *\nimportant = 1",
            "1:os 1:a.b 2:.x.y 2:.x.z 3:a.b 3:a.c 7:.w 8:a",
        ),
        (
            "a.ts",
            "import a from './a';\nimport {\n  b,\n} from \"../b\";\nexport * from '@x/c';\nimport './side.css';\nconst d = require('d/e'), f = await import(`./f`);\nfrom('x');\nx.from = 'no';\nimport type { T } from './t';",
            "1:./a 4:../b 5:@x/c 6:./side.css 7:d/e 7:./f 10:./t",
        ),
        (
            "a.rs",
            "use std::io;\nuse crate::a::{b, c::{d, e}, self};\npub(crate) use super::x as y;\nmod m;\npub mod inline {\nuse ::serde::Serialize;\nuse self::k::*;",
            "2:crate::a::b 2:crate::a::c 2:crate::a 3:super::x 4:self::m 6:serde::Serialize 7:self::k",
        ),
        (
            "a.go",
            "import \"fmt\"\nimport (\n\t\"a.b/c\"\n\tx \"a.b/d\"\n\t// \"no\"\n)\nvar y = \"import\"",
            "1:fmt 3:a.b/c 4:a.b/d",
        ),
        ("A.java", "import a.b.C;\nimport static a.b.D.e;\nimport a.c.*;", "1:a.b.C 2:a.b.D.e 3:a.c.*"),
        ("A.kt", "import a.b.C as D\nimport a.b.f", "1:a.b.C 2:a.b.f"),
        (
            "a.cpp",
            "#include <vector>\n#  include \"a/b.h\"\n#import \"c.h\"\n#include <p/q.hpp>",
            "2:a/b.h 3:c.h 4:p/q.hpp",
        ),
        (
            "a.cs",
            "using System;\nglobal using A.B;\nusing X = A.C;\nusing static A.D;\nusing (var f = g()) {",
            "1:System 2:A.B 3:A.C 4:A.D",
        ),
        (
            "a.rb",
            "require 'json'\nrequire_relative 'a/b'\nrequire_relative \"../c\"\nrequired = 1",
            "1:json 2:./a/b 3:../c",
        ),
        (
            "a.php",
            "<?php\nuse App\\A, App\\B as C;\nuse App\\{D, E\\F};\nuse function App\\g;\nrequire_once __DIR__ . '/lib/x.php';\ninclude('y.php');",
            "2:App\\A 2:App\\B 3:App\\D 3:App\\E\\F 4:App\\g 5:./lib/x.php 6:./y.php",
        ),
        ("a.swift", "@testable import Core\nimport struct Net.Request", "1:Core 2:Net"),
        (
            "a.sh",
            "source ./a.sh\n. \"$(dirname \"$0\")/lib/b.sh\"\n. ${X}/c.sh\nset -e",
            "1:./a.sh 2:lib/b.sh 3:c.sh",
        ),
        (
            "a.html",
            "<a href=\"b.html\">\n<script src='js/a.js'></script> data-src=\"n\"",
            "1:b.html 2:js/a.js",
        ),
        ("a.scss", "@use 'x/y';\n@import url(z.css);\n@media print {", "1:x/y 2:z.css"),
        ("a.txt", "import a", ""),
    ] {
        assert_eq!(references(path, text), expected, "{path}");
    }
}

/// Each case: the importing file, the reference, the files it means.
fn check(paths: &[&str], cases: &[(&str, &str, &str)]) {
    let mut paths = paths.to_vec();
    paths.sort_unstable();
    let resolver = Resolver::new(&paths);
    for (from, reference, expected) in cases {
        let import = Import { reference: (*reference).to_owned(), line: 1 };
        let found: Vec<&str> = resolver.resolve(from, &import).iter().map(|&at| paths[at as usize]).collect();
        assert_eq!(found.join(" "), *expected, "{from}: {reference}");
    }
}

#[test]
fn python() {
    let paths = [
        "src/app/__init__.py",
        "src/app/core.py",
        "src/app/web/__init__.py",
        "src/app/web/views.py",
        "src/app/json.py",
        "tests/test_core.py",
        "tests/helpers.py",
        "tools/app_run.py",
        "ns/part/mod.py",
    ];
    check(
        &paths,
        &[
            ("tests/test_core.py", "app.core.run", "src/app/core.py"),
            ("tests/test_core.py", "app.core", "src/app/core.py"),
            ("tests/test_core.py", "app", "src/app/__init__.py"),
            ("tests/test_core.py", "helpers.x", "tests/helpers.py"),
            ("src/app/web/views.py", "..core.run", "src/app/core.py"),
            ("src/app/web/views.py", ".", "src/app/web/__init__.py"),
            ("src/app/core.py", ".web", "src/app/web/__init__.py"),
            ("src/app/core.py", ".web.views", "src/app/web/views.py"),
            ("src/app/core.py", ".....x", ""),
            // The standard library, not `app.json`.
            ("src/app/core.py", "json", ""),
            ("tests/test_core.py", "ns.part.mod", "ns/part/mod.py"),
        ],
    );
}

#[test]
fn script() {
    let paths = [
        "src/a.ts",
        "src/b/index.tsx",
        "src/c.js",
        "src/style.css",
        "src/lib/util.ts",
        "src/types.d.ts",
        "packages/core/src/index.ts",
        "packages/core/src/deep.ts",
        "packages/ui/index.js",
    ];
    check(
        &paths,
        &[
            ("src/a.ts", "./b", "src/b/index.tsx"),
            ("src/b/index.tsx", "../a", "src/a.ts"),
            ("src/b/index.tsx", "../a.js", "src/a.ts"),
            ("src/a.ts", "./c", "src/c.js"),
            ("src/a.ts", "./style.css?inline", "src/style.css"),
            ("src/a.ts", "./types", "src/types.d.ts"),
            ("src/a.ts", "@/lib/util", "src/lib/util.ts"),
            ("src/a.ts", "lib/util", "src/lib/util.ts"),
            ("src/a.ts", "@scope/core", "packages/core/src/index.ts"),
            ("src/a.ts", "@scope/core/deep", "packages/core/src/deep.ts"),
            ("src/a.ts", "ui", "packages/ui/index.js"),
            ("src/a.ts", "react", ""),
            ("src/a.ts", "../../../x", ""),
        ],
    );
}

#[test]
fn rust() {
    let paths = [
        "crates/my-core/src/lib.rs",
        "crates/my-core/src/a.rs",
        "crates/my-core/src/a/b.rs",
        "crates/my-core/src/c/mod.rs",
        "crates/my-core/src/c/d.rs",
        "crates/app/src/main.rs",
        "crates/app/src/x.rs",
    ];
    check(
        &paths,
        &[
            ("crates/my-core/src/c/d.rs", "crate::a::b::Type", "crates/my-core/src/a/b.rs"),
            ("crates/my-core/src/c/d.rs", "crate::a::Type", "crates/my-core/src/a.rs"),
            ("crates/my-core/src/c/d.rs", "crate::Error", "crates/my-core/src/lib.rs"),
            ("crates/my-core/src/c/d.rs", "super::Kind", "crates/my-core/src/c/mod.rs"),
            ("crates/my-core/src/a/b.rs", "super::Kind", "crates/my-core/src/a.rs"),
            ("crates/my-core/src/a/b.rs", "super::super::c", "crates/my-core/src/c/mod.rs"),
            ("crates/my-core/src/lib.rs", "self::c", "crates/my-core/src/c/mod.rs"),
            ("crates/my-core/src/a.rs", "self::b", "crates/my-core/src/a/b.rs"),
            ("crates/app/src/main.rs", "x::run", "crates/app/src/x.rs"),
            ("crates/app/src/main.rs", "my_core::a::b", "crates/my-core/src/a/b.rs"),
            ("crates/app/src/main.rs", "my_core::Thing", "crates/my-core/src/lib.rs"),
            ("crates/app/src/main.rs", "serde::Serialize", ""),
            ("crates/app/src/x.rs", "super::super::super::super::super::super::y", ""),
        ],
    );
}

#[test]
fn go_and_jvm() {
    let paths = [
        "internal/store/a.go",
        "internal/store/b.go",
        "internal/store/b_test.go",
        "internal/store/sub/c.go",
        "fmt/x.go",
        "main.go",
        "api/z.go",
    ];
    check(
        &paths,
        &[
            ("main.go", "example.org/me/app/internal/store", "internal/store/a.go internal/store/b.go"),
            ("main.go", "example.org/me/app/api", "api/z.go"),
            ("main.go", "app/internal/store/sub", "internal/store/sub/c.go"),
            ("main.go", "encoding/json", ""),
            ("main.go", "example.org/other/thing", ""),
        ],
    );
    let paths = ["app/src/main/java/a/b/C.java", "app/src/main/java/a/b/D.kt", "app/src/main/java/x/C.java"];
    check(
        &paths,
        &[
            ("app/src/main/java/x/C.java", "a.b.C", paths[0]),
            ("app/src/main/java/x/C.java", "a.b.C.method", paths[0]),
            ("app/src/main/java/x/C.java", "a.b.D", paths[1]),
            (
                "app/src/main/java/x/C.java",
                "a.b.*",
                "app/src/main/java/a/b/C.java app/src/main/java/a/b/D.kt",
            ),
            ("app/src/main/java/x/C.java", "java.util.List", ""),
        ],
    );
}

#[test]
fn c_and_c_sharp() {
    let paths = ["src/a.c", "src/a.h", "include/lib/b.h", "one/dup.h", "two/dup.h", "two/x.c"];
    check(
        &paths,
        &[
            ("src/a.c", "a.h", "src/a.h"),
            ("src/a.c", "../include/lib/b.h", "include/lib/b.h"),
            ("src/a.c", "lib/b.h", "include/lib/b.h"),
            ("src/a.c", "dup.h", ""),
            ("two/x.c", "dup.h", "two/dup.h"),
            ("src/a.c", "none.h", ""),
        ],
    );
    let paths = ["src/My.App/Data/Store.cs", "src/My.App/Program.cs", "src/My.App/Data/Row.cs"];
    let data = "src/My.App/Data/Row.cs src/My.App/Data/Store.cs";
    check(&paths, &[("src/My.App/Program.cs", "My.App.Data", data), ("src/My.App/Program.cs", "System", "")]);
}

#[test]
fn the_others() {
    let paths = [
        "lib/store.rb",
        "lib/store/cache.rb",
        "spec/store_spec.rb",
        "app/Models/User.php",
        "app/Http/Home.php",
        "Sources/Core/A.swift",
        "Sources/Core/B.swift",
        "Sources/App/main.swift",
        "bin/run.sh",
        "bin/lib/log.sh",
        "web/index.html",
        "web/js/a.js",
        "web/css/main.scss",
        "web/css/_vars.scss",
    ];
    check(
        &paths,
        &[
            ("spec/store_spec.rb", "store/cache", "lib/store/cache.rb"),
            ("spec/store_spec.rb", "../lib/store", "lib/store.rb"),
            ("spec/store_spec.rb", "json", ""),
            ("app/Http/Home.php", "App\\Models\\User", "app/Models/User.php"),
            ("app/Http/Home.php", "./../Models/User.php", "app/Models/User.php"),
            ("app/Http/Home.php", "Vendor\\Thing", ""),
            ("Sources/App/main.swift", "Core", "Sources/Core/A.swift Sources/Core/B.swift"),
            ("bin/run.sh", "lib/log.sh", "bin/lib/log.sh"),
            ("web/index.html", "js/a.js?v=1", "web/js/a.js"),
            ("web/index.html", "/css/main.scss", "web/css/main.scss"),
            ("web/index.html", "https://example.org/a.js", ""),
            ("web/css/main.scss", "vars", "web/css/_vars.scss"),
        ],
    );
}

const ALL: &[&str] =
    &["py", "ts", "rs", "go", "java", "kt", "cpp", "cs", "rb", "php", "swift", "sh", "html", "css"];

/// Random bytes, seasoned with what the scanners look for.
#[test]
fn any_text_is_survived() {
    let pieces = [
        "import ",
        "from ",
        "use ",
        "mod ",
        "require",
        "#include ",
        "using ",
        "source ",
        ". ",
        "(",
        ")",
        "{",
        "}",
        "\"",
        "'",
        "`",
        "::",
        ".",
        "/",
        "\\",
        "*",
        ",",
        ";",
        "\n",
        "\r\n",
        " ",
        "é",
        "修",
        "🎉",
        "\0",
        "src=",
        "@import ",
        "$",
        "..",
        "crate",
        "super::",
        "self",
        "<",
        ">",
        "_",
        "=",
        "static ",
        "-",
        "a",
    ];
    let mut state = 7_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let paths = ["a.py", "a/__init__.py", "a/a.rs", "a/mod.rs", "lib.rs", "é/修.ts"];
    let resolver = Resolver::new(&paths);
    for _ in 0..3000 {
        let length = random(30);
        let mut bytes: Vec<u8> = Vec::new();
        for _ in 0..length {
            match random(6) {
                0 => bytes.push(random(256) as u8),
                _ => bytes.extend(pieces[random(pieces.len())].as_bytes()),
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        for extension in ALL {
            let from = format!("a/é.{extension}");
            for import in imports(&from, &text) {
                let found = resolver.resolve(&from, &import);
                assert!(found.iter().all(|&at| (at as usize) < paths.len()));
            }
            let raw = Import { reference: text.clone().into_owned(), line: 1 };
            let _ = resolver.resolve(&from, &raw);
        }
    }
}
