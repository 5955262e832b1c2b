import { useEffect, useMemo, useRef, useState } from "react";
import type { Plan } from "#client/api.gen.ts";
import type { ApiError } from "#client/rpc.ts";
import type { Store } from "#client/store.ts";
import { useEngine, useLink, useRead } from "../../engine.tsx";
import { keepSteps, reducePlan, type LivePlan } from "./reduce.ts";

/** Paint at most this often while steps stream in. */
const PAINT_MS = 80;

export interface PlanReading {
  plan: Plan | undefined;
  characters: number;
  error: ApiError | undefined;
}

/** The list of plans, which the line of stations reads, is told of new steps too. */
function tellList(store: Store, plan: Plan): void {
  const params = { session: plan.session };
  const list = store.peek("plans.list", params).value;
  const old = list?.plans.find((p) => p.id === plan.id);
  if (!list || !old || old.step_count === plan.step_count) return;
  store.put("plans.list", params, { plans: list.plans.map((p) => (p === old ? { ...plan, steps: [] } : p)) });
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
      if (now.plan) tellList(connection.store, now.plan);
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
  const last = useRef<Plan>(undefined);
  const now = mine?.plan ?? read.value;
  const plan = useMemo(() => keepSteps(last.current, now), [now]);
  last.current = plan;
  return { plan, characters: mine?.characters ?? 0, error: read.error };
}
