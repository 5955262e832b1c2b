import { ChevronLeft } from "lucide-react";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { RelayError } from "#client/relay/bytes.ts";
import { fingerprint, keysFromSecret, type Pairing } from "#client/relay/keys.ts";
import type { MetDesktop } from "#client/relay/pairing.ts";
import { fromWords, type PairingCode } from "#client/relay/words.ts";
import { Actions, Button, Field } from "#kit/core.tsx";
import { Note, Progress } from "#kit/states.tsx";
import { Mark } from "../../Door.tsx";
import { w } from "../../words.ts";
import { finishEnrolment } from "./DesktopsPage.tsx";
import css from "./phone.module.css";
import { WordsField } from "./WordsField.tsx";
import { newSecret, type PhoneWorld } from "./world.ts";

interface PairPageProps {
  world: PhoneWorld;
  /** Scanned; words are asked for without one. */
  code: PairingCode | undefined;
  keep(desktop: Pairing): Promise<void>;
  done(desktop: Pairing): void;
  back: (() => void) | undefined;
}

type Step =
  | { kind: "form"; error?: string }
  | { kind: "meeting" }
  | { kind: "digits"; desktop: MetDesktop; digits: string }
  | { kind: "enrolling" };

const why = (failure: unknown): string => {
  if (failure instanceof RelayError && failure.reason === "forged") return w.phone.forged;
  return failure instanceof Error ? failure.message : String(failure);
};

/** From a code to a paired desktop. */
export function PairPage({ world, code: scanned, keep, done, back }: PairPageProps) {
  const [step, setStep] = useState<Step>({ kind: "form" });
  const [typed, setTyped] = useState("");
  const [name, setName] = useState(world.name);
  // A scanned code is good once. After that the words are asked for.
  const [used, setUsed] = useState(false);
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const code = used ? undefined : scanned;

  const run = async (given: PairingCode) => {
    const origin = given.origin ?? world.origin;
    stop.current = new AbortController();
    setStep({ kind: "meeting" });
    setUsed(true);
    // New ones each time, also for a desktop that had others: the server and the desktop take a key once.
    const secret = newSecret(world);
    const { decision, desktop } = await world.pair({
      origin, code: given, keys: keysFromSecret(secret), name: name.trim() || world.name, signal: stop.current.signal,
      met: (met, digits) => setStep({ kind: "digits", desktop: met, digits }),
    });
    if (decision.type === "refused") throw new Error(w.phone.refused);
    setStep({ kind: "enrolling" });
    const paired: Pairing = { origin, secret, certificate: decision.certificate, desktop: desktop.device, name: desktop.name, keys: desktop.keys, scopes: decision.scopes };
    // Kept before the server knows: the desktop has accepted, and that must not be lost with the connection.
    await keep(paired);
    const finished = await finishEnrolment(world, paired).catch(() => paired);
    if (finished !== paired) await keep(finished);
    done(finished);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const start = async () => run(code ?? fromWords(typed));
    start().catch((failure: unknown) => setStep({ kind: "form", error: why(failure) }));
  };

  if (step.kind === "digits") return <Digits step={step} giveUp={() => stop.current?.abort()} />;
  if (step.kind !== "form") {
    const text = step.kind === "meeting" ? w.phone.meeting : w.phone.enrolling;
    return (
      <main className={css.page} aria-busy="true">
        <h1>{w.phone.pair}</h1>
        <Progress label={text} />
        <p role="status" className="quiet">{text}</p>
        {step.kind === "meeting" && <Actions><Button onClick={() => stop.current?.abort()}>{w.phone.giveUp}</Button></Actions>}
      </main>
    );
  }
  return (
    <main className={css.page}>
      {back ? <Button look="plain" className={css.back} onClick={back}><ChevronLeft size={16} aria-hidden="true" />{w.phone.desktops}</Button> : <Mark size={32} />}
      <h1>{w.phone.title}</h1>
      <p className="quiet">{code ? w.phone.scanned : w.phone.welcome}</p>
      {step.error !== undefined && <Note tone="warning" live>{step.error}</Note>}
      <form className={css.form} onSubmit={submit}>
        {!code && <WordsField value={typed} onChange={setTyped} />}
        <Field label={w.phone.name} hint={w.phone.nameHint} value={name} maxLength={60} onChange={(e) => setName(e.target.value)} />
        <Button look="primary" type="submit" className={css.large}>{w.phone.pair}</Button>
      </form>
    </main>
  );
}

/** The digits, as large as they are important. */
function Digits({ step, giveUp }: { step: Step & { kind: "digits" }; giveUp(): void }) {
  const { desktop, digits } = step;
  return (
    <main className={css.page}>
      <h1>{w.phone.show(desktop.name)}</h1>
      <p className={css.digits} role="status" aria-label={`${w.phone.digits}: ${[...digits].join(" ")}`}>
        <span aria-hidden="true">{digits.slice(0, 3)}</span> <span aria-hidden="true">{digits.slice(3)}</span>
      </p>
      <p className="quiet">{w.phone.digitsText}</p>
      <details className={css.more}>
        <summary>{w.phone.fingerprint}</summary>
        <code className={css.fingerprint}>{fingerprint(desktop.keys)}</code>
      </details>
      <Actions><Button onClick={giveUp}>{w.phone.giveUp}</Button></Actions>
    </main>
  );
}
