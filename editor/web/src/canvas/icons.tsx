import { useEffect, useState } from "react";
import { useStore } from "../app/react";
import { Store } from "../app/store";

/**
 * Glyphs, drawn for this editor: of node types, by the file name of Node-RED's icon, and of buttons. A name that has
 * none gets a cog-like dot pattern. All are strokes on a 20 × 20 field.
 */
const GLYPHS: { readonly [name: string]: string } = {
  // of node types
  inject: "M3 10h9M9 6l4 4-4 4M16 4v12",
  debug: "M4 5h12M4 10h8M4 15h10",
  "link-out": "M4 10h9M10 6l4 4-4 4M16 10a1 1 0 1 0 .1 0",
  "link-call": "M3 7h10M10 4l3 3-3 3M17 13H7M10 10l-3 3 3 3",
  "link-return": "M15 4v5a4 4 0 0 1-4 4H4M8 9l-4 4 4 4",
  alert: "M10 3l8 14H2zM10 8v4M10 14v1",
  status: "M3 11h3l2-6 4 10 2-4h3",
  comment: "M3 4h14v9H9l-4 4v-4H3z",
  function: "M13 3c-3 0-3 2-3.500 5L8 15c-.5 2-1.500 2-3 2M6 8h7",
  swap: "M4 7h11M12 4l3 3-3 3M16 13H5M8 10l-3 3 3 3",
  switch: "M3 10h4l5-5h5M7 10l5 5h5M14 2l3 3-3 3M14 12l3 3-3 3",
  template: "M8 3C6 3 6 5 6 7s0 3-2 3c2 0 2 1 2 3s0 4 2 4M12 3c2 0 2 2 2 4s0 3 2 3c-2 0-2 1-2 3s0 4-2 4",
  timer: "M10 4a6.500 6.500 0 1 0 .1 0M10 7v4l3 2M8 2h4",
  trigger: "M2 14h4V6h6v8h6",
  range: "M4 3v14M16 7v6M4 3l12 4M4 17l12-4",
  rbe: "M3 4h14l-5 6v6l-4-2v-4z",
  cog: "M10 7a3 3 0 1 0 .1 0M10 2v3M10 15v3M2 10h3M15 10h3M4.500 4.500l2 2M13.500 13.500l2 2M15.500 4.500l-2 2M6.500 13.500l-2 2",
  "white-globe": "M10 2.500a7.500 7.500 0 1 0 .1 0M2.500 10h15M10 2.500c-5 5-5 10 0 15M10 2.500c5 5 5 10 0 15",
  bridge: "M2 14h16M3 14c1-4 3-6 7-6s6 2 7 6M7 8.500V14M13 8.500V14",
  "bridge-dash": "M2 12h3M7 12h2M11 12h2M15 12h3M3 8l3-3M17 8l-3-3",
  "parser-csv": "M3 4h14v12H3zM3 8h14M3 12h14M8 4v12M13 4v12",
  "parser-html": "M7 5l-5 5 5 5M13 5l5 5-5 5",
  "parser-json": "M7 3C5 3 5 5 5 7s0 3-2 3c2 0 2 1 2 3s0 4 2 4M13 3c2 0 2 2 2 4s0 3 2 3c-2 0-2 1-2 3s0 4-2 4M10 8v0M10 12v0",
  "parser-xml": "M6 6l-4 4 4 4M14 6l4 4-4 4M11 4L9 16",
  "parser-yaml": "M4 4l4 5v6M12 4L8 9M13 8h4M13 12h4M13 16h4",
  batch: "M3 4h5v5H3zM12 4h5v5h-5zM3 12h5v5H3zM12 12h5v5h-5z",
  join: "M3 4h5l4 6h5M3 16h5l4-6M3 10h9",
  split: "M3 10h5l4-6h5M8 10l4 6h5M8 10h9",
  sort: "M5 4v12M2.500 13.500L5 16l2.500-2.500M10 5h7M10 10h5M10 15h3",
  "file-out": "M5 2h7l4 4v12H5zM12 2v4h4M8 12h5M11 10l2 2-2 2",
  "file-in": "M5 2h7l4 4v12H5zM12 2v4h4M13 12H8M10 10l-2 2 2 2",
  file: "M5 2h7l4 4v12H5zM12 2v4h4",
  watch: "M2 10c3-5 13-5 16 0-3 5-13 5-16 0zM10 8a2 2 0 1 0 .1 0",
  subflow: "M3 3h14v14H3zM3 10h4M13 10h4M7 7h6v6H7z",
  // of buttons
  plus: "M10 4v12M4 10h12",
  close: "M5 5l10 10M15 5L5 15",
  menu: "M3 5h14M3 10h14M3 15h14",
  search: "M9 3a6 6 0 1 0 .1 0M13 13l4 4",
  undo: "M4 9h8a4 4 0 0 1 0 8H8M4 9l4-4M4 9l4 4",
  redo: "M16 9H8a4 4 0 0 0 0 8h4M16 9l-4-4M16 9l-4 4",
  fit: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4",
  minus: "M4 10h12",
  map: "M3 4l5-1 4 2 5-1v12l-5 1-4-2-5 1zM8 3v12M12 5v12",
  deploy: "M10 16V5M5 10l5-5 5 5M3 3h14",
  lock: "M5 9h10v8H5zM7 9V6a3 3 0 0 1 6 0v3",
  "eye-off": "M2 10c3-5 13-5 16 0-3 5-13 5-16 0zM4 16L16 4",
  ban: "M10 3a7 7 0 1 0 .1 0M5 5l10 10",
  down: "M5 8l5 5 5-5",
  right: "M8 5l5 5-5 5",
  left: "M12 5l-5 5 5 5",
  forward: "M5 5l5 5-5 5M11 5l5 5-5 5",
  backward: "M15 5l-5 5 5 5M9 5l-5 5 5 5",
  list: "M3 5h1M7 5h10M3 10h1M7 10h10M3 15h1M7 15h10",
  edit: "M4 16l1-4 8-8 3 3-8 8zM11 6l3 3",
  expand: "M11 4h5v5M9 16H4v-5M16 4l-5 5M4 16l5-5",
  grip: "M7 4v0M13 4v0M7 10v0M13 10v0M7 16v0M13 16v0",
  info: "M10 2.500a7.500 7.500 0 1 0 .1 0M10 9v5M10 6v0",
  bug: "M6 8h8v5a4 4 0 0 1-8 0zM7 8a3 3 0 0 1 6 0M3 7l3 2M17 7l-3 2M2 12h4M14 12h4M3 17l3-2M17 17l-3-2",
  database: "M4 5c0-1.500 3-2.500 6-2.500s6 1 6 2.500-3 2.500-6 2.500S4 6.500 4 5zM4 5v10c0 1.500 3 2.500 6 2.500s6-1 6-2.500V5M4 10c0 1.500 3 2.500 6 2.500s6-1 6-2.500",
  sliders: "M3 5h8M15 5h2M3 10h2M9 10h8M3 15h7M14 15h3M11 5a2 2 0 1 0 4 0 2 2 0 1 0-4 0M5 10a2 2 0 1 0 4 0 2 2 0 1 0-4 0M10 15a2 2 0 1 0 4 0 2 2 0 1 0-4 0",
  trash: "M4 5h12M8 5V3h4v2M6 5l1 12h6l1-12M9 8v6M11 8v6",
  flask: "M8 3h4M9 3v5l-5 8a1 1 0 0 0 1 1.500h10a1 1 0 0 0 1-1.500l-5-8V3M6.500 12h7",
  pause: "M7 4v12M13 4v12",
  play: "M6 4l10 6-10 6z",
  refresh: "M16 10a6 6 0 1 1-2-4.500M16 3v4h-4",
  clipboard: "M7 4H5v13h10V4h-2M7 3h6v3H7z",
  download: "M10 3v10M6 9l4 4 4-4M4 17h12",
  upload: "M10 13V3M6 7l4-4 4 4M4 17h12",
  pin: "M12 3l5 5-3 1-3 3-1 3-5-5 3-1 3-3zM7 13l-4 4",
  check: "M4 10l4 5 8-10",
  filter: "M3 4h14l-5 6v6l-4-2v-4z",
  target: "M10 4a6 6 0 1 0 .1 0M10 1v5M10 14v5M1 10h5M14 10h5",
  mesh: "M3 3h5v5H3zM12 3h5v5h-5zM7.500 12.500h5v5h-5zM8 5.500h4M6 8l2.500 4.500M14 8l-2.500 4.500",
  sun: "M10 6.500a3.500 3.500 0 1 0 .1 0M10 1v2M10 17v2M1 10h2M17 10h2M4 4l1 1M15 15l1 1M16 4l-1 1M5 15l-1 1",
};

/**
 * An icon by its name: a glyph of ours, an icon of Font Awesome (`font-awesome/fa-bell`), or a picture that a package has
 * (`module/file.png`), which the server gives.
 */
export function Glyph({ name, size = 20 }: { name: string; size?: number }) {
  const slash = name.lastIndexOf("/");
  const file = name.slice(slash + 1);
  const own = GLYPHS[file.replace(/\.(svg|png)$/, "")];
  if (name.startsWith("font-awesome/")) return <FontIcon name={file} size={size} />;
  if (slash > 0 && !(own && name.startsWith("node-red/"))) return <Picture name={name} path={own} size={size} />;
  return <Drawn path={own} size={size} />;
}

function Drawn({ path = GLYPHS["cog"], size }: { path: string | undefined; size: number }) {
  return (
    <svg className="glyph" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

/** Grows when packages came or went: the server may have other pictures then. */
export const iconRevision = new Store(0);

function Picture({ name, path, size }: { name: string; path: string | undefined; size: number }) {
  const revision = useStore(iconRevision);
  const address = `icons/${name}${revision === 0 ? "" : `?${revision}`}`;
  const [lost, setLost] = useState("");
  if (lost === address) return <Drawn path={path} size={size} />;
  return <img className="glyph-picture" src={address} alt="" width={size} height={size} draggable={false} onError={() => setLost(address)} />;
}

/** An icon of the font that nodes may name; the font is loaded with the first one. */
function FontIcon({ name, size }: { name: string; size: number }) {
  const [text, setText] = useState("");
  useEffect(() => {
    let current = true;
    import("./icon-font").then(
      ({ letterOf }) => current && setText(letterOf(name)),
      (error: unknown) => console.warn(error),
    );
    return () => void (current = false);
  }, [name]);
  return (
    <span className="glyph-letter" style={{ fontSize: size * 0.9, width: size }} aria-hidden="true">
      {text}
    </span>
  );
}
