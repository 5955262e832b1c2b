import { useCallback } from "react";
import type { StartTerminal, Terminal } from "#client/api.gen.ts";
import { useEngine, useKeptTask } from "../../engine.tsx";
import { fromHere, type Lead } from "../../lead.ts";

/** A size to begin with, from the window; who types in it sets the real one. */
export function firstSize(): { columns: number; rows: number } {
  const columns = Math.floor((window.innerWidth - 40) / 7.9);
  const rows = Math.floor(window.innerHeight / 32);
  return { columns: Math.min(120, Math.max(40, columns)), rows: Math.min(40, Math.max(16, rows)) };
}

/** What follows once a terminal was started; `lead` goes to it from where it was begun. */
export type Started = (terminal: Terminal, lead: Lead) => void;

/** Starts a terminal and calls `then` with it; under the same name one at a time, whatever is closed or opened meanwhile. */
export function useStart(name: string) {
  const { connection, tasks } = useEngine();
  const key = `terminal.start.${name}`;
  const task = useKeptTask(key);
  const start = useCallback(
    (what: Pick<StartTerminal, "project" | "session" | "command" | "title">, then: Started) => {
      const lead = fromHere();
      tasks.run(key, async () => {
        const terminal = await connection.call("terminals.start", { ...what, ...firstSize() });
        await connection.store.refresh("terminals.list", {});
        then(terminal, lead);
      });
    },
    [connection, tasks, key],
  );
  return { start, busy: task.busy, error: task.error };
}

/** A command line as its words; quotes hold words together, nothing else is special. */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  // Whether the next part belongs to the last word, as in `--name="two words"`.
  let open = false;
  for (const match of line.matchAll(/(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|((?:[^\s"'\\]|\\.)+))(\s+|$)?/g)) {
    const [, double, single, plain, gap] = match;
    const part = double?.replace(/\\(["\\])/g, "$1") ?? single ?? plain?.replace(/\\(.)/g, "$1") ?? "";
    if (open) words[words.length - 1] += part;
    else words.push(part);
    open = gap === undefined;
  }
  return words;
}
