import { ExternalLink } from "lucide-react";
import { useEffect, useRef, useState, type FormEvent } from "react";
import type { CredentialStore, SignInEvent } from "#client/api.gen.ts";
import type { ApiError } from "#client/rpc.ts";
import { Actions, Button, Field } from "#kit/core.tsx";
import { toasts } from "#kit/overlays.tsx";
import { Progress } from "#kit/states.tsx";
import { useEngine } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import css from "./account.module.css";

type Code = SignInEvent & { kind: "code" };

/** Signs in with a code that the person confirms on the server's own page. */
export function SignIn() {
  const { connection } = useEngine();
  const [server, setServer] = useState("");
  const [store, setStore] = useState<CredentialStore>("memory");
  const [asking, setAsking] = useState(false);
  const [code, setCode] = useState<Code>();
  const [error, setError] = useState<ApiError>();
  const stop = useRef<() => void>(undefined);
  useEffect(() => () => stop.current?.(), []);
  const end = (failure?: ApiError) => {
    setAsking(false);
    setCode(undefined);
    setError(failure);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsking(true);
    setError(undefined);
    stop.current = connection.subscribe("account.sign_in", { server: server.trim(), store }, {
      item: (step) => {
        if (step.kind === "code") return setCode(step);
        if (step.kind !== "signed_in") return;
        connection.store.put("account.status", {}, step.status);
        toasts.add({ title: w.account.done(step.status.user ?? "") });
      },
      end,
    });
  };
  if (asking) return <Waiting code={code} cancel={() => { stop.current?.(); end(); }} />;
  return (
    <form className={css.form} onSubmit={submit}>
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
      <Actions><Button type="submit" look="primary">{w.account.signIn}</Button></Actions>
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

function Waiting({ code, cancel }: { code: Code | undefined; cancel(): void }) {
  return (
    <div className={css.form} role="status">
      <h3>{w.account.signIn}</h3>
      {!code && <p>{w.account.asking}</p>}
      {code && (
        <>
          <p>{w.account.compare}</p>
          <p className={css.code}>{code.user_code}</p>
          <p className="quiet">{w.account.expires(Math.round(code.expires_in / 60))}</p>
        </>
      )}
      <Progress label={w.account.waiting} />
      <Actions>
        {code && <OpenPage uri={code.verification_uri_complete} />}
        <Button look="plain" onClick={cancel}>{w.cancel}</Button>
      </Actions>
    </div>
  );
}

/** The address comes from a server that the person named: only web addresses become links. */
function OpenPage({ uri }: { uri: string }) {
  if (!/^https?:\/\//.test(uri)) return <code>{uri}</code>;
  return <a className={css.open} href={uri} target="_blank" rel="noreferrer"><ExternalLink size={16} aria-hidden="true" />{w.account.openPage}</a>;
}
