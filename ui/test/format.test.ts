import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, compact, duration, money, relative, shortenPath, splitPath, tokens } from "#kit/format.ts";

test("money keeps two digits that mean something", () => {
  const cases: [number, string][] = [[0, "$0.00"], [40_000, "$0.04"], [12_300_000, "$12.30"], [3_140, "$0.0031"], [25, "$0.000025"], [1, "$0.000001"]];
  for (const [micro, text] of cases) assert.equal(money(micro), text);
});

test("numbers are short and have units", () => {
  assert.deepEqual([0, 950, 1000, 18_234, 99_960, 312_400, 999_960, 1_200_000].map(compact), ["0", "950", "1k", "18.2k", "100k", "312k", "1M", "1.2M"]);
  assert.equal(tokens(1), "1 token");
  assert.equal(bytes(2048), "2 KiB");
  assert.deepEqual([14, 1400, 65_000].map(duration), ["14 ms", "1.4 s", "1:05 min"]);
});

test("times are relative, and dates once that says nothing", () => {
  const day = 86_400_000;
  assert.equal(relative(1000, 2000), "just now");
  assert.equal(relative(0, 60_000), "1 minute ago");
  assert.equal(relative(0, 2 * 3_600_000), "2 hours ago");
  assert.equal(relative(0, day), "1 day ago");
  assert.equal(relative(0, 40 * day), "1970-01-01");
});

test("a path is shortened in the middle, never at its file name", () => {
  const path = "crates/transport/src/connection/established/keepalive.rs";
  assert.equal(shortenPath(path, 80), path);
  assert.equal(shortenPath(path, 40), "crates/…/established/keepalive.rs");
  assert.equal(shortenPath(path, 23), "crates/…/keepalive.rs");
  assert.equal(shortenPath(path, 14), "…/keepalive.rs");
  assert.equal(shortenPath(path, 3), "keepalive.rs");
  for (let max = 1; max < 60; max++) assert.ok(shortenPath(path, max).endsWith("keepalive.rs"));
  assert.deepEqual(splitPath("a/b.rs"), { folder: "a/", file: "b.rs" });
  assert.deepEqual(splitPath("b.rs"), { folder: "", file: "b.rs" });
});
