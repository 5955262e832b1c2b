import { useEffect } from "react";
import type { Project, PromptList, TemplateList } from "#client/api.gen.ts";
import type { ApiError } from "#client/rpc.ts";
import { useEngine, useMay, useRead } from "../../engine.tsx";
import { usePref } from "../../prefs.ts";
import type { OwnText, TextKind } from "./texts.ts";

interface Chosen {
  projects: Project[] | undefined;
  error: ApiError | undefined;
  project: Project | undefined;
  choose(id: string): void;
}

/** The project whose texts are shown: the one that was chosen last, else the newest whose folder is there. */
export function useProject(): Chosen {
  const { prefs } = useEngine();
  const { value, error } = useRead("projects.list", {});
  const [chosen, choose] = usePref<string | undefined>(prefs, "settings.project", undefined);
  const projects = value?.projects;
  const project = projects?.find((p) => p.id === chosen) ?? projects?.find((p) => p.present) ?? projects?.[0];
  return { projects, error, project, choose };
}

interface Texts {
  list: OwnText[] | undefined;
  error: ApiError | undefined;
  again(): Promise<void>;
}

/** The texts of a project, read anew by whoever looks: nobody tells of a file that changed. */
export function useTexts(kind: TextKind, project: string | undefined): Texts {
  const { store } = useEngine().connection;
  const may = useMay("files");
  const key = project === undefined || !may ? null : { project };
  const prompts = useRead("prompts.list", kind === "prompts" ? key : null);
  const templates = useRead("templates.list", kind === "templates" ? key : null);
  const again = async () => {
    if (project === undefined) return;
    await (kind === "prompts" ? store.refresh("prompts.list", { project }) : store.refresh("templates.list", { project }));
  };
  useEffect(() => {
    if (!may) return;
    const look = () => document.visibilityState === "visible" && void again();
    // Known from before it may be old; not known it is on its way.
    if (project !== undefined && (kind === "prompts" ? store.peek("prompts.list", { project }) : store.peek("templates.list", { project })).value) look();
    // Whoever comes back from an editor sees what it wrote.
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
    // `again` is made of these.
  }, [store, kind, project, may]);
  return {
    list: kind === "prompts" ? prompts.value?.prompts : templates.value?.templates,
    error: kind === "prompts" ? prompts.error : templates.error,
    again,
  };
}

export interface Storing {
  /** Gives the project a text of its own, in the place of the one with the hash `base`; without a text takes it back. Tells what is used then. */
  save(name: string, text: string | undefined, base: string): Promise<OwnText[]>;
  /** Trusts a file whose text has this hash; without one trusts it no more. Tells what is used then. */
  trust(name: string, hash: string | undefined): Promise<OwnText[]>;
}

export function useStoring(kind: TextKind, project: string): Storing {
  const { connection } = useEngine();
  const { store } = connection;
  const prompts = (list: PromptList): OwnText[] => {
    store.put("prompts.list", { project }, list);
    return list.prompts;
  };
  const templates = (list: TemplateList): OwnText[] => {
    store.put("templates.list", { project }, list);
    return list.templates;
  };
  return {
    save: async (name, text, base) => {
      const params = { project, name, base, ...(text === undefined ? {} : { text }) };
      return kind === "prompts" ? prompts(await connection.call("prompts.save", params)) : templates(await connection.call("templates.save", params));
    },
    trust: async (name, hash) => {
      const params = { project, name, ...(hash === undefined ? {} : { hash }) };
      return kind === "prompts" ? prompts(await connection.call("prompts.trust", params)) : templates(await connection.call("templates.trust", params));
    },
  };
}
