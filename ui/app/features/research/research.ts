import type { Job, WebFinding } from "#client/api.gen.ts";
import { isPreparing } from "../jobs/asking.ts";
import { w } from "../../words.ts";

/** The bounds of the contract. */
export const MOST_QUESTIONS = 12;
export const LONGEST_QUESTION = 1000;
export const MOST_SEARCHES = 10;
export const MOST_HOSTS = 5;

/** What a person has written down to ask, as it is kept until it is asked. */
export interface AskDraft {
  questions: string;
  searches: string;
  hosts: string;
}
export const NO_DRAFT: AskDraft = Object.freeze({ questions: "", searches: "3", hosts: "" });

/** The questions of a text, one on each line and each once, as the engine takes them. */
export const questionsOf = (text: string): string[] => [...new Set(text.split("\n").map((line) => line.trim()).filter(Boolean))];

/** The hosts of a text, however they are parted. */
export const hostsOf = (text: string): string[] => [...new Set(text.split(/[\s,;]+/).filter(Boolean))];

const isHost = (text: string): boolean => text.length <= 253 && text.includes(".") && text.split(".").every((label) => /^[a-z0-9-]{1,63}$/i.test(label));

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** What stands in the way of asking, in words; the questions themselves are looked at only where they are asked. */
export function askProblem(draft: AskDraft, withQuestions: boolean): string | undefined {
  const words = w.research.problem;
  if (withQuestions) {
    const questions = questionsOf(draft.questions);
    if (questions.length === 0) return words.none;
    if (questions.length > MOST_QUESTIONS) return words.many(questions.length, MOST_QUESTIONS);
    const long = questions.findIndex((q) => bytesOf(q) > LONGEST_QUESTION);
    if (long >= 0) return words.long(long + 1, LONGEST_QUESTION);
  }
  const searches = Number(draft.searches);
  if (!Number.isInteger(searches) || searches < 1 || searches > MOST_SEARCHES) return words.searches(MOST_SEARCHES);
  const hosts = hostsOf(draft.hosts);
  if (hosts.length > MOST_HOSTS) return words.hosts(MOST_HOSTS);
  const wrong = hosts.find((host) => !isHost(host));
  return wrong === undefined ? undefined : words.host(wrong);
}

/** A draft with one more question; the same one is not asked twice. */
export function withQuestion(draft: AskDraft, question: string): AskDraft {
  const line = question.replace(/\s+/g, " ").trim();
  if (questionsOf(draft.questions).includes(line)) return draft;
  return { ...draft, questions: draft.questions.trim() === "" ? line : `${draft.questions.trimEnd()}\n${line}` };
}

/** A draft without what was asked of it: what was typed since is not asked yet. */
export function withoutQuestions(draft: AskDraft, asked: string[]): AskDraft {
  const rest = draft.questions.split("\n").filter((line) => !asked.includes(line.trim()));
  return { ...draft, questions: rest.some((line) => line.trim() !== "") ? rest.join("\n") : "" };
}

/** How far a question is, as a person sees it. */
export type Phase = "preparing" | "waiting" | "running" | "network" | "paused" | "answered" | "cut" | "failed" | "canceled";

export function phaseOf(finding: WebFinding, jobs: Job[]): Phase {
  if (finding.state !== "asked") return finding.state;
  const job = jobs.find((j) => j.id === finding.job);
  if (!job || isPreparing(job)) return "preparing";
  if (job.state === "waiting_approval") return "waiting";
  if (job.state === "waiting_network") return "network";
  return job.state === "paused" ? "paused" : "running";
}

/** Only what has an answer can be attached. */
export const isAnswer = (finding: WebFinding): boolean => finding.state === "answered" || finding.state === "cut";

export interface Summary {
  attached: number;
  waiting: WebFinding[];
  underWay: number;
}

/** What the closed section says of what is in it. */
export function summary(findings: WebFinding[], jobs: Job[]): Summary {
  const phases = findings.map((f) => phaseOf(f, jobs));
  return {
    attached: findings.filter((f) => f.attached).length,
    waiting: findings.filter((_, i) => phases[i] === "waiting"),
    underWay: phases.filter((p) => p === "preparing" || p === "running" || p === "network").length,
  };
}

/** An address that may be opened: of the web, over a sealed connection, and without a name and password that would look like a host. */
export function openable(url: string): boolean {
  try {
    const { protocol, username, password } = new URL(url);
    return protocol === "https:" && username === "" && password === "";
  } catch {
    return false;
  }
}

/** Whose an address is: what a person looks at first. */
export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

/** What is older than this is no news. */
const OLD_MS = 24 * 60 * 60 * 1000;

/** The newest proposal of questions that there is still something to say of: it is under way, failed, or found nothing to ask. */
export function tellsOfProposal(jobs: Job[], findings: WebFinding[], dismissed: string, now: number): Job | undefined {
  const job = jobs.find((j) => j.workflow === "research");
  if (!job || job.id === dismissed || job.state === "canceled") return undefined;
  if (job.state !== "completed" && job.state !== "failed") return job;
  if (now - job.updated_at > OLD_MS) return undefined;
  return job.state === "failed" || asksNothing(job, findings) || saysMore(job) ? job : undefined;
}

/** Whether nothing was asked since a proposal that has come to its end. */
export const asksNothing = (job: Job, findings: WebFinding[]): boolean => job.state === "completed" && findings.every((f) => f.created_at < job.created_at);

/** Whether the engine says more of a proposal than how many questions it has: that it was cut, or not what was approved. */
const saysMore = (job: Job): boolean => !/^\d+ questions?\.$/.test(job.note);
