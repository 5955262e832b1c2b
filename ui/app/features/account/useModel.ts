import type { Model, ModelList } from "#client/api.gen.ts";
import { useEngine, useRead } from "../../engine.tsx";
import { usePref } from "../../prefs.ts";

interface Chosen {
  /** Undefined until they are known. */
  models: ModelList | undefined;
  /** The one that the person chose last, else the first. */
  model: Model | undefined;
  choose(id: string): void;
}

/** The model that is asked. */
export function useModel(): Chosen {
  const { prefs } = useEngine();
  const models = useRead("models.list", {}).value;
  const [chosen, choose] = usePref<string | undefined>(prefs, "model", undefined);
  return { models, model: models?.models.find((m) => m.id === chosen) ?? models?.models[0], choose };
}
