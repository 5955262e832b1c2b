import { useRef, type ReactNode } from "react";
import type { UsageRow, UsageTable } from "#client/api.gen.ts";
import { cx } from "#kit/core.tsx";
import { compact } from "#kit/format.ts";
import { Money, Seen, Tokens } from "#kit/values.tsx";
import { useEngine, useRead } from "../../engine.tsx";
import { usePref } from "../../prefs.ts";
import { href } from "../../route.ts";
import { w } from "../../words.ts";
import { useMidnight } from "../jobs/CostToday.tsx";
import { GROUPS, RANGES, rangeBegin, totalOf, type Group, type Range } from "./budget.ts";
import { Choice } from "./Choice.tsx";
import { Missing, Section } from "./Section.tsx";
import css from "./settings.module.css";

/** What was spent, added up by model, day or session. */
export function Usage() {
  const { connection, prefs } = useEngine();
  const [group, setGroup] = usePref<Group>(prefs, "usage.group", "model");
  const [range, setRange] = usePref<Range>(prefs, "usage.range", "week");
  const params = { since: rangeBegin(range, useMidnight()), group };
  const { value, error } = useRead("usage.by", params);
  const words = w.settings.usage;
  // While another sum is read the last one stays, so that the page does not jump.
  const last = useRef<{ table: UsageTable; group: Group }>(undefined);
  if (value) last.current = { table: value, group };
  const shown = value ? { table: value, group } : error ? undefined : last.current;
  return (
    <Section id="usage" title={words.title} lead={words.lead}>
      <div className={css.choices}>
        <Choice name="group" label={words.by} options={GROUPS} texts={words.groups} value={group} set={setGroup} />
        <Choice name="range" label={words.since} options={RANGES} texts={words.ranges} value={range} set={setRange} />
      </div>
      {!shown && <Missing error={error} again={() => void connection.store.refresh("usage.by", params)} rows={3} />}
      {shown?.table.rows.length === 0 && <p className={css.none}><span>{words.none}</span></p>}
      {shown && shown.table.rows.length > 0 && <Table rows={shown.table.rows} group={shown.group} old={!value} />}
    </Section>
  );
}

function Table({ rows, group, old }: { rows: UsageRow[]; group: Group; old: boolean }) {
  const words = w.settings.usage;
  const total = totalOf(rows);
  return (
    <table className={cx(css.table, old && css.old)}>
      <caption className="sr">{words.title}</caption>
      <thead>
        <tr>
          <th scope="col">{words.groups[group]}</th>
          <th scope="col" className={css.wide}>{words.requests}</th>
          <th scope="col" className={css.wide}>{words.input}</th>
          <th scope="col" className={css.wide}>{words.cached}</th>
          <th scope="col" className={css.wide}>{words.output}</th>
          <th scope="col">{words.cost}</th>
        </tr>
      </thead>
      <tbody>{rows.map((row) => <Row key={row.key} row={row} head={<Name row={row} group={group} />} />)}</tbody>
      {rows.length > 1 && <tfoot><Row row={total} head={words.total} /></tfoot>}
    </table>
  );
}

function Row({ row, head }: { row: UsageRow; head: ReactNode }) {
  const words = w.settings.usage;
  return (
    <tr>
      <th scope="row">
        <span className={css.head}>{head}</span>
        <small className={css.narrow}>{w.usage.requests(row.requests)} · {w.plan.usage(compact(row.input_tokens), compact(row.output_tokens))}</small>
      </th>
      <td className={css.wide}>{row.requests.toLocaleString("en-US")}</td>
      <td className={css.wide}><Tokens n={row.input_tokens} /></td>
      <td className={css.wide}>{row.cached_tokens > 0 ? <Tokens n={row.cached_tokens} /> : <span className={css.nothing}>{words.nothing}</span>}</td>
      <td className={css.wide}><Tokens n={row.output_tokens} /></td>
      <td>
        {row.unpriced > 0 && row.unpriced === row.requests ? <span className={css.nothing}>{words.unknown}</span> : <Money micro={row.cost} />}
        {row.unpriced > 0 && row.unpriced < row.requests && <small>{words.atLeast(row.unpriced)}</small>}
      </td>
    </tr>
  );
}

function Name({ row, group }: { row: UsageRow; group: Group }) {
  const words = w.settings.usage;
  if (group !== "session") return <Seen text={row.key || words.notNoted} />;
  // A session that was deleted has spent all the same.
  if (row.title === undefined) return <span className={css.nothing}>{row.key === "" ? words.notNoted : words.gone}</span>;
  return <a href={href({ page: "session", session: row.key, station: "task" })}><Seen text={row.title || w.sessions.untitled} /></a>;
}
