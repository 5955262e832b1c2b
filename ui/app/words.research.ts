import { count } from "#kit/format.ts";
import type { Phase } from "./features/research/research.ts";

/** Words for what is looked up on the web. */
export const research = {
  title: "Web findings", one: "Web finding", none: "Nothing was looked up yet",
  attached: (n: number, of: number) => `${n} of ${of} attached`,
  waits: (n: number) => (n === 1 ? "1 waits for you" : `${n} wait for you`),
  underWay: (n: number) => `${n} under way`,
  show: "Show web findings", hide: "Hide web findings",
  attach: (question: string) => `Attach to the next plan: ${question}`,
  attachIt: "Attach to the next plan", notAnswered: "There is no answer that could be attached.",
  look: "Look at it",

  phase: {
    preparing: "preparing", waiting: "waits for you", running: "looking", network: "waits for the network", paused: "paused",
    answered: "answered", cut: "cut off", failed: "no answer", canceled: "canceled",
  } satisfies Record<Phase, string>,
  doubtful: "doubtful",
  phaseText: {
    preparing: "What would be sent is put together.",
    waiting: "The question waits for your approval. Nothing was sent yet.",
    running: "The model is looking for an answer.",
    network: "The server cannot be reached. The question is asked when it is.",
    paused: "Its job is paused.",
  },
  cutText: "The answer ended too early. What arrived is below.",
  sources: "Sources", source: (n: number) => count(n, "source"), noSources: "no source",
  dated: (date: string) => `dated by the provider: ${date}`,
  outside: "opens in a browser", notSafe: "not opened from here",
  searchedFor: "Searched for", by: "Answered by", on: "Sources read", cost: "Cost", why: "Why it was asked",
  again: "Ask again", copy: "Copy the answer",

  ask: "Ask the web", askShort: "Ask", askRest: " the web", lead: "Each question is asked by itself, with nothing of the project, once you have approved it.",
  questions: "Questions, one on each line", placeholder: "What does tokio 1.50 change for timeouts?",
  counted: (n: number, most: number) => `${n} of ${most} questions`,
  searches: "Searches for each", hosts: "Only these hosts", hostsHint: "Such as docs.rs, at most five. Leave it empty for all.",
  model: "Model",
  start: (n: number) => (n > 1 ? `Ask ${n} questions` : "Ask"),
  propose: "Let the model propose questions",
  proposeHint: "For that it reads the task and names of files, after another approval. Then each question waits for yours.",
  noTask: "Write the task first.",
  noneAble: "None of your models can search the web. Those of Anthropic, OpenAI, Google, xAI and OpenRouter can.",
  problem: {
    none: "Write a question first.",
    many: (n: number, most: number) => `These are ${n} questions; at most ${most} can be asked together.`,
    long: (n: number, most: number) => `Question ${n} is too long: at most ${most} bytes.`,
    searches: (most: number) => `A question gets 1 to ${most} searches.`,
    hosts: (most: number) => `At most ${most} hosts can be named.`,
    host: (host: string) => `“${host}” is not the name of a host, such as docs.rs.`,
  },

  proposal: {
    waiting: "A request to propose questions waits for your approval.",
    working: "The model is proposing questions.",
    nothing: "The model sees nothing that would have to be looked up.",
    dismiss: "Dismiss",
  },
  /** In a manifest. */
  web: (searches: number, kept: boolean, hosts: string[]) =>
    `The provider may search ${hosts.length > 0 ? hosts.join(", ") : "the web"} ${searches === 1 ? "once" : `up to ${searches} times`}` +
    `${kept ? "" : "; it is asked to keep to that and may not"}. The words it looks for are chosen by the model from what is sent here, and go to search engines.`,
  partFinding: (n: string) => `Web finding ${n}`,
};
