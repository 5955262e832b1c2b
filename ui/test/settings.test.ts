import assert from "node:assert/strict";
import { test } from "node:test";
import { doorText, parted, places, timeLeft, whyOver } from "#app/features/settings/permissions.ts";
import { amountOf, amountText, lastDay, rangeBegin, totalOf } from "#app/features/settings/budget.ts";
import { entriesOf, isOutdated, nameProblem, newDraft, newStored, NO_DRAFT, openEntry, pathOf, restOf, textDraft, textProblem, unifiedRows, type OwnText } from "#app/features/settings/texts.ts";
import { Prefs } from "#app/prefs.ts";
import { href, parse } from "#app/route.ts";
import { w } from "#app/words.ts";
import { memory } from "./fake/connected.ts";
import * as data from "./fake/data.ts";
import { permission, permissions, usage } from "./fake/settings.ts";

const MINUTE = 60_000;

test("permissions that hold stand apart from those that ended", () => {
  const { holding, over } = parted(permissions, data.NOW);
  assert.deepEqual([holding.map((p) => p.id), over.map((p) => p.id)], [["perm1", "perm2"], ["perm3", "perm4"]]);
  assert.deepEqual(over.map(whyOver), ["A secret was found in src/config.rs, line 44.", w.settings.permissions.timeUp]);
  assert.deepEqual(parted(permissions, data.NOW + 60 * MINUTE).holding.map((p) => p.id), ["perm2"], "the time of one is over since it was read");
  const { expires_at } = permission();
  assert.equal(parted([permission()], expires_at).over.length, 1, "it ends when its time does");
  assert.equal(whyOver(permission({ spent: 500_000 })), "The amount is used up.");
  assert.equal(whyOver(permission({ spent: 500_000, ended: "Ended by web." })), "Ended by web.");
});

test("a permission never holds longer than it says", () => {
  const said = [0, 59_000, MINUTE, 59 * MINUTE, 119 * MINUTE, 120 * MINUTE, 179 * MINUTE].map(timeLeft);
  const less = w.settings.permissions.lastMinute;
  assert.deepEqual(said, [less, less, "1 minute left", "59 minutes left", "119 minutes left", "2 hours left", "2 hours left"]);
});

test("a model is named once with all that provide it", () => {
  assert.deepEqual(places(permission()), [{ model: "claude-sonnet-4-5", providers: ["anthropic", "bedrock"] }]);
  assert.deepEqual(places(permission({ destinations: [] })), []);
  assert.deepEqual(["server https://plans.example", "direct http://127.0.0.1:11434/v1", "elsewhere"].map((door) => doorText(permission({ door }))), [
    "through https://plans.example", "directly, http://127.0.0.1:11434/v1", "elsewhere",
  ]);
});

test("a part of the settings has an address", () => {
  for (const route of [{ page: "settings" as const, section: undefined }, { page: "settings" as const, section: "budgets" }]) assert.deepEqual(parse(href(route)), route);
  assert.equal(href({ page: "settings" }), "#/settings");
});

test("a budget is an amount of dollars, or nothing", () => {
  for (const [text, micro] of [["5", 5_000_000], ["$0.50", 500_000], [" $ 2 ", 2_000_000], ["0", 0], [".25", 250_000], ["2,50", 2_500_000], ["0,5", 500_000], [",25", 250_000], ["", undefined], ["  ", undefined]] as const) {
    assert.deepEqual(amountOf(text), { ok: true, micro }, text);
  }
  for (const text of ["-1", "NaN", "five", "1e9", "1,000", "2,500", "1,000.00", "1,2,3", ",", "5,", "1000001", "$", "5 dollars", "1.2.3", "Infinity"]) assert.deepEqual(amountOf(text), { ok: false }, text);
});

test("an amount is written so that reading it gives the same", () => {
  assert.deepEqual([undefined, 0, 5_000_000, 2_500_000, 2_500, 1].map(amountText), ["", "0", "5", "2.50", "0.0025", "0.000001"]);
  for (const micro of [0, 1, 999_999, 1_000_000, 12_340_000, 123_456_789]) assert.deepEqual(amountOf(amountText(micro)), { ok: true, micro });
});

test("the last 24 hours begin no later than that and are the same for some minutes", () => {
  const now = 1_800_000_000_123;
  const day = 24 * 60 * MINUTE;
  assert.ok(lastDay(now) <= now - day && lastDay(now) > now - day - 10 * MINUTE);
  assert.equal(lastDay(600_000 * 3_000_000), lastDay(600_000 * 3_000_000 + 9 * MINUTE));
});

test("a range counts today as its first day", () => {
  const midnight = 1_800_000_000_000;
  const day = 24 * 60 * MINUTE;
  assert.deepEqual((["today", "week", "month", "all"] as const).map((r) => rangeBegin(r, midnight)), [midnight, midnight - 6 * day, midnight - 29 * day, 0]);
});

test("a table's sum says what is not in it", () => {
  const total = totalOf(usage.model);
  assert.deepEqual([total.requests, total.input_tokens, total.cost, total.unpriced], [53, 697_200, 3_195_400, 3]);
  assert.equal(totalOf([]).cost, 0);
});

const text = (over: Partial<OwnText>): OwnText => ({ name: "plan", about: "A plan.", text: "x BOUNDARY", origin: "built_in", hash: "0", ...over });

test("a file that nobody trusts stands beside what is used, or alone", () => {
  const entries = entriesOf([text({}), text({ origin: "untrusted", text: "y", about: "" }), text({ name: "review", origin: "untrusted", about: "" })]);
  assert.deepEqual(entries.map((e) => [e.name, e.about, e.used?.origin, e.untrusted?.text]), [["plan", "A plan.", "built_in", "y"], ["review", "", undefined, "x BOUNDARY"]]);
  assert.deepEqual(entriesOf([text({ origin: "untrusted", about: "" }), text({})])[0]?.about, "A plan.", "in whatever order");
});

test("one's own text is outdated once the default has another version", () => {
  assert.deepEqual([text({}), text({ made_from: 1, version: 1 }), text({ made_from: 1, version: 2 })].map(isOutdated), [false, false, true]);
  assert.equal(pathOf("templates", "review"), ".plantocode/templates/review.md");
});

test("a text that the engine would refuse is not sent", () => {
  assert.equal(textProblem("prompts", "a BOUNDARY"), undefined);
  assert.equal(textProblem("prompts", "a boundary"), w.settings.texts.problem.boundary);
  assert.equal(textProblem("templates", "a"), undefined);
  assert.equal(textProblem("templates", " \n"), w.settings.texts.problem.empty);
  assert.equal(textProblem("templates", "é".repeat(32 * 1024)), undefined);
  assert.equal(textProblem("templates", "é".repeat(32 * 1024 + 1)), w.settings.texts.problem.long, "bytes, not characters");
  for (const name of ["review", "größe", "a_b-3"]) assert.equal(nameProblem(name, ["plan"]), undefined, name);
  for (const name of ["", "a b", "../x", "a.md", "x".repeat(65)]) assert.equal(nameProblem(name, []), w.settings.texts.problem.name, name);
  assert.equal(nameProblem("plan", ["plan"]), w.settings.texts.problem.taken);
});

test("a unified comparison becomes lines, with a gap between its parts", () => {
  const diff = "--- default\n+++ plan\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n@@ -9 +9,2 @@\n \n+--- x\n\\ No newline at end of file\n";
  assert.deepEqual(unifiedRows(diff).map((r) => r.sign + r.text), [" a", "-b", "+c", "@", " ", "+--- x"]);
  assert.deepEqual(unifiedRows(""), []);
});

test("who writes under a name that is taken back keeps what they write, and nobody else sees a name that is gone", () => {
  assert.equal(openEntry([], "mine", false), undefined);
  assert.deepEqual(openEntry([], "mine", true), { name: "mine", about: "", used: undefined, untrusted: undefined });
  assert.equal(openEntry([], undefined, true), undefined);
});

test("what was typed while a text was stored is a change of what was stored", () => {
  assert.equal(restOf("a", "a", "a\n"), undefined);
  assert.equal(restOf("a\n", "a", "a\n"), undefined, "it is that by now");
  assert.deepEqual(restOf("a and b", "a", "a\n"), { text: "a and b", from: "a\n" });
});

test("what was typed while a new template was stored is a draft of that template, or of another", () => {
  const after = (now: { name: string; text: string } | undefined) => {
    const prefs = new Prefs(memory(), "e1");
    if (now) prefs.set(newDraft("p1"), now);
    const then = newStored(prefs, "p1", "small", "a", "a");
    return [then, prefs.get<unknown>(newDraft("p1"), NO_DRAFT), prefs.get<unknown>(textDraft("templates", "p1", "small"), undefined)];
  };
  assert.deepEqual(after({ name: " small", text: "a" }), ["done", NO_DRAFT, undefined]);
  assert.deepEqual(after({ name: "small", text: "a and b" }), ["more", NO_DRAFT, { text: "a and b", from: "a" }]);
  assert.deepEqual(after({ name: "", text: "a and b" }), ["more", NO_DRAFT, { text: "a and b", from: "a" }]);
  assert.deepEqual(after({ name: "large", text: "a and b" }), ["another", { name: "large", text: "a and b" }, undefined]);
  assert.deepEqual(after(undefined), ["done", NO_DRAFT, undefined], "it was given up");
});
