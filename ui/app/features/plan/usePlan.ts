import { useEffect, useState } from "react";
import type { Plan } from "#client/api.gen.ts";
import type { ApiError } from "#client/rpc.ts";
import { useEngine, useLink, useRead } from "../../engine.tsx";
import { reducePlan, type LivePlan } from "./reduce.ts";

/** Paint at most this often while steps stream in. */
const PAINT_MS = 80;

export interface PlanReading {
  plan: Plan | undefined;
  characters: number;
  error: ApiError | undefined;
}

/** One plan, followed while it is written. */
export function usePlan(id: string | undefined): PlanReading {
  const { connection } = useEngine();
  const linked = useLink(connection).status === "linked";
  const [live, setLive] = useState<LivePlan & { id: string }>();
  const mine = live?.id === id ? live : undefined;
  const read = useRead("plans.get", id === undefined || mine ? null : { plan: id });
  const streaming = read.value?.state === "streaming" || mine !== undefined;
  useEffect(() => {
    if (!streaming || id === undefined || !linked) return;
    let now: LivePlan = { plan: connection.store.peek("plans.get", { plan: id }).value, characters: 0 };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const paint = () => {
      timer = undefined;
      setLive({ ...now, id });
    };
    const stop = connection.subscribe("plans.watch", { plan: id }, {
      item: (event) => {
        now = reducePlan(now, event);
        timer ??= setTimeout(paint, PAINT_MS);
      },
      end: (error) => {
        clearTimeout(timer);
        if (now.plan) connection.store.put("plans.get", { plan: id }, now.plan);
        if (!error) void connection.store.refresh("plans.get", { plan: id });
        setLive(undefined);
      },
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [connection, id, linked, streaming]);
  return { plan: mine?.plan ?? read.value, characters: mine?.characters ?? 0, error: read.error };
}
