use expect_test::{Expect, expect};

use super::*;

pub(super) fn check(path: &str, text: &str, expected: Expect) {
    let lines: Vec<String> = outline(path, text)
        .iter()
        .map(|symbol| {
            format!("{} {} {}-{}\n", symbol.kind.name(), symbol.name, symbol.start_line, symbol.end_line)
        })
        .collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn rust() {
    check(
        "a.rs",
        "pub struct A;\nimpl A {\n    fn m(&self) {\n        const X: u8 = 1;\n    }\n}\ntrait T {\n    fn t();\n}\nmacro_rules! mac { () => {} }\nmod inner {\n    fn f() {}\n}",
        expect![[r#"
            struct A 1-1
            method m 3-5
            trait T 7-9
            method t 8-8
            macro mac 10-10
            module inner 11-13
            function f 12-12
        "#]],
    );
}

#[test]
fn python() {
    check(
        "a.py",
        "LIMIT = 3\n\n@decorated\nclass A:\n    x = 1\n    async def m(self):\n        def inner():\n            y = 2\n        return 1\n",
        expect![[r#"
            constant LIMIT 1-1
            class A 4-9
            method m 6-9
            function inner 7-8
        "#]],
    );
}

#[test]
fn typescript_and_javascript() {
    check(
        "a.tsx",
        "export const View = () => <div/>;\ninterface I { a: string }\nclass A {\n  m() { const local = 1; }\n  f = () => 1;\n}\ntype T = I;\nenum E { A }\nconst LIMIT = 1;",
        expect![[r#"
            function View 1-1
            interface I 2-2
            class A 3-6
            method m 4-4
            method f 5-5
            type T 7-7
            enum E 8-8
            constant LIMIT 9-9
        "#]],
    );
    check(
        "a.js",
        "function f() {}\nconst g = function () {};",
        expect![[r#"
        function f 1-1
        function g 2-2
    "#]],
    );
}

#[test]
fn go() {
    check(
        "a.go",
        "package a\nconst Max = 1\ntype S struct{}\ntype I interface { M() }\nfunc (s *S) M() {\n\tx := 1\n}\nfunc F() {}\n",
        expect![[r#"
            constant Max 2-2
            struct S 3-3
            interface I 4-4
            method M 4-4
            method M 5-7
            function F 8-8
        "#]],
    );
}

#[test]
fn other_languages_by_line_and_broken_text() {
    check(
        "a.cs",
        "class A {\n  void run() {\n  }\n}",
        expect![[r#"
            class A 1-4
            method run 2-3
        "#]],
    );
    check(
        "a.rs",
        "fn ok() {}\nfn broken( {{{{",
        expect![[r#"
        function ok 1-1
    "#]],
    );
    check("a.py", "", expect![[r#""#]]);
}
