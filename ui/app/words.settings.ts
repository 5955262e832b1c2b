import { count } from "#kit/format.ts";

/** Words of the settings. */
export const settings = {
  title: "Settings", lead: "What the engine keeps to, whatever window, page or command asks.", nav: "Sections of the settings", goTo: (section: string) => `Settings: ${section}`,
  here: "This can be changed only where the engine runs.",

  permissions: {
    title: "Standing permissions", lead: "What may be sent without asking each time. A secret in a request ends them.",
    none: "Nothing may be sent without asking.", noneHint: "A permission is given with an approval (Allow more), within an amount and a time.",
    holding: "In force", over: (n: number) => `${count(n, "permission")} ended`, ended: "Ended",
    whole: "the whole project", files: (folder: string) => `files of ${folder}`, web: "may search the web", noWeb: "no web search",
    spent: (spent: string, cap: string) => `${spent} of ${cap} spent`, held: (held: string) => `${held} set aside`,
    left: (time: string) => `${time} left`, lastMinute: "less than a minute left", given: "given", by: "by",
    end: "End", endOf: (session: string) => `End the permission of ${session}`,
    endedNow: "Ended. The next request of that session asks again; what was sent stays sent.",
    timeUp: "Its time is over.", usedUp: "The amount is used up.", count: (n: number) => count(n, "standing permission"),
    meter: "Spent of the cap",
  },

  budgets: {
    title: "Budgets", lead: "They stop before: a request that could cost more than is left is not sent. What is under way counts with the most it may cost.",
    day: "In any 24 hours", session: "In one session", none: "No limit",
    hint: "In US dollars. Empty for no limit.", noLimit: "No limit is set.", nothing: "Nothing is sent that could cost anything.",
    wrong: "Write dollars, such as 5 or 0.50, or nothing.",
    spentDay: (cost?: string) => (cost === undefined ? "Nothing spent in the last 24 hours" : `${cost} spent in the last 24 hours`),
    spentSession: (cost?: string) => (cost === undefined ? "Nothing spent in a session yet" : `${cost} spent in the dearest session`),
    left: (left: string) => `${left} left`, used: "used up", meter: "Spent of the budget",
    unpriced: "While a budget is set, models whose price is not known are not asked.",
    save: "Save budgets", discard: "Discard", unchanged: "Nothing was changed.", stored: "Stored. The budgets hold from the next request on.",
  },

  usage: {
    title: "Cost", lead: "What was sent to models, with what it cost. Days are those of UTC.",
    by: "Add up by", since: "Since when", groups: { model: "Model", day: "Day", session: "Session" }, ranges: { today: "Today", week: "7 days", month: "30 days", all: "All" },
    none: "Nothing was sent to a model in this time.",
    requests: "Requests", input: "Tokens in", cached: "From cache", output: "Tokens out", cost: "Cost", total: "Together",
    unknown: "unknown", atLeast: (n: number) => `and ${n} unknown`, nothing: "–", notNoted: "not noted", gone: "a session that was deleted",
  },

  prompts: { title: "Prompts", lead: "What models are told to do. A project can have its own; one's own text counts before a trusted file, and that before the default." },
  templates: { title: "Templates", lead: "The texts in which a plan is handed to an agent." },

  texts: {
    project: (section: string) => `Project of the ${section.toLowerCase()}`, noProject: "Prompts and templates belong to a project. Grant a folder first:",
    marks: { built_in: "built in", own: "own", file: "file", untrusted: "file not trusted", outdated: "default has changed" },
    origin: {
      builtIn: "Built in.", builtInVersion: (v: number) => `The default, version ${v}.`,
      own: "Your own text for this project.", ownFrom: (v: number) => `Your own text, made from version ${v} of the default.`,
      file: (path: string) => `The file ${path}, trusted as it is.`,
    },
    outdated: (from: number, now: number) => `The default has changed since: yours was made from version ${from}, it is at ${now} by now.`,
    which: "Which text", sides: { used: "In use", file: "File not trusted" },
    view: "How it is shown", views: { text: "Text", diff: "Against the default" }, viewsUsed: { text: "Text", diff: "Against the one in use" },
    text: "Text", diff: "Differences", same: "It is the default.", sameUsed: "It is the same as the one in use.",
    own: "Own text", edit: "Edit", write: "Write your own", save: "Save", discard: "Discard", unchanged: "Nothing was changed.",
    reset: "Take back", distrust: "Trust it no more", takenBack: "Your own text was taken back.", trustedNoMore: "The file is not used any more.",
    stored: "Stored. It is used from the next request on.",
    names: {
      prompts: "BOUNDARY stands for the end of every tag and is drawn anew for each request.",
      templates: "{{IMPLEMENTATION_PLAN}}, {{TASK_DESCRIPTION}} and {{STEP_CONTENT}} are replaced; nothing else is.",
    },
    elsewhere: "The text in use was changed elsewhere since you began. What you store takes its place.",
    theirs: "What changed elsewhere",
    gone: "The text of this name was taken back elsewhere, so that nothing is used under it now. What you wrote is kept here; storing it puts it there again.",
    problem: {
      empty: "There is no text yet.", long: "It is too long: at most 64 KiB.",
      boundary: "It does not say BOUNDARY: without it a model cannot tell where a file ends.",
      name: "Letters, digits, dashes and underscores, at most 64.", taken: "There is one of this name already.",
    },
    untrusted: (path: string) => `${path} is a file of the project that nobody trusts. It is shown here and used nowhere until you trust it exactly as it stands.`,
    hash: "SHA-256", trust: "Trust this text", trusted: "Trusted as it is now. When the file changes, it counts no more until you look at it again.",
    trustedOwn: "Trusted as it is now. Your own text still counts before it.",
    refused: "The file is not what was shown any more. Nothing is trusted.", fileChanged: "The file was changed while you looked. What is shown is how it was.",
    showNew: "Show it as it is now", lookFirst: "Look at the file as it is now first.", compareFirst: "The comparison is still being read.",
    fresh: "New template", name: "Name",
  },
};
