import { useSyncExternalStore } from "react";
import type { Comment, Step } from "#client/api.gen.ts";
import { RelativeTime, Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";
import css from "./review.module.css";
import type { StepTools } from "./useReview.ts";
import { Writing } from "./Writing.tsx";

/** What was said about a step, by whom and when. */
export function Comments({ comments }: { comments: Comment[] }) {
  if (comments.length === 0) return null;
  return (
    <section className={css.comments}>
      <h4>{w.review.comments}</h4>
      <ul>
        {comments.map((c, i) => (
          <li key={i}>
            <p><Seen text={c.text} /></p>
            <small><Seen text={c.by} /> · <RelativeTime at={c.at} /></small>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The engine counts bytes: at worst four a character. */
const MOST = 4096;

export function CommentField({ step, tools }: { step: Step; tools: StepTools }) {
  const { review } = tools;
  const busy = useSyncExternalStore(review.watch, review.snapshot).get(step.id)?.busy === true;
  return (
    <Writing
      draft={`review.comment.${tools.plan}.${step.id}`} label={w.review.commentLabel(step.number)} hint={w.review.commentHint} button={w.review.store} most={MOST} busy={busy}
      send={(text) => review.comment(step.id, text)} close={() => tools.write(step.id, undefined)}
    />
  );
}
