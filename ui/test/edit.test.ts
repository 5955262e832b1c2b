import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan, Step } from "#client/api.gen.ts";
import { Prefs } from "#app/prefs.ts";
import { asShown, asTyped, at, blankForm, blankOperation, contentOf, formOf as formIn, goneIn, numbered, onto, textOf, touched, withRefs, type StepForm } from "#app/features/plan/edit.ts";
import { LAST, numbersOf, ref, type Around } from "#app/features/plan/refs.ts";
import { asked, stepOf } from "#app/features/terminals/handOver.ts";
import { w } from "#app/words.ts";
import * as data from "./fake/data.ts";

const step = (n: number): Step => data.steps[n - 1] as Step;
const words = w.review.edit.problems;

/** A plan of steps with these ids, in this order. */
const planOf = (...ids: string[]): Pick<Plan, "steps"> => ({ steps: ids.map((id, i) => ({ ...step(1), id, number: i + 1 })) });
const aroundOf = (plan: Pick<Plan, "steps">, own?: string, last: Record<string, number> = {}): Around => ({ numbers: numbersOf(plan), own, last: (id) => last[id] });
const whole = data.plan();
const formOf = (s: Step) => formIn(s, numbersOf(whole));

/** What is stored of a form, which must have nothing wrong with it. */
function stored(form: StepForm, own: string | undefined) {
  const made = contentOf(form, aroundOf(whole, own));
  if ("problems" in made) throw new Error([...made.problems].join());
  return made;
}
const wrong = (form: Partial<StepForm>, own = "s2") => {
  const around = aroundOf(whole, own);
  const made = contentOf(asTyped(form, formOf(step(2)), around), around);
  return "problems" in made ? Object.fromEntries(made.problems) : {};
};
const operation = (over: Partial<StepForm["operations"][0]>) => ({ operations: [{ ...blankOperation(), path: "a", ...over }] });

test("a step that is stored as it was is what it was", () => {
  for (const s of data.steps) {
    const { title, why, confidence, depends, operations, commands, checks } = s;
    assert.deepEqual(stored(formOf(s), s.id), { content: { title, why, confidence, depends, operations, commands, checks } }, `step ${s.number}`);
  }
});

test("what is typed becomes what the contract has", () => {
  const form = asTyped({
    title: "  Add it ", why: " Since it fails. ", after: "3, 1;3", position: "4", commands: ["", "cargo test\ncargo doc"], checks: [" "],
    operations: [{ kind: "move", path: " a.rs ", to: " b.rs ", symbol: " ", first: "7", last: "", change: "fn a() {}\n" }],
  }, blankForm(), aroundOf(whole));
  assert.deepEqual(stored(form, undefined), {
    position: 4,
    content: {
      title: "Add it", why: "Since it fails.", confidence: "", depends: [3, 1], commands: ["cargo test\ncargo doc"], checks: [],
      operations: [{ kind: "move", path: "a.rs", to: "b.rs", lines: [7, 7], change: "fn a() {}\n" }],
    },
  });
  assert.deepEqual(stored({ ...formOf(step(2)), position: ref("s5") }, "s2").position, 5, "it goes to another place");
  assert.equal("position" in stored(formOf(step(2)), "s2"), false, "a place that is the old one is not asked for");
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
  assert.equal(stored(asTyped({ position: "7" }, formOf(step(2)), aroundOf(whole)), undefined).position, 7, "a new one may come last");
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
  assert.deepEqual(onto({ base, form: base }, { ...base, after: ref("s4") }).form.after, ref("s4"), "what nobody typed follows the plan");
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

test("a step that is named stays named when others are added, removed or moved", () => {
  const before = aroundOf(planOf("a", "b", "c", "d"), "b");
  const form = asTyped({ title: "Mine", operations: [], after: "1,  4; 3", position: "4" }, blankForm(), before);
  assert.deepEqual([asShown(form, before).after, asShown(form, before).position], ["1,  4; 3", "4"], "as it was typed");
  const moved = aroundOf(planOf("x", "d", "a", "b", "c"), "b");
  assert.deepEqual([asShown(form, moved).after, asShown(form, moved).position], ["3,  2; 5", "2"]);
  const made = contentOf(form, moved);
  assert.ok("content" in made);
  assert.deepEqual([made.content.depends, made.position], [[3, 2, 5], 2]);
  assert.deepEqual(goneIn(form, moved), []);
  assert.equal(asShown(asTyped({ after: "3,  2; 5, 1" }, form, moved), before).after, "1,  4; 3, a step (gone)", "typing more changes none of them");
  assert.equal(onto({ base: formIn({ ...step(1), id: "b", number: 2, depends: [1] }, before.numbers), form }, formIn({ ...step(1), id: "b", number: 4, depends: [3] }, moved.numbers)).moved, false, "other numbers of the same steps are no change of a step");
});

test("the end is the end however many steps there are, and a place that was not touched stays the step's own", () => {
  const [few, many] = [aroundOf(planOf("a")), aroundOf(planOf("a", "b", "c"))];
  assert.deepEqual([asShown(blankForm(), few).position, asShown(blankForm(), many).position], ["2", "4"]);
  assert.equal(asTyped({ position: "4" }, blankForm(), many).position, LAST);
  const own = { ...formIn({ ...step(1), id: "b" }, many.numbers), title: "Mine" };
  const later = aroundOf(planOf("x", "y", "b", "a"), "b");
  assert.equal(asShown(own, later).position, "3");
  assert.equal("position" in contentOf(own, later), false, "it is not asked to move");
});

test("a step that is named and gone is told in words, and nothing is stored until the person has said what instead", () => {
  const before = aroundOf(planOf("a", "b", "c", "d"), "b");
  const form = asTyped({ after: "1, 14, 4", position: "3", title: "Mine" }, formIn({ ...step(1), id: "b", depends: [] }, before.numbers), before);
  const last = numbered([form], before);
  assert.deepEqual(last, { a: 1, d: 4, c: 3 });
  const gone = aroundOf(planOf("e", "b", "a"), "b", last);
  const shown = asShown(form, gone);
  assert.deepEqual([shown.after, shown.position], ["3, 14, 4 (gone)", "3 (gone)"]);
  assert.deepEqual(goneIn(form, gone), ["after", "position"]);
  const problems = (of: StepForm) => {
    const made = contentOf(of, gone);
    return "problems" in made ? Object.fromEntries(made.problems) : {};
  };
  const plain = asTyped({ after: "3, 4 (gone)" }, form, gone);
  assert.deepEqual(problems(plain), { after: words.gone("4 (gone)"), position: words.goneAt(3) });
  assert.equal(asShown(plain, before).after, "1, 4", "it is named again when it is back");
  assert.deepEqual(numbered([plain], gone), { a: 3, d: 4, c: 3 }, "and it is still known which number it had");
  assert.equal(problems(asTyped({ after: "3, 14 (gone)" }, form, gone)).after, words.noStep(14), "another number with the same end is another step");
  assert.deepEqual(problems(asTyped({ after: "3, 1", position: "1" }, form, gone)), {}, "named anew it can be stored");
  assert.deepEqual(problems(asTyped({ after: "", position: "2" }, form, gone)), {});
});

test("a step that is gone itself is stored as a new one where it was", () => {
  const form = { ...formIn({ ...step(1), id: "c", number: 3, depends: [] }, numbersOf(planOf("a", "b", "c"))), title: "Mine" };
  const gone = aroundOf(planOf("a", "b", "d", "e"), "c", { c: 3 });
  assert.equal(asShown(form, gone).position, "3");
  const made = contentOf(form, gone);
  assert.ok("content" in made);
  assert.equal(made.position, 3);
  assert.equal(asShown(form, aroundOf(planOf("a"), "c", { c: 3 })).position, "2", "or at the end of what is left");
});

test("a draft that was kept with numbers alone names the steps that have them now", () => {
  const around = aroundOf(planOf("a", "b", "c"), "b");
  const old = { base: { ...blankForm(), after: "1", position: "2" }, form: { ...blankForm(), after: "1, 3", position: "3" } };
  const read = withRefs(old, around);
  assert.deepEqual([read.base.after, read.base.position, read.form.after, read.form.position], [ref("a"), ref("b"), `${ref("a")}, ${ref("c")}`, ref("c")]);
  assert.equal(withRefs(read, aroundOf(planOf("c", "b", "a"), "b")), read, "once");
});

test("what a person types is never taken for a step that they did not name", () => {
  const around = aroundOf(planOf("a", "b"), "b");
  const form = asTyped({ after: "\u0002b\u0003, 1" }, blankForm(), around);
  assert.equal(form.after, `b, ${ref("a")}`);
});

test("a step that is to be handed over is the one that was chosen, whatever number it has by then", () => {
  const plan = data.plan();
  const first = { ...step(1), id: "x", number: 1 };
  const moved = { ...plan, steps: [first, ...plan.steps.map((s) => ({ ...s, number: s.number + 1 }))] };
  assert.deepEqual([asked(plan, "s2"), asked(moved, "s2"), asked(moved, undefined)], [{ step: 2 }, { step: 3 }, {}]);
  assert.equal(stepOf(moved, "s2")?.title, step(2).title);
  assert.deepEqual([asked({ ...plan, steps: [first] }, "s2"), stepOf({ ...plan, steps: [first] }, "s2")], [undefined, undefined], "nothing else is handed over in its place");
});
