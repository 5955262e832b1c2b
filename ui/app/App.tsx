import { Tooltip } from "@base-ui/react/tooltip";
import { useEffect, useMemo, type ReactNode } from "react";
import type { Session } from "#client/api.gen.ts";
import type { Connection } from "#client/connection.ts";
import { Toasts, toasts } from "#kit/overlays.tsx";
import { Actions, ActionsContext } from "./actions.tsx";
import { Connecting, Door, TooOld } from "./Door.tsx";
import { EngineContext, useLink, type Engine } from "./engine.tsx";
import { Finds } from "./features/files/finds.ts";
import { Drafts, type LocalDraft } from "./features/task/draft.ts";
import type { Phone } from "./phone.ts";
import { Prefs } from "./prefs.ts";
import { Shell } from "./Shell.tsx";
import { Tasks } from "./tasks.ts";
import { sentence } from "./words.ts";

interface AppProps {
  connection: Connection;
  storage: Storage;
  /** Given by the phone's shell. */
  phone?: Phone | undefined;
  /** Shown before the engine has said anything. */
  connecting?: ReactNode;
}

function makeEngine(connection: Connection, storage: Storage, id: string, phone: Phone | undefined): Engine {
  const prefs = new Prefs(storage, id);
  const { store } = connection;
  const put = (session: Session) => {
    const params = { session: session.id };
    // An answer may come after a newer text was read.
    if ((store.peek("sessions.get", params).value?.task_version ?? 0) <= session.task_version) store.put("sessions.get", params, session);
    return session;
  };
  const drafts = new Drafts((session) => ({
    save: async (text, base) => put(await connection.call("sessions.save_task", { session, text, base_version: base.version, base_text: base.text })),
    move: async (way, version) => put(await connection.call(`tasks.${way}`, { session, version })),
    keep: (local) => prefs.set(`draft.${session}`, local),
    kept: () => prefs.get<LocalDraft | undefined>(`draft.${session}`, undefined),
  }));
  const finds = new Finds(connection, (session, ranking) => store.put("discovery.files", { session }, ranking));
  return { connection, prefs, drafts, finds, tasks: new Tasks((error) => toasts.add({ title: sentence(error) })), phone };
}

export function App({ connection, storage, phone, connecting }: AppProps) {
  const link = useLink(connection);
  const id = link.greeting?.engine;
  const engine = useMemo(
    () => (id === undefined ? undefined : makeEngine(connection, storage, id, phone)),
    [connection, storage, id, phone],
  );
  const actions = useMemo(() => new Actions(), []);
  useEffect(() => {
    if (link.status === "linked") engine?.drafts.retry();
  }, [engine, link.status]);

  if (link.status === "too_old") return <TooOld />;
  if (!engine) return link.status === "refused" ? <Door /> : (connecting ?? <Connecting />);
  return (
    <EngineContext value={engine} key={id}>
      <ActionsContext value={actions}>
        <Tooltip.Provider>
          <Shell />
          <Toasts />
        </Tooltip.Provider>
      </ActionsContext>
    </EngineContext>
  );
}
