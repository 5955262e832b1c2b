import { ApiError } from "#client/rpc.ts";
import * as data from "../fake/data.ts";
import { device, devices, link } from "../fake/devices.ts";
import { world, type World } from "../fake/engine.ts";
import { helpJob, helpManifest } from "../fake/help.ts";
import type { PhoneState } from "../fake/phone.ts";
import * as research from "../fake/research.ts";
import * as settings from "../fake/settings.ts";
import { agent, ended, shell } from "../fake/terminals.ts";
import { fakeTexts } from "../fake/texts.ts";
import { PASSAGE, suggestion } from "../fake/words.ts";

export interface Scenario {
  hash: string;
  /** None: the page before anyone is let in. */
  world?: () => World;
  offline?: boolean;
  prefs?: Record<string, unknown>;
  /** On a phone that is paired so. */
  phone?: PhoneState;
}

const included = [...data.sources, ...data.tests].filter((f) => f.included).map((f) => f.path);
const claude = "anthropic/claude-sonnet-4-5";
const waiting = (over: Parameters<typeof data.manifest>[2] = {}, model = claude) => {
  const manifest = data.manifest(included, model, over);
  return world({ manifest, jobs: [data.job({ state: "waiting_approval", note: "Waits for your approval.", approval: manifest.id })] });
};
const planned = (over: Parameters<typeof data.plan>[0] = {}, rest: Partial<World> = {}) => {
  const manifest = data.manifest(included, claude, { state: "approved" });
  return world({
    manifest,
    jobs: [
      data.job({ approval: manifest.id, plan: "plan1", ...(over.state === "streaming" ? { state: "running" as const, note: "The answer is being written." } : {}) }),
      data.job({ id: "j0", session: "s2", state: "failed", note: "The provider refused the request: its key is not valid." }),
      data.job({ id: "j9", session: "s3", state: "canceled", note: "Not sent: you refused." }),
    ],
    plans: [data.plan(over), data.plan({ id: "plan0", title: "An earlier plan", created_at: data.NOW - 3_600_000 * 3, state: "cut", step_count: 3 })],
    ...rest,
  });
};
const secrets = [
  { source: "src/config.rs", line: 44, rule: "aws-access-key", description: "An AWS access key", allowed: false },
  { source: "tests/http/client_test.rs", line: 9, rule: "private-key", description: "A private key", allowed: true },
];
/** A session whose plan was made, and for whose task a model is asked for better words. */
const helped = (job: Parameters<typeof helpJob>[0], rest: Partial<World> = {}) => {
  const plan = planned();
  const over = helpJob(job);
  const waits = over.state === "waiting_approval";
  const manifest = { ...helpManifest("h1", over.workflow === "improve" ? "improve" : "refine", over.workflow === "improve" ? [] : included), ...(waits ? {} : { state: "approved" as const }) };
  return { ...plan, jobs: [over, ...plan.jobs], others: [manifest], ...rest };
};
const after = (state: "completed" | "failed", over: Parameters<typeof suggestion>[0] = {}, rest: Partial<World> = {}, workflow = "refine") =>
  helped({ state, workflow, note: state === "failed" ? "The answer ended too early. The task is as it was; what had arrived is kept." : "The suggestion is there." }, { suggestions: [suggestion(over)], ...rest });
/** Words that would be read from right to left. */
const PASSAGE_TURNED = { before: PASSAGE.before, text: "gives up \u202eon the first\u202c\u200b connection error" };
/** A plan about which something was decided and said. */
const reviewed = (rest: Partial<World> = {}, over: Parameters<typeof data.plan>[0] = {}) => {
  const steps = data.steps.map((s) => ({
    ...s,
    ...({ 1: { decision: "accepted" as const }, 2: { decision: "accepted" as const }, 4: { decision: "rejected" as const }, 5: { decision: "accepted" as const } }[s.number] ?? {}),
    ...(s.number === 3 ? { comments: [{ text: "Ask Grace whether the defaults are hers.\nThe documents say three attempts.", by: "ada", at: data.NOW - 3_600_000 }] } : {}),
  }));
  return planned({ steps, ...over }, rest);
};
const s1 = (station: string) => `#/session/s1/${station}`;

/** Names and titles in which characters hide that nobody sees, or that turn the direction of what follows. */
const unseen = () => {
  const hide = (text: string) => `${text.slice(0, 5)}\u200b${text.slice(5)} \u202etxt.exe\u202c`;
  const plan = planned({ title: hide("Retry failed requests") }, { terminals: [shell({ title: hide("builder"), command: ["make", "\u2066all"] }), shell({ id: "t9", title: hide("watcher") })] });
  return { ...plan, projects: data.projects.map((p) => ({ ...p, name: hide(p.name) })), sessions: data.sessions.map((s) => ({ ...s, title: s.title && hide(s.title) })), kept: settings.kept({ permissions: settings.permissions, usage: settings.usage }) };
};

/** The same in a request, in what models and their doors are called, in reasons and in what was spent. */
const unseenAsked = () => {
  const hide = (text: string) => `${text}\u200b\u202e`;
  const models = data.models.map((m) => ({ ...m, name: hide(m.name), provider: hide(m.provider), via: hide(m.via) }));
  const asked = waiting({ purpose: hide("a plan of the change"), via: hide("directly"), destinations: [{ provider: hide("anthropic"), model: hide("claude") }], secrets: [{ source: hide("src/config.rs"), line: 44, rule: "key", description: hide("A key"), allowed: true }] });
  const { ranking } = asked;
  const reasons = (list: typeof ranking.sources) => list.map((f) => ({ ...f, reasons: f.reasons.map((r) => ({ ...r, detail: hide(r.detail) })) }));
  return { ...asked, models: { models, problems: [hide("OPENAI_API_KEY is not set.")] }, ranking: { ...ranking, sources: reasons(ranking.sources), tests: reasons(ranking.tests) }, spentOn: hide("anthropic/claude") };
};
/** A plan whose text and whose author hide something. */
const unseenPlan = () => planned({ served: { provider: "anth\u202eropic", model: "cla\u202eude" }, steps: data.steps.map((s) => ({ ...s, confidence: "hi\u202egh\u200b" })) });

const quiet = () => shell({ id: "t4", title: "reviewer", command: ["reviewer", "--diff"], last_output_at: data.NOW - 70_000, epoch: "43" });

export const scenarios = {
  door: { hash: "#/" },
  empty: { hash: "#/", world: () => world({ projects: [], sessions: [] }) },
  projects: { hash: "#/", world: () => world() },
  error: { hash: "#/", world: () => world({ fail: { "projects.list": new ApiError("internal", "internal", "The database could not be read. Nothing was changed. Try again; if it stays, the log says more.") } }) },
  loading: { hash: "#/project/p1", world: () => world({ hang: ["sessions.list"] }) },
  sessions: { hash: "#/project/p1", world: () => world() },
  task: { hash: "#/session/s4/task", world: () => world({ plans: [] }) },
  merged: { hash: s1("task"), world: () => world(), prefs: { "draft.s1": { text: "Retry failed requests, at most five times.", base: { text: "Retry failed requests.", version: 1 } } } },
  helpwaits: { hash: s1("task"), world: () => helped({}) },
  helpruns: { hash: s1("task"), world: () => helped({ state: "running", note: "The answer is being written." }) },
  helpapplied: { hash: s1("task"), world: () => after("completed", {}, { sessions: data.sessions.map((s) => (s.id === "s1" ? { ...s, task: suggestion().text } : s)) }) },
  helpdropped: { hash: s1("task"), world: () => after("completed", { state: "dropped", ...PASSAGE, alarm: "The server says that it changed the request before it sent it: the model. What was sent is not what you approved." }, {}, "improve") },
  helpunseen: { hash: s1("task"), world: () => after("completed", PASSAGE_TURNED, { sessions: data.sessions.map((s) => (s.id === "s1" ? { ...s, task: s.task.replace(PASSAGE_TURNED.before, PASSAGE_TURNED.text) } : s)) }, "improve") },
  helpfailed: { hash: s1("task"), world: () => after("failed", { state: "none", text: "" }) },
  helpasked: { hash: s1("approve"), world: () => helped({}) },
  improveasked: { hash: s1("approve"), world: () => helped({ workflow: "improve" }) },
  helpnomodel: { hash: s1("task"), world: () => world({ models: { models: [], problems: ["OPENAI_API_KEY is not set where the engine runs."] } }) },
  approvalsof: { hash: "#/approvals", world: () => {
    const plan = waiting();
    return { ...plan, jobs: [helpJob(), ...plan.jobs], others: [helpManifest("h1", "refine", included)] };
  } },
  twoasked: { hash: s1("approve"), world: () => {
    const plan = waiting();
    const ask = (id: string, workflow: "refine" | "improve") => helpManifest(id, workflow, []);
    return { ...plan, helpStops: true, jobs: [helpJob(), helpJob({ id: "h0", workflow: "look_up", approval: "ah0" }), ...plan.jobs], others: [ask("h1", "refine"), { ...ask("h0", "improve"), purpose: "a question about the code" }] };
  } },
  notlisted: { hash: `${s1("approve")}/hx`, world: () => waiting() },
  otherasked: { hash: `${s1("approve")}/o1`, world: () => ({ ...waiting(), jobs: [...waiting().jobs, helpJob({ id: "o1", session: "s2", approval: "ao1" })] }) },
  finding: { hash: s1("files"), world: () => world({ findStops: true, ranking: { current: false, sources: [], tests: [], scanned: 0, skipped: 0, elapsed_ms: 0 } }) },
  files: { hash: s1("files"), world: () => world() },
  stale: { hash: s1("files"), world: () => world({ ranking: { ...world().ranking, current: false } }) },
  research: { hash: s1("files"), world: () => ({ ...planned(), findings: research.findings }), prefs: { "research.open.s1": true } },
  researchasked: { hash: s1("files"), world: () => world({ ...research.underWay(), helpStops: true }), prefs: { "research.open.s1": true } },
  researchclosed: { hash: s1("files"), world: () => world(research.underWay()) },
  researchlook: { hash: `${s1("approve")}/lw5`, world: () => world(research.underWay()) },
  researchview: { hash: s1("files"), world: () => world({ ...research.underWay(), scopes: ["none", "view"] }), prefs: { "research.open.s1": true } },
  researchunable: { hash: s1("files"), world: () => world({ models: { models: data.models.slice(2), problems: [] } }) },
  researcherror: { hash: s1("files"), world: () => world({ fail: { "research.list": new ApiError("internal", "internal", "The database could not be read. Nothing was changed. Try again; if it stays, the log says more.") } }) },
  nomodel: { hash: s1("files"), world: () => world({ models: { models: [], problems: ["OPENAI_API_KEY is not set where the engine runs."] } }) },
  approve: { hash: s1("approve"), world: () => waiting() },
  secrets: { hash: s1("approve"), world: () => waiting({ secrets }) },
  overflow: { hash: s1("approve"), world: () => waiting({ overflow_tokens: 21_400 }) },
  unpriced: { hash: s1("approve"), world: () => waiting({}, "ollama/qwen3-coder") },
  mismatch: { hash: s1("approve"), world: () => ({ ...waiting(), fail: { "approvals.approve": new ApiError("conflict", "approval_mismatch", "The fingerprint is another.") } }) },
  streaming: { hash: s1("plan"), world: () => planned({ state: "streaming", steps: data.steps.slice(0, 2), step_count: 2, usage: undefined, served: undefined, warnings: 0 }, { stepEvery: 700 }) },
  plan: { hash: s1("plan"), world: () => planned() },
  reviewed: { hash: s1("plan"), world: () => reviewed() },
  nocomment: { hash: s1("plan"), world: () => reviewed({ fail: { "plans.comment": new ApiError("internal", "internal", "The database could not be written. Nothing was stored. Try again; if it stays, the log says more.") } }) },
  twoplans: { hash: s1("plan"), world: () => ({ ...reviewed(), plans: [...reviewed().plans.slice(0, 1), data.otherPlan()] }) },
  reviewonly: { hash: s1("plan"), world: () => reviewed({ scopes: ["none", "view"] }) },
  cut: { hash: s1("plan"), world: () => planned({ state: "cut", trouble: "The connection to the provider ended after 2 214 tokens.", steps: data.steps.slice(0, 3).map((s, i) => (i === 2 ? { ...s, complete: false } : s)), step_count: 3 }) },
  unreadable: { hash: s1("plan"), world: () => planned({ state: "unreadable", title: "", trouble: "The answer holds no plan.", steps: [], step_count: 0, errors: 0, warnings: 0 }) },
  noplan: { hash: s1("plan"), world: () => world() },
  run: { hash: s1("run"), world: () => planned() },
  running: { hash: s1("run"), world: () => planned({}, { terminals: [agent(), shell()] }) },
  pane: { hash: s1("plan"), world: () => planned({}, { terminals: [agent(), shell()] }), prefs: { "terminals.pane": true } },
  noterminals: { hash: "#/terminals", world: () => planned() },
  terminals: { hash: "#/terminals", world: () => planned({}, { terminals: [agent(), quiet(), shell(), ended()] }) },
  terminal: { hash: "#/terminals/t1", world: () => planned({}, { terminals: [agent(), shell()] }) },
  exited: { hash: "#/terminals/t3", world: () => planned({}, { terminals: [agent(), ended()] }) },
  nohost: { hash: "#/terminals", world: () => world({ fail: { "terminals.list": new ApiError("unavailable", "terminal_host", "The process that holds the terminals does not answer. Their output is kept; try again.") } }) },
  noattach: { hash: "#/terminals/t1", world: () => world({ terminals: [agent()], fail: { "terminals.attach": new ApiError("unavailable", "terminal_host", "The process that holds the terminals does not answer.") } }) },
  signedout: { hash: "#/devices", world: () => world() },
  nodevices: { hash: "#/devices", world: () => world({ signedIn: true, link: link({ state: "idle" }) }) },
  devices: { hash: "#/devices", world: () => world({ signedIn: true, devices, link: link() }) },
  connecting: { hash: "#/devices", world: () => world({ signedIn: true, devices: [device({ online: false })], link: link({ state: "connecting", trouble: "The server cannot be reached: the name plans.example is not known here." }) }) },
  arrival: { hash: "#/devices", world: () => world({ signedIn: true, arrives: true, link: link({ state: "idle" }) }) },
  phonewords: { hash: "", phone: { desktops: 0 } },
  phonecode: { hash: "", phone: { desktops: 0, scanned: true } },
  phonelist: { hash: "", phone: { desktops: 3 } },
  phonewaiting: { hash: "", phone: { desktops: 1, away: true } },
  phoneremoved: { hash: "", phone: { desktops: 1, refused: true } },
  phonehome: { hash: "#/terminals", phone: { desktops: 1 }, world: () => planned({}, { terminals: [agent(), quiet(), shell(), ended()] }) },
  phoneterminal: { hash: "#/terminals/t1", phone: { desktops: 1 }, world: () => planned({}, { terminals: [agent(), shell()] }) },
  phonebehind: { hash: "#/terminals/t1", phone: { desktops: 1, behind: true }, world: () => planned({}, { terminals: [agent(), shell()] }) },
  phoneview: { hash: "#/terminals/t1", phone: { desktops: 1 }, world: () => planned({}, { scopes: ["none", "view"], terminals: [agent()] }) },
  phonemore: { hash: "#/more", phone: { desktops: 1 }, world: () => planned({}, { scopes: ["none", "view", "run"] }) },
  settings: { hash: "#/settings", world: () => world({ kept: settings.kept({ permissions: settings.permissions, usage: settings.usage, settings: { day_budget: 5_000_000, session_budget: 2_000_000 } }) }) },
  settingsempty: { hash: "#/settings", world: () => world({ kept: settings.kept({ settings: { keep_requests_days: 30 } }) }) },
  settingsview: { hash: "#/settings", world: () => world({ scopes: ["none", "view"], kept: settings.kept({ permissions: settings.permissions, usage: settings.usage, settings: { day_budget: 300_000 } }) }) },
  prompts: { hash: "#/settings/prompts", world: () => world({ texts: fakeTexts() }) },
  templates: { hash: "#/settings/templates", world: () => world({ texts: fakeTexts() }) },
  promptsnone: { hash: "#/settings/prompts", world: () => world({ projects: [], sessions: [] }) },
  promptsview: { hash: "#/settings/prompts", world: () => world({ scopes: ["none", "view", "files"], texts: fakeTexts() }) },
  settingsloading: { hash: "#/settings", world: () => world({ hang: ["approvals.permissions", "settings.get", "usage.by", "prompts.list", "templates.list"] }) },
  settingserror: { hash: "#/settings", world: () => {
    const error = new ApiError("internal", "internal", "The database could not be read. Nothing was changed. Try again; if it stays, the log says more.");
    return world({ fail: { "approvals.permissions": error, "settings.get": error, "usage.by": error, "prompts.list": error, "templates.list": error } });
  } },
  phonesettings: { hash: "#/settings", phone: { desktops: 1 }, world: () => world({ scopes: ["none", "view", "approve"], kept: settings.kept({ permissions: settings.permissions, usage: settings.usage, settings: { day_budget: 5_000_000 } }) }) },
  approvalspermitted: { hash: "#/approvals", world: () => ({ ...waiting(), kept: settings.kept({ permissions: settings.permissions }) }) },
  jobs: { hash: "#/jobs", world: () => planned({ state: "streaming" }) },
  approvals: { hash: "#/approvals", world: () => waiting() },
  more: { hash: "#/more", world: () => planned() },
  unseen: { hash: s1("plan"), world: unseen },
  unseenasked: { hash: s1("approve"), world: unseenAsked },
  unseenplan: { hash: s1("plan"), world: unseenPlan },
  unseenpair: { hash: "#/devices", world: () => world({ signedIn: true, arrives: "Chrome on \u202eAndroid\u200b", link: link({ state: "idle" }) }) },
  unseenjobs: { hash: "#/jobs", world: unseen },
  offline: { hash: s1("plan"), world: () => planned(), offline: true },
} satisfies Record<string, Scenario> as Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;
