import type { ComparedRow, DiffLine, Disagreement, Finding, Job, Origin, Plan, PlanVersion, Repair, Step, StepContent } from "#client/api.gen.ts";
import { ApiError } from "#client/rpc.ts";
import { sameWork } from "#app/features/plan/gate.ts";
import { change } from "#app/features/task/change.ts";
import * as data from "./data.ts";
import type { FakeEngine, Unary } from "./engine.ts";
import * as jobs from "./jobs.ts";

/** A version with the steps that it had. */
interface Kept extends PlanVersion {
  steps: Step[];
}
const kept = new WeakMap<FakeEngine, Map<string, Kept[]>>();

function versionsOf(engine: FakeEngine, plan: Plan): Kept[] {
  let all = kept.get(engine);
  if (!all) kept.set(engine, (all = new Map()));
  let list = all.get(plan.id);
  if (!list) all.set(plan.id, (list = [{ number: plan.version, origin: "model", note: "As the model answered.", by: "anthropic/claude-sonnet-4-5", at: plan.created_at, steps: plan.steps }]));
  return list;
}

const conflict = (now: number) =>
  new ApiError("conflict", "plan_changed", `The plan was changed meanwhile: it is at version ${now}. It stays as it is; yours was not made.`, { version: String(now) });
const noStep = () => new ApiError("not_found", "no_step", "The plan has no such step, or not any more. Nothing was changed.");

function find(engine: FakeEngine, id: string): Plan {
  const plan = engine.world.plans.find((p) => p.id === id);
  if (!plan) throw new ApiError("not_found", "no_plan", "This plan does not exist any more.");
  return plan;
}

function finished(engine: FakeEngine, id: string, version?: number): Plan {
  const plan = find(engine, id);
  if (plan.state === "streaming") throw new ApiError("conflict", "plan_streaming", "The plan is still being written. Nothing was changed; wait for its end.");
  if (version !== undefined && version !== plan.version) throw conflict(plan.version);
  return plan;
}

function store(engine: FakeEngine, plan: Plan): Plan {
  const weigh = (severity: Finding["severity"]) => plan.steps.reduce((n, s) => n + s.findings.filter((f) => f.severity === severity).length, 0);
  const next = { ...plan, step_count: plan.steps.length, errors: weigh("error"), warnings: weigh("warning") };
  engine.world.plans = engine.world.plans.map((p) => (p.id === plan.id ? next : p));
  engine.tell({ topic: "plan", id: plan.id, session: plan.session });
  return next;
}

const onDisk = new Set([...data.sources, ...data.tests].map((f) => f.path).concat("src/timer.rs", "src/http/once.rs"));

/** Checks a step: a path that is not there is an error, what else was found of an operation that stayed is found again. */
function checked(step: Step, before: Step | undefined): Step {
  const findings: Finding[] = [];
  step.operations.forEach((o, i) => {
    if (o.kind !== "create" && !onDisk.has(o.path)) {
      findings.push({ severity: "error", code: "path_missing", message: `There is no file \`${o.path}\`.`, operation: i, suggestion: "src/http/client.rs", repair: { kind: "use_path", path: "src/http/client.rs" } });
    }
    const stayed = before && JSON.stringify(before.operations[i]) === JSON.stringify(o);
    findings.push(...(stayed ? before.findings.filter((f) => f.operation === i && f.code !== "path_missing") : []));
  });
  return { ...step, findings };
}

/** A further version; what reads otherwise now was not decided about. */
function version(engine: FakeEngine, plan: Plan, steps: Step[], origin: Origin, note: string): Plan {
  const list = versionsOf(engine, plan);
  const next = steps.map((step, i) => {
    const before = plan.steps.find((s) => s.id === step.id);
    const numbered = checked({ ...step, number: i + 1 }, before);
    return before && sameWork(before, numbered) ? { ...numbered, decision: before.decision, overridden: before.overridden } : { ...numbered, decision: "open" as const, overridden: false };
  });
  const number = plan.version + 1;
  list.push({ number, origin, note, by: "ada", at: Date.now(), steps: next });
  return store(engine, { ...plan, version: number, steps: next });
}

/** Somebody else changes a step of a plan. */
export function elsewhere(engine: FakeEngine, id: string, step: string, over: Partial<Step>): Plan {
  const plan = find(engine, id);
  return version(engine, plan, plan.steps.map((s) => (s.id === step ? { ...s, ...over } : s)), "edit", "Changed by Grace.");
}

function repaired(step: Step, finding: Finding, repair: Repair): Step {
  const operations = step.operations.map((o, i) => {
    if (i !== finding.operation) return o;
    if (repair.kind === "use_path") return { ...o, path: repair.path };
    if (repair.kind === "use_lines") return { ...o, lines: [repair.first, repair.last] as [number, number] };
    return o;
  });
  return { ...step, operations };
}

function moveTo<T>(list: T[], from: number, to: number): T[] {
  const out = [...list];
  out.splice(to, 0, ...out.splice(from, 1));
  return out;
}

const filled = (content: StepContent): StepContent => {
  if (content.title.trim() === "") throw new ApiError("invalid", "step_title", "A step needs a title. Nothing was changed.");
  return { ...content, title: content.title.trim(), why: content.why.trim(), operations: content.operations.map((o) => ({ ...o, path: o.path.trim(), change: o.change.trimEnd() })) };
};

function edit(engine: FakeEngine, { plan: id, version: shown, step: of, content, position }: Parameters<Unary["plans.edit_step"]>[0]): Plan {
  const plan = finished(engine, id, shown);
  const at = plan.steps.findIndex((s) => s.id === of);
  if (of !== undefined && at < 0) throw noStep();
  if (of === undefined) {
    if (!content) throw new ApiError("invalid", "step_content", "A new step needs a content. Nothing was changed.");
    const fresh = { ...filled(content), id: `n${plan.version + 1}`, number: 0, complete: true, findings: [], decision: "open", overridden: false, comments: [] } as unknown as Step;
    const to = Math.min((position ?? plan.steps.length + 1) - 1, plan.steps.length);
    return version(engine, plan, moveTo([...plan.steps, fresh], plan.steps.length, to), "edit", `Step ${to + 1} is new.`);
  }
  if (!content && position === undefined) return version(engine, plan, plan.steps.filter((s) => s.id !== of), "edit", `Step ${at + 1} was removed.`);
  const steps = content ? plan.steps.map((s) => (s.id === of ? { ...s, ...filled(content), complete: true } as Step : s)) : plan.steps;
  const to = Math.min((position ?? at + 1) - 1, steps.length - 1);
  return version(engine, plan, moveTo(steps, at, to), "edit", to === at ? `Step ${at + 1} was changed.` : `Step ${at + 1} became step ${to + 1}.`);
}

const lines = (step: Step): string =>
  [step.title, step.why, ...step.operations.flatMap((o) => [`${o.kind} ${o.path}${o.to ? ` → ${o.to}` : ""}${o.lines ? ` lines ${o.lines.join("–")}` : ""}`, ...(o.change ? o.change.split("\n") : [])]), ...step.commands, ...step.checks].filter((l) => l !== "").join("\n");

function diff(a: Step | undefined, b: Step | undefined): DiffLine[] {
  const side = { "-": "removed", "+": "added", " ": "both" } as const;
  if (!a || !b) return lines((a ?? b) as Step).split("\n").map((text) => ({ side: a ? "removed" as const : "added" as const, text }));
  return change(lines(a), lines(b)).map((row) => ({ side: side[row.sign], text: row.parts.map((p) => p.text).join("") }));
}

/** A request of a job of this kind, which waits for the person. */
function asks(engine: FakeEngine, plan: Plan, workflow: "plan" | "step", purpose: string, parts: [string, number][], about = [plan.id]): Job {
  const id = `r${engine.world.jobs.length + 1}`;
  const files = data.sources.filter((f) => f.included).map((f) => f.path);
  const manifest = data.manifest(files, "anthropic/claude-sonnet-4-5", { id: `a${id}`, job: id, session: plan.session, purpose, parts: [{ name: "instructions", bytes: 1900, tokens: 470 }, ...parts.map(([name, tokens]) => ({ name, bytes: tokens * 4, tokens }))] });
  const job = data.job({ id, session: plan.session, workflow, state: "waiting_approval", note: "Waits for your approval.", approval: manifest.id, about, created_at: Date.now(), updated_at: Date.now(), ...(workflow === "plan" ? { plan: `${plan.id}+` } : {}) });
  jobs.waits(engine, job, manifest);
  engine.tell({ topic: "job", id, session: plan.session });
  return job;
}

/** What was asked of a step, until it is answered. */
const wishes = new WeakMap<FakeEngine, Map<string, { plan: string; step: string; wish: string }>>();

/** Which plans are to become one, until that is answered. */
const merges = new WeakMap<FakeEngine, Map<string, string[]>>();

/** A plan made of several comes a moment after it was approved: the first, and what only the others do. */
function merge(engine: FakeEngine, id: string): void {
  const under = jobs.underWay(engine, id, ["plan"]);
  const plans = merges.get(engine)?.get(id)?.map((plan) => find(engine, plan));
  const [first] = plans ?? [];
  if (!under || !plans || !first) return;
  jobs.answers(engine, under.set, 400, () => {
    const all = plans.flatMap((p) => p.steps.map((s) => ({ ...s, source: { plan: p.id, step: s.number } })));
    const steps = all.filter((s, i) => all.findIndex((o) => o.operations[0]?.path === s.operations[0]?.path) === i);
    const plan = { ...first, id: under.job.plan ?? "", job: id, title: "One plan of several", version: 1, steps: steps.map((s, i) => ({ ...s, id: `s${i + 1}`, number: i + 1, decision: "open" as const, overridden: false, comments: [], depends: [] })), created_at: Date.now() };
    engine.world.plans = [plan, ...engine.world.plans];
    store(engine, plan);
    under.set({ state: "completed", note: `Plan with ${steps.length} steps.` });
  });
}

/** The answer about a step comes a moment after it was approved. */
export function approved(engine: FakeEngine, id: string): void {
  merge(engine, id);
  const asked = wishes.get(engine)?.get(id);
  const under = jobs.underWay(engine, id, ["step"]);
  if (!asked || !under) return;
  const { set } = under;
  jobs.answers(engine, set, 400, () => {
    const plan = find(engine, asked.plan);
    version(engine, plan, plan.steps.map((s) => (s.id === asked.step ? { ...s, why: `${s.why} ${asked.wish}`.trim() } : s)), "step_change", "A model changed a step.");
    set({ state: "completed", note: "The step was changed." });
  });
}

export const unary = (engine: FakeEngine): Partial<Unary> => ({
  "plans.decide": ({ plan: id, version: shown, steps, decision, override_errors }) => {
    const plan = finished(engine, id, shown);
    if (steps.some((s) => !plan.steps.some((known) => known.id === s))) throw noStep();
    const overridden = override_errors && decision === "accepted";
    return store(engine, { ...plan, steps: plan.steps.map((s) => (steps.length === 0 || steps.includes(s.id) ? { ...s, decision, overridden } : s)) });
  },
  "plans.comment": ({ plan: id, step, text }) => {
    const plan = finished(engine, id);
    if (!plan.steps.some((s) => s.id === step)) throw noStep();
    const trimmed = text.trim();
    if (trimmed === "" || trimmed.length > 16_384) throw new ApiError("invalid", "comment_length", "A remark has between 1 and 16384 bytes. Nothing was stored.");
    return store(engine, { ...plan, steps: plan.steps.map((s) => (s.id === step ? { ...s, comments: [...s.comments, { text: trimmed, by: "ada", at: Date.now() }] } : s)) });
  },
  "plans.repair": ({ plan: id, version: shown, step, finding, code, operation }) => {
    const plan = finished(engine, id, shown);
    const of = plan.steps.find((s) => s.id === step);
    if (!of) throw noStep();
    const found = of.findings[finding];
    if (!found?.repair) throw new ApiError("not_found", "no_repair", "There is no such finding any more, or nothing is known that would put it right.");
    if (code !== undefined && (code !== found.code || operation !== found.operation)) throw new ApiError("conflict", "finding_changed", "Another finding stands there now. Nothing was changed; look at the step again.");
    return version(engine, plan, plan.steps.map((s) => (s === of ? repaired(s, found, found.repair as Repair) : s)), "repair", `Step ${of.number}: repaired ${found.code}.`);
  },
  "plans.edit_step": (p) => edit(engine, p),
  "plans.revert": ({ plan: id, version: shown, to }) => {
    const plan = finished(engine, id, shown);
    const old = versionsOf(engine, plan).find((v) => v.number === to);
    if (!old) throw new ApiError("not_found", "no_version", "The plan has no such version.");
    const comments = new Map(plan.steps.map((s) => [s.id, s.comments]));
    return version(engine, plan, old.steps.map((s) => ({ ...s, comments: comments.get(s.id) ?? [] })), "revert", `Took up version ${to} again.`);
  },
  "plans.versions": ({ plan: id }) => ({ versions: versionsOf(engine, find(engine, id)).map(({ steps: _, ...v }) => v) }),
  "plans.diff": ({ plan: id, from, to }) => {
    const list = versionsOf(engine, find(engine, id));
    const [a, b] = [list.find((v) => v.number === from), list.find((v) => v.number === to)];
    if (!a || !b) throw new ApiError("not_found", "no_version", "The plan has no such version.");
    const ids = [...new Set([...b.steps, ...a.steps].map((s) => s.id))];
    const steps = ids.flatMap((step) => {
      const [before, after] = [a.steps.find((s) => s.id === step), b.steps.find((s) => s.id === step)];
      if (before && after && before.number === after.number && sameWork(before, after)) return [];
      return [{ step, title: (after ?? before)?.title ?? "", lines: before && after && sameWork(before, after) ? [] : diff(before, after), ...(before ? { before: before.number } : {}), ...(after ? { after: after.number } : {}) }];
    });
    return { steps };
  },
  "plans.ask_step": ({ plan: id, version: shown, step, wish }) => {
    if (wish.trim() === "") throw new ApiError("invalid", "wish_empty", "Say what is to change in the step. Nothing was sent.");
    const plan = finished(engine, id, shown);
    if (!plan.steps.some((s) => s.id === step)) throw noStep();
    const job = asks(engine, plan, "step", "a change of one step of a plan", [["plan", 1400], ["step", 240], ["wish", 20]]);
    const asked = wishes.get(engine) ?? new Map<string, { plan: string; step: string; wish: string }>();
    wishes.set(engine, asked.set(job.id, { plan: id, step, wish }));
    return job;
  },
  "plans.complete": ({ plan: id }) => {
    const plan = find(engine, id);
    if (plan.state !== "cut") throw new ApiError("conflict", "plan_not_cut", "Only a plan that was cut can be completed. Nothing was sent.");
    return asks(engine, plan, "plan", "the rest of a plan that was cut", [["task", 110], ["begun", 900], ["broken", 200]]);
  },
  "plans.merge_by_model": ({ plans: ids, wish }) => {
    if (ids.length < 2 || ids.length > 5) throw new ApiError("invalid", "plans_count", "Two to 5 plans can be put side by side.");
    const [first] = ids.map((id) => finished(engine, id));
    const parts = [...ids.map((_, i): [string, number] => [`plan-${i + 1}`, 1400]), ["disagreements", 40] as [string, number], ...(wish === undefined ? [] : [["wish", 20] as [string, number]])];
    const job = asks(engine, first as Plan, "plan", "one plan made of several", [["task", 110], ...parts], ids);
    const all = merges.get(engine) ?? new Map<string, string[]>();
    merges.set(engine, all.set(job.id, ids));
    return job;
  },
  "plans.compare": ({ plans: ids }) => {
    if (ids.length < 2 || ids.length > 5) throw new ApiError("invalid", "plans_count", "Two to 5 plans can be put side by side.");
    const plans = ids.map((id) => finished(engine, id));
    const rows: ComparedRow[] = [];
    const disagreements: Disagreement[] = [];
    for (const plan of plans) {
      for (const step of plan.steps) {
        const files = step.operations.map((o) => o.path);
        const row = rows.find((r) => r.files[0] === files[0] && !r.steps.some((s) => s.plan === plan.id));
        const source = { plan: plan.id, step: step.number };
        if (!row) rows.push({ steps: [source], files });
        else {
          const other = plans.find((p) => p.id === row.steps[0]?.plan)?.steps.find((s) => s.number === row.steps[0]?.step);
          row.steps.push(source);
          if (other && other.operations[0]?.kind !== step.operations[0]?.kind) disagreements.push({ code: "kinds", path: files[0] ?? "", message: `\`${files[0]}\` is changed by one and removed by another.`, steps: [...row.steps] });
        }
      }
    }
    return { plans, rows, disagreements };
  },
  "plans.merge": ({ steps, title, shown = [] }) => {
    for (const { plan, version } of shown) finished(engine, plan, version);
    const ids = [...new Set(steps.map((s) => s.plan))];
    if (ids.length < 2 || ids.length > 5) throw new ApiError("invalid", "plans_count", "Two to 5 plans can be put side by side.");
    const first = finished(engine, ids[0] ?? "");
    const made = steps.map((source, i) => {
      const step = finished(engine, source.plan).steps.find((s) => s.number === source.step);
      if (!step) throw new ApiError("invalid", "no_step", "A chosen step does not exist, or was chosen twice. No plan was made.");
      return { ...step, id: `s${i + 1}`, number: i + 1, source, decision: "open" as const, overridden: false, comments: [], depends: [] };
    });
    const plan = { ...first, id: `m${engine.world.plans.length + 1}`, title: title ?? first.title, version: 1, steps: made, created_at: Date.now() };
    engine.world.plans = [plan, ...engine.world.plans];
    return store(engine, plan);
  },
  "plans.save": ({ plan: id, name }) => {
    const plan = find(engine, id);
    const stem = (name ?? plan.title).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
    return { path: `.plantocode/plans/${stem || "plan"}.md` };
  },
});
