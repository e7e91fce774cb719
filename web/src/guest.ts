// The page of somebody who was sent a link.
import "./guest/old.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/guest.css";
import { start } from "./guest/page.ts";

const root = document.getElementById("app");
if (root) void start(root);
