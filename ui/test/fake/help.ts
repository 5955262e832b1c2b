import type { Job, Session, Suggestion, TaskOrigin } from "#client/api.gen.ts";
import { ApiError } from "#client/rpc.ts";
import * as data from "./data.ts";
import type { FakeEngine, Unary } from "./engine.ts";
import * as jobs from "./jobs.ts";

/** What the model of the screens makes of a text. */
const better = (words: string): string => words.replace("gives up on the first connection error", "gives up on the first `ConnectionError`").replace(/\bgooder\b/g, "better");

/** The past and the future of one task, as far as a screen walks along it. */
interface Walk {
  past: string[];
  future: string[];
  origin: TaskOrigin;
}
const walks = new WeakMap<FakeEngine, Walk>();
function walkOf(engine: FakeEngine): Walk {
  let walk = walks.get(engine);
  if (!walk) walks.set(engine, (walk = { past: [], future: [], origin: engine.world.suggestions?.some((s) => s.state === "applied") ? "suggested" : "typed" }));
  return walk;
}

/** Typing ends what a walk was about. */
export function typed(engine: FakeEngine): void {
  walkOf(engine).origin = "typed";
}

function session(engine: FakeEngine, id: string): Session {
  const found = engine.world.sessions.find((s) => s.id === id);
  if (!found) throw new ApiError("not_found", "no_session", "This session does not exist any more.");
  return found;
}

function put(engine: FakeEngine, id: string, task: string, origin: TaskOrigin): Session {
  const next = { ...session(engine, id), task, task_version: session(engine, id).task_version + 1 };
  engine.world.sessions = engine.world.sessions.map((s) => (s.id === id ? next : s));
  walkOf(engine).origin = origin;
  engine.tell({ topic: "session", id, session: id });
  return next;
}

function asks(engine: FakeEngine, workflow: "refine" | "improve", id: string, before: string): Job {
  const n = engine.world.jobs.length + 1;
  const files = workflow === "refine" ? data.sources.filter((f) => f.included).map((f) => f.path) : [];
  const manifest = helpManifest(`h${n}`, workflow, files);
  const job = jobs.waits(engine, helpJob({ id: `h${n}`, session: id, workflow, approval: manifest.id }), manifest);
  engine.world.suggestions = [{ job: job.id, state: "pending", before, text: "" }, ...(engine.world.suggestions ?? [])];
  engine.tell({ topic: "job", id: job.id, session: id });
  return job;
}

/** A job that helps with the words of a task; it waits for the person if nothing else is said. */
export const helpJob = (over: Partial<Job> = {}): Job =>
  data.job({ id: "h1", workflow: "refine", state: "waiting_approval", note: "Waits for your approval.", approval: "ah1", created_at: data.NOW - 30_000, updated_at: data.NOW - 20_000, ...over });

export const helpManifest = (job: string, workflow: "refine" | "improve", files: string[]) =>
  data.manifest(files, "anthropic/claude-sonnet-4-5", {
    id: `a${job}`, job,
    ...(workflow === "refine"
      ? { purpose: "the task put precisely", parts: [{ name: "instructions", bytes: 1900, tokens: 470 }, { name: "task", bytes: 470, tokens: 110 }] }
      : { purpose: "a passage in better words", left_out: [], parts: [{ name: "instructions", bytes: 1500, tokens: 380 }, { name: "text", bytes: 470, tokens: 110 }, { name: "passage", bytes: 80, tokens: 20 }] }),
  });

/** The answer of a job that was approved comes a moment later, and goes into the task where its words still stand. */
export function approved(engine: FakeEngine, id: string): void {
  const under = jobs.underWay(engine, id, ["refine", "improve"]);
  if (!under) return;
  const { job, set } = under;
  jobs.answers(engine, set, 400, () => {
    const suggestion = engine.world.suggestions?.find((s) => s.job === id);
    if (!suggestion) return;
    const task = session(engine, job.session).task;
    const text = better(suggestion.before);
    const stands = task.includes(suggestion.before);
    if (stands) {
      walkOf(engine).past.push(task);
      put(engine, job.session, task.replace(suggestion.before, () => text), "suggested");
    }
    const ended: Suggestion = { ...suggestion, text, state: stands ? "applied" : "dropped" };
    engine.world.suggestions = engine.world.suggestions?.map((s) => (s.job === id ? ended : s));
    set({ state: "completed", note: "The suggestion is there." });
  });
}

export const unary = (engine: FakeEngine): Partial<Unary> => ({
  "tasks.refine": ({ session: id }) => asks(engine, "refine", id, session(engine, id).task),
  "tasks.improve": ({ session: id, version, start, end }) => {
    const { task, task_version } = session(engine, id);
    if (version !== task_version) throw new ApiError("conflict", "task_changed", "The task was changed meanwhile. Select the passage again; nothing was changed or sent.");
    return asks(engine, "improve", id, task.slice(start, end));
  },
  "tasks.suggestion": ({ job }) => {
    const found = engine.world.suggestions?.find((s) => s.job === job);
    return found ?? { job, state: "none", before: "", text: "" };
  },
  "tasks.history": () => {
    const { origin, past, future } = walkOf(engine);
    return { steps: [{ number: 2, origin, made_by: "", begun_at: data.NOW, saved_at: data.NOW, present: true }], can_undo: past.length > 0, can_redo: future.length > 0 };
  },
  "tasks.undo": ({ session: id, version }) => {
    const { task, task_version } = session(engine, id);
    if (version !== task_version) throw new ApiError("conflict", "task_changed", "The task was changed meanwhile.");
    const walk = walkOf(engine);
    const back = walk.past.pop();
    if (back === undefined) throw new ApiError("not_found", "nothing_to_undo", "There is nothing to take back.");
    walk.future.push(task);
    return put(engine, id, back, "undone");
  },
  "tasks.redo": ({ session: id }) => {
    const walk = walkOf(engine);
    const again = walk.future.pop();
    if (again === undefined) throw new ApiError("not_found", "nothing_to_redo", "There is nothing to do again.");
    walk.past.push(session(engine, id).task);
    return put(engine, id, again, "redone");
  },
});
