/** jQuery as the packages' scripts and jQuery UI expect it: a global. Imported before both. */
import jquery from "jquery";

/** What packages bring is not typed, and jQuery's chains run all through it. */
export type Any = any;

export const $: Any = jquery;
Object.assign(window, { $: jquery, jQuery: jquery });

// What older jQuery had and forms written for it still call; Node-RED brings it back, too.
$.fn.size = function (this: { length: number }) {
  return this.length;
};
$.fn.andSelf = $.fn.addBack;
