import { useCallback } from "react";
import type { Session } from "#client/api.gen.ts";
import { toasts } from "#kit/overlays.tsx";
import { asApiError, useEngine, type Engine } from "../../engine.tsx";
import { fromHere } from "../../lead.ts";
import { sentence, w } from "../../words.ts";

/** Begins a session, once while that is under way; `then` hears of it. Tells whether it began. */
export function newSession({ connection, tasks }: Pick<Engine, "connection" | "tasks">, project: string, then: (session: Session) => void): boolean {
  return tasks.run(`session.new.${project}`, async () => {
    const session = await connection.call("sessions.create", { project, task: "" });
    connection.store.put("sessions.get", { session: session.id }, session);
    then(session);
  });
}

/** Begins a session and goes there. What goes wrong is told: no place shows it. */
export function useNewSession(): (project: string) => void {
  const engine = useEngine();
  return useCallback(
    (project) => {
      const lead = fromHere();
      newSession(engine, project, (session) => void lead({ page: "session", session: session.id, station: "task" }, w.sessions.made));
    },
    [engine],
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
