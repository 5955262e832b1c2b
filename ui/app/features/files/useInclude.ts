import { useCallback, useState } from "react";
import type { RankedFile } from "#client/api.gen.ts";
import { useEngine, useTask } from "../../engine.tsx";
import type { SessionView } from "../sessions/view.ts";

/** Ticks that show at once and are stored behind. */
export function useInclude(view: SessionView) {
  const { connection } = useEngine();
  const task = useTask();
  const [wanted, setWanted] = useState<Record<string, boolean>>({});
  const set = useCallback(
    (paths: string[], included: boolean) => {
      setWanted((old) => ({ ...old, ...Object.fromEntries(paths.map((p) => [p, included])) }));
      task.run(async () => {
        try {
          const ranking = await connection.call("discovery.include", { session: view.id, paths, included });
          connection.store.put("discovery.files", { session: view.id }, ranking);
        } finally {
          setWanted((old) => Object.fromEntries(Object.entries(old).filter(([p]) => !paths.includes(p))));
        }
      });
    },
    [connection, task.run, view.id],
  );
  return { set, error: task.error, ticked: (file: RankedFile): boolean => wanted[file.path] ?? file.included };
}

export type Include = ReturnType<typeof useInclude>;
