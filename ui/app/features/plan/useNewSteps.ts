import { useEffect, useRef, useState, type RefObject } from "react";
import type { Plan } from "#client/api.gen.ts";

/** Counts the steps that appeared below what is seen. Nothing scrolls by itself. */
export function useNewSteps(scroller: RefObject<HTMLElement | null>, plan: Plan | undefined): { count: number; show(): void } {
  const [seen, setSeen] = useState(0);
  const total = plan?.steps.length ?? 0;
  const id = plan?.id;
  const streaming = plan?.state === "streaming";
  const was = useRef(id);
  useEffect(() => {
    if (was.current === id) return;
    was.current = id;
    setSeen(0);
  }, [id]);
  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const look = () => {
      const bottom = box.scrollTop + box.clientHeight;
      const cards = [...box.querySelectorAll<HTMLElement>("[data-card]")];
      const visible = cards.filter((card) => card.offsetTop + Math.min(card.offsetHeight, 36) <= bottom).length;
      setSeen((old) => (streaming ? Math.max(old, visible) : cards.length));
    };
    look();
    box.addEventListener("scroll", look, { passive: true });
    return () => box.removeEventListener("scroll", look);
  }, [scroller, total, streaming]);
  const show = () => {
    const first = scroller.current?.querySelectorAll<HTMLElement>("[data-step]")[seen];
    first?.scrollIntoView({ block: "start" });
    first?.focus({ preventScroll: true });
  };
  return { count: streaming ? Math.max(0, total - seen) : 0, show };
}
