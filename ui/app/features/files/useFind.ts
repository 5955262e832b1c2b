import { useCallback, useSyncExternalStore } from "react";
import { asApiError, useEngine } from "../../engine.tsx";
import { go } from "../../route.ts";
import type { FindState } from "./finds.ts";

/** Searches for the task as it is typed now: the text is stored first. */
export function useFind(session: string): { state: FindState; start(): void; stop(): void } {
  const { drafts, finds } = useEngine();
  const state = useSyncExternalStore(finds.watch, () => finds.state(session));
  const start = useCallback(() => {
    // J and K belong to the files now, not to the text.
    if (document.activeElement instanceof HTMLTextAreaElement) document.activeElement.blur();
    go({ page: "session", session, station: "files" });
    const stored = drafts.get(session)?.flush() ?? Promise.resolve();
    stored.then(
      () => finds.start(session),
      (error: unknown) => finds.fail(session, asApiError(error)),
    );
  }, [drafts, finds, session]);
  const stop = useCallback(() => finds.stop(session), [finds, session]);
  return { state, start, stop };
}
