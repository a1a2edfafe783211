// Keys without a modifier, outside of fields.

import { useLayoutEffect } from "preact/hooks";

export function useKeys(actions) {
  // With the drawing, not after it: a key pressed at once must not meet the actions of what stood there before.
  useLayoutEffect(() => {
    const pressed = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const typing = event.target.closest?.("input, textarea, select");
      if (typing) {
        if (event.key === "Escape") typing.blur();
        return;
      }
      const action = actions[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}
