// Addresses: what stands after the # of the page's own.

import { useEffect, useState } from "preact/hooks";
import { filterQuery } from "./filters.js";

function parse() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split(/\?(.*)/s);
  const parts = path.split("/").filter(Boolean).map(decoded);
  return { view: parts[0] ?? "", parts: parts.slice(1), query: new URLSearchParams(query) };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function useRoute() {
  const [route, set] = useState(parse);
  useEffect(() => {
    const changed = () => set(parse());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}

export function samplesAddress(filter) {
  const query = filterQuery(filter);
  return `#/samples${query ? `?${query}` : ""}`;
}

export function sampleAddress(run, id, sample, filter) {
  const query = filter ? filterQuery(filter) : "";
  return `#/sample/${run}/${encodeURIComponent(id)}/${sample}${query ? `?${query}` : ""}`;
}

// Changes the address without a new entry in the history, as for each letter of a search.
export function replaceAddress(address) {
  history.replaceState(null, "", address);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
