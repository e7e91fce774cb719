// The page of somebody who was sent a link.
import "./styles/tokens.css";
import "./styles/base.css";
