/** The forms of nodes: importing this module puts their drawers into the frame. */
import { addActions } from "../app/actions";
import { overlays } from "../app/parts";
import { Drawers } from "./Drawer";
import { formsOf } from "./forms";
import "./forms.css";

overlays.push(Drawers);
addActions([
  {
    id: "place-edit",
    title: "do.place-edit",
    keys: ["alt-enter"],
    scope: "canvas",
    when: (session) => session.flow.has(session.place.get()),
    run: (session) => formsOf(session).openAt(session.place.get()),
  },
]);
