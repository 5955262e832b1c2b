import type { Change, Device, Job, LinkStatus, Manifest, Methods, ModelList, Plan, Project, Ranking, Session, Suggestion, WebFinding } from "#client/api.gen.ts";
import type { Dial } from "#client/link.ts";
import { ApiError, type FeedMethod, type StreamMethod, type UnaryMethod } from "#client/rpc.ts";
import * as data from "./data.ts";
import * as help from "./help.ts";
import * as review from "./review.ts";
import { held } from "#app/features/plan/gate.ts";
import { arrived, device, offered } from "./devices.ts";
import * as research from "./research.ts";
import * as settings from "./settings.ts";
import * as texts from "./texts.ts";
import { FakeTerminal, SHELL, terminal } from "./terminals.ts";

/** What a scenario starts from. */
export interface World {
  projects: Project[];
  sessions: Session[];
  ranking: Ranking;
  jobs: Job[];
  manifest?: Manifest | undefined;
  /** Of other jobs than the plan's. */
  others?: Manifest[];
  /** What became of help with the task, by job. */
  suggestions?: Suggestion[];
  /** Help that was approved goes on for ever, so that it can be looked at. */
  helpStops?: boolean;
  /** What was looked up on the web. */
  findings?: WebFinding[];
  /** What the settings show. */
  kept?: settings.Kept;
  /** What a project has in place of built-in prompts and templates. */
  texts?: texts.FakeTexts;
  plans: Plan[];
  models: ModelList;
  signedIn: boolean;
  terminals: FakeTerminal[];
  devices: Device[];
  link: LinkStatus;
  /** A device comes as soon as a pairing is offered, under this name if it has one. */
  arrives?: boolean | string;
  /** What the models that were asked today are called. */
  spentOn?: string;
  /** What the caller may; everything when absent. */
  scopes?: string[];
  /** Steps arrive this often in a plan that streams; never when absent. */
  stepEvery?: number;
  /** Searches stop here, so that they can be looked at. */
  findStops?: boolean;
  fail?: Partial<Record<keyof Methods, ApiError>>;
  /** Nothing is answered by these. */
  hang?: (keyof Methods)[];
  /** These are answered only once `release` is called. */
  hold?: (keyof Methods)[];
}

export function world(over: Partial<World> = {}): World {
  return {
    projects: data.projects, sessions: data.sessions,
    ranking: { current: true, sources: data.sources, tests: data.tests, scanned: 312, skipped: 18, elapsed_ms: 214 },
    jobs: [], plans: [], models: { models: data.models, problems: ["OPENAI_API_KEY is not set where the engine runs."] }, signedIn: false,
    terminals: [], devices: [], link: { state: "signed_out", name: "lab", fingerprint: "c41a 07be 9d33 f608 25e7 81cc 40fa 6e92" }, ...over,
  };
}

export type Unary = { [M in UnaryMethod]: (p: Methods[M]["params"]) => Methods[M]["result"] };
type Emit = { item(value: unknown): void; end(error?: ApiError): void };
const ALL = ["none", "view", "files", "edit", "run", "approve", "grant", "account", "type", "pair"];

/** `u32 call | u8 kind | u64 epoch | u64 offset | bytes`. */
function recordFrame(id: number, kind: number, epoch: string, offset: number, bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(21 + bytes.length);
  const view = new DataView(whole.buffer);
  view.setUint32(0, id);
  view.setUint8(4, kind);
  view.setBigUint64(5, BigInt(epoch));
  view.setBigUint64(13, BigInt(offset));
  whole.set(bytes, 21);
  return whole;
}

type EmitRecord = { record(kind: number, epoch: string, offset: number, bytes: Uint8Array): void; end(error?: ApiError): void };
type Feeds = { [M in FeedMethod]: (p: Methods[M]["params"], on: EmitRecord) => (() => void) | void };
type Streams = { [M in StreamMethod]: (p: Methods[M]["params"], on: Emit) => (() => void) | void };

/** An engine in memory that speaks the real frames over a link of its own. For tests only. */
export class FakeEngine {
  readonly seen: { method: string; params: unknown }[] = [];
  /** The calls that came with a key. */
  readonly keyed: { method: string; key: string }[] = [];
  private readonly followers = new Set<(change: Change) => void>();
  private told = 0;
  private held: (() => void)[] = [];

  constructor(readonly world: World) {}

  tell(change: Omit<Change, "cursor">): void {
    this.told += 1;
    for (const follower of this.followers) follower({ ...change, cursor: String(this.told) });
  }

  /** Answers what was held back, and holds nothing back any more. */
  release(): void {
    this.world.hold = [];
    for (const answer of this.held.splice(0)) answer();
  }

  /** Dials this engine. */
  dial: Dial = (handlers) => {
    const stops = new Map<number, () => void>();
    let open = true;
    const frame = (body: object) => queueMicrotask(() => open && handlers.text(JSON.stringify({ jsonrpc: "2.0", ...body })));
    const wire = (e: ApiError) => ({ code: -32000, message: e.message, data: { code: e.code, reason: e.reason, params: e.params } });
    queueMicrotask(() => handlers.opened());
    return {
      send: (text) => {
        const request = JSON.parse(text) as { id?: number; method: keyof Methods | "$/cancel" | "$/credit"; params: { id: number }; key?: string };
        if (request.method === "$/cancel") return stops.get(request.params.id)?.();
        const { id, method, params } = request;
        if (method === "$/credit" || id === undefined) return;
        this.seen.push({ method, params });
        if (request.key !== undefined) this.keyed.push({ method, key: request.key });
        if (this.world.hang?.includes(method)) return;
        const failure = this.world.fail?.[method];
        const end = (error?: ApiError) => frame({ method: "$/end", params: { id, ...(error ? { error: wire(error) } : {}) } });
        if (method in this.feeds) {
          if (failure) return end(failure);
          const record: EmitRecord["record"] = (...of) => queueMicrotask(() => open && handlers.binary(recordFrame(id, ...of)));
          try {
            const stop = this.feeds[method as FeedMethod](params as never, { record, end });
            if (stop) stops.set(id, stop);
          } catch (error) {
            end(error as ApiError);
          }
          return;
        }
        if (method in this.streams) {
          if (failure) return frame({ method: "$/end", params: { id, error: wire(failure) } });
          let seq = 0;
          const stop = this.streams[method as StreamMethod](params as never, {
            item: (value) => frame({ method: "$/item", params: { id, seq: seq++, value } }),
            end,
          });
          if (stop) stops.set(id, stop);
          return;
        }
        const answer = () => {
          try {
            const failure = this.world.fail?.[method];
            if (failure) throw failure;
            frame({ id, result: this.answer(method as UnaryMethod, params) });
          } catch (error) {
            frame({ id, error: wire(error as ApiError) });
          }
        };
        if (this.world.hold?.includes(method)) this.held.push(answer);
        else answer();
      },
      close: () => {
        if (!open) return;
        open = false;
        handlers.closed();
      },
    };
  };

  private answer(method: UnaryMethod, params: unknown): unknown {
    const answer = this.unary[method] as ((params: never) => unknown) | undefined;
    if (!answer) throw new ApiError("not_found", "no_method", `The screens of the tests do not use ${method}.`);
    return answer(params as never);
  }

  private find<T extends { id: string }>(list: T[], id: string): T {
    const found = list.find((x) => x.id === id);
    if (!found) throw new ApiError("not_found", "not_found", "This does not exist any more.");
    return found;
  }

  private manifest(id: string): Manifest {
    const found = this.world.others?.find((m) => m.id === id) ?? this.world.manifest;
    if (!found) throw new ApiError("not_found", "no_approval", "There is no such approval.");
    return found;
  }

  private setManifest(next: Manifest): Manifest {
    if (this.world.others?.some((m) => m.job === next.job)) this.world.others = this.world.others.map((m) => (m.job === next.job ? next : m));
    else this.world.manifest = next;
    this.world.jobs = this.world.jobs.map((j) => (j.id === next.job ? { ...j, approval: next.id } : j));
    this.tell({ topic: "approval", id: next.id, session: next.session });
    return next;
  }

  private include(paths: string[], included: boolean): Ranking {
    const tick = <T extends { path: string; included: boolean }>(f: T): T => (paths.includes(f.path) ? { ...f, included } : f);
    const { ranking } = this.world;
    this.world.ranking = { ...ranking, sources: ranking.sources.map(tick), tests: ranking.tests.map(tick) };
    return this.world.ranking;
  }

  /** What the screens use; the real engine has more. */
  private readonly unary: Partial<Unary> = {
    "system.hello": () => ({ api: 1, build: "0.1.0", engine: "fake", scopes: this.world.scopes ?? ALL }),
    "projects.list": () => ({ projects: this.world.projects }),
    "projects.grant": ({ path }) => {
      if (!path.startsWith("/")) throw new ApiError("invalid", "not_a_folder", `${path} is not an absolute path.`, { path });
      return data.project;
    },
    "projects.withdraw": ({ project }) => {
      this.world.projects = this.world.projects.filter((p) => p.id !== project);
      return {};
    },
    "sessions.list": ({ project }) => ({ sessions: this.world.sessions.filter((s) => !project || s.project === project) }),
    "sessions.create": () => this.find(this.world.sessions, "s4"),
    "sessions.get": ({ session }) => this.find(this.world.sessions, session),
    "sessions.save_task": ({ session, text, base_version }) => {
      const old = this.find(this.world.sessions, session);
      // As good as putting words together, for looking at it.
      const task = old.task_version === base_version ? text : `${text}\n\n${old.task}`;
      const next = { ...old, task, title: task.split("\n")[0] ?? "", task_version: old.task_version + 1 };
      help.typed(this);
      this.world.sessions = this.world.sessions.map((s) => (s.id === session ? next : s));
      this.tell({ topic: "session", id: session, session });
      return next;
    },
    "sessions.delete": () => ({}),
    "discovery.files": ({ session }) =>
      session === "s1" ? this.world.ranking : { current: false, sources: [], tests: [], scanned: 0, skipped: 0, elapsed_ms: 0 },
    "discovery.include": ({ paths, included }) => this.include(paths, included),
    "models.list": () => this.world.models,
    "models.add_provider": () => this.world.models,
    "models.remove_provider": () => this.world.models,
    "approvals.get": ({ approval }) => this.manifest(approval),
    "approvals.text": ({ source }) => ({ text: `<file path="${source}">\nfn main() {\n    println!("the exact text as it is sent");\n}\n</file>` }),
    "approvals.revise": ({ approval, files, model, redact }) => {
      const old = this.manifest(approval);
      const paths = files ?? old.files.map((f) => f.path);
      const secrets = old.secrets.filter((s) => paths.includes(s.source));
      return this.setManifest(data.manifest(paths, model ?? old.model, { secrets, job: old.job, purpose: old.purpose, parts: old.parts, redacted: redact ?? old.redacted, ...(old.web ? { web: old.web } : {}), created_at: old.created_at + 1, id: `${old.id}+` }));
    },
    "approvals.approve": ({ approval, fingerprint, remember }) => {
      const now = this.manifest(approval);
      if (now.fingerprint !== fingerprint) throw new ApiError("conflict", "approval_mismatch", "The fingerprint is another.");
      if (remember) settings.given(this, now, remember);
      help.approved(this, now.job);
      research.approved(this, now.job);
      review.approved(this, now.job);
      return this.setManifest({ ...now, state: "approved" });
    },
    "approvals.refuse": ({ approval }) => {
      const now = this.manifest(approval);
      this.world.jobs = this.world.jobs.map((j) => (j.id === now.job ? { ...j, state: "canceled", note: "Not sent." } : j));
      return this.setManifest({ ...now, state: "refused" });
    },
    "plans.start": () => {
      this.world.manifest ??= data.manifest([...data.sources, ...data.tests].filter((f) => f.included).map((f) => f.path), "anthropic/claude-sonnet-4-5");
      const started = data.job({ state: "waiting_approval", note: "Waits for your approval.", approval: this.world.manifest.id });
      this.world.jobs = [started, ...this.world.jobs.filter((j) => j.id !== started.id)];
      return started;
    },
    ...help.unary(this),
    ...research.unary(this),
    ...settings.unary(this),
    ...texts.unary(this),
    ...review.unary(this),
    "plans.list": ({ session }) => ({ plans: this.world.plans.filter((p) => p.session === session).map((p) => ({ ...p, steps: [] })) }),
    "plans.get": ({ plan }) => this.find(this.world.plans, plan),
    "plans.verify": ({ plan }) => this.find(this.world.plans, plan),
    "plans.export": ({ format }) => ({ text: `the plan as ${format}` }),
    "jobs.list": () => ({ jobs: this.world.jobs, more: false }),
    "jobs.get": ({ job }) => this.find(this.world.jobs, job),
    "jobs.cancel": ({ job }) => {
      this.world.jobs = this.world.jobs.map((j) => (j.id === job ? { ...j, state: "canceled", note: "Stopped." } : j));
      this.tell({ topic: "job", id: job });
      return this.find(this.world.jobs, job);
    },
    "usage.since": () => ({
      cost: 312_400, unpriced: 0,
      models: [
        { model: this.world.spentOn ?? "anthropic/claude-sonnet-4-5", requests: 4, input_tokens: 61_200, output_tokens: 8_900, cost: 298_000 },
        { model: "openai/gpt-5.1", requests: 1, input_tokens: 3_100, output_tokens: 900, cost: 14_400 },
      ],
    }),
    "usage.verify_record": () => ({ records: 12 }),
    "account.status": () => (this.world.signedIn ? { server: "https://plans.example", user: "ada@plans.example", store: "file" } : {}),
    "account.sign_out": () => ({}),
    "terminals.list": ({ session }) => ({ terminals: this.world.terminals.map((t) => t.info).filter((t) => !session || t.session === session) }),
    "terminals.start": ({ project, session, command, title, columns, rows }) => {
      const id = `t${this.world.terminals.length + 10}`;
      const info = terminal({ id, project, title: title ?? command?.[0] ?? "shell", command: command ?? [], columns, rows, created_at: Date.now(), last_output_at: Date.now(), ...(session ? { session } : {}) });
      const started = new FakeTerminal(info, command?.length ? `${command.join(" ")}\r\n` : (SHELL.split("\r\n").at(-1) ?? ""));
      this.world.terminals = [started, ...this.world.terminals];
      this.tell({ topic: "terminal", id });
      return started.info;
    },
    "terminals.input": (p) => this.terminal(p.terminal).input(p),
    "terminals.paste": (p) => this.terminal(p.terminal).paste(p),
    "terminals.hand_over": ({ terminal: id, plan, version, step, all }) => {
      const to = this.terminal(id);
      const now = this.find(this.world.plans, plan).version;
      if (version !== undefined && version !== now) throw new ApiError("conflict", "plan_changed", `The plan was changed meanwhile: it is at version ${now}. Nothing was handed over; look at it again.`);
      const steps = this.find(this.world.plans, plan).steps.filter((s) => step === undefined || s.number === step);
      if (steps.every((s) => held(s, all) !== undefined)) throw new ApiError("conflict", "not_reviewed", "No step of the plan may be handed over. Accept steps first, or say that those nobody decided about go too. Nothing was handed over.");
      if (to.info.command.length === 0) {
        to.write(".plantocode/handoff/1.md");
        return { kind: "file", path: ".plantocode/handoff/1.md", reason: "no_bracketed_paste", replaced: 0 };
      }
      to.write("[Pasted text]");
      return { kind: "pasted", characters: step === undefined ? 4180 : 1204, replaced: step === undefined ? 2 : 0 };
    },
    "terminals.resize": ({ terminal: id, columns, rows }) => {
      this.terminal(id).resize(columns, rows);
      return {};
    },
    "terminals.close": ({ terminal: id }) => {
      this.terminal(id).end({ signal: "SIGHUP" });
      this.tell({ topic: "terminal", id });
      return {};
    },
    "terminals.forget": ({ terminal: id }) => {
      this.world.terminals = this.world.terminals.filter((t) => t.info.id !== id);
      this.tell({ topic: "terminal", id });
      return {};
    },
    "devices.status": () => this.world.link,
    "devices.list": () => ({ devices: this.world.devices }),
    "devices.confirm": ({ digits, scopes }) => {
      if (digits !== "428113") throw new ApiError("forbidden", "wrong_digits", "Those are not the digits that the device shows. 2 tries are left.", { left: "2" });
      const paired = device({ id: `d${this.world.devices.length + 1}`, scopes: ["view", ...scopes.filter((s) => s !== "view")], paired_at: Date.now() });
      this.world.devices = [paired, ...this.world.devices];
      this.tell({ topic: "device", id: paired.id });
      return paired;
    },
    "devices.change": ({ device: id, scopes }) => {
      this.world.devices = this.world.devices.map((d) => (d.id === id ? { ...d, scopes } : d));
      return this.find(this.world.devices, id);
    },
    "devices.revoke": ({ device: id }) => {
      this.world.devices = this.world.devices.filter((d) => d.id !== id);
      return { devices: this.world.devices };
    },
  };

  private terminal(id: string): FakeTerminal {
    const found = this.world.terminals.find((t) => t.info.id === id);
    if (!found) throw new ApiError("not_found", "no_terminal", "This terminal does not exist, or was forgotten.");
    return found;
  }

  private readonly feeds: Feeds = {
    "terminals.attach": (p, on) => this.terminal(p.terminal).attach(p, on),
    "terminals.history": (p, on) => this.terminal(p.terminal).history(p, on),
  };

  private readonly streams: Streams = {
    "backup.make": () => {
      throw new ApiError("unavailable", "backup_failed", "This engine keeps nothing that could be backed up.");
    },
    "devices.pair": (_params, on) => {
      on.item(offered());
      if (this.world.arrives) on.item(arrived(this.world.arrives));
      return () => {};
    },
    "diagnostics.frames": (_params, on) => on.end(),
    "events.watch": (_params, on) => {
      const follow = (change: Change) => on.item(change);
      this.followers.add(follow);
      follow({ topic: "ready", id: "", cursor: String(this.told) });
      return () => void this.followers.delete(follow);
    },
    "discovery.find": (_params, on) => {
      on.item({ kind: "progress", phase: "reading", done: 184, total: 312 });
      if (this.world.findStops) return;
      on.item({ kind: "found", ranking: this.world.ranking });
      on.end();
    },
    "plans.watch": ({ plan }, on) => {
      const start = this.find(this.world.plans, plan);
      on.item({ kind: "plan", plan: start });
      if (start.state !== "streaming") return on.end();
      on.item({ kind: "progress", characters: 3412 });
      let next = start.steps.length;
      const timer = this.world.stepEvery === undefined ? undefined : setInterval(() => {
        const step = data.steps[next++];
        if (step) on.item({ kind: "step", step });
      }, this.world.stepEvery);
      return () => clearInterval(timer);
    },
    "account.sign_in": ({ way }, on) => {
      if (way === "browser") return on.item({ kind: "browser", url: "https://plans.example/oauth/authorize?state=5c1f", expires_in: 600 });
      on.item({ kind: "code", user_code: "WDJB-MJHT", verification_uri: "https://plans.example/device", verification_uri_complete: "https://plans.example/device?code=WDJB-MJHT", expires_in: 600 });
    },
  };
}
