/** `RED.popover`: tips are titles, as browsers show them; other popovers are boxes beside what they belong to. */
import { $, type Any } from "../globals";

function tooltip(target: Any, content: Any): Any {
  const element = $(target);
  const set = (text: Any) => {
    const words = typeof text === "function" ? text() : text;
    if (typeof words === "string") element.attr("title", $("<div>").html($("<span>").text(words)).text());
  };
  set(content);
  return { open: () => tip, close: () => tip, setContent: set, setAction: () => undefined, delete: () => element.removeAttr("title"), element } as Any;
}
const tip: Any = { open: () => tip, close: () => tip };

function create(options: Any): Any {
  const target = $(options.target);
  const box = $("<div>", { class: "red-ui-popover" }).hide();
  let content = options.content;
  const self: Any = {
    element: box,
    setContent: (next: Any) => ((content = next), self),
    open: () => {
      const made = typeof content === "function" ? content.call(self) : content;
      box.empty().append(typeof made === "string" ? $("<span>").text(made) : made).appendTo(document.body);
      place(box, target);
      return self;
    },
    close: () => (box.detach(), self),
    move: () => self,
    delete: () => box.remove(),
  };
  if (options.trigger === "hover") target.on("mouseenter focusin", self.open).on("mouseleave focusout", self.close);
  else if (options.trigger === "click") target.on("click", (event: Any) => (event.preventDefault(), box.is(":visible") ? self.close() : self.open()));
  return self;
}

/** A box that closes when one clicks beside it. */
function panel(content: Any): Any {
  const box = $("<div>", { class: "red-ui-popover red-ui-popover-panel" }).append(content).hide();
  const self: Any = {
    container: box,
    show: (options: Any) => {
      box.appendTo(document.body);
      place(box, $(options.target));
      const outside = (event: Any) => {
        if ($(event.target).closest(box).length > 0) return;
        $(document).off("mousedown", outside);
        self.hide(true);
        options.onclose?.(true);
      };
      setTimeout(() => $(document).on("mousedown", outside));
    },
    hide: () => box.detach(),
  };
  return self;
}

function place(box: Any, target: Any): void {
  const { top, left } = target.offset() ?? { top: 0, left: 0 };
  box.css({ position: "absolute", top: top + (target.outerHeight() ?? 0) + 4, left: Math.max(4, Math.min(left, window.innerWidth - 280)) }).show();
}

export const popover = { tooltip, create, panel, menu: panel };
