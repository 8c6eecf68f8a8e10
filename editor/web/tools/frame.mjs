/**
 * The part of the build that makes the sandboxed frame: one page with all that it needs in it, because from its opaque
 * origin a frame can fetch nothing that asks for an origin or a cookie. `frame-code.js` (the code editor) and
 * `frame-icons.css` (the font of icons) are what the editor's page sends into it when a form needs them.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "vite";

const SRC = join(import.meta.dirname, "../src");

export function frame() {
  let made;
  const files = () => (made ??= make());
  return {
    name: "vgdc-frame",
    async generateBundle() {
      for (const [fileName, source] of Object.entries(await files())) this.emitFile({ type: "asset", fileName, source });
    },
    configureServer(server) {
      server.middlewares.use(async (request, response, next) => {
        const name = new URL(request.url ?? "/", "http://localhost").pathname.slice(1);
        const source = /^frame[\w.-]*$/.test(name) ? (await files())[name] : undefined;
        if (source === undefined) return next();
        const type = name.endsWith(".html") ? "text/html" : name.endsWith(".css") ? "text/css" : "text/javascript";
        response.writeHead(200, { "Content-Type": `${type}; charset=utf-8` }).end(source);
      });
    },
  };
}

async function make() {
  const [main, code] = [await script("frame/main.ts", "vgdcFrame"), await script("frame/code.ts", "vgdcCode")];
  // The page cannot end where a text in a script says so.
  const inline = main.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
  return {
    "frame.html": `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>form</title>\n</head>\n<body>\n<script>${inline}</script>\n</body>\n</html>\n`,
    "frame-code.js": code,
    "frame-icons.css": icons(),
  };
}

/** One script with everything in it, that runs as it stands. */
async function script(entry, name) {
  const [{ output }] = [await build({
    configFile: false,
    logLevel: "warn",
    define: { "process.env.NODE_ENV": '"production"' },
    build: { write: false, target: "es2022", cssTarget: ["chrome123", "firefox120", "safari17.5"], minify: true, lib: { entry: join(SRC, entry), formats: ["iife"], name, fileName: name }, rolldownOptions: { output: { codeSplitting: false } } },
  })].flat();
  return output.find((each) => each.type === "chunk").code;
}

/** Font Awesome 4, whose names the nodes of Node-RED use, with its font inside. */
function icons() {
  const css = createRequire(import.meta.url).resolve("font-awesome/css/font-awesome.min.css");
  const font = readFileSync(join(dirname(css), "../fonts/fontawesome-webfont.woff2")).toString("base64");
  const face = `@font-face{font-family:FontAwesome;src:url(data:font/woff2;base64,${font}) format("woff2");font-weight:normal;font-style:normal}`;
  return readFileSync(css, "utf8").replace(/@font-face\{[^}]*\}/, face);
}
