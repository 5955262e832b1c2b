import { CircleCheck } from "lucide-react";
import { useEffect, useState, type FormEvent } from "react";
import type { DeviceScope } from "#client/api.gen.ts";
import { Actions, Button, cx } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { Sheet } from "#kit/overlays.tsx";
import { CopyButton, Skeleton } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import { useNow } from "../terminals/useTerminals.ts";
import css from "./devices.module.css";
import { PairCode } from "./PairCode.tsx";
import { Scopes } from "./Scopes.tsx";
import { usePairing, type Pairing } from "./usePairing.ts";

const words = w.devices.pairing;
const DIGITS = 6;

/** From a code on the screen to a paired device. Closing it withdraws the offer. */
export function PairSheet({ close }: { close(): void }) {
  const [round, setRound] = useState(0);
  return (
    <Sheet title={words.title} close={w.close} open onClose={close} wide>
      <Steps key={round} round={round} again={() => setRound(round + 1)} close={close} />
    </Sheet>
  );
}

function Steps({ round, again, close }: { round: number; again(): void; close(): void }) {
  const pairing = usePairing(round);
  const { offer, arrived, device, ended } = pairing;
  if (device) {
    return (
      <>
        <p className={css.done} role="status"><CircleCheck size={20} aria-hidden="true" /><Seen text={words.paired(device.name)} /></p>
        <Actions><Button look="primary" onClick={close}>{words.done}</Button></Actions>
      </>
    );
  }
  if (ended) return <><ErrorNote error={ended} /><Actions><Button look="primary" onClick={again}>{words.again}</Button></Actions></>;
  if (!offer) return <Skeleton rows={6} label={words.opening} />;
  if (arrived) return <Confirm pairing={pairing} name={arrived.name} fingerprint={arrived.fingerprint} expires={offer.expires_at} />;
  const address = offer.url.split("#")[0] ?? "";
  return (
    <div className={css.offer}>
      {offer.code.length > 0 ? <PairCode rows={offer.code} /> : <p>{words.noCode}</p>}
      <div className={css.how}>
        <p>{words.scan}</p>
        <Countdown until={offer.expires_at} />
        <details open={offer.code.length === 0}>
          <summary>{words.wordsInstead}</summary>
          <p>{words.wordsText(address)}</p>
          <ol className={css.words}>{offer.words.map((word, i) => <li key={`${i} ${word}`}>{word}</li>)}</ol>
          <CopyButton text={address} words={{ copy: words.copyAddress, copied: w.error.copied }} />
        </details>
      </div>
    </div>
  );
}

function Countdown({ until }: { until: number }) {
  const now = useNow(1_000);
  const left = Math.max(0, Math.ceil((until - now) / 1000));
  return <p className="quiet figures" role="timer">{words.left(`${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`)}</p>;
}

interface ConfirmProps {
  pairing: Pairing;
  name: string;
  fingerprint: string;
  expires: number;
}

/** The digits bind what was scanned to what is shown there; the scopes are chosen here and nowhere else. */
function Confirm({ pairing, name, fingerprint, expires }: ConfirmProps) {
  const [digits, setDigits] = useState("");
  const [scopes, setScopes] = useState<DeviceScope[]>(["view"]);
  const { wrong } = pairing;
  useEffect(() => {
    if (wrong) setDigits("");
  }, [wrong]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (digits.length === DIGITS && !pairing.confirming) pairing.confirm(digits, scopes);
  };
  return (
    <form className={css.confirm} onSubmit={submit}>
      <p role="status"><Seen text={words.arrived(name)} /></p>
      <label className={kit.field}>
        <span>{words.digits}</span>
        <input
          className={cx(kit.input, css.digits)}
          inputMode="numeric"
          autoComplete="one-time-code"
          pattern="[0-9]*"
          maxLength={DIGITS + 1}
          value={digits}
          onChange={(e) => setDigits(e.target.value.replace(/\D/g, "").slice(0, DIGITS))}
          aria-invalid={wrong !== undefined}
          autoFocus
        />
        <span className={kit.hint}>{words.mismatch}</span>
      </label>
      <ErrorNote error={wrong} />
      {pairing.tries !== undefined && !wrong && pairing.tries < 3 && <p className="quiet">{words.tries(pairing.tries)}</p>}
      <Scopes chosen={scopes} choose={setScopes} />
      <details>
        <summary>{w.devices.fingerprint}</summary>
        <code className={css.fingerprint}>{fingerprint}</code>
      </details>
      <Actions>
        <Button look="primary" type="submit" disabled={digits.length < DIGITS || pairing.confirming}>{words.confirm}</Button>
        <Countdown until={expires} />
      </Actions>
    </form>
  );
}
