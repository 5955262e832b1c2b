import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "#client/rpc.ts";
import { costText, door, isPlain } from "#app/features/approval/sentence.ts";
import { fuzzy } from "#app/features/palette/fuzzy.ts";
import { placeStep, reducePlan } from "#app/features/plan/reduce.ts";
import { href, parse, type Route } from "#app/route.ts";
import { sentence, w } from "#app/words.ts";
import * as data from "./fake/data.ts";

test("steps of a plan may come twice, late or grown, and stand in order", () => {
  const [one, two, three] = data.steps as [typeof data.steps[0] & object, typeof data.steps[0] & object, typeof data.steps[0] & object];
  assert.deepEqual(placeStep([one, three], two).map((s) => s.number), [1, 2, 3]);
  assert.deepEqual(placeStep([one, two], { ...two, title: "grown" }).map((s) => s.title), [one.title, "grown"]);
  const start = reducePlan({ plan: undefined, characters: 0 }, { kind: "step", step: one });
  assert.equal(start.plan, undefined, "a step before its plan is not guessed at");
  let live = reducePlan(start, { kind: "plan", plan: data.plan({ state: "streaming", steps: [], step_count: 0, errors: 0, warnings: 0 }) });
  live = reducePlan(live, { kind: "progress", characters: 120 });
  for (const step of [one, two, two, three]) live = reducePlan(live, { kind: "step", step });
  assert.deepEqual([live.plan?.steps.length, live.plan?.step_count, live.plan?.errors, live.plan?.warnings, live.characters], [3, 3, 1, 1, 120]);
  live = reducePlan(live, { kind: "plan", plan: data.plan() });
  assert.equal(live.plan?.state, "complete");
});

test("the sentence of an approval says cost, ceiling and door, or that they are unknown", () => {
  const known = data.manifest(["src/config.rs"], "anthropic/claude-sonnet-4-5");
  assert.match(costText(known), /^about \$0\.0\d \(≤ \$0\.1\d\)$/);
  assert.equal(door(known), "through the team proxy https://plans.example");
  assert.equal(isPlain("plan", known), true);
  assert.equal(isPlain("plan", { ...known, purpose: "the rest of a plan that was cut" }), false, "it is said what it is for");
  assert.equal(isPlain("step", known), false);
  const unknown = data.manifest(["src/config.rs"], "ollama/qwen3-coder");
  assert.equal(costText(unknown), w.approve.costUnknown);
  assert.equal(door({ ...known, via: "the team proxy" }), "through the team proxy");
});

test("the palette finds words by their beginnings and prefers what is written as typed", () => {
  assert.ok((fuzzy("mp", "Make a plan") ?? 0) > 0);
  assert.equal(fuzzy("xyz", "Make a plan"), undefined);
  assert.ok((fuzzy("plan", "Make a plan") ?? 0) > (fuzzy("plan", "Projects: laughing at noon") ?? 0));
});

test("routes survive the address", () => {
  const routes: Route[] = [{ page: "home" }, { page: "project", project: "p/1" }, { page: "session", session: "s", station: "plan", plan: "x" }, { page: "session", session: "s", station: "approve", job: "j" }, { page: "jobs" }];
  for (const route of routes) assert.deepEqual(parse(href(route)), route);
  assert.deepEqual(parse("#/session/s/nowhere"), { page: "session", session: "s", station: "task", plan: undefined });
  assert.deepEqual(parse("#ticket=00"), { page: "home" });
});

test("an error without words of its own is told in the engine's", () => {
  assert.equal(sentence(new ApiError("invalid", "brand_new", "The engine's message.")), "The engine's message.");
  assert.notEqual(sentence(new ApiError("unavailable", "link_closed", "x")), "x");
});
