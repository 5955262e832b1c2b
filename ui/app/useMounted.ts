import { useEffect, useRef, type RefObject } from "react";

/** Whether what uses it is still shown: an answer that comes later must not close what took its place. */
export function useMounted(): RefObject<boolean> {
  const mounted = useRef(false);
  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
    };
  }, []);
  return mounted;
}
