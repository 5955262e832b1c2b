/** Every text of the interface. One word for one thing; sentence case; no blame. */

import type { FindPhase, JobState, OperationKind, PlanState, Severity } from "#client/api.gen.ts";
import type { ApiError } from "#client/rpc.ts";
import { compact, count } from "#kit/format.ts";
import type { Station } from "./route.ts";
import { devices, phone } from "./words.devices.ts";
import { help } from "./words.help.ts";
import { remember } from "./words.remember.ts";
import { research } from "./words.research.ts";
import { settings } from "./words.settings.ts";
import { review } from "./words.review.ts";
import { terminals } from "./words.terminals.ts";

export const w = {
  product: "PlanToCode",
  close: "Close",
  cancel: "Cancel",
  undo: "Undo",
  stop: "Stop",
  goThere: "Go there",
  loading: "Loading",
  defect: "This page met a defect. What you typed is kept. Try again; if it stays, copy the details and report them.",
  error: { details: "Details", copy: "Copy", copied: "Copied", again: "Try again" },

  door: {
    title: "This page needs an invitation",
    text: "PlanToCode runs on this machine and lets in only pages that it opened itself. In a terminal, run",
    command: "plantocode serve --open",
    connecting: "Connecting to the engine",
    late: "The engine does not answer yet. Dialing again until it does.",
    tooOld: "This page and the engine speak different versions. Reload the page; if that does not help, update PlanToCode.",
    reload: "Reload",
    noEngine: "The engine could not be opened",
    reopen: "Nothing was changed. Mend what is named here, then close this window and open PlanToCode again.",
  },

  terminals,
  devices,
  phone,
  remember,
  research,
  settings,
  review,

  link: {
    linked: "Linked",
    lost: "Offline",
    lostText: "The connection to the engine is gone. What you type is kept on this page and stored when it is back.",
    refusedText: "The engine was started again and no longer knows this page. Your text is kept here: copy what is not stored, then run plantocode serve --open.",
    now: "Dial now",
    engine: (build: string) => `Linked to the engine, version ${build}`,
  },

  nav: {
    home: "Projects", sessions: "Sessions", approvals: "Approvals", jobs: "Jobs", terminals: "Terminals", more: "More",
    account: "Account and models", palette: "All actions", keys: "Keys that work here", main: "Main", lists: "Open lists", theme: "Theme",
    devices: "Devices", settings: "Settings",
    today: "today", todayLabel: "Cost today", openRail: "Show sessions", closeRail: "Hide sessions",
    project: "Project", session: "Session",
  },
  theme: { system: "As the system", light: "Light", dark: "Dark" },

  projects: {
    title: "Projects",
    lead: "Folders that PlanToCode may read. Nothing outside them is ever opened.",
    empty: "Grant a folder to begin. PlanToCode reads only what is in it, and sends nothing without your approval.",
    path: "Folder", pathHint: "An absolute path on this machine.", placeholder: "/home/you/project",
    grant: "Grant folder", withdraw: "Withdraw", withdrawn: (name: string) => `${name} can no longer be read.`,
    wasGranted: (name: string) => `${name} can be read now.`, missing: "Folder is missing", granted: "granted", open: "Open",
  },

  sessions: {
    title: "Sessions", fresh: "New session", untitled: "No task yet",
    empty: "No sessions yet. A session takes one task from words to a checked plan.",
    made: "A session was begun.", remove: "Delete session", removed: (title: string) => `Deleted “${title}”.`,
    gone: "This session does not exist any more.", all: "All projects",
  },

  stations: {
    label: "Stations of this session",
    task: "Task", files: "Files", approve: "Approve", plan: "Plan", run: "Run", compare: "Compare",
    steps: (n: number, findings: number) =>
      findings > 0 ? `${count(n, "step")}, ${count(findings, "finding")}` : count(n, "step"),
    writing: (n: number) => `writing, ${count(n, "step")}`,
    cut: "cut off", unreadable: "unreadable", waiting: "waiting", sent: "sent", older: "older text",
    soon: { compare: "Compare shows what an agent changed beside what the plan said. It is not built yet." },
  },

  task: {
    title: "Task", label: "Task in your words",
    placeholder: "Describe the change. For example: retry failed requests with a growing delay, at most 3 times.",
    find: "Find files", findReason: "Write the task first.",
    saved: "Stored", dirty: "Storing", offline: "Kept on this page, not stored yet", failed: "Not stored yet, trying again",
    merged: "Stored, with what was written elsewhere meanwhile",
    undo: "Take the last step of the task back", redo: "Do the step of the task again",
    help,
  },

  files: {
    title: "Files", sources: "Source files", tests: "Tests",
    empty: "Find the files that this task concerns. The search runs on this machine and needs no model.",
    emptyTask: "Write a task, then the files that it concerns can be found.",
    none: "No file matches the words of this task. Name a type, a function or a path in the task, or add a path by hand.",
    total: (n: number, all: number) => `${n} of ${all}`,
    readLine: (scanned: number, skipped: number, took: string) =>
      `${count(scanned, "file")} read${skipped ? `, ${compact(skipped)} passed over` : ""} in ${took}`,
    stale: "This ranking is for an older text of the task.",
    again: "Find again", add: "Add a path", addHint: "Relative to the project's folder.", addButton: "Add",
    line: (n: number) => `line ${n}`,
    tick: (path: string) => `Include ${path}`,
    tickAll: "Include all", manual: "Added by hand",
    make: "Make a plan", makeReason: "Tick at least one file, or write a task first.", noModel: "No model can be asked yet.",
    finding: (phase: FindPhase) => ({ walking: "Listing files", reading: "Reading files", ranking: "Ordering files" })[phase],
    progress: (done: number, total?: number) =>
      total === undefined ? done.toLocaleString("en-US") : `${done.toLocaleString("en-US")} of ${total.toLocaleString("en-US")}`,
    long: "Large folders take a few seconds. You can go on typing.",
  },

  models: {
    title: "Models", label: "Model", at: "at", free: "no price known",
    price: (input: string, output: string) => `${input} in, ${output} out per million tokens`,
    problems: "Why other models are missing",
    empty: "No model can be asked yet. There are three ways to get one:",
    ways: {
      server: "Sign in to a PlanToCode server. It holds the keys of your team.",
      key: "Use your own key: set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or XAI_API_KEY where the engine starts.",
      local: "Name a URL, for example Ollama on this machine.",
    },
    signIn: "Sign in", addUrl: "Add a URL", add: "Add provider",
    name: "Name", dialect: "Speaks", url: "Base URL", urlHint: "Up to and including /v1.",
    keyEnv: "Environment variable with the key", keyEnvHint: "Leave empty if it needs none. The key itself is never stored.",
    models: "Models", modelsHint: "Names, separated by commas.",
    dialects: { compatible: "OpenAI-compatible (Ollama, llama.cpp, vLLM)", openai: "OpenAI", openai_responses: "OpenAI (responses)", anthropic: "Anthropic", gemini: "Google Gemini",
      xai: "xAI", openrouter: "OpenRouter" },
  },

  approve: {
    title: "Approve",
    send: "Send", dont: "Don't send", about: "about", sendWord: "Send", to: "to", through: "through", for: "for",
    directly: "directly", then: ", then ", costUnknown: "an unknown cost", atMost: (m: string) => `≤ ${m}`,
    forWord: "For", thenSend: ", send", forPurpose: (purpose: string) => `For ${purpose}`,
    filesTokens: (files: number, tokens: string) => `${files > 0 ? count(files, "file") : "no files"}, ${tokens} tokens`,
    preparing: "Reading the files and counting what would be sent",
    empty: "Nothing waits for your approval. Make a plan, and what would be sent is shown here first.",
    files: "Files", leftOut: (n: number) => `${count(n, "file")} found and not sent`, also: "What else goes", secrets: "Secrets found", where: "Destinations, in order",
    parts: { instructions: "Instructions for the model", task: "Your task", tree: "Names of files and folders", text: "Your task", passage: "The passage", wish: "Your wish", question: "The question", plan: "The plan", step: "The step", begun: "What has arrived of the plan", broken: "The step that was cut off", disagreements: "Where the plans differ" } as Record<string, string>,
    partPlan: (n: string) => `Plan ${n}`, changed: "changed on disk since", readAgain: "Read the files again",
    overflow: (over: string, limit: string, exact: boolean) =>
      `This is ${exact ? "" : "about "}${over} too many for the model${limit}${exact ? "" : "; for this model the count is an estimate"}. Untick files or choose another model; it cannot be sent as it is.`,
    limit: (n: string) => `, which takes ${n} together with its answer`,
    leaveOut: "Leave the file out", redact: "Redact all", redacted: "Secrets are replaced by placeholders in what is sent.",
    unredact: "Send them as they are", allowed: "let pass: a comment allows it, or it only has the form of a secret",
    secretsBlock: "Nothing can be sent while these are in it.",
    secretLine: (source: string, line: number) => `${source}, line ${line}`,
    stale: "What would be sent has changed since you looked. Nothing was sent. Look at it again, then decide.",
    asks: "A request waits for your approval.", preparingIt: "Your request is being put together.", goesOn: "Your request has gone on.", look: "Look again", fingerprint: "Fingerprint", body: (b: string) => `body ${b}`,
    answer: (n: string) => `answer up to ${n} tokens`,
    sentAt: "Sent as approved.", refusedText: "Not sent. Nothing left this machine.", supersededText: "Another version took the place of this one.",
    goTo: { task: "Go to the task", files: "Go to the files", plan: "Go to the plan" } as Partial<Record<Station, string>>, model: "Model", revising: "Counting again",
    blocked: { secrets: "Leave out or redact the secrets first.", overflow: "It does not fit the model.", busy: "Counting again." },
    more: (n: number) => (n === 1 ? "1 more waits" : `${n} more wait`),
    next: "See what it asks next",
    otherSession: "This request belongs to another session. Nothing was sent. Look at it from the list of what waits for you.",
    asked: "What was asked", listEmpty: "Nothing waits for your approval.",
    estimated: "The number of tokens is an estimate for this model; the ceiling holds in any case.",
  },

  plan: {
    title: "Plan", empty: "No plan yet. It appears here step by step, once you have approved what is sent.",
    writing: "Writing", steps: (n: number) => count(n, "step"), chars: (n: number) => `${compact(n)} characters`,
    waitingFirst: "Waiting for the first words of the answer",
    newSteps: (n: number) => `${n} new ${n === 1 ? "step" : "steps"}`,
    kinds: { create: "create", modify: "modify", delete: "delete", move: "move" } satisfies Record<OperationKind, string>,
    severity: { info: "Note", warning: "Check", error: "Wrong" } satisfies Record<Severity, string>,
    why: "Why", operations: "Changes", commands: "Commands to run yourself", checks: "How to see that it worked",
    depends: (n: number[]) => `after ${n.length === 1 ? "step" : "steps"} ${n.join(", ")}`,
    confidence: (c: string) => `${c} confidence`,
    lines: (from: number, to: number) => (from === to ? `line ${from}` : `lines ${from}–${to}`),
    suggestion: "Perhaps meant:", change: (path: string) => `Change in ${path}`,
    findings: (errors: number, warnings: number) =>
      [errors ? `${errors} wrong` : "", warnings ? `${warnings} to check` : ""].filter(Boolean).join(", "),
    noFindings: "every path checked", notComplete: "still being written",
    cut: "The answer ended before the plan did. What arrived is kept below; the last step may be incomplete.",
    cutNext: "Have a model write the rest, or make the plan again, with fewer files or a model that may answer longer.",
    unreadable: "No plan could be read from the answer. The answer is kept.",
    unreadableNext: "Copy the raw answer to see what came, or make the plan again.",
    states: { streaming: "writing", complete: "complete", cut: "cut off", unreadable: "unreadable" } satisfies Record<PlanState, string>,
    verify: "Check again", verified: "Checked against the repository as it is now.",
    export: "Export", more: "More of the plan", markdown: "Copy as Markdown", xml: "Copy as XML", json: "Copy as JSON", raw: "Copy the raw answer",
    copied: (what: string) => `Copied ${what}.`, stop: "Stop", stopped: "Stopping the request.",
    earlier: "Plans of this session", expand: "Expand all", collapse: "Collapse all",
    costUnknown: "cost unknown",
    cost: (actual: string, estimate?: string) => (estimate ? `${actual} (estimate was ${estimate})` : actual),
    usage: (input: string, output: string) => `${input} in, ${output} out`, cached: (n: string) => `${n} cached`,
    estimated: "The provider gave no figures; these are estimated.", untitled: "Plan", open: "Open", by: "by",
    failed: "The plan could not be made.", again: "Make the plan again",
  },

  jobs: {
    title: "Jobs", empty: "No jobs. A job begins when you make a plan.", cancel: "Cancel job", pause: "Pause job", resume: "Resume job",
    states: {
      queued: "queued", running: "running", waiting_approval: "waits for you", waiting_network: "waits for the network", paused: "paused", completed: "completed", failed: "failed", canceled: "canceled",
    } satisfies Record<JobState, string>,
    workflows: { plan: "Plan", find: "Find files", refine: "Refine the task", improve: "Improve a passage", step: "Change a step", research: "Propose questions", look_up: "Look up" } as Record<string, string>, all: "All jobs", running: (n: number) => `${count(n, "job")} under way`,
    since: "begun",
  },

  usage: { title: "Cost today", empty: "Nothing was spent today.", requests: (n: number) => count(n, "request"),
    unpriced: (n: number) => `${count(n, "request")} of unknown price not counted` },

  account: {
    title: "Account", further: "Devices and settings", none: "Not signed in. Everything works without an account; a server adds the keys of your team.",
    as: (user: string, server: string) => `Signed in as ${user} at ${server}`,
    server: "Server", serverHint: "The address of your team's PlanToCode server.", placeholder: "https://plantocode.example",
    store: "Where to keep the sign-in",
    memory: "Only in memory", memoryHint: "Forgotten when the engine ends.",
    keyring: "In the keyring", keyringHint: "Stays after a restart. The system encrypts it and may ask for its password.",
    file: "In a file", fileHint: "Stays after a restart. Only your user can read it; it is not encrypted.",
    signIn: "Sign in", signOut: "Sign out", asking: "Asking the server",
    withCode: "Use a code instead",
    withCodeHint: "Sign in opens the server's page in a browser on this machine. With a code the browser may be on any machine.",
    allow: "Open the server's page in a browser on this machine and allow it there. The browser comes back by itself.",
    compare: "Open the page and confirm this code there:", openPage: "Open the page", waiting: "Waiting for you to confirm",
    expires: (n: number) => `This waits for ${n} minutes.`, done: (user: string) => `Signed in as ${user}.`,
    kept: { file: "kept in a file", keyring: "kept in the keyring", memory: "kept in memory" },
  },

  palette: { title: "All actions", placeholder: "Search actions, sessions and projects", none: "Nothing matches.", recent: "Recent" },
  keys: { title: "Keys that work here", everywhere: "Everywhere", here: "At this station", next: "Next item", previous: "Previous item", expand: "Expand or tick" },
  panes: { left: "Task and files", right: "Approval and plan", hideLeft: "Hide task and files", showLeft: "Show task and files",
    hideRight: "Hide the plan", showRight: "Show the plan", resizeColumns: "Resize the columns", resizeRows: "Resize task and files",
    resizeTerminals: "Resize the terminals" },
};

/** Sentences for reasons that need other words here than the engine's own. */
const byReason: Record<string, string> = {
  link_closed: "The connection to the engine ended. What was stored is kept; this goes on when it is back.",
};

/** The engine's message is the fallback for every reason that has no sentence here. */
export function sentence(error: ApiError): string {
  return byReason[error.reason] ?? error.message;
}

export function errorDetails(error: ApiError): string {
  const params = Object.entries(error.params).map(([k, v]) => `${k}: ${v}`);
  return [`code: ${error.code}`, `reason: ${error.reason || "none"}`, ...params, error.message].join("\n");
}
