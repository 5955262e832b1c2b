import assert from "node:assert/strict";
import { test } from "node:test";
import { doorText, parted, places, timeLeft, whyOver } from "#app/features/settings/permissions.ts";
import { href, parse } from "#app/route.ts";
import { w } from "#app/words.ts";
import { permission, permissions } from "./fake/settings.ts";

const MINUTE = 60_000;

test("permissions that hold stand apart from those that ended", () => {
  const { holding, over } = parted(permissions);
  assert.deepEqual([holding.map((p) => p.id), over.map((p) => p.id)], [["perm1", "perm2"], ["perm3", "perm4"]]);
  assert.deepEqual(over.map(whyOver), ["A secret was found in src/config.rs, line 44.", w.settings.permissions.timeUp]);
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
