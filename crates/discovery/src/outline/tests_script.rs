//! One realistic file per language: scripts, pages, styles and databases.

use expect_test::expect;

use super::outline;
use super::tests::check;

#[test]
fn ruby() {
    check(
        "a.rb",
        r#"require "json"

module Store
  LIMIT = 3
  class Client < Base
    include Retry
    attr_reader :name
    def initialize(name)
      @name = name
      local = 1
    end

    def self.build(*args) = new(*args)

    def valid?; true end
    def name=(value); end
    def ==(other) = true
    alias same? ==

    class << self
      def reset; end
    end
    class Error < StandardError; end
  end
end
class Store::Cache
  def [](key) = nil
end
def helper; end
"#,
        expect![[r#"
            module Store 3-25
            constant LIMIT 4-4
            class Client 5-24
            method initialize 8-11
            method build 13-13
            method valid? 15-15
            method name= 16-16
            method == 17-17
            method same? 18-18
            method reset 21-21
            class Error 23-23
            class Cache 26-28
            method [] 27-27
            function helper 29-29
        "#]],
    );
}

#[test]
fn php() {
    check(
        "a.php",
        r#"<html><?php
namespace App\Store;

use App\Base;

const LIMIT = 3;

#[Attribute]
abstract class Client extends Base implements Countable {
    use Retries, Logs { Retries::run insteadof Logs; }
    public const MAX = 10;
    private ?string $name = null;
    public function __construct(private int $size) {}
    abstract protected function send(): void;
    public static function build(): static { $f = fn($x) => $x; return new static; }
}
trait Retries { public function run() {} }
interface Shape { public function area(): float; }
enum Suit: string { case Hearts = 'H'; public function label(): string { return ''; } }
function helper(array $x) { function nested() {} }
?></html>
"#,
        expect![[r#"
            module App\Store 2-2
            constant LIMIT 6-6
            class Client 8-16
            constant MAX 11-11
            method __construct 13-13
            method send 14-14
            method build 15-15
            trait Retries 17-17
            method run 17-17
            interface Shape 18-18
            method area 18-18
            enum Suit 19-19
            method label 19-19
            function helper 20-20
            function nested 20-20
        "#]],
    );
}

#[test]
fn swift() {
    check(
        "a.swift",
        r#"import Foundation

let limit = 3

@MainActor
public final class Store<T: Comparable>: NSObject {
    static let shared = Store()
    private var items: [T] = []
    init(items: [T]) { let local = 1 }
    deinit {}
    func map<R>(_ f: (T) -> R) -> [R] { return [] }
    var count: Int { let inner = 1; return inner }
    struct Node { var next: Int }
    enum State: String { case open, closed; func isOpen() -> Bool { true } }
}
protocol Shape { associatedtype Unit; var area: Double { get }; func draw() }
extension Array where Element == Int {
    func sum() -> Int { 0 }
}
actor Cache { func get() async throws {} }
typealias Handler = (Int) -> Void
func == (a: Point, b: Point) -> Bool { true }
func free() {}
"#,
        expect![[r#"
            constant limit 3-3
            class Store 5-15
            constant shared 7-7
            method init 9-9
            method map 11-11
            struct Node 13-13
            enum State 14-14
            method isOpen 14-14
            interface Shape 16-16
            type Unit 16-16
            method draw 16-16
            type Array 17-19
            method sum 18-18
            class Cache 20-20
            method get 20-20
            type Handler 21-21
            function == 22-22
            function free 23-23
        "#]],
    );
}

#[test]
fn html() {
    check(
        "a.html",
        r#"<!doctype html>
<html>
<body>
  <div id="main" class="x">
    <user-card name="a">
      <p>text
    </user-card>
    <input id=field>
  </div>
  <img src="a.png" ID='logo'/>
  <script id="tpl" type="text/template">
    <b id="no"></b>
  </script>
</body>
</html>
"#,
        expect![[r#"
            element main 4-9
            element user-card 5-7
            element field 8-9
            element logo 10-10
            element tpl 11-13
        "#]],
    );
}

#[test]
fn css() {
    let text = r#":root {
  --accent: #fff;
}
.button, a.link:hover > #main {
  color: var(--accent);
}
@media (max-width: 3px) {
  .button .button-icon::before { content: ".no"; }
}
@keyframes spin { from { top: 0 } }
.card {
  & .title { top: 0 }
}
"#;
    check(
        "a.css",
        text,
        expect![[r#"
        constant --accent 2-2
        selector button 4-6
        selector link 4-6
        selector main 4-6
        selector button 8-8
        selector button-icon 8-8
        type spin 10-10
        selector card 11-13
        selector title 12-12
    "#]],
    );
    check(
        "a.scss",
        "$x: 1;\n// note\n.card {\n  @include wide;\n  &:hover { top: 0 }\n  .title { top: $x }\n}\n",
        expect![[r#"
            selector card 3-7
            selector title 6-6
        "#]],
    );
}

#[test]
fn shell() {
    check(
        "a.sh",
        r#"#!/bin/bash
set -euo pipefail
LIMIT=3
export ROOT="$PWD"
build() {
  local out=1
  target=2
  cat <<EOF
not_a_function() { }
EOF
}
function deploy { build; }
function check-all() (
  :
)
"#,
        expect![[r#"
            constant LIMIT 3-3
            constant ROOT 4-4
            function build 5-11
            function deploy 12-12
            function check-all 13-15
        "#]],
    );
}

#[test]
fn sql() {
    check(
        "a.sql",
        r#"-- create table no (a int);
CREATE TABLE IF NOT EXISTS public."Users" (
  id int, note text default 'create table x;'
);
create or replace view app.active as select * from users;
CREATE UNIQUE INDEX CONCURRENTLY idx_users ON users (id);
CREATE INDEX ON users (id);
CREATE FUNCTION total(a int) RETURNS int AS $body$
  BEGIN RETURN 1; END;
$body$ LANGUAGE plpgsql;
CREATE PROCEDURE [dbo].[Sync] AS
BEGIN
  IF 1 = 1 BEGIN SELECT CASE WHEN 1 = 1 THEN 2 END; END;
  INSERT INTO t VALUES (1);
END;
/* create table no2 (a int); */
CREATE MATERIALIZED VIEW totals AS SELECT 1;
create temp table
  scratch (a int)
"#,
        expect![[r#"
            table Users 2-4
            view active 5-5
            index idx_users 6-6
            function total 8-10
            function Sync 11-15
            view totals 17-17
            table scratch 18-19
        "#]],
    );
}

/// Texts that made a parser run out of memory, stack or patience.
#[test]
fn hostile_texts_end() {
    for (path, text) in [
        ("a.java", "a<".repeat(100_000)),
        ("a.php", format!("<?php {}", "$(".repeat(100_000))),
        ("a.html", "<div id=a>".repeat(40_000)),
        ("a.kt", "/*".repeat(20_000)),
        ("a.sql", "$a$b".repeat(100_000)),
        ("a.c", "{".repeat(200_000)),
    ] {
        assert!(outline(path, &text).len() <= 1, "{path}");
    }
}
