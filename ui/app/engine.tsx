import { createContext, useCallback, useContext, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { DeviceScope } from "#client/api.gen.ts";
import type { Connection, LinkState } from "#client/connection.ts";
import { ApiError, type Params, type Result, type UnaryMethod } from "#client/rpc.ts";
import type { Reading } from "#client/store.ts";
import type { Drafts } from "./features/task/draft.ts";
import type { Finds } from "./features/files/finds.ts";
import type { Phone } from "./phone.ts";
import type { Prefs } from "./prefs.ts";
import type { TaskState, Tasks } from "./tasks.ts";
import { w } from "./words.ts";

/** One engine and what this page holds about it. */
export interface Engine {
  connection: Connection;
  prefs: Prefs;
  drafts: Drafts;
  finds: Finds;
  tasks: Tasks;
  /** Only on a phone, which reaches the engine through the relay. */
  phone?: Phone | undefined;
}

export const EngineContext = createContext<Engine | undefined>(undefined);

export function useEngine(): Engine {
  const engine = useContext(EngineContext);
  if (!engine) throw new Error("No engine around this component.");
  return engine;
}

export function useLink(connection: Connection): LinkState {
  return useSyncExternalStore(connection.watch, connection.snapshot, connection.snapshot);
}

/** Whether this page may do what needs `scope`. A page on the engine's own machine may do everything. */
export function useMay(scope: DeviceScope | "pair" | "grant" | "account"): boolean {
  const { greeting } = useLink(useEngine().connection);
  return greeting?.scopes.includes(scope) ?? false;
}

/** Why something cannot be done here, in words; undefined where it can. */
export function useWhyNot(scope: DeviceScope): string | undefined {
  return useMay(scope) ? undefined : w.phone.mayNot(w.devices.scopes[scope]);
}

const NOTHING: Reading<never> = Object.freeze({ loading: false, since: 0 });
const ignore = () => () => {};

/** A read that follows the engine's changes; `null` reads nothing. */
export function useRead<M extends UnaryMethod>(method: M, params: Params<M> | null): Reading<Result<M>> {
  const { store } = useEngine().connection;
  const key = params === null ? null : JSON.stringify(params);
  const watch = useCallback(
    (notify: () => void) => (key === null ? ignore() : store.watch(method, JSON.parse(key) as Params<M>, notify)),
    [store, method, key],
  );
  const known = () => (key === null ? (NOTHING as Reading<Result<M>>) : store.peek(method, JSON.parse(key) as Params<M>));
  return useSyncExternalStore(watch, known, known);
}

export const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError ? error : new ApiError("internal", "", error instanceof Error ? error.message : String(error));

/** Runs one thing at a time and keeps its error. */
export function useTask(): { busy: boolean; error: ApiError | undefined; run(work: () => Promise<void>): void; clear(): void } {
  const [state, setState] = useState<{ busy: boolean; error?: ApiError }>({ busy: false });
  const alive = useRef(true);
  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);
  const run = useCallback((work: () => Promise<void>) => {
    setState({ busy: true });
    work().then(
      () => alive.current && setState({ busy: false }),
      (error: unknown) => alive.current && setState({ busy: false, error: asApiError(error) }),
    );
  }, []);
  const clear = useCallback(() => setState({ busy: false }), []);
  return { busy: state.busy, error: state.error, run, clear };
}

/** How something is going that was begun under this name, here or where this was shown before. What it ended with is forgotten once it was seen. */
export function useKeptTask(key: string): TaskState {
  const { tasks } = useEngine();
  useEffect(() => tasks.show(key), [tasks, key]);
  return useSyncExternalStore(tasks.watch, () => tasks.state(key));
}
