import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import type { Job, Suggestion } from "#client/api.gen.ts";
import { FindingView } from "#app/features/plan/FindingView.tsx";
import { Names } from "#kit/values.tsx";
import { asking, resultStation, stationOf } from "#app/features/jobs/asking.ts";
import { marks } from "#app/features/sessions/Stations.tsx";
import { change, type ChangeRow } from "#app/features/task/change.ts";
import { follow, passageOf, replaceOnce, selectedNow } from "#app/features/task/passage.ts";
import { isLast, latestHelp, outcome, readable } from "#app/features/task/suggestions.ts";
import { seen } from "#kit/invisible.ts";
import { w } from "#app/words.ts";
import * as data from "./fake/data.ts";
import { helpJob, helpManifest } from "./fake/help.ts";
import { suggestion } from "./fake/words.ts";

const DAY = 24 * 60 * 60 * 1000;

test("a passage is what is selected without the blanks around it, counted as in the editor", () => {
  const text = "Größe 😀: the cache";
  assert.deepEqual(passageOf(text, 5, 9), { start: 6, end: 9, words: "😀:" });
  assert.deepEqual(passageOf("a\n\n b  c \n", 1, 10), { start: 4, end: 8, words: "b  c" });
  assert.equal(passageOf(text, 5, 6), undefined, "a blank is nothing to improve");
});

test("a passage is found again where only the text around it changed", () => {
  const before = "Retry twice. Make it gooder.";
  const passage = passageOf(before, 13, 27);
  assert.equal(passage?.words, "Make it gooder");
  assert.ok(passage);
  assert.deepEqual(follow(passage, before, before), passage);
  assert.deepEqual(follow(passage, before, `Fast. ${before}`), { ...passage, start: 19, end: 33 });
  assert.deepEqual(follow(passage, before, "Retry twice. Please: Make it gooder."), { ...passage, start: 21, end: 35 }, "put in right before it");
  assert.deepEqual(follow(passage, before, `${before} Then stop.`), passage);
  assert.equal(follow(passage, before, "Retry twice. Make it better."), undefined);
  assert.equal(follow(passage, before, ""), undefined);
});

test("a suggestion can be used only where its place is certain", () => {
  assert.equal(replaceOnce("The old one", "old", "$& new"), "The $& new one");
  for (const [text, passage] of [["old and old", "old"], ["aaa", "aa"], ["The one", "old"], ["any", ""]]) {
    assert.equal(replaceOnce(text ?? "", passage ?? "", "new"), undefined, text);
  }
});

const shown = (rows: ChangeRow[]): string[] => rows.map(({ sign, parts }) => sign + parts.map((p) => (p.marked ? `[${p.text}]` : p.text)).join(""));

test("a change says which lines went, came and stayed, and which words make the difference", () => {
  assert.deepEqual(shown(change("Keep.\nMake it gooder.\n\nEnd.", "Keep.\nMake it better now.\n\nEnd.")), [
    " Keep.", "-Make it [gooder].", "+Make it [better now].", " ", " End.",
  ]);
  assert.deepEqual(shown(change("one", "one\ntwo")), [" one", "+two"]);
  assert.deepEqual(shown(change("a b\nc d", "wholly other words here")), ["-a b", "-c d", "+wholly other words here"], "where nothing stayed nothing is marked");
  assert.deepEqual(shown(change("use src/config.rs in it", "use src/http/config.rs in it")), ["-use [src/config.rs] in it", "+use [src/http/config.rs] in it"], "a path is one word");
  assert.deepEqual(shown(change("same", "same")), [" same"]);
});

test("both texts can be read off a change", () => {
  const lines = ["", "a b c", "a  c", "b", "the cache, the file", "x"];
  let seed = 7;
  const draw = () => Array.from({ length: (seed = (seed * 48271) % 2147483647) % 6 }, () => lines[(seed = (seed * 48271) % 2147483647) % lines.length]).join("\n");
  for (let i = 0; i < 400; i++) {
    const [before, after] = [draw(), draw()];
    const side = (not: string) => change(before, after).filter((r) => r.sign !== not).map((r) => r.parts.map((p) => p.text).join("")).join("\n");
    assert.deepEqual([side("+"), side("-")], [before, after]);
  }
});

test("texts that are too long to compare are shown as gone and come", () => {
  const long = (word: string) => Array.from({ length: 3000 }, (_, i) => `${word} ${i}`).join("\n");
  const rows = change(`Begin\n${long("a")}\nEnd`, `Begin\n${long("b")}\nEnd`);
  assert.equal(rows.length, 6002);
  assert.deepEqual([rows[0]?.sign, rows[1]?.sign, rows[3001]?.sign, rows[6001]?.sign], [" ", "-", "+", " "]);
});

test("the approval station is about what waits, whatever it is for, and otherwise about the newest plan", () => {
  const plan = data.job({ id: "plan" });
  const waits = helpJob({ id: "waits" });
  const older = data.job({ id: "older", state: "waiting_approval" });
  const prepares = helpJob({ id: "prepares", state: "queued", approval: undefined });
  const ended = helpJob({ id: "ended", state: "completed" });
  const pick = (...jobs: Job[]) => asking(jobs)?.id;
  assert.equal(pick(ended, plan), "plan");
  assert.equal(pick(ended, waits, older, plan), "waits");
  assert.equal(pick(prepares, plan), "prepares");
  assert.equal(pick(prepares, older), "older", "what can be answered now comes first");
  assert.equal(pick(data.job({ id: "asks", workflow: "research", state: "running", approval: undefined }), plan), "asks", "it asks before it has questions");
  assert.equal(pick(ended), undefined);
  assert.deepEqual(["plan", "step", "find", "refine", "improve"].map(resultStation), ["plan", "plan", "files", "task", "task"]);
  assert.deepEqual([stationOf(waits), stationOf(ended), stationOf(plan), stationOf(older)], ["approve", "task", "plan", "approve"]);
});

test("a request that waits is told on the line of stations, and the plan stays complete", () => {
  const job = helpJob();
  const view = {
    id: "s1", session: data.sessions[0], error: undefined, ranking: undefined, rankingError: undefined, included: 0, jobs: [job, data.job()], job: data.job(),
    manifest: data.manifest([], "anthropic/claude-sonnet-4-5", { state: "approved" }), approval: { job, manifest: helpManifest("h1", "refine", []), error: undefined }, plans: [data.plan()],
  };
  const line = marks(view);
  assert.equal(line.approve.tone, "needs");
  assert.match(line.approve.detail ?? "", /^\$0\.\d+$/);
  assert.equal(line.plan.done, true);
});

test("help is told of until it was seen, and not when it is old", () => {
  const [now, job] = [data.NOW, helpJob({ state: "completed", updated_at: data.NOW - DAY })];
  const later = helpJob({ id: "h2", workflow: "improve", state: "completed" });
  assert.equal(latestHelp([data.job(), job], "", now)?.id, "h1");
  assert.equal(latestHelp([later, job], "", now)?.id, "h2", "the newest");
  assert.equal(latestHelp([later, job], "h2", now), undefined, "one that was seen does not bring an older one back");
  assert.equal(latestHelp([later, job], "h1", now)?.id, "h2");
  assert.equal(latestHelp([job], "", now + 1), undefined);
  assert.equal(latestHelp([helpJob({ updated_at: now - 3 * DAY })], "", now)?.id, "h1", "what still waits does not grow old");
  assert.equal(latestHelp([data.job()], "", now), undefined);
});

test("what became of help is said in words", () => {
  const job = helpJob({ note: "The answer ended too early." });
  assert.equal(outcome(job, suggestion()), w.task.help.applied);
  assert.equal(outcome(job, suggestion({ text: suggestion().before })), w.task.help.same);
  assert.equal(outcome(job, suggestion({ state: "dropped" })), w.task.help.dropped);
  assert.equal(outcome(job, suggestion({ state: "none", text: "" })), "The answer ended too early.");
});

test("what is selected follows its words while the focus is elsewhere, and is nothing once they changed", () => {
  const of = "Retry twice. Make it gooder.";
  const selected = { start: 13, end: 27, of };
  assert.deepEqual(selectedNow(selected, of), selected);
  const now = selectedNow(selected, `Fast. ${of}`);
  assert.deepEqual([now?.start, now?.end], [19, 33]);
  assert.equal(selectedNow(selected, "Retry twice. Make it better."), undefined);
  assert.equal(selectedNow(undefined, of), undefined);
});

test("only the words that came last can be taken back, and only while they stand", () => {
  const job = helpJob({ state: "completed" });
  const improved = helpJob({ id: "h2", workflow: "improve", state: "completed", updated_at: job.updated_at + 1 });
  const made = suggestion({ text: "new words" });
  assert.equal(isLast(job, "refine", made, [job, data.job()], "new words"), true);
  assert.equal(isLast(job, "refine", made, [job], "new words and more"), false);
  assert.equal(isLast(job, "refine", made, [improved, job], "new words"), false, "another help ended after it");
  assert.equal(isLast(improved, "improve", made, [improved, job], "the new words here"), true);
  assert.equal(isLast(improved, "improve", made, [improved, job], "the old words here"), false);
  assert.equal(isLast(improved, "improve", suggestion({ text: "" }), [improved], "any"), false);
  assert.equal(isLast(job, "refine", made, [job, { ...improved, state: "waiting_approval" }], "new words"), true, "what waits has changed nothing");
});

test("a change is shown only where it is known what stood there before", () => {
  const { before: _, ...old } = suggestion();
  assert.equal(readable(suggestion()), true);
  assert.equal(readable(old as Suggestion), false, "an engine from before does not say it");
  assert.equal(readable(suggestion({ text: suggestion().before })), false);
  assert.equal(readable(suggestion({ state: "dropped" })), true);
  assert.equal(readable(suggestion({ state: "none", text: "" })), false);
});

test("characters that would not be seen are shown by their code points", () => {
  const told = (text: string) => seen(text).map((part) => ("sign" in part ? `[${part.sign}]` : part.text)).join("");
  assert.equal(told("a\u202eb\u2066c"), "a[U+202E]b[U+2066]c");
  assert.equal(told("\u0000\u001b\u007f\u0085\u00ad\u061c\u180e\u200b\u200f\u2060\ufeff\ufffb\u{e0041}"), "[U+0000][U+001B][U+007F][U+0085][U+00AD][U+061C][U+180E][U+200B][U+200F][U+2060][U+FEFF][U+FFFB][U+E0041]");
  const plain = "\tGröße 😀\n — “ok” עברית\u00a0.";
  assert.deepEqual(seen(plain), [{ text: plain }]);
  assert.deepEqual(seen(""), []);
});

test("words of a model show what would not be seen, also where names stand in them", () => {
  const text = (element: Parameters<typeof renderToStaticMarkup>[0]) => renderToStaticMarkup(element).replace(/<\/?span[^>]*>/g, "|");
  assert.equal(text(createElement(Names, { text: "a\u200bb `c\u202ed` <i>" })), "a|U+200B|b <code>c|U+202E|d</code> &lt;i&gt;");
  const finding = { severity: "error", code: "path_missing", message: "There is no\u200b file.", suggestion: "src\u2066/a.rs" } as const;
  const shown = text(createElement(FindingView, { finding }));
  assert.ok(shown.includes("no|U+200B| file.") && shown.includes("<code>src|U+2066|/a.rs</code>"), shown);
});
