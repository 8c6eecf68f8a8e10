/** The forms of nodes: importing this module puts their drawers into the frame. */
import { overlays } from "../app/parts";
import { Drawers } from "./Drawer";
import "./forms.css";

overlays.push(Drawers);
