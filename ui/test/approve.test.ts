import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job, JobList } from "#client/api.gen.ts";
import type { Caller } from "#client/rpc.ts";
import { Store } from "#client/store.ts";
import { again, type Action } from "#app/actions.tsx";
import { boundsOf, commonFolder, whyOnlyThis, type Bounds } from "#app/features/approval/remember.ts";
import { goesTo } from "#app/features/approval/sentence.ts";
import { keepsTicks, newest, revisedBy } from "#app/features/approval/useApproval.ts";
import { asking, shownJob } from "#app/features/jobs/asking.ts";
import * as data from "./fake/data.ts";
import { helpJob } from "./fake/help.ts";

const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

test("a request is said to go to every place where it may go, in their order", () => {
  const of = (...places: [model: string, provider: string][]) => goesTo({ model: "m", destinations: places.map(([model, provider]) => ({ model, provider })) });
  assert.equal(of(["claude-x", "anthropic"]), "claude-x at anthropic");
  assert.equal(of(["claude-x", "anthropic"], ["claude-x", "bedrock"]), "claude-x at anthropic, then at bedrock");
  assert.equal(of(["a", "one"], ["b", "one"], ["b", "two"], ["a", "two"]), "a at one, then b at one, then at two, then a at two");
});

test("reading again is not satisfied by a read that began before", async () => {
  const calls: ((jobs: Job[]) => void)[] = [];
  const call = () => new Promise<JobList>((resolve) => calls.push((jobs) => resolve({ jobs, more: false })));
  const store = new Store({ call } as unknown as Caller, () => 0);
  const known = () => store.peek("jobs.list", {}).value?.jobs.map((j) => j.id);
  store.watch("jobs.list", {}, () => {});
  assert.equal(calls.length, 1);
  let done = 0;
  const both = [1, 2].map(() => store.refresh("jobs.list", {}).then(() => done++));
  await settle();
  assert.deepEqual([calls.length, done], [1, 0], "the older read comes to its end first");
  calls[0]?.([]);
  await settle();
  assert.deepEqual([calls.length, done, known()], [2, 0, []], "one newer read serves all who wait");
  calls[1]?.([helpJob({ id: "new" })]);
  await Promise.all(both);
  assert.deepEqual([calls.length, known()], [2, ["new"]]);
});

test("what is shown for approval is never exchanged for another request", () => {
  const [a, b] = [helpJob({ id: "a" }), helpJob({ id: "b" })];
  assert.equal(shownJob([b], "a", undefined), "a", "one that the list does not have yet");
  assert.equal(shownJob([b, a], "a", "b"), "a", "the address comes first");
  assert.equal(shownJob([b, { ...a, state: "running" }], undefined, "a"), "a", "one that was answered");
  assert.equal(shownJob([b, { ...a, state: "canceled" }], undefined, "a"), "a", "one that was stopped elsewhere");
  assert.equal(shownJob([b, { ...a, state: "queued", approval: undefined }], undefined, "a"), "a", "one that is still put together");
  assert.equal(shownJob([b, a], undefined, undefined), asking([b, a])?.id);
  assert.equal(shownJob([], undefined, undefined), undefined);
});

test("a revision is shown for what it took the place of, and for nothing else of its job", () => {
  const at = (id: string) => data.manifest([], "anthropic/claude-sonnet-4-5", { id });
  const [first, second, third, later] = ["m1", "m2", "m3", "n1"].map(at) as [ReturnType<typeof at>, ReturnType<typeof at>, ReturnType<typeof at>, ReturnType<typeof at>];
  const once = revisedBy(undefined, first, second);
  const twice = revisedBy(once, second, third);
  assert.equal(newest(once, first), second);
  assert.equal(newest(twice, first), third, "the job may still name the first");
  assert.equal(newest(twice, second), third);
  assert.equal(newest(twice, third), third);
  assert.equal(newest(twice, later), later, "the next request of the same job");
  assert.equal(newest(twice, { ...later, state: "approved" })?.state, "approved");
  assert.equal(newest(twice, undefined), undefined);
  assert.deepEqual(revisedBy(twice, later, at("n2")).instead, ["n1"], "a chain ends with its request");
});

test("only a request that holds the ticked files changes the ticks", () => {
  assert.deepEqual(["plan", "step", "refine", "find", "improve", "look_up", "research"].filter(keepsTicks), ["plan", "step"]);
});

test("a held key answers once and goes on moving", () => {
  const action = (over: Partial<Action>): Action => ({ id: "x", label: "X", run: () => {}, ...over });
  for (const id of ["approve.send", "approve.dont"]) assert.deepEqual([false, true].map((repeat) => again(action({ id }), { repeat })), [true, false]);
  assert.equal(again(action({ id: "step.next", keysOnly: true }), { repeat: true }), true);
});

test("a permission for more has an amount, a time, and what else was asked for", () => {
  const typed: Bounds = { dollars: "$0.50", minutes: "60", under: "", web: false };
  assert.deepEqual(boundsOf(typed), { remember: { cap: 500_000, minutes: 60 } });
  assert.deepEqual(boundsOf({ ...typed, under: " src/http ", web: true, minutes: "15" }), { remember: { cap: 500_000, minutes: 15, under: "src/http", web: true } });
  for (const dollars of ["", "0", "nan", "-1", "1e9", "many"]) assert.ok("problems" in boundsOf({ ...typed, dollars }), dollars);
});

test("the folder that all files lie in", () => {
  assert.equal(commonFolder(["src/http/a.rs", "src/http/b.rs"]), "src/http");
  assert.equal(commonFolder(["src/http/a.rs", "src/httpd/b.rs"]), "src");
  assert.equal(commonFolder(["src/a.rs", "README.md"]), "");
  assert.equal(commonFolder(["README.md"]), "");
  assert.equal(commonFolder([]), "");
});

test("a request with a secret, or without a price, is approved by itself only", () => {
  const plain = data.manifest(["src/a.rs"], "anthropic/claude-sonnet-4-5", {});
  assert.equal(whyOnlyThis(plain), undefined);
  const { cost_estimate: _, ...unpriced } = plain;
  assert.ok(whyOnlyThis(unpriced));
  assert.ok(whyOnlyThis({ ...plain, secrets: [{ source: "src/a.rs", line: 1, rule: "aws", description: "a key", allowed: true }] as never }));
});
