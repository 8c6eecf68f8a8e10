// Error texts and stack traces as V8 writes them; only places in the users' texts are shown.
(function (native) {
  const describe = (error) => {
    try {
      return String(error);
    } catch {
      return "Error";
    }
  };
  Error.stackTraceLimit = 10;
  Error.prepareStackTrace = (error, sites) => {
    const places = [];
    for (const site of sites) {
      const file = site.getFileName();
      if (!file || !file.startsWith("Function node")) continue;
      places.push([site.getFunctionName(), file, site.getLineNumber(), site.getColumnNumber()]);
    }
    const [, file, line, column] = places[0] ?? [];
    if (error instanceof Error && typeof error.message === "string" && Object.hasOwn(error, "message")) {
      const text = native.explain(error.message, file ?? "", line ?? 0, column ?? 0);
      if (text !== undefined) error.message = text;
    }
    let stack = describe(error);
    for (const [name, file, line, column] of places) {
      const place = `${file}:${line}:${column}`;
      stack += name && name !== "<anonymous>" ? `\n    at ${name} (${place})` : `\n    at ${place}`;
    }
    return stack;
  };
});
