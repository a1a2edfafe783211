// Keys without a modifier, outside of fields.

import { useEffect } from "preact/hooks";

export function useKeys(actions) {
  useEffect(() => {
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
