import { useCallback, useEffect, useRef, useState } from "react";
import type { Manifest, Remember } from "#client/api.gen.ts";
import type { Connection } from "#client/connection.ts";
import { ApiError } from "#client/rpc.ts";
import { asApiError, useEngine, useRead } from "../../engine.tsx";
import { fromHere, type Lead } from "../../lead.ts";
import { w } from "../../words.ts";
import { resultStation, staysAfter } from "../jobs/asking.ts";

interface Change {
  files?: string[];
  model?: string;
  redact?: boolean;
}

/** What is left out or taken in here stays so in the list of files: the next plan begins from it. */
function remember(connection: Connection, from: Manifest, next: Manifest): void {
  const paths = (m: Manifest) => new Set(m.files.map((f) => f.path));
  const [before, after] = [paths(from), paths(next)];
  const { session } = next;
  for (const [changed, included] of [[before.difference(after), false], [after.difference(before), true]] as const) {
    if (changed.size === 0) continue;
    connection.call("discovery.include", { session, paths: [...changed], included }).then(
      (ranking) => connection.store.put("discovery.files", { session }, ranking),
      // The approval is what counts; the list shows what it showed before.
      () => {},
    );
  }
}

/** The newest version of a request as far as this page made it, and the ids of those whose place it took. */
export interface Revised {
  manifest: Manifest;
  instead: string[];
}

/** What a revision returned is ahead of what the job names for a moment; it says nothing of any other request of the job. */
export const newest = (revised: Revised | undefined, shown: Manifest | undefined): Manifest | undefined =>
  revised && shown && revised.instead.includes(shown.id) ? revised.manifest : shown;

export const revisedBy = (old: Revised | undefined, from: Manifest, next: Manifest): Revised =>
  ({ manifest: next, instead: [...(old?.manifest.id === from.id ? old.instead : []), from.id] });

/** Requests of these hold the ticked files; in the others a file that is left out is left out of this request only. */
export const keepsTicks = (workflow: string): boolean => workflow === "plan" || workflow === "step";

/** Goes on to where what was asked for appears. Words for a task are awaited at the task, where one also sees that nothing comes. */
function leadOn(lead: Lead, workflow: string, session: string, yes: boolean): void {
  const station = resultStation(workflow);
  if (!staysAfter(workflow) && (yes || station === "task")) lead({ page: "session", session, station }, yes ? w.approve.sentAt : w.approve.refusedText);
}

/** The request that is shown; a job that asks again does not put its next one in the place of the one just answered. */
function useShown(now: Manifest | undefined, answered: string | undefined) {
  const answers = useRead("approvals.get", answered === undefined ? null : { approval: answered }).value;
  const again = answers !== undefined && now !== undefined && now.id !== answers.id && now.state === "waiting";
  return { manifest: again ? answers : now, again };
}

/**
 * One question at a time: revisions follow each other, and the newest manifest is the one that is answered.
 * Ticks made while one revision is under way are sent together with the next. `workflow` is what it asks for.
 */
export function useApproval(shown: Manifest | undefined, workflow: string) {
  const { connection } = useEngine();
  const [revised, setRevised] = useState<Revised>();
  const [answered, setAnswered] = useState<string>();
  const [wanted, setWanted] = useState<Change>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const running = useRef(false);
  const answering = useRef(false);
  const { manifest, again } = useShown(newest(revised, shown), answered);
  const latest = useRef(manifest);
  latest.current = manifest;

  useEffect(() => {
    const from = latest.current;
    if (!wanted || running.current || !from) return;
    running.current = true;
    setBusy(true);
    const change = wanted;
    connection
      .call("approvals.revise", { approval: from.id, ...change })
      .then(
        (next) => {
          connection.store.put("approvals.get", { approval: next.id }, next);
          latest.current = next;
          setRevised((old) => revisedBy(old, from, next));
          setError(undefined);
          void connection.store.refresh("jobs.list", {});
          if (keepsTicks(workflow)) remember(connection, from, next);
        },
        (failure: unknown) => setError(asApiError(failure)),
      )
      .finally(() => {
        running.current = false;
        setBusy(false);
        setWanted((now) => (now === change ? undefined : now && { ...now }));
      });
  }, [wanted, connection, workflow]);

  const revise = useCallback((change: Change) => setWanted((old) => ({ ...old, ...change })), []);
  const answer = useCallback(
    /** Whether the answer was taken. With a yes may go what the session may send besides. */
    async (yes: boolean, more?: Remember): Promise<boolean> => {
      const asked = latest.current;
      // Two presses before the first is drawn are one answer.
      if (!asked || asked.state !== "waiting" || answering.current) return false;
      answering.current = true;
      const lead = fromHere();
      setBusy(true);
      setError(undefined);
      try {
        const after = yes
          ? await connection.call("approvals.approve", { approval: asked.id, fingerprint: asked.fingerprint, ...(more ? { remember: more } : {}) })
          : await connection.call("approvals.refuse", { approval: asked.id });
        connection.store.put("approvals.get", { approval: asked.id }, after);
        latest.current = after;
        setRevised((old) => (old?.manifest.id === after.id ? { ...old, manifest: after } : old));
        setAnswered(asked.id);
        await connection.store.refresh("jobs.list", {});
        leadOn(lead, workflow, asked.session, yes);
        return true;
      } catch (failure) {
        setError(asApiError(failure));
        return false;
      } finally {
        answering.current = false;
        setBusy(false);
      }
    },
    [connection, workflow],
  );
  const look = useCallback(() => {
    setError(undefined);
    if (latest.current) void connection.store.refresh("approvals.get", { approval: latest.current.id });
    void connection.store.refresh("jobs.list", {});
  }, [connection]);
  const files = wanted?.files ?? manifest?.files.map((f) => f.path) ?? [];
  /** Shows the next request of the same job; absent where there is none. */
  const next = again ? () => setAnswered(undefined) : undefined;
  return { manifest, files, busy: busy || wanted !== undefined, error, revise, answer, look, next };
}

export type Approval = ReturnType<typeof useApproval>;
