import { useSyncExternalStore } from "react";
import type { Connection } from "#client/connection.ts";
import { drawn } from "#client/drawn.ts";
import { InputQueue } from "#client/terminal/input.ts";
import { useEngine } from "../../engine.tsx";

interface Viewer {
  name: string;
  queues: Map<string, InputQueue>;
}
/** A page is one viewer for as long as it lives, so its numbers go on when a terminal is shown again. */
const viewers = new WeakMap<Connection, Viewer>();

export function queueOf(connection: Connection, terminal: string): InputQueue {
  let viewer = viewers.get(connection);
  if (!viewer) {
    viewer = { name: drawn(12), queues: new Map() };
    viewers.set(connection, viewer);
  }
  let queue = viewer.queues.get(terminal);
  if (!queue) {
    queue = new InputQueue(connection, terminal, viewer.name);
    viewer.queues.set(terminal, queue);
  }
  return queue;
}

/** The queue, and how much of what was typed has not been taken yet. */
export function useTyping(terminal: string): { queue: InputQueue; waiting: number; dropped: InputQueue["error"] } {
  const queue = queueOf(useEngine().connection, terminal);
  const waiting = useSyncExternalStore(queue.watch, () => queue.waiting);
  const dropped = useSyncExternalStore(queue.watch, () => queue.error);
  return { queue, waiting, dropped };
}

/** Text that goes as a paste, not as keys: more than a line, or with anything that could be a command. */
export const needsPaste = (text: string): boolean => /[\p{Cc}\u2028\u2029]/u.test(text.replace(/\t/g, ""));

/** Line ends as the contract wants them. */
export const unified = (text: string): string => text.replace(/\r\n?/g, "\n");

/** A letter with Ctrl held: what `Ctrl` and the letter send. */
export function controlOf(key: string): string | undefined {
  const code = key.toUpperCase().charCodeAt(0);
  if (key.length !== 1) return undefined;
  if (key === " ") return "\0";
  return code >= 64 && code <= 95 ? String.fromCharCode(code - 64) : undefined;
}

const ARROWS = { up: "A", down: "B", right: "C", left: "D" } as const;

/** An arrow key, in the form that the program asked for. */
export const arrow = (to: keyof typeof ARROWS, application: boolean): string => `\u001b${application ? "O" : "["}${ARROWS[to]}`;
