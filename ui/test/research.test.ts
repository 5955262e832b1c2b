import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job, WebFinding } from "#client/api.gen.ts";
import { askProblem, hostOf, hostsOf, NO_DRAFT, openable, phaseOf, questionsOf, summary, tellsOfProposal, withQuestion } from "#app/features/research/research.ts";
import { resultStation, staysAfter, stationOf } from "#app/features/jobs/asking.ts";
import { w } from "#app/words.ts";
import * as data from "./fake/data.ts";
import { finding, findings, lookUp } from "./fake/research.ts";

test("questions stand one on a line and each is asked once", () => {
  assert.deepEqual(questionsOf(" What is new?\n\n  Is it safe? \r\nWhat is new?\n"), ["What is new?", "Is it safe?"]);
  assert.deepEqual(questionsOf("\n \n"), []);
  assert.deepEqual(hostsOf("docs.rs, doc.rust-lang.org;docs.rs  a.example"), ["docs.rs", "doc.rust-lang.org", "a.example"]);
});

test("what stands in the way of asking is said, and only that", () => {
  const draft = (over: Partial<typeof NO_DRAFT>) => ({ ...NO_DRAFT, questions: "What is new?", ...over });
  const lines = (n: number) => Array.from({ length: n }, (_, i) => `Question ${i}?`).join("\n");
  assert.equal(askProblem(draft({}), true), undefined);
  assert.equal(askProblem(draft({ questions: "" }), true), w.research.problem.none);
  assert.equal(askProblem(draft({ questions: "" }), false), undefined, "a model proposes them");
  assert.equal(askProblem(draft({ questions: lines(12) }), true), undefined);
  assert.match(askProblem(draft({ questions: lines(13) }), true) ?? "", /13/);
  assert.equal(askProblem(draft({ questions: `a\n${"é".repeat(500)}` }), true), undefined);
  assert.match(askProblem(draft({ questions: `a\n${"é".repeat(501)}` }), true) ?? "", /Question 2/, "bytes, not characters");
  for (const searches of ["0", "11", "", "2.5", "x"]) assert.notEqual(askProblem(draft({ searches }), false), undefined, searches);
  for (const hosts of ["docs.rs", "a.b, c.d, e.f, g.h, i.j", "xn--a.example"]) assert.equal(askProblem(draft({ hosts }), true), undefined, hosts);
  for (const hosts of ["localhost", "https://docs.rs", "a..b", "a.b, c.d, e.f, g.h, i.j, k.l", "dö.cs"]) assert.notEqual(askProblem(draft({ hosts }), true), undefined, hosts);
});

test("a question that is asked again stands in the draft once, beside what was typed", () => {
  const typed = { ...NO_DRAFT, questions: "One?\n" };
  assert.equal(withQuestion(NO_DRAFT, "Two?").questions, "Two?");
  assert.equal(withQuestion(typed, "Two\nlines?").questions, "One?\nTwo lines?");
  assert.equal(withQuestion(withQuestion(typed, "Two?"), "Two?").questions, "One?\nTwo?");
});

test("how far a question is follows its job until it is answered", () => {
  const asked = finding({ state: "asked", job: "lw5" });
  const of = (over: Partial<Job>) => phaseOf(asked, [lookUp(over)]);
  assert.equal(of({}), "waiting");
  assert.equal(of({ state: "queued", approval: undefined as never }), "preparing");
  assert.equal(of({ state: "running" }), "running");
  assert.equal(of({ state: "waiting_network" }), "network");
  assert.equal(phaseOf(asked, []), "preparing", "a list of jobs that is older than the question");
  assert.equal(phaseOf(finding(), [lookUp({ id: "lw1" })]), "answered");
});

test("the closed section says what is attached and what is open", () => {
  const all: WebFinding[] = [...findings, finding({ id: "w5", job: "lw5", state: "asked", attached: false }), finding({ id: "w6", job: "lw6", state: "asked", attached: false })];
  const said = summary(all, [lookUp(), lookUp({ id: "lw6", state: "running" })]);
  assert.deepEqual([said.attached, said.waiting.map((f) => f.id), said.underWay], [2, ["w5"], 1]);
});

test("only addresses of the web that lead where they seem to lead are opened", () => {
  for (const url of ["https://docs.rs/tokio", "https://example.com:8443/a?b#c"]) assert.equal(openable(url), true, url);
  for (const url of ["http://docs.rs", "https://docs.rs@evil.example/", "https://docs.rs:x@evil.example/", "javascript:alert(1)", "file:///etc/passwd", "docs.rs", ""]) assert.equal(openable(url), false, url);
  assert.equal(hostOf("https://docs.rs/tokio"), "docs.rs");
  assert.equal(hostOf("no address"), "no address");
});

test("a proposal is told of while it is under way, and after that only if there is something to say", () => {
  const job = (over: Partial<Job>) => lookUp({ id: "p", workflow: "research", created_at: data.NOW - 1000, updated_at: data.NOW, ...over });
  const asked = finding({ created_at: data.NOW });
  const told = (over: Partial<Job>, found: WebFinding[] = [asked], dismissed = "", now = data.NOW) => tellsOfProposal([lookUp(), job(over)], found, dismissed, now)?.id;
  assert.equal(told({}), "p");
  assert.equal(told({ state: "waiting_network" }), "p");
  assert.equal(told({ state: "completed", note: "3 questions." }), undefined, "its questions say enough");
  assert.equal(told({ state: "completed", note: "3 questions. The answer was cut; what had arrived is asked." }), "p");
  assert.equal(told({ state: "completed", note: "0 questions." }, [finding({ created_at: data.NOW - 5000 })]), "p", "what was asked before is not of it");
  assert.equal(told({ state: "completed", note: "0 questions." }, [], "p"), undefined);
  assert.equal(told({ state: "failed" }), "p");
  assert.equal(told({ state: "failed" }, [], "", data.NOW + 2 * 86_400_000), undefined);
  assert.equal(told({ state: "canceled" }), undefined, "a person knows what they refused");
});

test("a question is answered at the approval, and its finding is seen at the files", () => {
  assert.deepEqual(["look_up", "research"].map(resultStation), ["files", "files"]);
  assert.deepEqual(["look_up", "research", "plan", "refine"].map(staysAfter), [true, true, false, false]);
  assert.deepEqual([stationOf(lookUp()), stationOf(lookUp({ state: "completed" }))], ["approve", "files"]);
});
