import { ExternalLink } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { CredentialStore, SignInEvent, SignInWay } from "#client/api.gen.ts";
import type { ApiError } from "#client/rpc.ts";
import { Actions, Button, Field } from "#kit/core.tsx";
import { toasts } from "#kit/overlays.tsx";
import { Progress } from "#kit/states.tsx";
import { useEngine } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import css from "./account.module.css";

/** What the person has to do. */
type Turn = Exclude<SignInEvent, { kind: "signed_in" }>;

/**
 * Signs in on the server's own page: in a browser of the engine's machine, which comes back by itself, or anywhere with a
 * code that the person compares.
 */
export function SignIn() {
  const { connection } = useEngine();
  const [server, setServer] = useState("");
  const [store, setStore] = useState<CredentialStore>("memory");
  const [asking, setAsking] = useState(false);
  const [turn, setTurn] = useState<Turn>();
  const [error, setError] = useState<ApiError>();
  const stop = useRef<() => void>(undefined);
  useEffect(() => () => stop.current?.(), []);
  const end = (failure?: ApiError) => {
    setAsking(false);
    setTurn(undefined);
    setError(failure);
  };
  const form = useRef<HTMLFormElement>(null);
  const begin = (way: SignInWay) => {
    if (!form.current?.reportValidity()) return;
    setAsking(true);
    setError(undefined);
    stop.current = connection.subscribe("account.sign_in", { server: server.trim(), store, way }, {
      item: (step) => {
        if (step.kind !== "signed_in") return setTurn(step);
        connection.store.put("account.status", {}, step.status);
        toasts.add({ title: w.account.done(step.status.user ?? "") });
      },
      end,
    });
  };
  if (asking) return <Waiting turn={turn} cancel={() => { stop.current?.(); end(); }} />;
  return (
    <form ref={form} className={css.form} onSubmit={(event) => { event.preventDefault(); begin("browser"); }}>
      <h3>{w.account.title}</h3>
      <p className="quiet">{w.account.none}</p>
      <Field label={w.account.server} hint={w.account.serverHint} type="url" required mono placeholder={w.account.placeholder} value={server} onChange={(e) => setServer(e.target.value)} />
      <fieldset className={css.stores}>
        <legend>{w.account.store}</legend>
        <Choice value="memory" now={store} set={setStore} label={w.account.memory} hint={w.account.memoryHint} />
        <Choice value="keyring" now={store} set={setStore} label={w.account.keyring} hint={w.account.keyringHint} />
        <Choice value="file" now={store} set={setStore} label={w.account.file} hint={w.account.fileHint} />
      </fieldset>
      <ErrorNote error={error} />
      <Actions>
        <Button type="submit" look="primary">{w.account.signIn}</Button>
        <Button look="plain" onClick={() => begin("code")}>{w.account.withCode}</Button>
      </Actions>
      <p className="quiet">{w.account.withCodeHint}</p>
    </form>
  );
}

interface ChoiceProps {
  value: CredentialStore;
  now: CredentialStore;
  set(value: CredentialStore): void;
  label: string;
  hint: string;
}

function Choice({ value, now, set, label, hint }: ChoiceProps) {
  return (
    <label>
      <input type="radio" name="store" checked={now === value} onChange={() => set(value)} />
      <span>{label}<small>{hint}</small></span>
    </label>
  );
}

function Waiting({ turn, cancel }: { turn: Turn | undefined; cancel(): void }) {
  return (
    <div className={css.form} role="status">
      <h3>{w.account.signIn}</h3>
      {!turn && <p>{w.account.asking}</p>}
      {turn?.kind === "browser" && <p>{w.account.allow}</p>}
      {turn?.kind === "code" && (
        <>
          <p>{w.account.compare}</p>
          <p className={css.code}>{turn.user_code}</p>
        </>
      )}
      {turn && <p className="quiet">{w.account.expires(Math.round(turn.expires_in / 60))}</p>}
      <Progress label={w.account.waiting} />
      <Actions>
        {turn && <OpenPage uri={turn.kind === "browser" ? turn.url : turn.verification_uri_complete} />}
        <Button look="plain" onClick={cancel}>{w.cancel}</Button>
      </Actions>
    </div>
  );
}

/** The address comes from a server that the person named: only web addresses become links. */
function OpenPage({ uri }: { uri: string }) {
  const link = useRef<HTMLAnchorElement>(null);
  // The button that was pressed is gone; this is what comes next.
  useEffect(() => link.current?.focus(), []);
  if (!/^https?:\/\//.test(uri)) return <code>{uri}</code>;
  return <a ref={link} className={css.open} href={uri} target="_blank" rel="noreferrer"><ExternalLink size={16} aria-hidden="true" />{w.account.openPage}</a>;
}
