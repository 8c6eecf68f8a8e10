/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { frame } from "./tools/frame.mjs";

// Where `npm run dev` finds the API: a running Node-RED or vgdc.
const server = process.env["VGDC_EDITOR_API"] ?? "http://127.0.0.1:1880";
const routes = "^/(flows?|nodes|settings|credentials|context|inject|debug|auth|diagnostics|vgdc)(/|$|\\?)";

export default defineConfig({
  // Relative, so that the page can be served under any path.
  base: "./",
  plugins: [react(), frame()],
  build: {
    target: "es2022",
    // The first browsers with light-dark(), which the style sheet relies on.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // Nothing becomes a data: URL, which `default-src 'self'` would refuse.
    assetsInlineLimit: 0,
    // No `<link rel=modulepreload>` of what is only loaded on demand.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
        // What seldom changes stands apart from our own code, so that browsers keep it over releases.
        // The code editor has a chunk of its own, and only dynamic imports name it. YAML is for tests alone.
        codeSplitting: {
          groups: [
            { name: "code-editor", test: /node_modules[\\/](@codemirror[\\/](?!lang-yaml)|@lezer[\\/](?!yaml)|(codemirror|style-mod|w3c-keyname|crelt)[\\/])/ },
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/ },
            { name: "graph", test: /node_modules[\\/](@xyflow|d3-[a-z]+|zustand|classcat|use-sync-external-store)[\\/]/ },
          ],
        },
      },
    },
  },
  server: {
    host: "127.0.0.1",
    proxy: {
      [routes]: { target: server },
      "/comms": { target: server, ws: true },
    },
  },
  test: {
    include: ["src/**/*.test.ts", "src/**/*.test.tsx"],
    environment: "node",
    testTimeout: 30_000,
    // Node 20 has a WebSocket of its own only when asked.
    execArgv: ["--experimental-websocket"],
  },
});
