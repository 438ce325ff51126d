import { describe, test } from "vitest";
import few from "../few.cjs";

few(test, describe);
