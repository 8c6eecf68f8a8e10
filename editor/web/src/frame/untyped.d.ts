/** Modules without types of their own, and texts that the build brings in. */
declare module "jquery" {
  const jquery: (...args: unknown[]) => unknown;
  export default jquery;
}
declare module "jquery-ui/dist/jquery-ui.js";
