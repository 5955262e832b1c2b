import type { Job, Manifest, WebFinding } from "#client/api.gen.ts";
import { ApiError } from "#client/rpc.ts";
import * as data from "./data.ts";
import type { FakeEngine, Unary } from "./engine.ts";
import * as jobs from "./jobs.ts";

const CLAUDE = "anthropic/claude-sonnet-4-5";

export const finding = (over: Partial<WebFinding> = {}): WebFinding => ({
  id: "w1", session: "s1", job: "lw1", question: "Which HTTP methods may be repeated after a connection error without asking the caller?", why: "", state: "answered",
  answer: `GET, HEAD, OPTIONS, TRACE, PUT and DELETE are idempotent: sending one of them twice is meant to have the effect of sending it once (RFC 9110, 9.2.2).

POST and PATCH are not. A client should not repeat them by itself unless it knows that the first was never handled, for example because the connection was refused before anything was sent.`,
  sources: [
    { url: "https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2", title: "RFC 9110: HTTP Semantics, 9.2.2 Idempotent Methods", date: "June 2022", quote: "A request method is considered \"idempotent\" if the intended effect on the server of multiple identical requests with that method is the same as the effect for a single such request." },
    { url: "https://developer.mozilla.org/en-US/docs/Glossary/Idempotent", title: "Idempotent - MDN Web Docs Glossary", date: "3 months ago" },
    { url: "http://old.example/retry-and-post.html", title: "When to retry a POST" },
  ],
  searches: ["idempotent HTTP methods RFC 9110", "safe to retry POST connection refused"], served: CLAUDE, cost: 41_200, attached: true,
  created_at: data.NOW - 50 * 60_000, answered_at: data.NOW - 48 * 60_000, ...over,
});

export const findings: WebFinding[] = [
  finding(),
  finding({
    id: "w2", job: "lw2", question: "How much jitter do the large cloud providers recommend?", why: "The policy has a jitter, and its default has to be chosen.", attached: false,
    answer: "Full jitter: a delay drawn evenly between nothing and the whole backoff.\n<b>This</b> is not markup, and [neither is this](https://evil.example): gives up \u202eon the first\u202c\u200b error.",
    sources: [], searches: [], trouble: "No source was given: what it says may not have been looked up.", cost: 9_400, answered_at: data.NOW - 46 * 60_000,
  }),
  finding({
    id: "w3", job: "lw3", question: "What does tokio 1.50 change for timeouts, and from which version on can timers be paused in tests without the feature test-util?", attached: true, state: "cut",
    answer: "Timers have millisecond granularity as before. In 1.50 `timeout` no longer", sources: [finding().sources[1] as WebFinding["sources"][number]], trouble: "The connection to the provider ended.", cost: 12_000,
  }),
  unanswered({ id: "w4", job: "lw4", question: "Does hyper retry by itself?", state: "failed", attached: false, answer: "", sources: [], searches: [], trouble: "The provider refused the request: too many requests. The question is kept; ask it once more." }),
];

/** The jobs of these findings that are of interest, with what they ask. */
export const lookUp = (over: Partial<Job> = {}): Job =>
  data.job({ id: "lw5", workflow: "look_up", state: "waiting_approval", note: "Waits for your approval.", approval: "alw5", created_at: data.NOW - 30_000, updated_at: data.NOW - 20_000, ...over });

export const webManifest = (job: string, over: Partial<Manifest> = {}): Manifest =>
  data.manifest([], CLAUDE, {
    id: `a${job}`, job, purpose: "an answer from the web to one question", left_out: [], web: { searches: 3, kept: true, domains: [] },
    parts: [{ name: "instructions", bytes: 1900, tokens: 470 }, { name: "question", bytes: 90, tokens: 22 }], input_tokens: 492, ...over,
  });

/** A session in which more was asked: one question waits, one is being looked up. */
export const underWay = () => ({
  findings: [
    ...findings,
    finding({ id: "w5", job: "lw5", question: "Is there a crate that already has such a policy?", state: "asked", attached: false, answer: "", sources: [], searches: [], created_at: data.NOW - 30_000 }),
    finding({ id: "w6", job: "lw6", question: "How do browsers space their retries?", state: "asked", attached: false, answer: "", sources: [], searches: [], created_at: data.NOW - 30_000 }),
  ].map((f) => (f.state === "asked" ? without(f) : f)),
  jobs: [lookUp(), lookUp({ id: "lw6", approval: "alw6", state: "running", note: "The answer is being written." })],
  others: [webManifest("lw5"), webManifest("lw6", { state: "approved" })],
});

function unanswered(over: Partial<WebFinding>): WebFinding {
  const { trouble } = over;
  return { ...without(finding(over)), ...(trouble === undefined ? {} : { trouble }) };
}

function without(f: WebFinding): WebFinding {
  const { answered_at: _at, cost: _cost, served: _by, trouble: _why, ...rest } = f;
  return rest;
}

function asks(engine: FakeEngine, session: string, workflow: "look_up" | "research", web: Manifest["web"]): Job {
  const n = engine.world.jobs.length + (engine.world.findings?.length ?? 0) + 1;
  const id = `r${n}`;
  const manifest = webManifest(id, workflow === "research" ? { purpose: "questions to look up on the web", parts: [{ name: "instructions", bytes: 1200, tokens: 300 }, { name: "task", bytes: 470, tokens: 110 }, { name: "tree", bytes: 3400, tokens: 850 }] } : web ? { web } : {});
  if (workflow === "research") delete manifest.web;
  return jobs.waits(engine, lookUp({ id, session, workflow, approval: manifest.id, created_at: Date.now(), updated_at: Date.now() }), manifest);
}

function ask(engine: FakeEngine, session: string, questions: { question: string; why: string }[], web: Manifest["web"]): WebFinding[] {
  const asked = questions.map(({ question, why }) => {
    const job = asks(engine, session, "look_up", web);
    return without(finding({ id: `w${job.id}`, session, job: job.id, question, why, state: "asked", attached: false, answer: "", sources: [], searches: [], created_at: Date.now() }));
  });
  engine.world.findings = [...(engine.world.findings ?? []), ...asked];
  for (const { job } of asked) engine.tell({ topic: "job", id: job, session });
  return asked;
}

/** What is known of a finding, as far as its job says. */
function view(engine: FakeEngine, found: WebFinding): WebFinding {
  const job = engine.world.jobs.find((j) => j.id === found.job);
  if (found.state !== "asked" || !job) return found;
  if (job.state === "canceled" || job.state === "failed") return { ...found, state: job.state, trouble: job.note };
  return found;
}

/** What was approved is answered a moment later. */
export function approved(engine: FakeEngine, id: string): void {
  const under = jobs.underWay(engine, id, ["look_up", "research"]);
  if (!under) return;
  const { job, set } = under;
  jobs.answers(engine, set, 300, () => {
    if (job.workflow === "research") {
      ask(engine, job.session, [
        { question: "Which errors of the standard library mean that nothing was sent?", why: "Only then may a POST be repeated." },
        { question: "What is the usual default for the first delay?", why: "" },
      ], undefined);
      return set({ state: "completed", note: "2 questions." });
    }
    engine.world.findings = engine.world.findings?.map((f) => (f.job === id ? { ...finding({ attached: false }), id: f.id, job: id, session: f.session, question: f.question, why: f.why, created_at: f.created_at, answered_at: Date.now() } : f));
    set({ state: "completed", note: "3 sources." });
  });
}

export const unary = (engine: FakeEngine): Partial<Unary> => ({
  "research.list": ({ session }) => ({ findings: (engine.world.findings ?? []).filter((f) => f.session === session).map((f) => view(engine, f)) }),
  "research.get": ({ finding: id }) => {
    const found = engine.world.findings?.find((f) => f.id === id);
    if (!found) throw new ApiError("not_found", "no_finding", "This finding does not exist, or its session was deleted.");
    return view(engine, found);
  },
  "research.start": ({ session, questions = [], model, searches = 3, domains = [] }) => {
    const kept = [...new Set(questions.map((q) => q.trim()))];
    if (kept.length > 12) throw new ApiError("invalid", "too_many_questions", "At most 12 questions can be asked together. Nothing was asked.");
    if (searches < 1 || searches > 10) throw new ApiError("invalid", "searches", "A question gets 1 to 10 searches. Nothing was asked.");
    if (model !== undefined && !engine.world.models.models.some((m) => m.id === model && m.web_search)) throw new ApiError("invalid", "no_web_search", `${model} cannot search the web. Nothing was sent.`);
    if (kept.length === 0) {
      const proposal = asks(engine, session, "research", undefined);
      engine.tell({ topic: "job", id: proposal.id, session });
      return { proposal, findings: [] };
    }
    return { findings: ask(engine, session, kept.map((question) => ({ question, why: "" })), { searches, kept: true, domains }) };
  },
  "research.attach": ({ finding: id, attached }) => {
    const found = engine.world.findings?.find((f) => f.id === id);
    if (!found) throw new ApiError("not_found", "no_finding", "This finding does not exist, or its session was deleted.");
    if (attached && found.state === "asked") throw new ApiError("conflict", "not_answered", "There is no answer that could be attached.");
    engine.world.findings = engine.world.findings?.map((f) => (f.id === id ? { ...f, attached } : f));
    engine.tell({ topic: "session", id: found.session, session: found.session });
    return { ...found, attached };
  },
});
