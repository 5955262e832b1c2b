import type { Job, Manifest, Model, Operation, Plan, Project, RankedFile, Session, Step } from "#client/api.gen.ts";

/** What the fake engine knows: a small project with a task, files and a plan. Fixed times, fixed ids. */

export const NOW = Date.now();
const MINUTE = 60_000;

export const project: Project = { id: "p1", name: "courier", path: "/home/ada/code/courier", present: true, granted_at: NOW - 90 * MINUTE };
export const projects: Project[] = [
  project,
  { id: "p2", name: "field-notes", path: "/home/ada/code/experiments/2026/autumn/field-notes", present: true, granted_at: NOW - 60 * 24 * MINUTE },
  { id: "p3", name: "old-relay", path: "/mnt/backup/old-relay", present: false, granted_at: NOW - 40 * 60 * 24 * MINUTE },
];

const session = (id: string, title: string, task: string, minutes: number): Session => ({
  id, project: "p1", title, task, task_version: 3, created_at: NOW - minutes * MINUTE - MINUTE, updated_at: NOW - minutes * MINUTE,
});

export const TASK = `Retry failed requests with a growing delay, at most three times.

The client in src/http/client.rs gives up on the first connection error. Add a RetryPolicy (attempts, first delay, jitter), use it in Client::send, and make the policy part of the configuration. Requests with a body that cannot be replayed must not be retried.`;

export const sessions: Session[] = [
  session("s1", "Retry failed requests with a growing delay, at most three times.", TASK, 2),
  session("s2", "Show the queue length on the status page", "Show the queue length on the status page", 95),
  session("s3", "Replace the hand-written date parser", "Replace the hand-written date parser", 60 * 30),
  session("s4", "", "", 60 * 50),
];

const file = (path: string, rank: number, tokens: number, included: boolean, ...reasons: [string, string, number?][]): RankedFile => ({
  path, rank, score: 10 / rank, bytes: tokens * 4, tokens, included,
  reasons: reasons.map(([kind, detail, line]) => ({ kind, detail, ...(line === undefined ? {} : { line }) })),
});

export const sources: RankedFile[] = [
  file("src/http/client.rs", 1, 3120, true, ["path", "named in the task"], ["defines", "defines Client, send", 41]),
  file("src/config.rs", 2, 1840, true, ["defines", "defines Configuration", 12], ["words", "mentions delay and attempts", 88]),
  file("src/http/error.rs", 3, 960, true, ["defines", "defines ConnectionError", 7]),
  file("src/http/request/body.rs", 4, 1410, true, ["defines", "defines Body, is_replayable", 23]),
  file("src/http/mod.rs", 5, 310, true, ["near", "declares http::client", 3]),
  file("crates/transport/src/connection/established/keepalive.rs", 6, 2210, true, ["words", "mentions jitter and delay", 102]),
  file("src/main.rs", 7, 740, false, ["uses", "uses Client", 19]),
  file("docs/configuration.md", 8, 2650, false, ["words", "mentions delay, attempts and configuration", 61]),
  ...Array.from({ length: 52 }, (_, i) => file(`src/handlers/handler_${String(i + 1).padStart(2, "0")}.rs`, 9 + i, 400 + 13 * i, false, ["uses", "uses Client", 8 + i])),
];
export const tests: RankedFile[] = [
  file("tests/http/client_test.rs", 1, 2480, true, ["defines", "tests Client::send", 15]),
  file("tests/config_test.rs", 2, 890, false, ["uses", "uses Configuration", 4]),
];

export const models: Model[] = [
  { id: "anthropic/claude-sonnet-4-5", provider: "anthropic", name: "claude-sonnet-4-5", door: "server", via: "through the team proxy https://plans.example", context_window: 200_000, max_output_tokens: 64_000, input_price: 3_000_000, output_price: 15_000_000, web_search: true },
  { id: "openai/gpt-5.1", provider: "openai", name: "gpt-5.1", door: "direct", via: "directly to https://api.openai.com/v1", context_window: 400_000, max_output_tokens: 128_000, input_price: 1_250_000, output_price: 10_000_000, web_search: true },
  { id: "ollama/qwen3-coder", provider: "ollama", name: "qwen3-coder", door: "direct", via: "directly to http://127.0.0.1:11434/v1", context_window: 0, max_output_tokens: 0, web_search: false },
];

export function manifest(files: string[], model: string, over: Partial<Manifest> = {}): Manifest {
  const known = [...sources, ...tests];
  const chosen = known.filter((f) => files.includes(f.path));
  const total = chosen.reduce((n, f) => n + f.tokens, 0) + 2310;
  const priced = models.find((m) => m.id === model);
  const cost = priced?.input_price === undefined ? undefined : Math.round(total * priced.input_price / 1e6 + 1400 * (priced.output_price ?? 0) / 1e6);
  const hex = (seed: number) => Array.from({ length: 64 }, (_, i) => ((seed * 7 + i * i * 5 + total) % 16).toString(16)).join("");
  return Object.assign({
    id: `a${files.length}-${model.length}-${over.redacted ? "r" : ""}`, job: "j1", session: "s1", state: "waiting" as const, purpose: "a plan of the change",
    files: chosen.map((f) => ({ path: f.path, bytes: f.bytes, tokens: f.tokens, reason: f.reasons[0]?.detail ?? "", changed: f.path === "src/config.rs" })),
    left_out: known.filter((f) => f.included && !files.includes(f.path)).map((f) => f.path),
    parts: [{ name: "instructions", bytes: 5400, tokens: 1350 }, { name: "task", bytes: 470, tokens: 110 }, { name: "tree", bytes: 3400, tokens: 850 }],
    model, door: priced?.door ?? "direct", via: priced?.via ?? "directly",
    destinations: [
      { provider: priced?.provider ?? "", model: priced?.name ?? "" },
      ...(priced?.door === "server" ? [{ provider: "bedrock", model: "claude-sonnet-4-5" }] : []),
    ],
    input_tokens: total, tokens_exact: false, max_output_tokens: 16_000, overflow_tokens: 0,
    ...(cost === undefined ? {} : { cost_estimate: cost }),
    cost_ceiling: cost === undefined ? 0 : cost * 4,
    secrets: [], redacted: false, body_bytes: total * 4 + 900, body_hash: hex(3), fingerprint: hex(11), created_at: NOW,
  }, over);
}

const op = (kind: Operation["kind"], path: string, change: string, rest: Partial<Operation> = {}): Operation => ({ kind, path, change, ...rest });

const bare: Omit<Step, "id" | "decision" | "overridden" | "comments">[] = [
  {
    number: 1, title: "Add RetryPolicy with attempts, first delay and jitter", why: "The delay grows by a factor of two and is spread by jitter, so that many clients do not come back at the same moment.",
    confidence: "high", depends: [], commands: [], checks: ["RetryPolicy::delay(2) lies between the second and third bound."], complete: true, findings: [],
    operations: [op("create", "src/http/retry.rs", "pub struct RetryPolicy {\n    pub attempts: u32,\n    pub first_delay: Duration,\n    pub jitter: f64,\n}\n\nimpl RetryPolicy {\n    pub fn delay(&self, attempt: u32, random: f64) -> Duration {\n        let grown = self.first_delay * 2u32.pow(attempt);\n        grown.mul_f64(1.0 - self.jitter * random)\n    }\n}", { symbol: "RetryPolicy" }), op("modify", "src/http/mod.rs", "pub mod retry;", { lines: [3, 3] })],
  },
  {
    number: 2, title: "Retry in Client::send", why: "Only connection errors and 503 are worth another attempt; a body that cannot be replayed is sent once.", confidence: "medium", depends: [1],
    operations: [op("modify", "src/net/send.rs", "for attempt in 0..self.policy.attempts {\n    match self.try_send(&request).await {\n        Err(e) if e.is_connection() && request.body().is_replayable() => {\n            sleep(self.policy.delay(attempt, self.random())).await;\n        }\n        other => return other,\n    }\n}", { symbol: "Client::send", lines: [40, 71] })],
    commands: ["cargo test -p courier http::client"], checks: ["A connection refused twice succeeds at the third attempt."], complete: true,
    findings: [{ severity: "error", code: "path_missing", message: "There is no file `src/net/send.rs`.", operation: 0, suggestion: "src/http/client.rs", repair: { kind: "use_path", path: "src/http/client.rs" } }],
  },
  {
    number: 3, title: "Read the policy from the configuration", why: "", confidence: "high", depends: [1],
    operations: [op("modify", "src/config.rs", "#[serde(default)]\npub retry: RetryPolicy,", { symbol: "Configuration", lines: [12, 12] }), op("modify", "docs/configuration.md", "## Retries\n\n`retry.attempts`, `retry.first_delay`, `retry.jitter`", { lines: [61, 61] })],
    commands: [], checks: [], complete: true,
    findings: [{ severity: "warning", code: "lines_outside", message: "`docs/configuration.md` has 58 lines; line 61 is not one of them.", operation: 1, repair: { kind: "use_lines", first: 58, last: 58 } }],
  },
  { number: 4, title: "Move the timer helper next to its only user", why: "", confidence: "low", depends: [], operations: [op("move", "src/timer.rs", "", { to: "src/http/timer.rs" })], commands: [], checks: [], complete: true, findings: [] },
  { number: 5, title: "Remove the old single-attempt wrapper", why: "", confidence: "high", depends: [2], operations: [op("delete", "src/http/once.rs", "")], commands: [], checks: [], complete: true, findings: [{ severity: "info", code: "still_used", message: "src/main.rs still mentions it.", operation: 0 }] },
  { number: 6, title: "Test three attempts, the growing delay and a body that cannot be replayed", why: "", confidence: "high", depends: [2], operations: [op("modify", "tests/http/client_test.rs", "#[tokio::test]\nasync fn gives_up_after_three() {}", { lines: [15, 60] })], commands: ["cargo test"], checks: ["Every test passes."], complete: true, findings: [] },
];

export const steps: Step[] = bare.map((step) => ({ ...step, id: `s${step.number}`, decision: "open", overridden: false, comments: [] }));

export const plan = (over: Partial<Plan> = {}): Plan => ({
  id: "plan1", session: "s1", job: "j1", title: "Retry failed requests with a growing delay", state: "complete", version: 1, outside: [], steps, step_count: steps.length, errors: 1, warnings: 1,
  served: { provider: "anthropic", model: "claude-sonnet-4-5" },
  usage: { input_tokens: 15_380, cached_tokens: 4_096, output_tokens: 2_214, cost: 71_300, unpriced: false, estimated: false }, created_at: NOW - 4 * MINUTE, ...over,
});

/** Another plan for the same task: it keeps the wrapper, and covers the configuration too. */
export const otherPlan = (): Plan => {
  const [policy, , configuration, , wrapper] = steps as [Step, Step, Step, Step, Step];
  const keeps = { ...wrapper, title: "Let the single-attempt wrapper call the new code", operations: [op("modify", "src/http/once.rs", "Client::send(request, RetryPolicy::once())")], findings: [] };
  const tested = { ...policy, id: "s4", title: "Test the configuration of retries", why: "", operations: [op("modify", "tests/config_test.rs", "#[test]\nfn attempts_are_read() {}")] };
  const all = [{ ...policy, title: "Add a policy with a fixed delay" }, configuration, keeps, tested].map((s, i) => ({ ...s, id: `s${i + 1}`, number: i + 1, depends: [] }));
  return plan({ id: "plan2", title: "Retry with a fixed delay", steps: all, step_count: 4, errors: 0, created_at: NOW - 3_600_000 });
};

export const job = (over: Partial<Job> = {}): Job => ({
  id: "j1", session: "s1", workflow: "plan", state: "completed", note: "Plan with 6 steps.", priority: 0, created_at: NOW - 6 * MINUTE, updated_at: NOW - 2 * MINUTE, ...over,
});
