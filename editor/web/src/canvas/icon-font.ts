/**
 * Font Awesome 4, whose names the nodes of Node-RED use for icons: the font, and which letter each name stands for. This
 * module is only ever imported dynamically.
 */
import css from "font-awesome/css/font-awesome.min.css?raw";
import font from "font-awesome/fonts/fontawesome-webfont.woff2?url";

const letters = new Map<string, string>();
for (const [, names, code] of css.matchAll(/((?:\.fa-[\w-]+:before,?)+)\{content:"\\([\da-f]+)"\}/g)) {
  for (const [, name] of names!.matchAll(/\.(fa-[\w-]+):before/g)) letters.set(name!, String.fromCodePoint(Number.parseInt(code!, 16)));
}

const face = new FontFace("FontAwesome", `url(${font})`);
document.fonts.add(face);

/** The letter of a name such as `fa-bell`; of an unknown one, a question mark in a circle. */
export function letterOf(name: string): string {
  return letters.get(name.trim()) ?? letters.get("fa-question-circle-o") ?? "";
}
