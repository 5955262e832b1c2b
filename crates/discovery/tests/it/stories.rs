//! One small repository per language: what is found, and why.

use discovery::Options;
use expect_test::{Expect, expect};

use crate::{discover, repository, shown};

fn check(files: &[(&str, &str)], task: &str, expected: Expect) {
    let folder = repository(files);
    expected.assert_eq(&shown(&discover(folder.path(), task, &Options { limit: 3, ..Options::default() })));
}

#[test]
fn rust() {
    check(
        &[
            (
                "src/retry/client.rs",
                "//! Sends requests again.\n\n/// Waits longer each time.\npub struct Backoff;\n\npub fn send_with_retry(url: &str) -> u32 {\n    let mut delay = 1;\n    delay *= 2;\n    delay\n}\n",
            ),
            ("src/url.rs", "pub fn parse_url(text: &str) -> &str {\n    text\n}\n"),
            ("src/main.rs", "mod url;\nfn main() {\n    url::parse_url(\"x\");\n}\n"),
            ("tests/retry.rs", "#[test]\nfn retries() { send_with_retry(\"x\"); }\n"),
            ("Cargo.lock", "version = 4\n"),
            ("README.md", "A client that retries.\n"),
        ],
        "Retrying requests doubles the delay without a limit\n\n`send_with_retry` should cap the delay.",
        expect![[r#"
            sources
            1 src/retry/client.rs
                defines_symbol: defines function `send_with_retry`, named in the task [6]
                path_words: path contains retry
                title_match: defines names with words of the title: retry [6]
                content_match: contains delay, requests, send_with_retry, retrying [6]
            2 README.md
                content_match: contains retrying [1]
            tests
            1 tests/retry.rs
                mentions_symbol: mentions `send_with_retry`, named in the task, once [2]
                path_words: path contains retry
                title_match: defines names with words of the title: retries [2]
                content_match: contains send_with_retry, retrying [2]
            skipped Cargo.lock: generated
        "#]],
    );
}

#[test]
fn python() {
    check(
        &[
            (
                "shop/cart/models.py",
                "class Cart:\n    def total_price(self):\n        \"\"\"Sum of all items, with discount.\"\"\"\n        return 0\n",
            ),
            (
                "shop/cart/views.py",
                "from .models import Cart\n\ndef show(request):\n    return Cart().total_price()\n",
            ),
            ("shop/users.py", "class User:\n    name = ''\n"),
            ("shop/cart/test_models.py", "def test_total_price():\n    pass\n"),
        ],
        "Discount is applied twice\n\nTraceback (most recent call last):\n  File \"/srv/shop/cart/views.py\", line 4, in show\n  File \"/srv/shop/cart/models.py\", line 4, in total_price\nTypeError",
        expect![[r#"
            sources
            1 shop/cart/models.py
                named_path: the task names `/srv/shop/cart/models.py` at line 4 [4]
                defines_symbol: defines method `total_price`, named in the task [2]
                path_words: path contains cart, models, shop
                content_match: contains discount, total_price, cart [2]
            2 shop/cart/views.py
                named_path: the task names `/srv/shop/cart/views.py` at line 4 [4]
                defines_symbol: defines function `show`, named in the task [3]
                mentions_symbol: mentions `total_price`, named in the task, once [4]
                path_words: path contains views, cart, shop
                content_match: contains show, total_price, cart, models [4]
                imports: imports shop/cart/models.py, number 1 of the list [1]
            3 shop/users.py
                path_words: path contains shop
            tests
            1 shop/cart/test_models.py
                path_words: path contains cart, models, shop
                content_match: contains price, total [1]
        "#]],
    );
}

#[test]
fn typescript() {
    check(
        &[
            (
                "src/components/DatePicker.tsx",
                "export const DatePicker = ({ value }: Props) => {\n  return <input value={formatDate(value)} />;\n};\n",
            ),
            (
                "src/lib/format.ts",
                "/** Dates as people write them. */\nexport function formatDate(date: Date): string {\n  return date.toISOString();\n}\n",
            ),
            ("src/lib/money.ts", "export function formatMoney(n: number) { return n; }\n"),
            ("src/lib/format.test.ts", "import { formatDate } from './format';\n"),
            ("node_modules/x/index.js", "function formatDate() {}\n"),
        ],
        "formatDate() ignores the time zone in the date picker",
        expect![[r#"
            sources
            1 src/components/DatePicker.tsx
                mentions_symbol: mentions `formatDate`, named in the task, once [2]
                path_words: path contains picker, date
                title_match: defines names with words of the title: picker, date [1]
                content_match: contains picker, formatDate [1]
            2 src/lib/format.ts
                defines_symbol: defines function `formatDate`, named in the task [2]
                path_words: path contains format
                title_match: defines names with words of the title: formatDate [2]
                content_match: contains formatDate [2]
                tested: src/lib/format.test.ts, named after it, speaks of the task
            3 src/lib/money.ts
                title_match: defines names with words of the title: format [1]
                content_match: contains format [1]
            tests
            1 src/lib/format.test.ts
                mentions_symbol: mentions `formatDate`, named in the task, once [1]
                path_words: path contains format
                content_match: contains formatDate [1]
                imports: imports src/lib/format.ts, number 2 of the list [1]
            skipped node_modules/x/index.js: vendored
        "#]],
    );
}

#[test]
fn go() {
    check(
        &[
            (
                "server/handler.go",
                "package server\n\ntype Handler struct{}\n\n// ServeHTTP answers one request.\nfunc (h *Handler) ServeHTTP() {\n\th.writeTimeout()\n}\n",
            ),
            ("server/timeout.go", "package server\n\nfunc (h *Handler) writeTimeout() {}\n"),
            ("server/handler_test.go", "package server\n\nfunc TestServeHTTP() {}\n"),
            ("api/api.pb.go", "// Code generated by protoc. DO NOT EDIT.\npackage api\n"),
        ],
        "Handler.ServeHTTP does not set the write timeout, see server/timeout.go:3",
        expect![[r#"
            sources
            1 server/handler.go
                defines_symbol: defines method `ServeHTTP`, named in the task [6]
                path_words: path contains handler, server
                title_match: defines names with words of the title: ServeHTTP, handler [6]
                content_match: contains ServeHTTP, timeout, write, handler, server [6]
                tested: server/handler_test.go, named after it, speaks of the task
            2 server/timeout.go
                named_path: the task names `server/timeout.go` at line 3 [3]
                path_words: path contains timeout, server
                title_match: defines names with words of the title: timeout, write [3]
                content_match: contains timeout, write, handler, server [3]
            tests
            1 server/handler_test.go
                path_words: path contains handler, server
                title_match: defines names with words of the title: http, serve [3]
                content_match: contains http, server [3]
            skipped api/api.pb.go: generated
        "#]],
    );
}
