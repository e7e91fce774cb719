// The sign-in page.
import { start } from "./lib/start.ts";
import SignIn from "./routes/SignIn.svelte";

void start(SignIn);
