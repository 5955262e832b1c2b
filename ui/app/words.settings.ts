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
};
