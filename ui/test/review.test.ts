import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding, Plan, Step } from "#client/api.gen.ts";
import { acceptable, held, markOf, overridable, sameWork, tally, undecided } from "#app/features/plan/gate.ts";
import { keepSteps } from "#app/features/plan/reduce.ts";
import { WHOLE } from "#app/features/plan/review.ts";
import { latestAsked, madeBy, making, makingText } from "#app/features/plan/StepJob.tsx";
import { fold, otherOf, pairOf, placeOf } from "#app/features/plan/versions.ts";
import { w } from "#app/words.ts";
import { same } from "#kit/same.ts";
import * as data from "./fake/data.ts";
import { elsewhere } from "./fake/review.ts";
import { reviewing } from "./fake/reviewing.ts";

const error: Finding = { severity: "error", code: "path_missing", message: "There is no file a." };
const step = (over: Partial<Step> = {}): Step => ({ ...(data.steps[0] as Step), ...over });

test("a step is held back by what the engine holds it back by, in its order", () => {
  const of = (over: Partial<Step>, all = false) => held(step(over), all);
  assert.equal(of({}), "open");
  assert.equal(of({}, true), undefined, "the person may say that undecided ones go too");
  assert.equal(of({ decision: "accepted" }), undefined);
  assert.equal(of({ decision: "rejected" }, true), "rejected");
  assert.equal(of({ decision: "accepted", findings: [error] }), "errors");
  assert.equal(of({ findings: [error] }, true), "errors", "undecided ones too are held back by errors");
  assert.equal(of({ decision: "accepted", overridden: true, findings: [error] }), undefined);
  assert.equal(of({ decision: "accepted", findings: [{ ...error, severity: "warning" }] }), undefined, "only errors hold a step back");
  assert.equal(of({ decision: "accepted", overridden: true, complete: false }), "incomplete", "no override completes a step");
});

test("the count says what is accepted and, once for each step, what holds the others back", () => {
  const all = [step({ decision: "accepted" }), step({ decision: "accepted", findings: [error] }), step({ decision: "rejected", findings: [error] }), step(), step({ complete: false, decision: "accepted" })];
  assert.deepEqual(tally(all), { total: 5, accepted: 3, ready: 1, held: { incomplete: 1, rejected: 1, open: 1, errors: 1 } });
});

test("the mark of a step tells an acceptance that counts from one that does not", () => {
  const of = (over: Partial<Step>) => markOf(step(over));
  assert.deepEqual([of({}), of({ decision: "rejected" }), of({ decision: "accepted" })], ["open", "rejected", "accepted"]);
  assert.equal(of({ decision: "accepted", findings: [error] }), "held");
  assert.equal(of({ decision: "accepted", overridden: true, findings: [error] }), "despite");
  assert.equal(of({ decision: "accepted", overridden: true }), "accepted", "there is nothing any more that was overridden");
});

test("all open steps are those that have arrived, and none while the plan is written", () => {
  const plan = data.plan({ steps: [step({ id: "a" }), step({ id: "b", decision: "rejected" }), step({ id: "c", complete: false })] });
  assert.deepEqual(acceptable(plan).map((s) => s.id), ["a"]);
  assert.deepEqual(acceptable({ ...plan, state: "streaming" }), []);
  assert.deepEqual(acceptable({ ...plan, state: "cut" }).map((s) => s.id), ["a"]);
});

test("errors are overridden only where there are some that hold the step back", () => {
  assert.equal(overridable(step()), false);
  assert.equal(overridable(step({ findings: [error] })), true);
  assert.equal(overridable(step({ findings: [error], decision: "rejected" })), false);
  assert.equal(overridable(step({ findings: [error], decision: "accepted", overridden: true })), false);
  assert.equal(overridable(step({ findings: [error], complete: false })), false);
});

test("a step is the same work where only its number, its dependencies or what was said differ", () => {
  assert.equal(sameWork(step(), step({ number: 9, depends: [3], findings: [error], comments: [{ text: "a", by: "b", at: 1 }] })), true);
  assert.equal(sameWork(step(), step({ title: "Other" })), false);
  assert.equal(sameWork(step(), step({ operations: [] })), false);
});

test("cards of steps that say the same are kept when a plan is read again", () => {
  const old = data.plan();
  const again = JSON.parse(JSON.stringify(old)) as Plan;
  const kept = keepSteps(old, { ...again, steps: again.steps.map((s) => (s.id === "s2" ? { ...s, decision: "accepted" as const } : s)) });
  assert.deepEqual(kept?.steps.map((s, i) => s === old.steps[i]), [true, false, true, true, true, true]);
  assert.equal(keepSteps(old, { ...again, id: "other" })?.steps[0] === old.steps[0], false, "another plan is another one");
  assert.equal(same({ a: [1, { b: undefined }] }, { a: [1, { b: undefined }] }), true);
  assert.equal(same({ a: 1 }, { b: 1 }), false);
  assert.equal(same([1], { 0: 1 }), false);
});

test("a change tells about which steps nothing is decided any more", () => {
  const before = data.plan({ steps: [step({ id: "a", number: 1, decision: "accepted" }), step({ id: "b", number: 2 })] });
  const after = { ...before, steps: [step({ id: "b", number: 1 }), step({ id: "a", number: 2 })] };
  assert.deepEqual(undecided(before, after), [2]);
});

test("a decision carries the version that is shown, and is asked once however often a key is pressed", async () => {
  const { review, said, calls, at, settled } = reviewing({ version: 4 });
  review.decide(at(1), "accepted");
  review.decide(at(1), "accepted");
  await settled();
  assert.deepEqual(calls("plans.decide"), [{ plan: "plan1", version: 4, steps: ["s1"], decision: "accepted", override_errors: false }]);
  assert.deepEqual(said, ["Step 1 accepted."]);
  review.decide(at(1), "accepted");
  await settled();
  assert.equal(calls("plans.decide").length, 1, "what is accepted already is not accepted again, which would take an override back");
  review.decide(at(1), "open");
  await settled();
  assert.equal(at(1).decision, "open");
});

test("of quick presses about one step the last holds", async () => {
  const { engine, review, calls, at, settled } = reviewing();
  const seen = at(1);
  review.decide(seen, "rejected");
  review.decide(seen, "accepted");
  await settled();
  assert.equal(at(1).decision, "accepted");
  review.decide(at(1), "open");
  await settled();

  // The first is under way already when the others come.
  for (const [presses, end] of [[["rejected", "accepted"], "accepted"], [["rejected", "accepted", "rejected"], "rejected"], [["accepted", "rejected", "open"], "open"]] as const) {
    const before = calls("plans.decide").length;
    const [first, ...rest] = presses;
    const step = at(1);
    review.decide(step, first);
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(calls("plans.decide").length, before + 1, "the first was asked");
    assert.equal(at(1).decision, step.decision, "and is not answered");
    for (const next of rest) review.decide(step, next);
    await settled();
    assert.equal(at(1).decision, end, presses.join(", "));
    assert.equal(engine.world.plans[0]?.steps[0]?.decision, end, "as the engine has it");
    review.decide(at(1), "open");
    await settled();
  }
});

test("an override and a decision about the same step are in the order of the presses", async () => {
  const { review, calls, at, settled } = reviewing();
  const seen = at(2);
  review.override(seen);
  review.decide(seen, "rejected");
  review.override(seen);
  await settled();
  assert.deepEqual([at(2).decision, held(at(2))], ["accepted", undefined]);
  review.decide(at(2), "rejected");
  await settled();
  review.override(at(2));
  review.decide(at(2), "open");
  await settled();
  assert.equal(at(2).decision, "open");
  assert.equal(calls("plans.decide").at(-1)?.decision, "open");
});

test("accepting never overrides an error by the way", async () => {
  const { review, said, calls, at, settled } = reviewing();
  review.decide(at(2), "accepted");
  await settled();
  assert.equal(held(at(2)), "errors");
  assert.deepEqual(said, [w.review.saidHeld(2)]);
  review.override(at(2));
  await settled();
  assert.equal(held(at(2)), undefined);
  assert.deepEqual(calls("plans.decide").map((c) => c.override_errors), [false, true]);
});

test("an override is refused when the step has other errors than those that were named", async () => {
  const { review, at, settled, calls } = reviewing();
  review.override({ ...at(2), findings: [{ ...error, message: "There is no file b." }] });
  await settled();
  assert.equal(review.snapshot().get("s2")?.error?.message, w.review.override.changed);
  assert.equal(calls("plans.decide").length, 0);
});

test("all open steps are accepted in one go, and those with errors stay held back", async () => {
  const { review, said, shown, at, settled } = reviewing();
  review.decide(at(4), "rejected");
  review.acceptAll(shown());
  await settled();
  assert.deepEqual(tally(shown().steps), { total: 6, accepted: 5, ready: 4, held: { incomplete: 0, rejected: 1, open: 0, errors: 1 } });
  assert.equal(said.at(-1), w.review.acceptedAll(5, 1));
});

test("steps that were accepted in one go are opened again, but for those about which more was done since", async () => {
  const { engine, review, said, undos, calls, shown, at, settled } = reviewing();
  review.decide(at(1), "accepted");
  review.decide(at(4), "rejected");
  await settled();
  review.acceptAll(shown());
  await settled();
  assert.equal(undos.length, 1);
  review.override(at(2));
  review.decide(at(5), "rejected");
  await settled();
  undos[0]?.();
  await settled();
  assert.deepEqual(calls("plans.decide").at(-1), { plan: "plan1", version: shown().version, steps: ["s3", "s6"], decision: "open", override_errors: false });
  assert.deepEqual(shown().steps.map((s) => s.decision), ["accepted", "accepted", "open", "rejected", "rejected", "open"]);
  assert.deepEqual(engine.world.plans[0]?.steps.map((s) => s.decision), shown().steps.map((s) => s.decision));
  assert.equal(said.at(-1), w.review.reopened(2));
  const asked = calls("plans.decide").length;
  undos[0]?.();
  await settled();
  assert.equal(calls("plans.decide").length, asked, "what is open is not opened again");
});

test("twenty thousand steps are accepted in one request", async () => {
  const steps = Array.from({ length: 20_000 }, (_, i) => step({ id: `s${i + 1}`, number: i + 1 }));
  const { review, calls, shown, settled } = reviewing({ steps });
  review.acceptAll(shown());
  await settled();
  assert.equal(calls("plans.decide").length, 1);
  assert.equal(tally(shown().steps).ready, 20_000);
});

test("who was slower is told so, is shown the newer plan, and decides about nothing unread", async () => {
  const { engine, review, at, shown, settled } = reviewing();
  const seen = at(3);
  elsewhere(engine, "plan1", "s3", { title: "Another title" });
  review.decide(seen, "accepted");
  await settled();
  assert.equal(review.snapshot().get("s3")?.error?.reason, "plan_changed");
  assert.match(review.snapshot().get("s3")?.error?.message ?? "", /at version 2/, "in the engine's own words");
  assert.deepEqual([shown().version, at(3).title, at(3).decision], [2, "Another title", "open"]);
  // The newer one is shown by now, but the key was pressed at the sight of the older.
  review.decide(seen, "accepted");
  await settled();
  assert.equal(review.snapshot().get("s3")?.error?.message, w.review.trouble.changed(3));
  assert.equal(at(3).decision, "open");
  review.decide(at(3), "accepted");
  await settled();
  assert.equal(at(3).decision, "accepted");
  assert.equal(review.snapshot().get("s3"), undefined, "the trouble is over");
});

test("a step of a plan that is still written is refused in the engine's words", async () => {
  const { review, at, settled } = reviewing({ state: "streaming" });
  review.decide(at(1), "accepted");
  await settled();
  assert.equal(review.snapshot().get("s1")?.error?.reason, "plan_streaming");
  review.dismiss("s1");
  assert.equal(review.snapshot().size, 0);
  assert.equal(review.snapshot().get(WHOLE), undefined);
});

test("a fix makes a version, the step is checked again, and its decision is open again", async () => {
  const { review, said, calls, at, shown, settled } = reviewing();
  review.decide(at(2), "accepted");
  await settled();
  assert.equal(await review.repair(at(2), 0), true);
  assert.deepEqual(calls("plans.repair"), [{ plan: "plan1", version: 1, step: "s2", finding: 0, code: "path_missing", operation: 0 }]);
  assert.deepEqual([shown().version, at(2).operations[0]?.path, at(2).findings.length, at(2).decision], [2, "src/http/client.rs", 0, "open"]);
  assert.equal(said.at(-1), w.review.repaired(2, 0));
  assert.equal(await review.revert(1, 2), true);
  assert.deepEqual([shown().version, at(2).operations[0]?.path, at(2).findings[0]?.code], [3, "src/net/send.rs", "path_missing"]);
});

test("a fix is not carried out on another finding than the one that was seen, nor twice", async () => {
  const { review, at, calls, settled } = reviewing();
  const seen = { ...at(2), findings: [{ ...(at(2).findings[0] as Finding), code: "symbol_missing" }] };
  assert.equal(await review.repair(seen, 0), false);
  assert.equal(review.snapshot().get("s2")?.error?.reason, "finding_changed");
  const two = await Promise.all([review.repair(at(2), 0), review.repair(at(2), 0)]);
  await settled();
  assert.deepEqual([two, calls("plans.repair").length], [[true, false], 2]);
  assert.equal(await review.repair(at(1), 0), false, "nothing to repair is nothing to ask");
});

test("a comment is stored whatever became of the step, and what is refused is told in the engine's words", async () => {
  const { engine, review, at } = reviewing();
  elsewhere(engine, "plan1", "s1", { title: "Another title" });
  assert.equal(await review.comment("s1", "  Ask Grace.  "), true);
  assert.deepEqual(at(1).comments.map((c) => [c.text, c.by]), [["Ask Grace.", "ada"]]);
  assert.equal(await review.comment("s1", "   "), false);
  assert.equal(review.snapshot().get("s1")?.error?.reason, "comment_length");
});

test("an undo does not take along what was done since", async () => {
  const { engine, review, at, shown } = reviewing();
  await review.repair(at(2), 0);
  const made = shown().version;
  elsewhere(engine, "plan1", "s3", { title: "By somebody else" });
  await review.comment("s1", "The newer plan is known by now.");
  assert.equal(await review.revert(1, made), false);
  assert.equal(review.snapshot().get(WHOLE)?.error?.message, w.review.trouble.notUndone(3));
  assert.equal(at(3).title, "By somebody else");
});

test("a change that is asked of a model names the version and the step that were seen, and waits for an approval", async () => {
  const { engine, review, asked, calls, at, settled } = reviewing();
  assert.equal(await review.ask(at(2), "Use the test clock.", "openai/gpt-5.1"), true);
  assert.deepEqual(calls("plans.ask_step"), [{ plan: "plan1", version: 1, step: "s2", wish: "Use the test clock.", model: "openai/gpt-5.1" }]);
  assert.deepEqual(asked.map((j) => [j.workflow, j.state]), [["step", "waiting_approval"]]);
  const seen = at(2);
  elsewhere(engine, "plan1", "s2", { title: "Another title" });
  assert.equal(await review.ask(seen, "Use the test clock.", undefined), false);
  await settled();
  assert.equal(review.snapshot().get("s2")?.error?.reason, "plan_changed");
  assert.equal(asked.length, 1);
});

test("only a plan that was cut is continued", async () => {
  const whole = reviewing();
  assert.equal(await whole.review.complete(undefined), false);
  assert.equal(whole.review.snapshot().get(WHOLE)?.error?.reason, "plan_not_cut");
  const cut = reviewing({ state: "cut" });
  assert.equal(await cut.review.complete(undefined), true);
  assert.deepEqual(cut.asked.map((j) => [j.workflow, j.state]), [["plan", "waiting_approval"]]);
});

test("what was asked about a step is told of until it was seen, with the version that came of it", () => {
  const DAY = 24 * 60 * 60 * 1000;
  const job = data.job({ id: "r1", workflow: "step", about: ["p1"], created_at: 1000, updated_at: 2000 });
  assert.equal(latestAsked([data.job(), job], "p1", "", 2000)?.id, "r1");
  assert.equal(latestAsked([job], "p1", "r1", 2000), undefined);
  assert.equal(latestAsked([job], "p2", "", 2000), undefined, "it is about another plan");
  assert.equal(latestAsked([job], "p1", "", 2001 + DAY), undefined);
  assert.equal(latestAsked([{ ...job, state: "waiting_approval" }], "p1", "", 3000 + DAY)?.id, "r1");
  assert.equal(latestAsked([{ ...job, state: "canceled" }], "p1", "", 2000), undefined, "who refused knows it");
  const version = { number: 2, origin: "step_change" as const, note: "", by: "", at: 1500 };
  assert.equal(madeBy(job, [version, { ...version, number: 3, origin: "edit" }])?.number, 2);
  assert.equal(madeBy(job, [{ ...version, at: 900 }]), undefined, "what was there before did not come of it");
});

test("of a plan is told which plans are being made of it, and how far they are", () => {
  const job = data.job({ id: "r1", plan: "p9", state: "waiting_approval", approval: "a1", about: ["p1", "p2"] });
  const all = [job, { ...job, id: "r2", state: "completed" as const }, { ...job, id: "r3", workflow: "step" }, { ...job, id: "r4", about: ["p3"] }, data.job({ id: "r5", state: "running" })];
  assert.deepEqual([making(all, "p1").map((j) => j.id), making(all, "p2").map((j) => j.id), making(all, "p3").map((j) => j.id), making(all, "p9")], [["r1"], ["r1"], ["r4"], []]);
  const of = w.review.making;
  const { approval: _, ...bare } = job;
  assert.deepEqual(
    [job, { ...bare, state: "running" as const }, { ...bare, state: "queued" as const }, { ...job, state: "running" as const }, { ...job, state: "queued" as const }, { ...job, state: "paused" as const }].map((j) => makingText(j, "m at p")),
    [of.waiting, of.preparing, of.preparing, of.running("m at p"), of.running("m at p"), of.other("paused")],
  );
});

test("a version is compared with the one before, the first with the present one, the older always first", () => {
  const versions = [1, 2, 5].map((number) => ({ number, origin: "edit" as const, note: "", by: "", at: 0 }));
  assert.deepEqual([otherOf(5, versions), otherOf(2, versions), otherOf(1, versions)], [2, 1, 5]);
  assert.deepEqual(pairOf(5, 2), { from: 2, to: 5 });
  const of = (before?: number, after?: number) => placeOf({ step: "a", title: "", lines: [], ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) });
  assert.deepEqual([of(2, 2), of(2, 3), of(undefined, 4), of(4)], ["step 2 was changed", "step 2 became step 3", "step 4 is new", "step 4 is gone"]);
});

test("lines that are alike are folded, but for some around what differs", () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({ side: i === 8 ? "added" as const : "both" as const, text: String(i) }));
  assert.deepEqual(fold(rows).map((r) => ("alike" in r ? `…${r.alike}` : r.text)), ["…5", "5", "6", "7", "8", "9", "10", "11", "…8"]);
  assert.deepEqual(fold(rows.slice(4, 12)).map((r) => ("alike" in r ? `…${r.alike}` : r.text)), ["4", "5", "6", "7", "8", "9", "10", "11"], "one line is not folded");
  assert.deepEqual(fold([]), []);
});
