import { count } from "#kit/format.ts";

/** Words of the settings. */
export const settings = {
  title: "Settings", lead: "What the engine keeps to, whatever window, page or command asks.", nav: "Sections of the settings", goTo: (section: string) => `Settings: ${section}`,
  here: "This can be changed only where the engine runs.",

  permissions: {
    title: "Standing permissions", lead: "What may be sent without asking each time. A secret in a request ends them.",
    none: "Nothing may be sent without asking.", noneHint: "A permission is given together with an approval, within a cap and a time.",
    holding: "In force", over: (n: number) => `${count(n, "permission")} ended`, ended: "Ended",
    whole: "the whole project", files: (folder: string) => `files of ${folder}`, web: "may search the web", noWeb: "no web search",
    spent: (spent: string, cap: string) => `${spent} of ${cap} spent`, held: (held: string) => `${held} set aside`,
    left: (time: string) => `${time} left`, lastMinute: "less than a minute left", given: "given", by: "by",
    end: "End", endOf: (session: string) => `End the permission of ${session}`,
    endedNow: "Ended. The next request of that session asks again; what was sent stays sent.",
    timeUp: "Its time is over.", link: "Standing permissions", count: (n: number) => count(n, "standing permission"),
    meter: "Spent of the cap",
  },

  budgets: {
    title: "Budgets", lead: "They stop before: a request that could cost more than is left is not sent. What is under way counts with the most it may cost.",
    day: "In any 24 hours", session: "In one session", none: "No limit",
    hint: "In US dollars. Empty for no limit.", noLimit: "No limit is set.", nothing: "Nothing is sent that could cost anything.",
    wrong: "Write dollars, such as 5 or 0.50, or nothing.",
    spentDay: (cost: string) => `${cost} spent in the last 24 hours`, spentSession: (cost: string) => `${cost} spent in the dearest session`,
    nothingYet: "Nothing", left: (left: string) => `${left} left`, used: "used up", meter: "Spent of the budget",
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
};
