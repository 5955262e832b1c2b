import { useCallback, useState } from "react";
import type { Model, ModelList, WebFinding } from "#client/api.gen.ts";
import type { ApiError } from "#client/rpc.ts";
import { useEngine, useTask } from "../../engine.tsx";
import { useModel } from "../account/useModel.ts";

export interface Attaching {
  attached(finding: WebFinding): boolean;
  set(finding: WebFinding, attached: boolean): void;
  error: ApiError | undefined;
}

/** Ticks that show at once and are stored behind. */
export function useAttach(session: string): Attaching {
  const { connection } = useEngine();
  const task = useTask();
  const [wanted, setWanted] = useState<Record<string, boolean>>({});
  const set = useCallback(
    (finding: WebFinding, attached: boolean) => {
      setWanted((old) => ({ ...old, [finding.id]: attached }));
      task.run(async () => {
        try {
          await connection.call("research.attach", { finding: finding.id, attached });
          await connection.store.refresh("research.list", { session });
        } finally {
          setWanted((old) => Object.fromEntries(Object.entries(old).filter(([id]) => id !== finding.id)));
        }
      });
    },
    [connection, session, task.run],
  );
  return { set, error: task.error, attached: (finding) => wanted[finding.id] ?? finding.attached };
}

interface Able {
  /** Those that can search the web; undefined until they are known. */
  models: ModelList | undefined;
  /** The one that is asked: the chosen one if it can, else the first that can. */
  model: Model | undefined;
  choose(id: string): void;
}

/** The models that can search the web. A choice here is not the choice for plans. */
export function useAble(): Able {
  const { models, model: usual } = useModel();
  const [chosen, choose] = useState<string>();
  const able = models?.models.filter((m) => m.web_search) ?? [];
  const model = able.find((m) => m.id === chosen) ?? able.find((m) => m.id === usual?.id) ?? able[0];
  return { models: models && { models: able, problems: [] }, model, choose };
}
