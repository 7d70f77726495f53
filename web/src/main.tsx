import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
// Every script that Inter has; a browser fetches only those that a page shows.
import "@fontsource-variable/inter/wght.css";
import "./styles/mantine";
import "./styles/global.css";
import { App } from "./app/App";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
