import { useSyncExternalStore } from "react";

const query = typeof window === "undefined" ? undefined : window.matchMedia("(min-width: 900px)");

function watch(notify: () => void): () => void {
  query?.addEventListener("change", notify);
  return () => query?.removeEventListener("change", notify);
}

/** Whether task, files and plan lie side by side; below, each station is a page. */
export const useWide = (): boolean => useSyncExternalStore(watch, () => query?.matches ?? true, () => true);
