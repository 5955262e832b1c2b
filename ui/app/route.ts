import { useSyncExternalStore } from "react";

export const STATIONS = ["task", "files", "approve", "plan", "run", "compare"] as const;
export type Station = (typeof STATIONS)[number];

export type Route =
  | { page: "home" }
  | { page: "project"; project: string }
  | { page: "session"; session: string; station: Station; plan?: string | undefined; job?: string | undefined }
  | { page: "terminals"; terminal?: string | undefined }
  | { page: "devices" }
  | { page: "settings"; section?: string | undefined }
  | { page: "jobs" }
  | { page: "approvals" }
  | { page: "more" };

export function parse(hash: string): Route {
  const [page, id, station, of] = hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  if (page === "project" && id) return { page, project: id };
  if (page === "session" && id) {
    const at = STATIONS.find((s) => s === station) ?? "task";
    // At the plan it names a plan, at the approval the job that asks.
    if (at === "approve") return { page, session: id, station: at, job: of || undefined };
    return { page, session: id, station: at, plan: of || undefined };
  }
  if (page === "terminals") return { page, terminal: id || undefined };
  if (page === "settings") return { page, section: id || undefined };
  if (page === "devices" || page === "jobs" || page === "approvals" || page === "more") return { page };
  return { page: "home" };
}

export function href(route: Route): string {
  switch (route.page) {
    case "home":
      return "#/";
    case "project":
      return `#/project/${encodeURIComponent(route.project)}`;
    case "session": {
      const of = route.station === "approve" ? route.job : route.plan;
      return `#/session/${encodeURIComponent(route.session)}/${route.station}${of ? `/${encodeURIComponent(of)}` : ""}`;
    }
    case "terminals":
      return route.terminal ? `#/terminals/${encodeURIComponent(route.terminal)}` : "#/terminals";
    case "settings":
      return route.section ? `#/settings/${encodeURIComponent(route.section)}` : "#/settings";
    default:
      return `#/${route.page}`;
  }
}

/** Where one is now, as an address. */
export const here = (): string => href(parse(window.location.hash));

const watchers = new Set<() => void>();
let hash = "";
let current: Route = { page: "home" };

function read(): Route {
  if (window.location.hash !== hash) {
    hash = window.location.hash;
    current = parse(hash);
  }
  return current;
}

function tell(): void {
  for (const notify of [...watchers]) notify();
}

export function go(route: Route, replace = false): void {
  const target = href(route);
  if (window.location.hash === target) return;
  if (replace) window.history.replaceState(null, "", target);
  else window.history.pushState(null, "", target);
  tell();
}

function watch(notify: () => void): () => void {
  if (watchers.size === 0) {
    window.addEventListener("hashchange", tell);
    window.addEventListener("popstate", tell);
  }
  watchers.add(notify);
  return () => {
    watchers.delete(notify);
    if (watchers.size > 0) return;
    window.removeEventListener("hashchange", tell);
    window.removeEventListener("popstate", tell);
  };
}

export const useRoute = (): Route => useSyncExternalStore(watch, read);
