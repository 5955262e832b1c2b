import { Monitor, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button, Pill } from "#kit/core.tsx";
import { useEngine, useLink } from "../../engine.tsx";
import { usePhoneStatus, type Phone } from "../../phone.ts";
import shell from "../../shell.module.css";
import { w } from "../../words.ts";
import { SCOPES } from "../devices/Scopes.tsx";
import { ForgetSheet } from "./DesktopsPage.tsx";
import css from "./phone.module.css";

/** The link of this phone: to what, how it is, and what it is allowed. */
export function PhoneMore({ phone }: { phone: Phone }) {
  const { connection } = useEngine();
  const { greeting } = useLink(connection);
  const status = usePhoneStatus(phone);
  const [leaving, setLeaving] = useState(false);
  return (
    <section className={shell.stack} aria-label={w.phone.link}>
      <h2>{phone.desktop}</h2>
      <p className="quiet" role="status">{w.phone.status[status]}, {phone.server}</p>
      <div className={css.may}>
        <span>{w.phone.may}:</span>
        {SCOPES.filter((scope) => greeting?.scopes.includes(scope)).map((scope) => <Pill key={scope}>{w.devices.scopes[scope]}</Pill>)}
      </div>
      <Button onClick={phone.switchDesktop}><Monitor size={16} aria-hidden="true" />{w.phone.switch}</Button>
      <Button onClick={() => setLeaving(true)}><Trash2 size={16} aria-hidden="true" />{w.phone.forget}</Button>
      <details className={css.more}>
        <summary>{w.phone.fingerprint}</summary>
        <dl className={css.prints}>
          <dt>{w.phone.thisPhone}</dt><dd><code>{phone.fingerprints.phone}</code></dd>
          <dt>{w.phone.thatDesktop}</dt><dd><code>{phone.fingerprints.desktop}</code></dd>
        </dl>
        <p className="quiet">{w.phone.compare}</p>
      </details>
      {leaving && <ForgetSheet name={phone.desktop} close={() => setLeaving(false)} forget={phone.forget} />}
    </section>
  );
}
