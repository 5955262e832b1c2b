import { w } from "../../words.ts";
import css from "./devices.module.css";

/** Squares that a scanner needs around a code. */
const QUIET = 4;

/** A QR code, dark on light in every theme: scanners do not read the other way round. */
export function PairCode({ rows }: { rows: string[] }) {
  const size = rows.length;
  const squares = rows.flatMap((row, y) =>
    [...row.matchAll(/1+/g)].map((run) => `M${run.index} ${y}h${run[0].length}v1h-${run[0].length}z`)).join("");
  return (
    <svg className={css.code} role="img" aria-label={w.devices.pairing.code} viewBox={`${-QUIET} ${-QUIET} ${size + 2 * QUIET} ${size + 2 * QUIET}`} shapeRendering="crispEdges">
      <rect x={-QUIET} y={-QUIET} width="100%" height="100%" fill="#fff" />
      <path d={squares} fill="#000" />
    </svg>
  );
}
