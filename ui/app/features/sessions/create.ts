import { useCallback } from "react";
import type { Session } from "#client/api.gen.ts";
import { toasts } from "#kit/overlays.tsx";
import { asApiError, useEngine } from "../../engine.tsx";
import { fromHere } from "../../lead.ts";
import { sentence, w } from "../../words.ts";

/** Begins a session and goes there. */
export function useNewSession(): (project: string) => void {
  const { connection } = useEngine();
  return useCallback(
    (project) => {
      const lead = fromHere();
      connection.call("sessions.create", { project, task: "" }).then(
        (session) => {
          connection.store.put("sessions.get", { session: session.id }, session);
          lead({ page: "session", session: session.id, station: "task" }, w.sessions.made);
        },
        (error: unknown) => toasts.add({ title: sentence(asApiError(error)) }),
      );
    },
    [connection],
  );
}

const UNDO_MS = 8000;
/** Sessions that are hidden until their removal can no longer be undone. */
const leaving = new Map<string, ReturnType<typeof setTimeout>>();
export const isLeaving = (session: string): boolean => leaving.has(session);

/**
 * Removes a session after the time in which it can be undone: the contract has no way to bring one back, so
 * nothing is removed before. A closed page removes nothing, which is the safe side.
 */
export function useRemoveSession(): (session: Session) => void {
  const { connection } = useEngine();
  return useCallback(
    (session) => {
      const { store } = connection;
      const reread = () => {
        void store.refresh("sessions.list", { project: session.project });
        void store.refresh("sessions.list", {});
      };
      const timer = setTimeout(() => {
        connection
          .call("sessions.delete", { session: session.id })
          .catch((error: unknown) => toasts.add({ title: sentence(asApiError(error)) }))
          .finally(() => {
            leaving.delete(session.id);
            reread();
          });
      }, UNDO_MS);
      leaving.set(session.id, timer);
      reread();
      toasts.add({
        title: w.sessions.removed(session.title || w.sessions.untitled),
        timeout: UNDO_MS - 500,
        actionProps: {
          children: w.undo,
          onClick: () => {
            clearTimeout(timer);
            leaving.delete(session.id);
            reread();
          },
        },
      });
    },
    [connection],
  );
}
