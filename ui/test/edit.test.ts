import assert from "node:assert/strict";
import { test } from "node:test";
import type { Step } from "#client/api.gen.ts";
import { Prefs } from "#app/prefs.ts";
import { at, blankForm, blankOperation, contentOf, formOf, onto, textOf, touched, type StepForm } from "#app/features/plan/edit.ts";
import { w } from "#app/words.ts";
import * as data from "./fake/data.ts";

const step = (n: number): Step => data.steps[n - 1] as Step;
const words = w.review.edit.problems;

/** What is stored of a form, which must have nothing wrong with it. */
function stored(form: StepForm, own: number | undefined, steps = 6) {
  const made = contentOf(form, own, steps);
  if ("problems" in made) throw new Error([...made.problems].join());
  return made;
}
const wrong = (form: Partial<StepForm>, own: number | undefined = 2, steps = 6) => {
  const made = contentOf({ ...formOf(step(2)), ...form }, own, steps);
  return "problems" in made ? Object.fromEntries(made.problems) : {};
};
const operation = (over: Partial<StepForm["operations"][0]>) => ({ operations: [{ ...blankOperation(), path: "a", ...over }] });

test("a step that is stored as it was is what it was", () => {
  for (const s of data.steps) {
    const { title, why, confidence, depends, operations, commands, checks } = s;
    assert.deepEqual(stored(formOf(s), s.number), { content: { title, why, confidence, depends, operations, commands, checks } }, `step ${s.number}`);
  }
});

test("what is typed becomes what the contract has", () => {
  const form: StepForm = {
    ...blankForm(6), title: "  Add it ", why: " Since it fails. ", after: "3, 1;3", position: "4", commands: ["", "cargo test\ncargo doc"], checks: [" "],
    operations: [{ kind: "move", path: " a.rs ", to: " b.rs ", symbol: " ", first: "7", last: "", change: "fn a() {}\n" }],
  };
  assert.deepEqual(stored(form, undefined), {
    position: 4,
    content: {
      title: "Add it", why: "Since it fails.", confidence: "", depends: [3, 1], commands: ["cargo test\ncargo doc"], checks: [],
      operations: [{ kind: "move", path: "a.rs", to: "b.rs", lines: [7, 7], change: "fn a() {}\n" }],
    },
  });
  assert.deepEqual(stored({ ...formOf(step(2)), position: "5" }, 2).position, 5, "it goes to another place");
  assert.equal("position" in stored(formOf(step(2)), 2), false, "a place that is the old one is not asked for");
});

test("what cannot be stored is told at its field", () => {
  assert.deepEqual(wrong({ title: " " }), { title: words.title });
  assert.deepEqual(wrong(operation({ path: "" })), { [at(0, "path")]: words.path });
  assert.deepEqual(wrong(operation({ kind: "move" })), { [at(0, "to")]: words.to });
  for (const first of ["x", "0", "-1", "1.5", "9999999999"]) assert.deepEqual(wrong(operation({ first })), { [at(0, "first")]: words.lines }, first);
  assert.deepEqual(wrong(operation({ first: "9", last: "3" })), { [at(0, "first")]: words.order });
  assert.deepEqual(wrong({ after: "1, two" }), { after: words.after });
  assert.deepEqual(wrong({ after: "7" }), { after: words.noStep(7) });
  assert.deepEqual(wrong({ after: "2" }), { after: words.noStep(2) }, "a step does not wait for itself");
  assert.deepEqual(wrong({ position: "7" }), { position: words.position(6) });
  assert.equal(stored({ ...formOf(step(2)), position: "7" }, undefined).position, 7, "a new one may come last");
  assert.deepEqual(wrong({ position: "" }), { position: words.position(6) });
});

test("what others changed meanwhile comes in where the person typed nothing, and theirs is told where both did", () => {
  const base = formOf(step(2));
  const mine = { base, form: { ...base, title: "Mine" } };
  const other = { ...base, why: "Theirs." };
  assert.deepEqual(onto(mine, other), { form: { ...base, title: "Mine", why: "Theirs." }, both: [], moved: true });
  assert.deepEqual(onto(mine, { ...base, title: "Theirs" }), { form: { ...base, title: "Mine" }, both: ["title"], moved: true });
  assert.deepEqual(onto(mine, { ...base, title: "Mine" }).both, [], "who wrote the same does not disagree");
  assert.deepEqual(onto(mine, base), { form: mine.form, both: [], moved: false });
  assert.deepEqual(onto({ base, form: base }, { ...base, position: "5", after: "4" }).form.after, "4", "numbers follow the plan");
  assert.deepEqual([touched(undefined), touched({ base, form: base }), touched(mine)], [false, false, true]);
});

test("a step reads as lines, so that two forms of it can be compared", () => {
  assert.equal(textOf(formOf(step(4))), "Move the timer helper next to its only user\nmove src/timer.rs → src/http/timer.rs");
  assert.match(textOf(formOf(step(2))), /^modify src\/net\/send\.rs Client::send lines 40–71$/m);
});

test("a draft is forgotten once it was taken, but not what was written since", () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value), removeItem: (key: string) => kept.delete(key) };
  const prefs = new Prefs(storage as unknown as Storage, "e1");
  prefs.set("draft", { form: { title: "A" } });
  const forget = prefs.sending("draft");
  prefs.set("draft", { form: { title: "A and B" } });
  assert.equal(forget(), false);
  assert.deepEqual(prefs.get("draft", undefined), { form: { title: "A and B" } });
  prefs.set("draft", { form: { title: "A" } });
  assert.equal(forget(), true, "what says the same is the same");
  assert.deepEqual([prefs.get("draft", undefined), kept.size], [undefined, 0]);
  assert.equal(prefs.sending("other")(), true);
});
