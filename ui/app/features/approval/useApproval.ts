import { useCallback, useEffect, useRef, useState } from "react";
import type { Manifest } from "#client/api.gen.ts";
import type { Connection } from "#client/connection.ts";
import { ApiError } from "#client/rpc.ts";
import { asApiError, useEngine } from "../../engine.tsx";
import { go } from "../../route.ts";
import { resultStation } from "../jobs/asking.ts";

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

/**
 * One question at a time: revisions follow each other, and the newest manifest is the one that is answered.
 * Ticks made while one revision is under way are sent together with the next. `workflow` is what it asks for.
 */
export function useApproval(shown: Manifest | undefined, workflow: string) {
  const { connection } = useEngine();
  const [override, setOverride] = useState<Manifest>();
  const [wanted, setWanted] = useState<Change>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const running = useRef(false);
  // The job names the newest approval; what a revision returned is only ahead of it for a moment.
  const newer = override && shown && override.job === shown.job && override.id !== shown.id && shown.state !== "waiting" ? override : undefined;
  const ahead = override && shown && override.job === shown.job && override.created_at > shown.created_at ? override : newer;
  const manifest = ahead ?? shown;
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
          setOverride(next);
          setError(undefined);
          void connection.store.refresh("jobs.list", {});
          remember(connection, from, next);
        },
        (failure: unknown) => setError(asApiError(failure)),
      )
      .finally(() => {
        running.current = false;
        setBusy(false);
        setWanted((now) => (now === change ? undefined : now && { ...now }));
      });
  }, [wanted, connection]);

  const revise = useCallback((change: Change) => setWanted((old) => ({ ...old, ...change })), []);
  const answer = useCallback(
    async (yes: boolean) => {
      const asked = latest.current;
      if (!asked) return;
      setBusy(true);
      setError(undefined);
      try {
        const after = yes
          ? await connection.call("approvals.approve", { approval: asked.id, fingerprint: asked.fingerprint })
          : await connection.call("approvals.refuse", { approval: asked.id });
        connection.store.put("approvals.get", { approval: asked.id }, after);
        setOverride(undefined);
        await connection.store.refresh("jobs.list", {});
        // Words for a task are awaited at the task, where one also sees that nothing comes.
        const station = resultStation(workflow);
        if (yes || station === "task") go({ page: "session", session: asked.session, station });
      } catch (failure) {
        setError(asApiError(failure));
      } finally {
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
  return { manifest, files, busy: busy || wanted !== undefined, error, revise, answer, look };
}

export type Approval = ReturnType<typeof useApproval>;
