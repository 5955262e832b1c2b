import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, type ReactNode, type RefObject } from "react";

interface ListProps<T> {
  items: T[];
  keyOf(item: T): string;
  estimate: number;
  label: string;
  scroller: RefObject<HTMLElement | null>;
  /** Distance of the list from the scroller's beginning. */
  margin?: number;
  children(item: T, index: number): ReactNode;
}

/** A list of which only what is seen is in the page; rows measure themselves. */
export function List<T>({ items, keyOf, estimate, label, scroller, margin = 0, children }: ListProps<T>) {
  const own = useRef<HTMLUListElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => estimate,
    overscan: 12,
    scrollMargin: margin,
    getItemKey: (index) => keyOf(items[index] as T),
  });
  return (
    <ul ref={own} aria-label={label} style={{ position: "relative", height: rows.getTotalSize() }}>
      {rows.getVirtualItems().map((row) => (
        <li
          key={row.key}
          ref={rows.measureElement}
          data-index={row.index}
          aria-setsize={items.length}
          aria-posinset={row.index + 1}
          style={{ position: "absolute", insetInline: 0, top: 0, transform: `translateY(${row.start - margin}px)` }}
        >
          {children(items[row.index] as T, row.index)}
        </li>
      ))}
    </ul>
  );
}
