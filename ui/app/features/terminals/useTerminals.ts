import { useEffect, useSyncExternalStore } from "react";
import type { Terminal } from "#client/api.gen.ts";
import { toasts } from "#kit/overlays.tsx";
import { asApiError, useEngine, useRead } from "../../engine.tsx";
import { sentence, w } from "../../words.ts";

/** Output is no change that is told, so the times of it are asked for while somebody looks. */
const ASK_MS = 10_000;
const UNDO_MS = 8_000;

const leaving = new Map<string, ReturnType<typeof setTimeout>>();

/** Running ones first, then by the time of their last output. */
export function inOrder(terminals: Terminal[]): Terminal[] {
  const running = (t: Terminal) => (t.state === "running" ? 0 : 1);
  return terminals.toSorted((a, b) => running(a) - running(b) || b.created_at - a.created_at);
}

export function useTerminals(session?: string) {
  const { connection } = useEngine();
  const { value, error } = useRead("terminals.list", {});
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void connection.store.refresh("terminals.list", {});
    }, ASK_MS);
    return () => clearInterval(timer);
  }, [connection]);
  const all = value?.terminals.filter((t) => !leaving.has(t.id) && (session === undefined || t.session === session));
  return { terminals: all && inOrder(all), error, again: () => void connection.store.refresh("terminals.list", {}) };
}

/** Ends the program of a terminal. */
export function useClose(): (terminal: Terminal) => void {
  const { connection } = useEngine();
  return (terminal) =>
    void connection.call("terminals.close", { terminal: terminal.id }).then(
      () => connection.store.refresh("terminals.list", {}),
      (error: unknown) => toasts.add({ title: sentence(asApiError(error)) }),
    );
}

/** Forgets an ended terminal, after the time in which that can be undone. A closed page forgets nothing. */
export function useForget(): (terminal: Terminal) => void {
  const { connection } = useEngine();
  return (terminal) => {
    const reread = () => void connection.store.refresh("terminals.list", {});
    const timer = setTimeout(() => {
      connection
        .call("terminals.forget", { terminal: terminal.id })
        .catch((error: unknown) => toasts.add({ title: sentence(asApiError(error)) }))
        .finally(() => {
          leaving.delete(terminal.id);
          reread();
        });
    }, UNDO_MS);
    leaving.set(terminal.id, timer);
    reread();
    const undo = () => {
      clearTimeout(timer);
      leaving.delete(terminal.id);
      reread();
    };
    toasts.add({ title: w.terminals.forgotten(terminal.title), timeout: UNDO_MS - 500, actionProps: { children: w.undo, onClick: undo } });
  };
}

/** The time, every few seconds. */
let now = Date.now();
export function useNow(every = 5_000): number {
  return useSyncExternalStore(
    (notify) => {
      now = Date.now();
      const timer = setInterval(() => {
        now = Date.now();
        notify();
      }, every);
      return () => clearInterval(timer);
    },
    () => now,
    () => now,
  );
}

const QUIET_MS = 30_000;
const LONG_MS = 120_000;

/** How long a program that was started has said nothing: it may wait for an answer. Shells wait always. */
export function quietFor(terminal: Terminal, at: number): { tone: "waiting" | "needs"; text: string } | undefined {
  const quiet = at - terminal.last_output_at;
  if (terminal.state !== "running" || terminal.command.length === 0 || quiet < QUIET_MS) return undefined;
  const seconds = Math.floor(quiet / 1000);
  const text = seconds >= 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return { tone: quiet >= LONG_MS ? "needs" : "waiting", text: w.terminals.quiet(text) };
}
